//! Figures: outcomes over time and by code, and the pace that all share.

use super::*;

pub(super) async fn the_timeline_has_a_slot_for_every_stretch(place: &Place) {
    let ledger = place.open().await;
    let job = load(&ledger, identity("a"), (1..=5).map(queued).collect()).await;
    let (id, owner) = (id_of(&ledger, job).await, work(job));
    assert!(ledger.timeline(&id).await.unwrap().is_empty());
    claim(&ledger, owner, &mut Cursor::default(), 9).await;
    for (row, wait, state) in [
        (1, 5, RowState::Imported),
        (2, 0, RowState::Refused),
        (3, 3, RowState::Imported),
        (4, 2000, RowState::Unknown),
    ] {
        place.advance(wait);
        ledger.record(owner, row, entry(state)).await.unwrap();
    }
    let slots = ledger.timeline(&id).await.unwrap();
    let first = &slots[0];
    assert_eq!(
        (first.at, first.seconds, first.imported, first.refused),
        (NOW + 5, 11, 2, 1)
    );
    assert!(slots.len() <= 201);
    assert_eq!(slots.last().unwrap().unknown, 1);
    assert!(slots.windows(2).all(|pair| pair[1].at - pair[0].at == 11));
    assert_eq!(ledger.jobs().await.unwrap()[0].updated_at, NOW + 2008);
}

pub(super) async fn outcomes_are_counted_by_code(place: &Place) {
    let ledger = place.open().await;
    let mut rows: Vec<NewRow> = (1..=3).map(queued).collect();
    rows.extend([member(4, 1, 1), member(5, 2, 2)]);
    let job = load(&ledger, identity("a"), rows).await;
    let (id, owner) = (id_of(&ledger, job).await, work(job));
    claim(&ledger, owner, &mut Cursor::default(), 2).await;
    ledger.record(owner, 1, entry(RowState::Imported)).await.unwrap();
    ledger.record(owner, 2, entry(RowState::Refused)).await.unwrap();
    let found: Vec<(RowState, String, u64)> = ledger
        .outcomes(&id)
        .await
        .unwrap()
        .into_iter()
        .map(|count| (count.state, count.code, count.rows))
        .collect();
    assert_eq!(
        found,
        [
            (RowState::Queued, String::new(), 1),
            (RowState::Imported, String::new(), 1),
            (RowState::Refused, "ROW_DUPLICATE_CODE".to_owned(), 2),
            (RowState::Refused, "CODE".to_owned(), 1),
        ]
    );
}

pub(super) async fn the_pace_is_shared(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let key = PaceKey::new(&Profile::new("1", "2", "3", "http://h/"), Route::default());
    let free = one.reserve(&key, 1, None).await.unwrap();
    assert_eq!(free, Reservation::UNLIMITED);
    let waits = [
        one.reserve(&key, 1, Some(5.0)).await.unwrap().wait,
        two.reserve(&key, 2, Some(5.0)).await.unwrap().wait,
        one.reserve(&key, 1, Some(5.0)).await.unwrap().wait,
    ];
    assert_eq!(waits, [0, 200, 600].map(Duration::from_millis));
    let elsewhere = PaceKey::new(&Profile::new("9", "2", "3", "http://h"), Route::default());
    assert_eq!(
        two.reserve(&elsewhere, 1, Some(5.0)).await.unwrap().wait,
        Duration::ZERO
    );
    assert_eq!(two.slow_down(&key, Some(5.0), None, 0.0).await.unwrap(), 2.5);
    let slowed = one.reserve(&key, 1, Some(5.0)).await.unwrap();
    assert_eq!((slowed.rate, slowed.wait), (Some(2.5), Duration::from_secs(1)));
    place.advance(20);
    assert_eq!(one.reserve(&key, 1, Some(5.0)).await.unwrap().rate, Some(5.0));
    // Without a quota everybody hears of the 429 too.
    two.slow_down(&elsewhere, None, None, 80.0).await.unwrap();
    assert_eq!(one.reserve(&elsewhere, 1, None).await.unwrap().rate, Some(40.0));
}
