//! Several importers on one ledger, as several processes have it: they share rows and pace, and take over what one
//! that died had leased.

use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::{
    fake::import_with,
    ledger::{Owner, testing},
    pace::PaceKey,
    progress::Summary,
};

#[tokio::test(start_paused = true)]
async fn two_importers_share_the_rows_and_the_quota() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let source = setup.members(100);
    let settings = settings().with_quota("5/s".parse().unwrap());
    let one = setup.importer_with(&gateway, settings.clone());
    let other = setup.importer_with(&gateway, settings);
    one.load(Arc::clone(&source), &CancellationToken::new())
        .await
        .unwrap();
    let started = Instant::now();
    let (first, second) = tokio::join!(import_with(&one, &source), import_with(&other, &source));
    for summary in [&first, &second] {
        assert_eq!(counts(summary), [100, 0, 0, 0, 0]);
        // Neither is starved.
        assert!(summary.sent >= 30, "{}", summary.sent);
    }
    assert_eq!((first.sent + second.sent, gateway.requests()), (100, 100));
    let seconds = started.elapsed().as_secs_f64();
    assert!((19.5..21.5).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn one_importer_waits_while_the_other_loads() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let source = setup.members(3000);
    let importers = [0; 3].map(|_| setup.importer(&gateway));
    let cancel = CancellationToken::new();
    let jobs = tokio::join!(
        importers[0].load(Arc::clone(&source), &cancel),
        importers[1].load(Arc::clone(&source), &cancel),
        importers[2].load(Arc::clone(&source), &cancel),
    );
    let jobs = [jobs.0.unwrap(), jobs.1.unwrap(), jobs.2.unwrap()];
    assert!(jobs.iter().all(|job| job.rows() == 3000));
    assert_eq!(jobs.iter().filter(|job| !job.is_continued()).count(), 1);
    assert_eq!(importers[2].progress().borrow().queued, 3000);
}

/// Two importers that never get an answer for a row may not hand it to each other without end.
#[tokio::test(start_paused = true)]
async fn a_row_that_never_gets_an_answer_is_given_up_by_everybody() {
    let gateway = Fake::with_script(|code, _| if code == "C7" { Act::Lose } else { Act::Do });
    let setup = Setup::new();
    let source = setup.members(30);
    let (one, other) = (setup.importer(&gateway), setup.importer(&gateway));
    let (first, second) = tokio::join!(import_with(&one, &source), import_with(&other, &source));
    // Whoever ends first may still see the other at work.
    assert_eq!((first.imported, second.imported), (29, 29));
    let last = import(&one, &source).await;
    assert_eq!(counts(&last), [29, 0, 0, 1, 0]);
    assert!(gateway.requests() <= 29 + 3 * 5, "{}", gateway.requests());
}

/// Neither waits for what the other has given up, and each tries each row so often and not more.
#[tokio::test(start_paused = true)]
async fn many_rows_that_never_get_an_answer_end_soon_for_everybody() {
    let gateway = Fake::with_script(|code, _| if code.ends_with('7') { Act::Lose } else { Act::Do });
    let setup = Setup::new();
    let source = setup.members(200);
    let (one, other) = (setup.importer(&gateway), setup.importer(&gateway));
    let cancel = CancellationToken::new();
    let job = one.load(Arc::clone(&source), &cancel).await.unwrap();
    let started = Instant::now();
    let (first, second) = tokio::join!(one.run(&job, &cancel), other.run(&job, &cancel));
    assert_eq!((first.unwrap().imported, second.unwrap().imported), (180, 180));
    // The pauses of ten attempts are half a minute.
    assert!(
        started.elapsed() < Duration::from_secs(40),
        "{:?}",
        started.elapsed()
    );
    assert!(gateway.requests() <= 180 + 20 * 2 * 5, "{}", gateway.requests());
    assert_eq!(
        counts(&import(&setup.importer(&Fake::with_script(|_, _| Act::Lose)), &source).await),
        [180, 0, 0, 20, 0]
    );
}

#[tokio::test(start_paused = true)]
async fn importers_that_hold_what_is_unknown_do_not_wait_for_each_other() {
    let gateway = Fake::with_script(|code, _| if code.ends_with('7') { Act::Lose } else { Act::Do });
    let setup = Setup::new();
    let source = setup.members(50);
    let settings = settings().with_on_unknown(OnUnknown::Hold);
    let (one, other) = (
        setup.importer_with(&gateway, settings.clone()),
        setup.importer_with(&gateway, settings),
    );
    let cancel = CancellationToken::new();
    let job = one.load(Arc::clone(&source), &cancel).await.unwrap();
    for requests in [50, 50] {
        let started = Instant::now();
        let (first, second) = tokio::join!(one.run(&job, &cancel), other.run(&job, &cancel));
        assert_eq!((first.unwrap().imported, second.unwrap().imported), (45, 45));
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{:?}",
            started.elapsed()
        );
        assert_eq!(gateway.requests(), requests);
    }
}

/// Another importer that has nothing else to do does not take away the pause of a row.
#[tokio::test(start_paused = true)]
async fn a_row_in_its_pause_is_nobody_elses() {
    let gateway = Fake::with_script(|_, attempt| if attempt < 4 { Act::Lose } else { Act::Do });
    let setup = Setup::new();
    let source = setup.members(1);
    let (one, other) = (setup.importer(&gateway), setup.importer(&gateway));
    let cancel = CancellationToken::new();
    let job = one.load(Arc::clone(&source), &cancel).await.unwrap();
    let started = Instant::now();
    let (first, second) = tokio::join!(one.run(&job, &cancel), other.run(&job, &cancel));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.imported, second.imported), (1, 1));
    let mut sent = [first.sent, second.sent];
    sent.sort_unstable();
    assert_eq!(sent, [0, 4]);
    // At least half of 0.5, 1 and 2 s.
    assert!(
        started.elapsed() >= Duration::from_millis(1750),
        "{:?}",
        started.elapsed()
    );
}

