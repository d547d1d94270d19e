//! The engine against a scripted platform: every answer, every way to stop, crashes at every step.

use tokio_util::sync::CancellationToken;

use super::*;
use crate::fake::{Act, Fake, Platform, Setup, counts, import, settings};

#[tokio::test(start_paused = true)]
async fn the_same_again_sends_nothing() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let source = setup.members(100);
    let importer = setup.importer(&gateway);
    assert_eq!(counts(&import(&importer, &source).await), [100, 0, 0, 0, 0]);
    drop(importer);
    let again = import(&setup.importer(&gateway), &source).await;
    assert_eq!((counts(&again), again.sent), ([100, 0, 0, 0, 0], 0));
    assert_eq!(gateway.requests(), 100);
}

#[tokio::test(start_paused = true)]
async fn every_answer_ends_where_it_should() {
    let gateway = Fake::with_script(|code, attempt| match (code, attempt) {
        ("C2", _) => Act::Refuse,
        ("C3", _) => Act::Has,
        ("C4", 1 | 2) => Act::Lose,
        ("C5", 1) => Act::DoSilently,
        ("C6", 1) => Act::Unreachable,
        ("C7", 1..=3) => Act::Limit,
        ("C8", _) => Act::Lose,
        ("C9", 1) => Act::Hang,
        _ => Act::Do,
    });
    let setup = Setup::new();
    let importer = setup.importer(&gateway);
    let source = setup.members(10);
    let summary = import(&importer, &source).await;
    // Imported: 1, 4, 6, 7, 9, 10; present: 3 and 5, whose first answer was lost; 8 stays unknown.
    assert_eq!(counts(&summary), [6, 2, 1, 1, 0]);
    assert!(
        gateway
            .0
            .members
            .lock()
            .unwrap()
            .values()
            .all(|times| *times <= 2)
    );
    let cancel = CancellationToken::new();
    let job = importer.load(source, &cancel).await.unwrap();
    let unknown = importer.rows(&job, RowState::Unknown, 0, 10).await.unwrap();
    assert_eq!((unknown.len(), unknown[0].row, unknown[0].line), (1, 8, 9));
    // The same command tries it again, and only it.
    let before = gateway.requests();
    importer.run(&job, &cancel).await.unwrap();
    assert_eq!(gateway.requests() - before, 5);
}

#[tokio::test(start_paused = true)]
async fn what_hits_every_row_leaves_them_queued() {
    let gateway = Fake::with_script(|code, _| if code == "C40" { Act::Forbid } else { Act::Do });
    let setup = Setup::new();
    let summary = import(&setup.importer(&gateway), &setup.members(500)).await;
    assert_eq!(
        summary.stopped.as_ref().map(|stop| stop.code.as_str()),
        Some("NO_AUTH")
    );
    assert!(
        summary.queued > 400 && summary.unknown == 0 && summary.refused == 0,
        "{summary:?}"
    );
    assert_eq!(summary.imported as usize, gateway.codes().len());
    let open = Fake(Arc::new(Platform {
        members: Mutex::new(gateway.0.members.lock().unwrap().clone()),
        ..Platform::default()
    }));
    assert_eq!(
        counts(&import(&setup.importer(&open), &setup.members(500)).await),
        [500, 0, 0, 0, 0]
    );
}

/// The way out of a run that was stopped at its first request: the list is put right, which makes it another job.
#[tokio::test(start_paused = true)]
async fn a_list_that_was_put_right_takes_the_place_of_the_one_that_was_stopped() {
    let setup = Setup::new();
    let forbidden = Fake::with_script(|_, _| Act::Forbid);
    let first = import(&setup.importer(&forbidden), &setup.members(100)).await;
    assert_eq!(counts(&first), [0, 0, 0, 0, 100]);
    let open = Fake::new();
    let importer = setup.importer(&open);
    let second = import(&importer, &setup.members_in("right.csv", 1..=120)).await;
    assert_eq!(counts(&second), [120, 0, 0, 0, 0]);
    // What was stopped is not sent beside it.
    let first = import(&importer, &setup.members(100)).await;
    assert_eq!((counts(&first), first.sent), ([0, 0, 100, 0, 0], 0));
    assert_eq!(first.refused_by_code, [("ROW_SUPERSEDED".to_owned(), 100)].into());
    assert_eq!(open.requests(), 120);
}

