//! Loads: one process at a time, again after a stop, anew under other defaults.

use super::*;

pub(super) async fn loading_is_one_process_at_a_time(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let (first, second) = (Owner::random().unwrap(), Owner::random().unwrap());
    let job = one.open_job(identity("a"), first).await.unwrap();
    assert!(job.is_new && job.may_load && !job.is_loaded);
    place.advance(20);
    one.store_rows(job.key, first, vec![queued(1)], columns())
        .await
        .unwrap();
    place.advance(29);
    let other = two.open_job(identity("a"), second).await.unwrap();
    assert!(!other.may_load && !other.is_loaded && other.rows == 1);
    // The first one is gone: the second goes on where it was, and the first finds itself replaced.
    place.advance(1);
    let other = two.open_job(identity("a"), second).await.unwrap();
    assert!(other.may_load && other.rows == 1);
    one.discard_job(job.key, first).await.unwrap();
    assert!(!one.open_job(identity("a"), first).await.unwrap().is_loaded);
    // Half a job is not loaded, and gives no rows.
    assert!(matches!(
        one.finish_loading(job.key, 2).await,
        Err(LedgerError::LoadLost)
    ));
    assert!(
        claim(&one, work(job.key), &mut Cursor::default(), 9)
            .await
            .is_empty()
    );
    // A load that is cut off lets go at once.
    two.release_loading(job.key, second).await.unwrap();
    assert!(one.open_job(identity("a"), first).await.unwrap().may_load);
    one.store_rows(job.key, first, vec![queued(2)], columns())
        .await
        .unwrap();
    // Who stored the last row does not matter.
    place.advance(31);
    assert!(two.open_job(identity("a"), second).await.unwrap().may_load);
    one.finish_loading(job.key, 2).await.unwrap();
    let done = two.open_job(identity("a"), second).await.unwrap();
    assert!(done.is_loaded && !done.may_load && done.rows == 2);
    // Only half a job can be discarded.
    two.discard_job(job.key, second).await.unwrap();
    assert_eq!(two.jobs().await.unwrap().len(), 1);
}

pub(super) async fn storing_rows_twice_changes_nothing(place: &Place) {
    let ledger = place.open().await;
    let owner = Owner::random().unwrap();
    let job = ledger.open_job(identity("a"), owner).await.unwrap().key;
    let refused = NewRow {
        row: 3,
        line: 4,
        content: NewContent::Refused {
            code: "ROW_MISSING_VALUE".into(),
            message: "column `x`: is empty".into(),
        },
    };
    let rows = vec![queued(1), member(2, 1, 1), refused];
    for _ in 0..2 {
        ledger
            .store_rows(job, owner, rows.clone(), columns())
            .await
            .unwrap();
    }
    ledger
        .store_rows(job, owner, rows[..1].to_vec(), columns())
        .await
        .unwrap();
    let counts = ledger.counts(job).await.unwrap();
    assert_eq!((counts.queued, counts.refused, counts.rows()), (1, 2, 3));
    assert_eq!(ledger.open_job(identity("a"), owner).await.unwrap().rows, 3);
    ledger.discard_job(job, owner).await.unwrap();
    assert!(ledger.jobs().await.unwrap().is_empty());
    assert!(ledger.store_rows(job, owner, rows, columns()).await.is_err());
    // Its members are free again.
    let job = load(&ledger, identity("a"), vec![queued(1)]).await;
    assert_eq!(ledger.counts(job).await.unwrap().queued, 1);
}

pub(super) async fn a_job_begun_under_other_defaults_begins_anew(place: &Place) {
    let ledger = place.open().await;
    let owner = Owner::random().unwrap();
    let job = ledger.open_job(identity("a"), owner).await.unwrap().key;
    let many = (1..=5_100).map(queued).collect();
    ledger.store_rows(job, owner, many, columns()).await.unwrap();
    let mut other = identity("a");
    other.defaults = other.source_digest;
    let anew = ledger.open_job(other.clone(), owner).await.unwrap();
    assert!(anew.is_new && anew.rows == 0 && anew.key != job);
    ledger.finish_loading(anew.key, 0).await.unwrap();
    let kept = ledger.open_job(identity("a"), owner).await.unwrap();
    assert!(kept.is_loaded && kept.are_defaults_changed && !kept.is_new);
}
