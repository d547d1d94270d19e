//! Workers on one ledger: several jobs, one that is stopped, one that is dropped, waiting for more.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    fake::{Act, Fake, Setup, settings},
    job::Job,
    ledger::testing,
};

/// Loads rows as a job of their own.
async fn load(setup: &Setup, gateway: &Fake, name: &str, rows: std::ops::RangeInclusive<usize>) -> Job {
    let source = setup.members_in(name, rows);
    let importer = setup.importer(gateway);
    importer.load(source, &CancellationToken::new()).await.unwrap()
}

fn outcome(summary: &WorkerSummary) -> Vec<(u64, u64, &str)> {
    let mut jobs: Vec<_> = summary
        .jobs
        .iter()
        .map(|job| {
            let stop = job.stopped.as_ref().map_or("", |stop| stop.code.as_str());
            (job.rows, job.imported, stop)
        })
        .collect();
    jobs.sort_unstable();
    jobs
}

#[tokio::test(start_paused = true)]
async fn a_worker_does_every_job_and_ends() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    load(&setup, &gateway, "one.csv", 1..=30).await;
    load(&setup, &gateway, "two.csv", 31..=50).await;
    let worker = setup.worker_with(&gateway, settings());
    let summary = worker.run(Until::Done, &CancellationToken::new()).await.unwrap();
    assert_eq!(outcome(&summary), [(20, 20, ""), (30, 30, "")]);
    assert!(summary.is_complete() && summary.stopped.is_none());
    assert_eq!((summary.sent, gateway.requests()), (50, 50));
}

