//! Leases: whose a row is, for how long, and whose answer counts.

use super::*;

pub(super) async fn a_claimed_row_is_nobody_elses_until_its_lease_ends(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let job = load(&one, identity("a"), vec![queued(1)]).await;
    let (first, second) = (work(job), work(job));
    assert_eq!(claim(&one, first, &mut Cursor::default(), 9).await, [1]);
    let mut cursor = Cursor::default();
    let (answer, behind) = two.claim_rows(second, cursor, 9, Skip::default()).await.unwrap();
    assert!(
        matches!(answer, Claim::Wait(wait) if wait == Duration::from_secs(60)),
        "{answer:?}"
    );
    cursor = behind;
    place.advance(59);
    assert!(claim(&two, second, &mut cursor, 9).await.is_empty());
    place.advance(1);
    let (answer, _) = two.claim_rows(second, cursor, 9, Skip::default()).await.unwrap();
    let Claim::Rows(rows) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!((rows[0].row, rows[0].is_maybe_sent), (1, true));
    assert_eq!(rows[0].request.body(), b"body 1");
    assert_eq!(refusal(&two, job, 1).await.0, "INTERRUPTED");
}

pub(super) async fn a_late_answer_undoes_nothing_and_a_success_wins(place: &Place) {
    let ledger = place.open().await;
    let job = load(&ledger, identity("a"), (1..=4).map(queued).collect()).await;
    let (late, other) = (work(job), work(job));
    assert_eq!(
        claim(&ledger, late, &mut Cursor::default(), 9).await,
        [1, 2, 3, 4]
    );
    place.advance(61);
    assert_eq!(claim(&ledger, other, &mut Cursor::default(), 3).await, [1, 2, 3]);
    // The other owner has not answered: a failure of the former owner is nothing, a success is everything.
    let record = async |work, row, state| ledger.record(work, row, entry(state)).await.unwrap();
    for state in [RowState::Queued, RowState::Refused, RowState::Unknown] {
        assert!(!record(late, 1, state).await);
    }
    assert!(record(late, 1, RowState::Imported).await);
    assert!(!record(other, 1, RowState::Unknown).await);
    // It has: what is known stays.
    assert!(record(other, 2, RowState::Present).await);
    assert!(!record(late, 2, RowState::Imported).await && !record(late, 2, RowState::Refused).await);
    // Unknown again, and then the lost answer comes.
    assert!(record(other, 3, RowState::Unknown).await);
    assert!(record(late, 3, RowState::Imported).await);
    // Nobody took it over: its owner may still say what became of it, but not that it was never sent.
    assert!(record(late, 4, RowState::Queued).await);
    let expect = [
        (1, RowState::Imported),
        (2, RowState::Present),
        (3, RowState::Imported),
        (4, RowState::Unknown),
    ];
    assert_eq!(states(&ledger, job).await, expect.into());
}

pub(super) async fn a_run_claims_a_row_once_and_finds_what_others_let_go(place: &Place) {
    let ledger = place.open().await;
    let job = load(&ledger, identity("a"), (1..=3).map(queued).collect()).await;
    let (one, two) = (work(job), work(job));
    let (mut first, mut second) = (Cursor::default(), Cursor::default());
    assert_eq!(claim(&ledger, one, &mut first, 2).await, [1, 2]);
    assert_eq!(claim(&ledger, two, &mut second, 9).await, [3]);
    ledger.record(one, 1, entry(RowState::Queued)).await.unwrap();
    ledger.record(one, 2, entry(RowState::Unknown)).await.unwrap();
    assert!(claim(&ledger, one, &mut first, 9).await.is_empty());
    assert_eq!(claim(&ledger, two, &mut second, 1).await, [2]);
    assert_eq!(claim(&ledger, two, &mut second, 1).await, [1]);
    // A run that ends lets go of what it never answered for.
    assert_eq!(ledger.abandon(two).await.unwrap(), 3);
    assert_eq!(claim(&ledger, one, &mut first, 9).await, [1, 2, 3]);
    for row in 1..=3 {
        ledger.record(one, row, entry(RowState::Imported)).await.unwrap();
    }
    let (answer, _) = ledger.claim_rows(one, first, 9, Skip::default()).await.unwrap();
    assert!(matches!(answer, Claim::Nothing), "{answer:?}");
}

pub(super) async fn a_row_that_was_taken_over_is_not_sent_again_by_its_former_owner(place: &Place) {
    let ledger = place.open().await;
    let job = load(&ledger, identity("a"), vec![queued(1)]).await;
    let (one, two) = (work(job), work(job));
    claim(&ledger, one, &mut Cursor::default(), 1).await;
    ledger.record(one, 1, entry(RowState::Unknown)).await.unwrap();
    assert!(ledger.lease_again(one, 1).await.unwrap());
    // A lease that is renewed lives on.
    place.advance(50);
    assert!(ledger.lease_again(one, 1).await.unwrap());
    place.advance(50);
    assert!(claim(&ledger, two, &mut Cursor::default(), 1).await.is_empty());
    ledger.record(one, 1, entry(RowState::Unknown)).await.unwrap();
    assert_eq!(claim(&ledger, two, &mut Cursor::default(), 1).await, [1]);
    assert!(!ledger.lease_again(one, 1).await.unwrap());
    ledger.record(two, 1, entry(RowState::Imported)).await.unwrap();
    assert!(!ledger.lease_again(two, 1).await.unwrap());
}

pub(super) async fn two_processes_claim_each_row_once(place: &Place) {
    const ROWS: u64 = 300;
    let (one, two) = (place.open().await, place.open().await);
    let job = load(&one, identity("a"), (1..=ROWS).map(queued).collect()).await;
    let drive = async |ledger: Ledger, limit| {
        let (work, mut cursor, mut all) = (work(job), Cursor::default(), Vec::new());
        loop {
            let rows = claim(&ledger, work, &mut cursor, limit).await;
            if rows.is_empty() {
                return all;
            }
            for row in &rows {
                assert!(
                    ledger
                        .record(work, *row, entry(RowState::Imported))
                        .await
                        .unwrap()
                );
            }
            all.extend(rows);
        }
    };
    let (mut first, second) = tokio::join!(drive(one.clone(), 3), drive(two, 7));
    assert!(!first.is_empty() && !second.is_empty());
    first.extend(second);
    first.sort_unstable();
    assert_eq!(first, (1..=ROWS).collect::<Vec<_>>());
    assert_eq!(one.counts(job).await.unwrap().imported, ROWS);
}
