//! Notifications that are sent: to whom, how often, and what came back.
//!
//! When something is due follows from the [`Clock`] alone, so that a test moves time and never waits. Must never show a
//! resource: it holds personal data. Only `http` is spoken, to the address that a template or a test names: no certificate of
//! a developer's own server would pass for one of the public authorities that the platform trusts.

use std::{collections::VecDeque, fmt, sync::Mutex, time::Duration};

use serde_json::Value;
use tokio::sync::{Mutex as AsyncMutex, Notify};

use crate::{
    gateway::Gateway,
    lock::locked,
    notification::{self, NotificationOptions, NotificationSignature},
};

mod post;

/// Where a notification goes, and how often. By default once, and again every minute, up to eleven times, until the
/// merchant answers 200 or 204.
#[derive(Clone, Debug)]
pub struct Sending {
    url: String,
    probes: u32,
    duplicates: u32,
    retries: u32,
    options: NotificationOptions,
}

impl Sending {
    /// Sends to this address, such as `http://127.0.0.1:9000/notify`.
    #[must_use]
    pub fn to(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            probes: 0,
            duplicates: 0,
            retries: RETRIES,
            options: NotificationOptions::default(),
        }
    }

    /// Sends as many signature probes before the notification itself. A merchant who takes one is found out. At most 16.
    #[must_use]
    pub fn with_probes(mut self, probes: u32) -> Self {
        self.probes = probes.min(MOST);
        self
    }

    /// Sends the notification as many times again, under the same id, after it was taken. At most 16.
    #[must_use]
    pub fn with_duplicates(mut self, duplicates: u32) -> Self {
        self.duplicates = duplicates.min(MOST);
        self
    }

    /// Tries as many times again when it was not taken, a minute apart. Default and most: 11.
    #[must_use]
    pub fn with_retries(mut self, retries: u32) -> Self {
        self.retries = retries.min(RETRIES);
        self
    }

    /// Sets key, signature, id and personal fields. One whose signature is not right is sent once.
    #[must_use]
    pub fn with_options(mut self, options: NotificationOptions) -> Self {
        self.options = options;
        self
    }

    /// The signatures to send, in order.
    fn plan(&self) -> VecDeque<NotificationSignature> {
        let probes = (0..self.probes).map(|_| NotificationSignature::Probe);
        let copies = (0..=self.duplicates).map(|_| self.options.signature());
        probes.chain(copies).collect()
    }
}

/// A notification that is sent, or was.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Delivery {
    /// Counts the notifications from 1 on.
    pub number: u64,
    /// The envelope's id.
    pub id: String,
    /// The event.
    pub event_type: String,
    /// Where it goes.
    pub url: String,
    /// Every attempt, oldest first.
    pub attempts: Vec<Attempt>,
    /// How far it has come.
    pub state: DeliveryState,
}

/// One attempt to send a notification.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Attempt {
    /// The platform's Unix time, in seconds.
    pub unix_seconds: i64,
    /// How it was signed.
    pub signature: NotificationSignature,
    /// What came of it.
    pub outcome: AttemptOutcome,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum AttemptOutcome {
    /// The merchant answered with this status.
    Answered {
        /// The status.
        status: u16,
    },
    /// Nobody listens there.
    NoConnection,
    /// No whole answer within five seconds, or none that is HTTP.
    NoAnswer,
    /// The address is an `https` one, and the sandbox speaks no TLS.
    NoTls,
    /// It could not be made: there is no valid platform key.
    NotMade,
    /// The address is none that can be sent to: `http` with a host is.
    WrongUrl,
}

impl AttemptOutcome {
    /// Whether the merchant took it.
    #[must_use]
    pub const fn is_taken(self) -> bool {
        matches!(self, Self::Answered { status: 200 | 204 })
    }
}

/// How far a notification has come.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DeliveryState {
    /// There is something to send, now or later.
    Waiting,
    /// The merchant took all of it.
    Taken,
    /// It was given up.
    GivenUp,
}

/// What is sent, and what was.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    /// Held while something is being sent, so that nothing is sent twice at once.
    sending: AsyncMutex<()>,
    pub(crate) wake: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    written: u64,
    deliveries: VecDeque<Kept>,
}

struct Kept {
    shown: Delivery,
    resource: Value,
    options: NotificationOptions,
    plan: VecDeque<NotificationSignature>,
    retries: u32,
    /// On the clock's time since its start.
    due_at: Duration,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown.fmt(f)
    }
}

/// Which notifications are sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Which {
    Due,
    /// Every one that waits, due or not.
    Waiting,
}

/// Whether a notification has more to send at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Turn {
    GoesOn,
    Over,
}

type Made = Result<notification::SignedNotification, notification::NotificationError>;

