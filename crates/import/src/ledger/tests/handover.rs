//! What rows and jobs leave to others: rows that a run keeps or skips, rows that were never sent, jobs that were purged.

use super::*;

pub(super) async fn a_row_that_is_kept_waits_for_its_owner(place: &Place) {
    let ledger = place.open().await;
    let job = load(&ledger, identity("a"), vec![queued(1)]).await;
    let (one, two) = (work(job), work(job));
    claim(&ledger, one, &mut Cursor::default(), 1).await;
    let keep = async |work| {
        let rest = Duration::from_secs(30);
        ledger
            .keep(work, 1, entry(RowState::Unknown), rest)
            .await
            .unwrap()
    };
    assert!(!keep(two).await);
    assert!(keep(one).await);
    assert_eq!(states(&ledger, job).await, [(1, RowState::Leased)].into());
    assert_eq!(refusal(&ledger, job, 1).await.0, "CODE");
    place.advance(89);
    assert!(claim(&ledger, two, &mut Cursor::default(), 1).await.is_empty());
    assert!(ledger.lease_again(one, 1).await.unwrap() && keep(one).await);
    // Its outcome is unknown, also when nobody comes back to it.
    place.advance(90);
    assert_eq!(claim(&ledger, two, &mut Cursor::default(), 1).await, [1]);
    assert!(!keep(one).await && !ledger.lease_again(one, 1).await.unwrap());
    assert!(ledger.record(two, 1, entry(RowState::Queued)).await.unwrap());
    assert_eq!(states(&ledger, job).await, [(1, RowState::Unknown)].into());
}

pub(super) async fn a_run_is_given_nothing_that_it_skips(place: &Place) {
    let ledger = place.open().await;
    let job = load(&ledger, identity("a"), (1..=6).map(queued).collect()).await;
    let (one, two) = (work(job), work(job));
    assert_eq!(claim(&ledger, one, &mut Cursor::default(), 4).await, [1, 2, 3, 4]);
    for row in [1, 2] {
        ledger.record(one, row, entry(RowState::Unknown)).await.unwrap();
    }
    let given = async |cursor: &mut Cursor, rows: &[u64], is_unknown| {
        let skip = Skip {
            rows: Arc::new(rows.iter().copied().collect()),
            is_unknown,
        };
        let (claim, behind) = ledger.claim_rows(two, *cursor, 1, skip).await.unwrap();
        *cursor = behind;
        match claim {
            Claim::Rows(rows) => rows[0].row,
            Claim::Wait(_) => 0,
            other => panic!("{other:?}"),
        }
    };
    let mut cursor = Cursor::default();
    assert_eq!(given(&mut cursor, &[1], false).await, 2);
    assert_eq!(given(&mut cursor, &[1, 5], true).await, 6);
    // Rows 3 and 4 are another owner's, and waited for unless they are given up too.
    assert_eq!(given(&mut cursor, &[1, 4, 5], true).await, 0);
    let skip = Skip {
        rows: Arc::new([1, 3, 4, 5].into()),
        is_unknown: false,
    };
    let (answer, _) = ledger.claim_rows(two, cursor, 9, skip).await.unwrap();
    assert!(matches!(answer, Claim::Nothing), "{answer:?}");
    assert_eq!(given(&mut cursor, &[], true).await, 5);
    assert_eq!(given(&mut cursor, &[], true).await, 0);
    assert_eq!(given(&mut cursor, &[], false).await, 1);
}

