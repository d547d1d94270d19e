//! What holds a run back: the probe, the hours of the day, its time, rows that are left alone, a job that is paused.

use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::{
    fake::ClockAt,
    importer::Importer,
    job::Job,
    ledger::testing,
    progress::{Progress, Summary},
};

/// Loads a job of its own. While it is read, tokio's clock runs ahead, so clocks are looked at only afterwards.
async fn loaded(setup: &Setup, rows: std::ops::RangeInclusive<usize>) -> Job {
    let source = setup.members_in(&format!("from-{}.csv", rows.start()), rows);
    let importer = setup.importer(&Fake::new());
    importer.load(source, &CancellationToken::new()).await.unwrap()
}

async fn run(importer: &Importer<Fake>, job: &Job) -> Summary {
    importer.run(job, &CancellationToken::new()).await.unwrap()
}

fn stop_of(summary: &Summary) -> &str {
    summary.stopped.as_ref().map_or("", |stop| stop.code.as_str())
}

#[tokio::test(start_paused = true)]
async fn a_refused_probe_costs_one_row() {
    let gateway = Fake::with_script(|_, _| Act::Refuse);
    let setup = Setup::new();
    let importer = setup.importer_with(&gateway, settings().with_probe(true));
    let job = loaded(&setup, 1..=100).await;
    for round in 1..=2 {
        let summary = run(&importer, &job).await;
        assert_eq!(counts(&summary), [0, 0, round, 0, 100 - round]);
        assert_eq!(
            summary.refused_by_code,
            [("PARAM_ERROR".to_owned(), round)].into()
        );
        let stop = summary.stopped.unwrap();
        assert_eq!(stop.code, "PROBE_REFUSED");
        assert!(stop.message.contains(&format!("row {round}, ")) && stop.message.contains("PARAM_ERROR"));
        assert!(stop.hint.unwrap().text().contains("`--yes`"));
    }
}

/// The stop is the caller's, and says nothing about the row.
#[tokio::test(start_paused = true)]
async fn a_probe_that_is_cancelled_is_no_stop_of_its_own() {
    let gateway = Fake::with_script(|_, _| Act::Lose);
    let setup = Setup::new();
    let importer = setup.importer_with(&gateway, settings().with_probe(true));
    let job = loaded(&setup, 1..=10).await;
    let cancel = CancellationToken::new();
    let stop = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        cancel.cancel();
    };
    let (summary, ()) = tokio::join!(importer.run(&job, &cancel), stop);
    let summary = summary.unwrap();
    assert_eq!((counts(&summary), stop_of(&summary)), ([0, 0, 0, 1, 9], ""));
}