/// Whoever loses the first row to another process sends the next one alone, and goes on.
#[tokio::test(start_paused = true)]
async fn a_probe_that_another_process_takes_is_no_stop() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let source = setup.members(20);
    let importer = setup.importer_with(&gateway, settings().with_probe(true));
    let job = importer
        .load(Arc::clone(&source), &CancellationToken::new())
        .await
        .unwrap();
    let run = Arc::new(Run {
        gateway: Arc::new(gateway.clone()),
        ledger: testing::open(&setup.path("ledger.db")),
        settings: settings(),
        work: Work {
            job: job.key,
            owner: Owner::random().unwrap(),
            lease: Duration::from_secs(90),
        },
        route: Route::default(),
        pacer: Arc::new(Pacer::new(
            testing::open(&setup.path("ledger.db")),
            PaceKey::new(&settings().profile, Route::default()),
            None,
        )),
        slots: Arc::new(Semaphore::new(1)),
        is_probing: true,
        progress: ProgressSender::new(),
        stop: CancellationToken::new(),
        state: Mutex::default(),
        sent: 0.into(),
        under_way: 0.into(),
        unknown_streak: 0.into(),
    });
    let mut rows = JoinSet::new();
    rows.spawn(async { Ok(None) });
    assert!(matches!(run.probed(&mut rows).await.unwrap(), Probe::TakenOver));
    assert!(run.reason().is_none() && !run.stop.is_cancelled());
    Arc::clone(&run).work().await.unwrap();
    assert_eq!(gateway.codes().len(), 20);
}

/// A stop in the pause of a row lets go of it at once, as unknown.
#[tokio::test(start_paused = true)]
async fn a_stop_in_a_pause_leaves_no_lease() {
    let gateway = Fake::with_script(|_, attempt| if attempt == 1 { Act::Lose } else { Act::Do });
    let setup = Setup::new();
    let (importer, source) = (setup.importer(&gateway), setup.members(1));
    let cancel = CancellationToken::new();
    let job = importer.load(Arc::clone(&source), &cancel).await.unwrap();
    let token = cancel.clone();
    let stop = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        token.cancel();
    };
    let (summary, ()) = tokio::join!(importer.run(&job, &cancel), stop);
    assert_eq!(counts(&summary.unwrap()), [0, 0, 0, 1, 0]);
    let rows = importer.rows(&job, RowState::Unknown, 0, 9).await.unwrap();
    assert_eq!(rows[0].code, "UNKNOWN_OUTCOME");
}

#[tokio::test(start_paused = true)]
async fn what_a_dead_importer_had_leased_is_taken_over() {
    let gateway = Fake::with_script(|code, attempt| match (code, attempt) {
        ("C1", 1) => Act::Hang,
        _ => Act::Do,
    });
    let setup = Setup::new();
    let source = setup.members(10);
    let dead = setup.importer(&gateway);
    let alive = setup.importer(&gateway);
    let cancel = CancellationToken::new();
    let job = dead.load(Arc::clone(&source), &cancel).await.unwrap();
    // Dropped in the middle of the attempt, as by a kill; its ledger stays open, so nobody knows that it is gone.
    let killed = tokio::time::timeout(Duration::from_secs(1), dead.run(&job, &cancel)).await;
    assert!(killed.is_err());
    let started = Instant::now();
    let summary = import(&alive, &source).await;
    assert_eq!((counts(&summary), summary.sent), ([10, 0, 0, 0, 0], 1));
    // The lease of an attempt, and not longer.
    let waited = started.elapsed().as_secs();
    assert!((80..=100).contains(&waited), "{waited}");
}

/// Two importers at work, one of which dies at any moment and comes back as another: nothing is lost, and nobody is
/// ever sent by two at once, which the platform of these tests takes for a defect.
#[tokio::test(start_paused = true)]
async fn importers_that_die_at_any_moment_beside_another_lose_and_double_nothing() {
    for moment in 1..14_u64 {
        let gateway =
            Fake::with_script(
                move |code, attempt| match (code.len() + attempt + moment as usize) % 6 {
                    0 => Act::Lose,
                    1 => Act::DoSilently,
                    2 => Act::Limit,
                    _ => Act::Do,
                },
            );
        let setup = Setup::new();
        let source = setup.members(40);
        let settings = settings().with_attempt_timeout(Duration::from_secs(5));
        let steady = setup.importer_with(&gateway, settings.clone());
        let dying = async {
            for round in 0..3 {
                let importer = setup.importer_with(&gateway, settings.clone());
                let cancel = CancellationToken::new();
                let job = importer.load(Arc::clone(&source), &cancel).await.unwrap();
                let crash_after = Duration::from_millis(moment * 17 + round * 90);
                let _ = tokio::time::timeout(crash_after, importer.run(&job, &cancel)).await;
            }
        };
        let (first, ()) = tokio::join!(import_with(&steady, &source), dying);
        let mut summary: Summary = first;
        while !summary.is_complete() {
            summary = import_with(&steady, &source).await;
        }
        assert_eq!(
            (summary.imported + summary.present, summary.refused),
            (40, 0),
            "{moment}"
        );
        assert_eq!(gateway.codes().len(), 40);
    }
}