impl Outbox {
    /// Takes in a notification, to be sent at once.
    pub(crate) fn push(
        &self,
        gateway: &Gateway,
        event_type: &str,
        resource: Value,
        sending: &Sending,
    ) -> Delivery {
        let mut queue = locked(&self.queue);
        queue.written += 1;
        let options = &sending.options;
        let id = options
            .id()
            .map_or_else(|| notification::new_id(gateway), str::to_owned);
        let shown = Delivery {
            number: queue.written,
            id: id.clone(),
            event_type: event_type.to_owned(),
            url: sending.url.clone(),
            attempts: Vec::new(),
            state: DeliveryState::Waiting,
        };
        if queue.deliveries.len() == LONGEST {
            queue.deliveries.pop_front();
        }
        queue.deliveries.push_back(Kept {
            shown: shown.clone(),
            resource,
            options: options.clone().with_id(id),
            plan: sending.plan(),
            retries: sending.retries,
            due_at: gateway.clock.elapsed(),
        });
        drop(queue);
        self.wake.notify_one();
        shown
    }

    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        let queue = locked(&self.queue);
        queue.deliveries.iter().map(|kept| kept.shown.clone()).collect()
    }

    pub(crate) fn clear(&self) {
        locked(&self.queue).deliveries.clear();
    }

    /// When the next one is due, on the clock's time since its start.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        let queue = locked(&self.queue);
        let waiting = queue.deliveries.iter().filter(|kept| kept.is_waiting());
        waiting.map(|kept| kept.due_at).min()
    }

    /// Gives each notification that is due, or waits, one turn, from the one that is due longest on. It ends, whatever
    /// time passes meanwhile and whatever else becomes due: a turn is over with the first try that is to be made again
    /// later, and has at most 33 signatures to send under.
    pub(crate) async fn deliver(&self, gateway: &Gateway, which: Which) {
        let _sending = self.sending.lock().await;
        for number in self.turns(which, gateway.clock.elapsed()) {
            // It may have been forgotten meanwhile.
            while let Some((url, made, signature)) = self.next_of(gateway, number) {
                let outcome = match made {
                    Ok(notification) => post::post(&url, &notification).await,
                    Err(_) => AttemptOutcome::NotMade,
                };
                let attempt = Attempt {
                    unix_seconds: gateway.clock.unix_seconds(),
                    signature,
                    outcome,
                };
                if self.note(number, attempt, gateway.clock.elapsed()) == Turn::Over {
                    break;
                }
            }
        }
        // Whoever waits for the next one that is due reckoned with what was there before.
        if which == Which::Waiting {
            self.wake.notify_one();
        }
    }

    /// The numbers of those whose turn it is.
    fn turns(&self, which: Which, now: Duration) -> Vec<u64> {
        let queue = locked(&self.queue);
        let waiting = queue.deliveries.iter().filter(|kept| kept.is_waiting());
        let fits = |kept: &&Kept| which == Which::Waiting || kept.due_at <= now;
        let mut turns: Vec<_> = waiting
            .filter(fits)
            .map(|kept| (kept.due_at, kept.shown.number))
            .collect();
        turns.sort_unstable();
        turns.into_iter().map(|(_, number)| number).collect()
    }

    /// What one has to send next.
    fn next_of(&self, gateway: &Gateway, number: u64) -> Option<(String, Made, NotificationSignature)> {
        let queue = locked(&self.queue);
        let mut waiting = queue.deliveries.iter().filter(|kept| kept.is_waiting());
        let kept = waiting.find(|kept| kept.shown.number == number)?;
        let signature = *kept.plan.front()?;
        let options = kept.options.clone().with_signature(signature);
        let made = notification::make(gateway, &kept.shown.event_type, &kept.resource, &options);
        Some((kept.shown.url.clone(), made, signature))
    }

    fn note(&self, number: u64, attempt: Attempt, now: Duration) -> Turn {
        let mut queue = locked(&self.queue);
        let mut deliveries = queue.deliveries.iter_mut();
        let kept = deliveries.find(|kept| kept.shown.number == number);
        kept.map_or(Turn::Over, |kept| kept.note(attempt, now))
    }
}

impl Kept {
    fn is_waiting(&self) -> bool {
        self.shown.state == DeliveryState::Waiting
    }

    /// What an attempt means for the next one.
    fn note(&mut self, attempt: Attempt, now: Duration) -> Turn {
        let is_right = attempt.signature == NotificationSignature::Right;
        let hopeless = matches!(attempt.outcome, AttemptOutcome::NoTls | AttemptOutcome::WrongUrl);
        let is_taken = attempt.outcome.is_taken();
        self.shown.attempts.push(attempt);
        let mut turn = Turn::Over;
        if is_taken || !is_right {
            self.plan.pop_front();
            self.due_at = now;
            turn = Turn::GoesOn;
        } else if self.retries > 0 {
            self.retries -= 1;
            self.due_at = now.saturating_add(RETRY_AFTER);
        } else {
            self.shown.state = DeliveryState::GivenUp;
        }
        if hopeless {
            self.shown.state = DeliveryState::GivenUp;
        } else if self.plan.is_empty() {
            self.shown.state = match is_taken {
                true => DeliveryState::Taken,
                false => DeliveryState::GivenUp,
            };
        }
        turn
    }
}

/// The family's schedule: every 60 seconds, at most eleven times (section 6.1 of our notes).
const RETRIES: u32 = 11;
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(60);
const MOST: u32 = 16;
/// How many notifications are kept, oldest first out.
const LONGEST: usize = 256;

#[cfg(test)]
mod tests;
