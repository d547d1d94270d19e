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
mod tests {
    use super::*;

    const START: Duration = Duration::ZERO;
    const MILLION: u32 = 1_000_000;

    fn next(faults: &Faults, fault: Fault, answers: u64) -> u64 {
        faults.push(FaultRule::next(fault, answers), START)
    }

    fn of(operation: &str, rule: FaultRule) -> FaultRule {
        rule.with_operation(operation).unwrap()
    }

    #[test]
    fn faults_are_used_up_in_order() {
        let faults = Faults::default();
        next(&faults, Fault::BadGateway, 0);
        next(&faults, Fault::BadGateway, 1);
        next(&faults, Fault::Unsigned, 2);
        assert_eq!(faults.waiting(), 3);
        assert_eq!(faults.take_after_commit("any", Content::Document, START), None);
        assert_eq!(
            faults.take_before_checks("any", Content::Document, START),
            Some(Fault::BadGateway)
        );
        assert_eq!(faults.take_before_checks("any", Content::Document, START), None);
        assert_eq!(
            faults.take_after_commit("any", Content::Document, START),
            Some(Fault::Unsigned)
        );
        assert_eq!(
            faults.take_after_commit("any", Content::Document, START),
            Some(Fault::Unsigned)
        );
        assert_eq!(faults.take_after_commit("any", Content::Document, START), None);
    }

    #[test]
    fn a_fault_by_chance_comes_behind_those_that_wait() {
        let faults = Faults::default();
        let one = of("list_cards", FaultRule::share(Fault::BadGateway, MILLION, 0));
        faults.push(one, START);
        faults.push(FaultRule::share(Fault::LostAnswer, MILLION, 0), START);
        next(&faults, Fault::SystemError, 1);
        assert_eq!(
            faults.take_before_checks("list_cards", Content::Document, START),
            Some(Fault::SystemError)
        );
        assert_eq!(
            faults.take_before_checks("list_cards", Content::Document, START),
            Some(Fault::BadGateway)
        );
        assert_eq!(faults.take_before_checks("other", Content::Document, START), None);
        assert_eq!(
            faults.take_after_commit("other", Content::Document, START),
            Some(Fault::LostAnswer)
        );
        assert_eq!(faults.waiting(), 0);
        faults.clear();
        assert_eq!(faults.take_after_commit("other", Content::Document, START), None);
    }

    #[test]
    fn a_hit_spoils_a_whole_burst_and_the_seed_says_where_it_begins() {
        let hits = |burst| {
            let faults = Faults::default();
            faults.push(
                FaultRule::share(Fault::RateLimited, 20_000, 7).with_burst(burst),
                START,
            );
            let answers = (0..2_000).map(|_| {
                faults
                    .take_before_checks("any", Content::Document, START)
                    .is_some()
            });
            answers.collect::<Vec<_>>()
        };
        let (single, burst) = (hits(1), hits(5));
        let first = |answers: &[bool]| answers.iter().position(|is_hit| *is_hit).unwrap();
        assert_eq!(first(&single), first(&burst));
        let at = first(&burst);
        assert!(burst[at..at + 5].iter().all(|is_hit| *is_hit));
        let runs: Vec<_> = burst.split(|is_hit| !is_hit).map(<[bool]>::len).collect();
        assert!(runs.iter().filter(|run| **run > 0).count() > 10);
        assert!(runs.iter().all(|run| run % 5 == 0), "{runs:?}");
        assert_eq!(burst, hits(5));
    }

    #[test]
    fn a_fault_for_a_time_spoils_every_answer_until_it_is_over() {
        let faults = Faults::default();
        let second = Duration::from_secs(1);
        faults.push(FaultRule::during(Fault::RateLimited, second * 10), second);
        let listed = |now| faults.list(now).first().map(|listed| listed.rule.when);
        assert_eq!(listed(second), Some(When::For { time: second * 10 }));
        assert_eq!(listed(second * 10), Some(When::For { time: second }));
        for _ in 0..100 {
            let taken = faults.take_before_checks("any", Content::Document, second * 10);
            assert_eq!(taken, Some(Fault::RateLimited));
        }
        assert_eq!(
            faults.take_before_checks("any", Content::Document, second * 11),
            None
        );
        assert_eq!(listed(second * 11), None);
    }

    #[test]
    fn faults_are_listed_and_taken_away_by_their_id() {
        let faults = Faults::default();
        let share = FaultRule::share(Fault::LostAnswer, 10_000, 7);
        let share_id = faults.push(share.clone(), START);
        let two = of("list_cards", FaultRule::next(Fault::Unsigned, 2));
        let two_id = faults.push(two.clone(), START);
        let expected = [
            Listed {
                id: two_id,
                rule: two,
            },
            Listed {
                id: share_id,
                rule: share,
            },
        ];
        assert_eq!(faults.list(START), expected);
        assert!(faults.remove(two_id) && !faults.remove(two_id) && faults.remove(share_id));
        assert!(faults.list(START).is_empty());
    }

    #[test]
    fn a_fault_of_a_body_waits_for_an_answer_that_has_one() {
        let faults = Faults::default();
        next(&faults, Fault::CutBody, 1);
        faults.push(FaultRule::share(Fault::TruncatedJson, MILLION, 0), START);
        let take = |content| faults.take_after_commit("any", content, START);
        assert_eq!(take(Content::None), None);
        assert_eq!(faults.waiting(), 1);
        assert_eq!(take(Content::Document), Some(Fault::CutBody));
        assert_eq!(take(Content::None), None);
        assert_eq!(take(Content::Document), Some(Fault::TruncatedJson));
        next(&faults, Fault::Unsigned, 1);
        assert_eq!(take(Content::None), Some(Fault::Unsigned));
    }

    #[test]
    fn a_fault_of_a_body_lets_those_behind_it_spoil_an_answer_without_one() {
        let faults = Faults::default();
        next(&faults, Fault::CutBody, 1);
        next(&faults, Fault::Unsigned, 1);
        next(&faults, Fault::BadGateway, 1);
        let before = |content| faults.take_before_checks("any", content, START);
        let after = |content| faults.take_after_commit("any", content, START);
        // The order is kept all the same: the gateway's fault stands behind another one.
        assert_eq!(before(Content::None), None);
        assert_eq!(after(Content::None), Some(Fault::Unsigned));
        assert_eq!(before(Content::None), Some(Fault::BadGateway));
        assert_eq!(before(Content::Document), None);
        assert_eq!(after(Content::Document), Some(Fault::CutBody));
        assert_eq!(faults.waiting(), 0);
    }

    #[test]
    fn a_fault_of_one_operation_leaves_the_others_alone() {
        let faults = Faults::default();
        let one = of("list_certificates", FaultRule::next(Fault::SystemError, 1));
        faults.push(one, START);
        next(&faults, Fault::BadGateway, 1);
        let take = |operation| faults.take_before_checks(operation, Content::Document, START);
        assert_eq!(take("import_by_phone"), Some(Fault::BadGateway));
        assert_eq!(take("import_by_phone"), None);
        assert_eq!(take("list_certificates"), Some(Fault::SystemError));
        assert_eq!(faults.waiting(), 0);
    }
}