#[tokio::test(start_paused = true)]
async fn equal_refusals_without_a_success_stop_the_run() {
    let gateway = Fake::with_script(|_, _| Act::Refuse);
    let setup = Setup::new();
    let limit = settings().with_refusal_limit(Some(20.try_into().unwrap()));
    let importer = setup.importer_with(&gateway, limit.with_concurrency(4.try_into().unwrap()));
    let job = loaded(&setup, 1..=100).await;
    let summary = run(&importer, &job).await;
    assert!((20..25).contains(&summary.refused), "{summary:?}");
    let stop = summary.stopped.unwrap();
    assert_eq!(stop.code, "SAME_REFUSAL");
    assert!(stop.message.contains("PARAM_ERROR: 参数错误"), "{}", stop.message);
    let importer = setup.importer_with(&gateway, settings().with_refusal_limit(None));
    assert_eq!(counts(&run(&importer, &job).await), [0, 0, 100, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn refusals_with_a_success_now_and_then_stop_nothing() {
    let gateway = Fake::with_script(|code, _| match code.ends_with('0') {
        true => Act::Do,
        false => Act::Refuse,
    });
    let setup = Setup::new();
    let limit = settings().with_refusal_limit(Some(20.try_into().unwrap()));
    let importer = setup.importer_with(&gateway, limit.with_concurrency(1.try_into().unwrap()));
    let job = loaded(&setup, 1..=100).await;
    assert_eq!(counts(&run(&importer, &job).await), [10, 0, 90, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_good_probe_goes_on_and_is_asked_for_once() {
    let gateway = Fake::new();
    let setup = Setup::new();
    let importer = setup.importer_with(&gateway, settings().with_probe(true));
    let jobs = [loaded(&setup, 1..=20).await, loaded(&setup, 21..=40).await];
    let started = Instant::now();
    assert_eq!(counts(&run(&importer, &jobs[0]).await), [20, 0, 0, 0, 0]);
    // One answer, then all others at once.
    assert_eq!(started.elapsed(), Duration::from_millis(40));
    // Another job for the same card finds a success in the ledger.
    let started = Instant::now();
    run(&importer, &jobs[1]).await;
    assert_eq!(started.elapsed(), Duration::from_millis(20));
}

#[tokio::test(start_paused = true)]
async fn a_probe_without_an_answer_stops_too() {
    for act in [Act::Lose, Act::Panic] {
        let gateway = Fake::with_script(move |_, _| act.clone());
        let setup = Setup::new();
        let importer = setup.importer_with(&gateway, settings().with_probe(true));
        let summary = import(&importer, &setup.members(20)).await;
        assert_eq!(
            (counts(&summary), stop_of(&summary)),
            ([0, 0, 0, 1, 19], "PROBE_UNKNOWN")
        );
    }
}

/// What a run told on its way, each time it was something else.
fn told(mut progress: tokio::sync::watch::Receiver<Progress>) -> tokio::task::JoinHandle<Vec<Waiting>> {
    tokio::spawn(async move {
        let mut told = Vec::new();
        while progress.changed().await.is_ok() {
            let waiting = progress.borrow_and_update().waiting;
            if let Some(waiting) = waiting
                && told.last() != Some(&waiting)
            {
                told.push(waiting);
            }
        }
        told
    })
}

#[tokio::test(start_paused = true)]
async fn outside_its_hours_a_run_waits_and_says_until_when() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let job = loaded(&setup, 1..=10).await;
    let clock = Arc::new(ClockAt::new("2026-03-01T20:00:00+08:00"));
    let night = settings()
        .with_window("22:00-06:00".parse().unwrap())
        .with_clock(clock.clone())
        .with_quota("1/s".parse().unwrap());
    let importer = setup.importer_with(&gateway, night);
    let told = told(importer.progress());
    let started = Instant::now();
    let summary = run(&importer, &job).await;
    let waited = started.elapsed();
    assert_eq!(counts(&summary), [10, 0, 0, 0, 0]);
    assert!((7200..7220).contains(&waited.as_secs()), "{waited:?}");
    drop(importer);
    let until = "2026-03-01T22:00:00+08:00"
        .parse::<jiff::Timestamp>()
        .unwrap()
        .as_second();
    assert_eq!(told.await.unwrap(), [Waiting::Window { until }]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_done_by_morning_waits_for_the_next_night() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let job = loaded(&setup, 1..=20).await;
    let night = settings()
        .with_window("22:00-06:00".parse().unwrap())
        .with_clock(Arc::new(ClockAt::new("2026-03-01T05:59:51+08:00")))
        .with_quota("1/s".parse().unwrap());
    let importer = setup.importer_with(&gateway, night);
    let started = Instant::now();
    assert_eq!(counts(&run(&importer, &job).await), [20, 0, 0, 0, 0]);
    let hours = started.elapsed().as_secs() / 3600;
    assert_eq!(hours, 16);
}

#[tokio::test(start_paused = true)]
async fn a_run_ends_when_its_time_is_over_and_lets_what_is_under_way_finish() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let importer = setup.importer_with(
        &gateway,
        settings()
            .with_quota("5/s".parse().unwrap())
            .with_max_duration(Duration::from_secs(10)),
    );
    let summary = import(&importer, &setup.members(100)).await;
    assert_eq!(stop_of(&summary), "MAX_DURATION");
    assert!(
        (50..=52).contains(&summary.imported) && summary.unknown == 0,
        "{summary:?}"
    );
    assert!((10.0..10.1).contains(&summary.seconds), "{}", summary.seconds);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_run_is_over_while_it_waits_for_its_hours() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let job = loaded(&setup, 1..=5).await;
    let settings = settings()
        .with_window("22:00-06:00".parse().unwrap())
        .with_clock(Arc::new(ClockAt::new("2026-03-01T12:00:00+08:00")))
        .with_max_duration(Duration::from_secs(3600));
    let summary = run(&setup.importer_with(&gateway, settings), &job).await;
    assert_eq!(
        (counts(&summary), stop_of(&summary)),
        ([0, 0, 0, 0, 5], "MAX_DURATION")
    );
}

#[tokio::test(start_paused = true)]
async fn rows_without_a_known_outcome_can_be_left_alone() {
    let gateway = Fake::with_script(|code, attempt| match (code, attempt) {
        ("C3" | "C7", 1) => Act::Lose,
        ("C9", 1..=2) => Act::Unreachable,
        _ => Act::Do,
    });
    let setup = Setup::new();
    let importer = setup.importer_with(&gateway, settings().with_on_unknown(OnUnknown::Hold));
    for requests in [10 + 2, 0] {
        let before = gateway.requests();
        let summary = import(&importer, &setup.members(10)).await;
        assert_eq!((counts(&summary), stop_of(&summary)), ([8, 0, 0, 2, 0], ""));
        assert_eq!(gateway.requests() - before, requests);
    }
    // Whoever repeats finds out.
    let summary = import(&setup.importer(&gateway), &setup.members(10)).await;
    assert_eq!(counts(&summary), [10, 0, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_paused_stops_and_goes_on() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let importer = setup.importer_with(&gateway, settings().with_quota("5/s".parse().unwrap()));
    let job = loaded(&setup, 1..=50).await;
    let ledger = testing::open(&setup.path("ledger.db"));
    let pause = async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        ledger.pause(job.id()).await.unwrap();
    };
    let cancel = CancellationToken::new();
    let (summary, ()) = tokio::join!(importer.run(&job, &cancel), pause);
    let summary = summary.unwrap();
    assert_eq!(stop_of(&summary), "PAUSED");
    assert!((19..=22).contains(&summary.imported), "{summary:?}");
    ledger.resume(job.id()).await.unwrap();
    assert_eq!(importer.run(&job, &cancel).await.unwrap().imported, 50);
}

#[tokio::test(start_paused = true)]
async fn what_did_not_leave_is_not_counted_as_sent() {
    let gateway = Fake::with_script(|code, attempt| match (code, attempt) {
        ("C1", 1..=2) => Act::Unreachable,
        ("C2", 1) => Act::Lose,
        _ => Act::Do,
    });
    let setup = Setup::new();
    let importer = setup.importer(&gateway);
    let told = told(importer.progress());
    let summary = import(&importer, &setup.members(3)).await;
    assert_eq!(
        (counts(&summary), summary.sent, gateway.requests()),
        ([3, 0, 0, 0, 0], 4, 6)
    );
    drop(importer);
    assert_eq!(told.await.unwrap(), [Waiting::BackOff]);
}