#[tokio::test(start_paused = true)]
async fn a_platform_out_of_reach_stops_the_run() {
    let gateway = Fake::with_script(|_, _| Act::Unreachable);
    let setup = Setup::new();
    let summary = import(&setup.importer(&gateway), &setup.members(100)).await;
    assert_eq!(counts(&summary), [0, 0, 0, 0, 100]);
    assert_eq!(summary.stopped.unwrap().code, "UNREACHABLE");
    assert!(gateway.requests() <= 32 * 5);
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_loses_everything_stops_the_run() {
    let gateway = Fake::with_script(|_, _| Act::Lose);
    let setup = Setup::new();
    let summary = import(&setup.importer(&gateway), &setup.members(500)).await;
    let stop = summary.stopped.unwrap();
    assert_eq!(stop.code, "UNKNOWN_OUTCOMES");
    assert!(stop.message.ends_with("so: the connection was reset"), "{stop}");
    assert!(summary.unknown < 150 && summary.queued > 350);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_panics_costs_one_row_its_certainty() {
    let gateway = Fake::with_script(|code, attempt| {
        if (code, attempt) == ("C5", 1) {
            Act::Panic
        } else {
            Act::Do
        }
    });
    let setup = Setup::new();
    let (importer, source) = (setup.importer(&gateway), setup.members(10));
    let cancel = CancellationToken::new();
    let job = importer.load(Arc::clone(&source), &cancel).await.unwrap();
    assert_eq!(
        counts(&importer.run(&job, &cancel).await.unwrap()),
        [9, 0, 0, 1, 0]
    );
    assert_eq!(
        counts(&importer.run(&job, &cancel).await.unwrap()),
        [10, 0, 0, 0, 0]
    );
}

#[tokio::test(start_paused = true)]
async fn cancelling_drains() {
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let gateway = Fake::with_script(move |code, _| {
        if code == "C50" {
            token.cancel();
        }
        Act::Do
    });
    let setup = Setup::new();
    let (importer, source) = (setup.importer(&gateway), setup.members(200));
    let job = importer.load(Arc::clone(&source), &cancel).await.unwrap();
    let summary = importer.run(&job, &cancel).await.unwrap();
    assert_eq!(
        counts(&summary),
        [
            gateway.requests() as u64,
            0,
            0,
            0,
            200 - gateway.requests() as u64
        ]
    );
    assert!(summary.queued > 100 && summary.stopped.is_none() && !summary.is_complete());
}

/// Dropping a run is a crash: nothing is written any more. Resumed until done, every member is there, and those that
/// were sent twice were known as unknown in between.
#[tokio::test(start_paused = true)]
async fn a_crash_at_any_moment_loses_and_doubles_nothing() {
    for moment in 1..40_u64 {
        let gateway =
            Fake::with_script(
                move |code, attempt| match (code.len() + attempt + moment as usize) % 5 {
                    0 => Act::Lose,
                    1 => Act::DoSilently,
                    2 => Act::Limit,
                    _ => Act::Do,
                },
            );
        let setup = Setup::new();
        let source = setup.members(60);
        for round in 0..3 {
            let importer = setup.importer_after_crash(&gateway).await;
            let cancel = CancellationToken::new();
            let job = importer.load(Arc::clone(&source), &cancel).await.unwrap();
            let crash_after = Duration::from_millis(moment * 13 + round * 100);
            let _ = tokio::time::timeout(crash_after, importer.run(&job, &cancel)).await;
        }
        let importer = setup.importer_after_crash(&gateway).await;
        let mut summary = import(&importer, &source).await;
        while !summary.is_complete() {
            summary = import(&importer, &source).await;
        }
        assert_eq!(
            (summary.imported + summary.present, summary.refused),
            (60, 0),
            "crash at {moment}"
        );
        assert_eq!(gateway.codes().len(), 60);
    }
}

#[tokio::test(start_paused = true)]
async fn the_quota_holds_for_repeats_too() {
    let gateway = Fake::with_script(|_, attempt| if attempt == 1 { Act::Lose } else { Act::Do });
    let setup = Setup::new();
    let importer = setup.importer_with(&gateway, settings().with_quota("5/s".parse().unwrap()));
    let summary = import(&importer, &setup.members(50)).await;
    assert_eq!(counts(&summary), [50, 0, 0, 0, 0]);
    // 100 requests at five a second.
    assert!((19.7..23.0).contains(&summary.seconds), "{}", summary.seconds);
}

mod limits;
mod shared;
