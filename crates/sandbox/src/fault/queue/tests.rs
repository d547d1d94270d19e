//! Which fault an answer meets, in which order, and what is left of it.

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
fn a_fault_about_a_card_waits_for_an_answer_that_names_one() {
    let faults = Faults::default();
    next(&faults, Fault::ReplayedAnswer, 1);
    next(&faults, Fault::CutBody, 1);
    let take = |content| faults.take_after_commit("any", content, START);
    assert_eq!(take(Content::None), None);
    assert_eq!(take(Content::Document), Some(Fault::CutBody));
    assert_eq!(take(Content::Document), None);
    assert_eq!(take(Content::Card), Some(Fault::ReplayedAnswer));
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
