//! The faults that are there: those that wait for their answers, first in, first out, and behind them those that stand.

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    Content, Fault,
    rule::{FaultRule, When},
};
use crate::lock::locked;

/// A fault that waits for its answers.
#[derive(Debug)]
struct Waiting {
    id: u64,
    rule: FaultRule,
    answers: u64,
}

/// A fault that stays, by chance or for a time.
#[derive(Debug)]
struct Standing {
    id: u64,
    rule: FaultRule,
    /// How many answers it could have spoilt so far.
    answers: u64,
    /// How many answers a hit still spoils.
    burst: u64,
    /// When it ends, on the sandbox's clock; `None` is never.
    until: Option<Duration>,
}

impl Standing {
    fn has_ended(&self, now: Duration) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// Counts an answer, and says whether it is spoilt.
    fn hits(&mut self) -> bool {
        let answer = self.answers;
        self.answers += 1;
        if self.burst > 0 {
            self.burst -= 1;
            return true;
        }
        match self.rule.when {
            When::Share { burst, .. } if self.rule.hits(answer) => {
                self.burst = burst.saturating_sub(1);
                true
            }
            When::Share { .. } => false,
            When::For { .. } | When::Next { .. } => true,
        }
    }
}

/// A fault as it is listed: what is left of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Listed {
    pub(crate) id: u64,
    pub(crate) rule: FaultRule,
}

/// All of them. `now` is what [`Clock::elapsed`](crate::Clock) says.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    waiting: Mutex<VecDeque<Waiting>>,
    standing: Mutex<Vec<Standing>>,
    ids: AtomicU64,
}

impl Faults {
    /// Adds a fault, and returns its id.
    pub(crate) fn push(&self, rule: FaultRule, now: Duration) -> u64 {
        let id = self.ids.fetch_add(1, Ordering::Relaxed) + 1;
        match rule.when {
            When::Next { answers: 0 } => {}
            When::Next { answers } => locked(&self.waiting).push_back(Waiting { id, rule, answers }),
            When::For { .. } | When::Share { .. } => {
                let until = match rule.when {
                    When::For { time } => Some(now.saturating_add(time)),
                    _ => None,
                };
                locked(&self.standing).push(Standing {
                    id,
                    rule,
                    answers: 0,
                    burst: 0,
                    until,
                });
            }
        }
        id
    }

    /// Every fault that is still there: those that wait, in their order, then those that stand.
    pub(crate) fn list(&self, now: Duration) -> Vec<Listed> {
        let waiting = locked(&self.waiting);
        let waiting = waiting.iter().map(|waiting| {
            let mut rule = waiting.rule.clone();
            rule.when = When::Next {
                answers: waiting.answers,
            };
            Listed { id: waiting.id, rule }
        });
        let mut listed: Vec<_> = waiting.collect();
        let mut standing = locked(&self.standing);
        standing.retain(|standing| !standing.has_ended(now));
        listed.extend(standing.iter().map(|standing| {
            let mut rule = standing.rule.clone();
            if let Some(until) = standing.until {
                rule.when = When::For {
                    time: until.saturating_sub(now),
                };
            }
            Listed {
                id: standing.id,
                rule,
            }
        }));
        listed
    }

    /// Takes one away; `false` when it is not there, or no longer.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let mut waiting = locked(&self.waiting);
        let mut standing = locked(&self.standing);
        let before = waiting.len() + standing.len();
        waiting.retain(|waiting| waiting.id != id);
        standing.retain(|standing| standing.id != id);
        waiting.len() + standing.len() < before
    }

    pub(crate) fn clear(&self) {
        locked(&self.waiting).clear();
        locked(&self.standing).clear();
    }

    /// How many answers will still fail, without those by chance and for a time.
    pub(crate) fn waiting(&self) -> u64 {
        let waiting = locked(&self.waiting);
        waiting
            .iter()
            .fold(0, |sum, waiting| sum.saturating_add(waiting.answers))
    }

    /// The next fault for an operation, if it is of the kind that comes before every check. `content` is what a good
    /// answer would carry: one of a body lets an answer without one pass, and those behind it come first.
    pub(crate) fn take_before_checks(
        &self,
        operation: &str,
        content: Content,
        now: Duration,
    ) -> Option<Fault> {
        self.take(operation, content, now, |fault| !fault.commits())
    }

    /// The next fault for an operation, if it is of the kind that spoils a good answer.
    pub(crate) fn take_after_commit(
        &self,
        operation: &str,
        content: Content,
        now: Duration,
    ) -> Option<Fault> {
        self.take(operation, content, now, Fault::commits)
    }

    fn take(
        &self,
        operation: &str,
        content: Content,
        now: Duration,
        fits: impl Fn(Fault) -> bool,
    ) -> Option<Fault> {
        let is_for = |rule: &FaultRule| rule.is_for(operation, content);
        self.take_waiting(is_for, &fits)
            .or_else(|| self.draw(is_for, now, &fits))
    }

    /// Every standing fault counts the answer, also behind one that has hit, so that none changes what another one does.
    fn draw(
        &self,
        is_for: impl Fn(&FaultRule) -> bool,
        now: Duration,
        fits: impl Fn(Fault) -> bool,
    ) -> Option<Fault> {
        let mut drawn = None;
        let mut all = locked(&self.standing);
        all.retain(|standing| !standing.has_ended(now));
        for standing in all.iter_mut() {
            let fault = standing.rule.fault;
            if fits(fault) && is_for(&standing.rule) && standing.hits() {
                drawn = drawn.or(Some(fault));
            }
        }
        drawn
    }

    fn take_waiting(
        &self,
        is_for: impl Fn(&FaultRule) -> bool,
        fits: impl Fn(Fault) -> bool,
    ) -> Option<Fault> {
        let mut waiting = locked(&self.waiting);
        let at = waiting.iter().position(|waiting| is_for(&waiting.rule))?;
        let next = waiting.get_mut(at)?;
        let fault = next.rule.fault;
        if !fits(fault) {
            return None;
        }
        next.answers -= 1;
        if next.answers == 0 {
            waiting.remove(at);
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests;
