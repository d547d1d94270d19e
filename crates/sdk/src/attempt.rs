//! The loop around the pipeline: attempts of one call, until one answers, is final, or the time is up.
//!
//! It stands above signing, so that each attempt has its own time, nonce and signature.

use std::{sync::Arc, time::Duration};

use tracing::Instrument;
use wxmember_client::raw;

use crate::{
    Error, Operation, RetryPolicy,
    core::Core,
    observe,
    pipeline::Attempt,
    retry::{Next, next},
};

/// What is being called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) operation: &'a Operation,
    /// Whether it may be made twice.
    pub(crate) is_repeatable: bool,
}

/// A verified answer, and the number of attempts that it took.
pub(crate) struct Answered<R> {
    pub(crate) answer: raw::ResponseValue<R>,
    pub(crate) attempts: u32,
}

/// Makes a call.
pub(crate) async fn run<R, E, F>(
    core: &Arc<Core>,
    policy: &RetryPolicy,
    call: Call<'_>,
    attempt: impl Fn(raw::Client) -> F,
) -> Result<Answered<R>, Error>
where
    F: Future<Output = Result<raw::ResponseValue<R>, raw::Error<E>>>,
{
    let span = observe::call(call.operation);
    let outcome = attempts(core, policy, call, attempt)
        .instrument(span.clone())
        .await;
    match &outcome {
        Ok(answered) => observe::called(&span, answered.attempts, None),
        Err(error) => observe::called(&span, error.attempts(), Some(error)),
    }
    outcome
}

async fn attempts<R, E, F>(
    core: &Arc<Core>,
    policy: &RetryPolicy,
    call: Call<'_>,
    attempt: impl Fn(raw::Client) -> F,
) -> Result<Answered<R>, Error>
where
    F: Future<Output = Result<raw::ResponseValue<R>, raw::Error<E>>>,
{
    let operation = call.operation;
    let end = core.clock.steady().saturating_add(policy.deadline());
    let mut waits = policy.waits();
    let mut history = History::default();
    let mut host = 0;
    loop {
        if let Err(missing) = core.keys_ready().await {
            return Err(Error::no_keys(operation, missing).after(history));
        }
        history.attempts += 1;
        let left = end.saturating_sub(core.clock.steady());
        let pipeline = Arc::new(Attempt::new(
            core.clone(),
            *operation,
            core.timeout.min(left.max(SHORTEST)),
        ));
        let span = observe::attempt(operation, history.attempts, host);
        let started = core.clock.steady();
        let outcome = attempt(core.raw(host, pipeline.clone()))
            .instrument(span.clone())
            .await
            .map_err(|error| Error::from_raw(operation, error).seen(pipeline.seen()));
        let took = core.clock.steady().saturating_sub(started);
        observe::attempted(&span, operation, &pipeline.seen(), outcome.as_ref().err(), took);
        let error = match outcome {
            Ok(answer) => {
                return Ok(Answered {
                    answer,
                    attempts: history.attempts,
                });
            }
            Err(error) => error,
        };
        let decision = next(&error, call.is_repeatable);
        let wait = match (decision, waits.next()) {
            (Next::Again { other_host }, Some(wait)) => {
                let wait = wait.max(error.retry_after().unwrap_or_default());
                (core.clock.steady().saturating_add(wait) < end).then_some((wait, other_host))
            }
            _ => None,
        };
        let Some((wait, other_host)) = wait else {
            return Err(error.after(history));
        };
        history.note(&error);
        core.clock.sleep(wait).await;
        if other_host {
            host = core.hosts.other(host);
        }
    }
}

/// What earlier attempts of a call leave behind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct History {
    pub(crate) attempts: u32,
    /// One of them may have been acted on.
    pub(crate) may_have_acted: bool,
}

impl History {
    fn note(&mut self, error: &Error) {
        self.may_have_acted |= error.is_outcome_unknown();
    }
}

/// A download of keys may have used the time up; an attempt without any would fail in a way that looks like a lost answer.
const SHORTEST: Duration = Duration::from_secs(1);