pub(super) async fn a_row_that_was_never_sent_leaves_its_place_to_another_job(place: &Place) {
    let ledger = place.open().await;
    // Rows 1 to 5 wait, 6 is leased, 7 is unknown, 8 was put back after a 429, 9 is imported.
    let job = load(&ledger, identity("a"), (1..=9).map(queued).collect()).await;
    let (id, owner) = (id_of(&ledger, job).await, work(job));
    assert_eq!(claim(&ledger, owner, &mut Cursor::default(), 9).await.len(), 9);
    for row in (1..=5).chain([8]) {
        ledger.record(owner, row, entry(RowState::Queued)).await.unwrap();
    }
    ledger.record(owner, 7, entry(RowState::Unknown)).await.unwrap();
    ledger.record(owner, 9, entry(RowState::Imported)).await.unwrap();
    let rows = vec![
        queued(1),
        // The code of one row and the member of another.
        member(2, 2, 3),
        member(3, 3, 2),
        // Half of what it wants is held by a row that may have been sent.
        member(4, 4, 7),
        member(5, 6, 5),
        queued(6),
        queued(7),
        queued(8),
        queued(9),
        // A repeat in its own list is still a mistake.
        member(10, 1, 1),
    ];
    let other = load(&ledger, identity("b"), rows).await;
    let expect = [
        (1, RowState::Queued),
        (2, RowState::Queued),
        (3, RowState::Queued),
        (4, RowState::Refused),
        (5, RowState::Refused),
        (6, RowState::Refused),
        (7, RowState::Refused),
        (8, RowState::Queued),
        (9, RowState::Present),
        (10, RowState::Refused),
    ];
    assert_eq!(states(&ledger, other).await, expect.into());
    let expect = [
        (1, RowState::Refused),
        (2, RowState::Refused),
        (3, RowState::Refused),
        (4, RowState::Queued),
        (5, RowState::Queued),
        (6, RowState::Leased),
        (7, RowState::Unknown),
        (8, RowState::Refused),
        (9, RowState::Imported),
    ];
    assert_eq!(states(&ledger, job).await, expect.into());
    let by = id_of(&ledger, other).await;
    let told = |row| format!("this row was never sent, and row {row} of job {by} took its place");
    assert_eq!(
        refusal(&ledger, job, 1).await,
        ("ROW_SUPERSEDED".to_owned(), told(1))
    );
    assert_eq!(refusal(&ledger, job, 3).await.1, told(2));
    // Its former owner does not send it, and it comes back only when its place is free.
    assert!(!ledger.lease_again(owner, 1).await.unwrap());
    assert_eq!(ledger.retry(&id, &Retry::refused()).await.unwrap(), 0);
    ledger.purge(&by, true).await.unwrap();
    assert_eq!(ledger.retry(&id, &Retry::refused()).await.unwrap(), 4);
    assert_eq!(states(&ledger, job).await[&1], RowState::Queued);
}

pub(super) async fn a_retry_of_many_rows_goes_through_all_of_them(place: &Place) {
    const ROWS: u64 = 5_100;
    let ledger = place.open().await;
    // Every row was taken by the same list in another file, which is purged then.
    let job = load(&ledger, identity("a"), (1..=ROWS).map(queued).collect()).await;
    let other = load(&ledger, identity("b"), (1..=ROWS).map(queued).collect()).await;
    assert_eq!(ledger.counts(job).await.unwrap().refused, ROWS);
    let (id, by) = (id_of(&ledger, job).await, id_of(&ledger, other).await);
    let retry = Retry::refused_and_unknown().with_code("ROW_SUPERSEDED");
    assert_eq!(ledger.retry(&id, &retry).await.unwrap(), 0);
    ledger.purge(&by, true).await.unwrap();
    assert_eq!(ledger.retry(&id, &retry).await.unwrap(), ROWS);
    assert_eq!(ledger.counts(job).await.unwrap().queued, ROWS);
}

pub(super) async fn a_purged_source_can_be_imported_again(place: &Place) {
    let ledger = place.open().await;
    // Once loaded, once half loaded.
    let job = load(&ledger, identity("a"), vec![queued(1), queued(2)]).await;
    let owner = work(job);
    claim(&ledger, owner, &mut Cursor::default(), 1).await;
    ledger.record(owner, 1, entry(RowState::Imported)).await.unwrap();
    let id = id_of(&ledger, job).await;
    let before = ledger.counts(job).await.unwrap();
    ledger.purge(&id, true).await.unwrap();
    let owner = Owner::random().unwrap();
    let half = ledger.open_job(identity("a"), owner).await.unwrap();
    assert!(half.is_new && half.may_load && half.rows == 0 && half.key != job);
    ledger
        .store_rows(half.key, owner, vec![queued(1)], columns())
        .await
        .unwrap();
    assert_eq!(id_of(&ledger, half.key).await, id);
    ledger.purge(&id, true).await.unwrap();
    // Nothing is added to what was purged, whoever loads it.
    assert!(
        ledger
            .store_rows(half.key, owner, vec![queued(2)], columns())
            .await
            .is_err()
    );
    let again = load(&ledger, identity("a"), vec![queued(1), queued(2)]).await;
    assert_eq!(
        claim(&ledger, work(again), &mut Cursor::default(), 9).await,
        [1, 2]
    );
    // What was purged stays, under other names.
    assert_eq!(ledger.counts(job).await.unwrap(), before);
    let jobs = ledger.jobs().await.unwrap();
    let mut names: Vec<&JobId> = jobs.iter().map(|job| &job.id).collect();
    names.sort();
    names.dedup();
    assert_eq!((jobs.len(), names.len()), (3, 3));
    assert_eq!(jobs.iter().filter(|job| job.is_purged).count(), 2);
}
