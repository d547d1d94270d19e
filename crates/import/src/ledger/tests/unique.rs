//! Uniqueness: one code and one member a card, over all rows and jobs.

use super::*;

pub(super) async fn a_row_that_repeats_another_names_it(place: &Place) {
    let ledger = place.open().await;
    let rows = vec![queued(1), member(2, 1, 1), member(3, 1, 3), member(4, 4, 1)];
    let job = load(&ledger, identity("a"), rows).await;
    let told = async |job, row| {
        let (code, message) = refusal(&ledger, job, row).await;
        format!("{code} {message}")
    };
    assert_eq!(
        told(job, 2).await,
        "ROW_DUPLICATE_CODE column `卡号`: the same code is in row 1; column `手机号`: the same phone number is in row 1"
    );
    assert_eq!(
        told(job, 3).await,
        "ROW_DUPLICATE_CODE column `卡号`: the same code is in row 1"
    );
    assert_eq!(
        told(job, 4).await,
        "ROW_DUPLICATE_PHONE_NUMBER column `手机号`: the same phone number is in row 1"
    );
    // Another job for the same card must not have what is being sent either, another card may.
    claim(&ledger, work(job), &mut Cursor::default(), 9).await;
    let id = id_of(&ledger, job).await;
    let other = load(&ledger, identity("b"), vec![member(1, 1, 77)]).await;
    assert_eq!(
        told(other, 1).await,
        format!("ROW_DUPLICATE_CODE column `卡号`: the same code is in row 1 of job {id}")
    );
    let elsewhere = load(&ledger, identity_for("b", "another card"), vec![queued(1)]).await;
    assert_eq!(ledger.counts(elsewhere).await.unwrap().queued, 1);
}

pub(super) async fn a_member_that_an_earlier_job_brought_in_is_present(place: &Place) {
    let ledger = place.open().await;
    let job = load(&ledger, identity("a"), (1..=4).map(queued).collect()).await;
    let owner = work(job);
    claim(&ledger, owner, &mut Cursor::default(), 9).await;
    for (row, state) in [
        (1, RowState::Imported),
        (2, RowState::Present),
        (3, RowState::Unknown),
    ] {
        ledger.record(owner, row, entry(state)).await.unwrap();
    }
    // The same list with one more member, and one whose code belongs to another.
    let rows = vec![
        queued(1),
        queued(2),
        queued(3),
        queued(4),
        queued(5),
        member(6, 1, 2),
        member(7, 2, 99),
    ];
    let delta = load(&ledger, identity("b"), rows).await;
    let expect = [
        (1, RowState::Present),
        (2, RowState::Present),
        (3, RowState::Refused),
        (4, RowState::Refused),
        (5, RowState::Queued),
        (6, RowState::Refused),
        (7, RowState::Refused),
    ];
    assert_eq!(states(&ledger, delta).await, expect.into());
    let id = id_of(&ledger, job).await;
    assert_eq!(
        refusal(&ledger, delta, 1).await,
        (
            "ROW_ALREADY_IMPORTED".to_owned(),
            format!("row 1 of job {id} is this member")
        )
    );
    let present = ledger.rows_in(delta, RowState::Present, 0, 1).await.unwrap();
    assert_eq!(present[0].user_card_code.as_deref(), Some("C1"));
    assert_eq!(claim(&ledger, work(delta), &mut Cursor::default(), 9).await, [5]);
    // And once more.
    let third = load(&ledger, identity("c"), vec![queued(1)]).await;
    assert_eq!(states(&ledger, third).await, [(1, RowState::Present)].into());
}

pub(super) async fn refused_rows_hold_no_claim(place: &Place) {
    let ledger = place.open().await;
    let job = load(&ledger, identity("a"), vec![queued(1)]).await;
    let owner = work(job);
    claim(&ledger, owner, &mut Cursor::default(), 9).await;
    ledger.record(owner, 1, entry(RowState::Refused)).await.unwrap();
    let again = load(&ledger, identity("b"), vec![queued(1)]).await;
    assert_eq!(ledger.counts(again).await.unwrap().queued, 1);
    // Now the new row has the code, and the old one cannot have it back.
    let id = id_of(&ledger, job).await;
    assert_eq!(ledger.retry(&id, &Retry::refused()).await.unwrap(), 0);
}