#[tokio::test(start_paused = true)]
async fn workers_share_the_jobs_and_the_quota() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    load(&setup, &gateway, "one.csv", 1..=60).await;
    load(&setup, &gateway, "two.csv", 61..=100).await;
    let settings = settings().with_quota("5/s".parse().unwrap());
    let workers = [0; 3].map(|_| setup.worker_with(&gateway, settings.clone()));
    let cancel = CancellationToken::new();
    let started = Instant::now();
    let summaries = tokio::join!(
        workers[0].run(Until::Done, &cancel),
        workers[1].run(Until::Done, &cancel),
        workers[2].run(Until::Done, &cancel),
    );
    let summaries = [summaries.0.unwrap(), summaries.1.unwrap(), summaries.2.unwrap()];
    assert_eq!(gateway.requests(), 100);
    assert_eq!(summaries.iter().map(|summary| summary.sent).sum::<u64>(), 100);
    assert!(summaries.iter().all(WorkerSummary::is_complete));
    let seconds = started.elapsed().as_secs_f64();
    assert!((19.5..23.0).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_stopped_leaves_the_others_at_work() {
    let gateway = Fake::with_script(|code, _| if code == "C35" { Act::Forbid } else { Act::Do });
    let setup = Setup::new();
    load(&setup, &gateway, "one.csv", 1..=30).await;
    load(&setup, &gateway, "two.csv", 31..=150).await;
    let worker = setup.worker_with(&gateway, settings());
    let summary = worker.run(Until::Done, &CancellationToken::new()).await.unwrap();
    let jobs = outcome(&summary);
    assert_eq!(jobs[0], (30, 30, ""));
    assert_eq!((jobs[1].0, jobs[1].2), (120, "NO_AUTH"));
    assert!(summary.stopped.is_none() && !summary.is_complete());
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_stops_the_worker() {
    let gateway = Fake::with_script(|code, _| if code == "C1" { Act::Distrust } else { Act::Do });
    let setup = Setup::new();
    load(&setup, &gateway, "one.csv", 1..=500).await;
    load(&setup, &gateway, "two.csv", 501..=1000).await;
    let worker = setup.worker_with(&gateway, settings());
    let summary = worker
        .run(Until::Stopped, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(
        summary.stopped.map(|stop| stop.code).as_deref(),
        Some("SIGN_ERROR")
    );
    assert!(gateway.requests() < 200, "{}", gateway.requests());
}

#[tokio::test(start_paused = true)]
async fn a_worker_waits_for_more_and_skips_what_is_paused() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let worker = setup.worker_with(&gateway, settings());
    let ledger = testing::open(&setup.path("ledger.db"));
    let (cancel, progress) = (CancellationToken::new(), worker.progress());
    let ask = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(progress.borrow().waiting, Some(Waiting::Work));
        let paused = load(&setup, &gateway, "one.csv", 1..=10).await;
        ledger.pause(paused.id()).await.unwrap();
        load(&setup, &gateway, "two.csv", 11..=20).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(gateway.codes().len(), 10);
        ledger.resume(paused.id()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(gateway.codes().len(), 20);
        let told = *progress.borrow();
        assert_eq!((told.rows, told.imported, told.queued), (20, 20, 0));
        cancel.cancel();
    };
    let (summary, ()) = tokio::join!(worker.run(Until::Stopped, &cancel), ask);
    assert_eq!(outcome(&summary.unwrap()), [(10, 10, ""), (10, 10, "")]);
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_comes_back_is_tried_again() {
    let came_back_at = Instant::now() + Duration::from_secs(300);
    let gateway = Fake::with_script(move |_, _| match Instant::now() < came_back_at {
        true => Act::Unreachable,
        false => Act::Do,
    });
    let setup = Setup::new();
    load(&setup, &gateway, "one.csv", 1..=10).await;
    let worker = setup.worker_with(&gateway, settings().with_max_duration(Duration::from_secs(600)));
    let summary = worker
        .run(Until::Stopped, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(outcome(&summary), [(10, 10, "")]);
    assert_eq!(
        summary.stopped.map(|stop| stop.code).as_deref(),
        Some("MAX_DURATION")
    );
}

#[tokio::test(start_paused = true)]
async fn a_ledger_that_was_away_leaves_no_row_behind() {
    let setup = Setup::new();
    let path = setup.path("ledger.db");
    let away = path.clone();
    let gateway = Fake::with_script(move |code, attempt| {
        if (code, attempt) == ("C3", 1) {
            rename(&away, "requests", "away");
        }
        Act::Do
    });
    load(&setup, &gateway, "one.csv", 1..=200).await;
    let worker = setup.worker_with(&gateway, settings().with_quota("50/s".parse().unwrap()));
    let repair = async {
        while gateway.requests() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The run fails at its next claim, while the list of jobs still works.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(gateway.requests() < 200);
        rename(&path, "away", "requests");
    };
    let cancel = CancellationToken::new();
    let (summary, ()) = tokio::join!(worker.run(Until::Done, &cancel), repair);
    let summary = summary.unwrap();
    assert_eq!(outcome(&summary), [(200, 200, "")]);
    assert!(summary.is_complete());
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_cancelled_while_the_ledger_is_away_is_not_complete() {
    let setup = Setup::new();
    let away = setup.path("ledger.db");
    let gateway = Fake::with_script(move |code, attempt| {
        if (code, attempt) == ("C3", 1) {
            rename(&away, "requests", "away");
        }
        Act::Do
    });
    load(&setup, &gateway, "one.csv", 1..=200).await;
    let worker = setup.worker_with(&gateway, settings().with_quota("50/s".parse().unwrap()));
    let (cancel, progress) = (CancellationToken::new(), worker.progress());
    let ask = async {
        while progress.borrow().waiting != Some(Waiting::Ledger) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        cancel.cancel();
    };
    let (summary, ()) = tokio::join!(worker.run(Until::Done, &cancel), ask);
    let summary = summary.unwrap();
    assert_eq!(summary.jobs.len(), 1);
    assert!(
        summary.jobs[0].queued > 0 && !summary.is_complete(),
        "{summary:?}"
    );
}

fn rename(ledger: &std::path::Path, table: &str, name: &str) {
    let connection = rusqlite::Connection::open(ledger).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    connection
        .execute_batch(&format!("ALTER TABLE {table} RENAME TO {name}"))
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_cancelled_before_it_looks_is_not_complete() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    load(&setup, &gateway, "one.csv", 1..=5).await;
    let worker = setup.worker_with(&gateway, settings().with_max_duration(Duration::ZERO));
    let cancel = CancellationToken::new();
    cancel.cancel();
    let summary = worker.run(Until::Done, &cancel).await.unwrap();
    assert!(!summary.is_complete(), "{summary:?}");
    assert_eq!(gateway.requests(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_paused_and_resumed_is_done_before_the_worker_ends() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let one = load(&setup, &gateway, "one.csv", 1..=100).await;
    load(&setup, &gateway, "two.csv", 101..=300).await;
    let worker = setup.worker_with(
        &gateway,
        settings()
            .with_quota("10/s".parse().unwrap())
            .with_concurrency(4.try_into().unwrap()),
    );
    let ledger = testing::open(&setup.path("ledger.db"));
    let pause = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        ledger.pause(one.id()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        ledger.resume(one.id()).await.unwrap();
    };
    let cancel = CancellationToken::new();
    let (summary, ()) = tokio::join!(worker.run(Until::Done, &cancel), pause);
    let summary = summary.unwrap();
    assert_eq!(outcome(&summary), [(100, 100, ""), (200, 200, "")]);
    assert!(summary.is_complete());
}

#[tokio::test(start_paused = true)]
async fn some_refused_first_rows_do_not_hold_a_job_and_five_do() {
    for (refused, expect) in [(4, (20, 16, "")), (20, (20, 0, "PROBE_REFUSED"))] {
        let gateway = Fake::with_script(
            move |code, _| match code[1..].parse::<u32>().unwrap() <= refused {
                true => Act::Refuse,
                false => Act::Do,
            },
        );
        let setup = Setup::new();
        load(&setup, &gateway, "one.csv", 1..=20).await;
        let worker = setup.worker_with(&gateway, settings().with_probe(true));
        let summary = worker.run(Until::Done, &CancellationToken::new()).await.unwrap();
        assert_eq!(outcome(&summary), [expect]);
        assert_eq!(gateway.requests(), if refused == 4 { 20 } else { 5 });
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_dropped_worker_had_leased_comes_back() {
    let gateway = Fake::with_script(|code, attempt| match (code, attempt) {
        ("C1", 1) => Act::Hang,
        _ => Act::Do,
    });
    let setup = Setup::new();
    load(&setup, &gateway, "one.csv", 1..=40).await;
    let dead = setup.worker_with(&gateway, settings());
    let cancel = CancellationToken::new();
    let killed = tokio::time::timeout(Duration::from_millis(30), dead.run(Until::Done, &cancel)).await;
    assert!(killed.is_err());
    let alive = setup.worker_with(&gateway, settings());
    let summary = alive.run(Until::Done, &cancel).await.unwrap();
    assert_eq!(summary.jobs.len(), 1);
    let job = &summary.jobs[0];
    assert_eq!((job.imported + job.present, job.unknown + job.queued), (40, 0));
}

#[test]
fn a_ledger_that_fails_is_asked_again_for_a_while() {
    let now = Instant::now();
    let mut failures = Failures::default();
    let waits: Vec<_> = (0..12)
        .map_while(|_| failures.wait(now))
        .map(|wait| wait.as_secs())
        .collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30, 30, 30]);
    assert!(
        failures
            .wait(now + FAILURES_FORGOTTEN + Duration::from_secs(1))
            .is_some()
    );
}
