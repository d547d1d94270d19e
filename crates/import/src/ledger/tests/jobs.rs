//! What becomes of a job: paused, open, retried, purged, and found by its name.

use super::*;

pub(super) async fn a_paused_job_gives_no_rows(place: &Place) {
    let (one, two) = (place.open().await, place.open().await);
    let job = load(&one, identity("a"), (1..=2).map(queued).collect()).await;
    let (id, owner) = (id_of(&one, job).await, work(job));
    assert_eq!(claim(&one, owner, &mut Cursor::default(), 1).await, [1]);
    two.pause(&id).await.unwrap();
    two.pause(&id).await.unwrap();
    let (answer, _) = one
        .claim_rows(owner, Cursor::default(), 1, Skip::default())
        .await
        .unwrap();
    assert!(matches!(answer, Claim::Paused), "{answer:?}");
    // What is under way is written down.
    assert!(one.record(owner, 1, entry(RowState::Imported)).await.unwrap());
    assert!(one.jobs().await.unwrap()[0].is_paused);
    two.resume(&id).await.unwrap();
    assert_eq!(claim(&one, owner, &mut Cursor::default(), 1).await, [2]);
}

pub(super) async fn a_job_is_open_as_long_as_a_row_of_it_is_not_done(place: &Place) {
    let ledger = place.open().await;
    let shown = async || {
        let jobs = ledger.open_jobs().await.unwrap();
        let shown = jobs
            .into_iter()
            .map(|job| (job.key, job.has_queued, job.has_leased, job.has_unknown));
        shown.collect::<Vec<_>>()
    };
    let one = load(&ledger, identity("a"), (1..=2).map(queued).collect()).await;
    // Its first row repeats one of the first job.
    let two = load(&ledger, identity("b"), vec![queued(1), member(2, 4, 4)]).await;
    // Not loaded yet.
    let begun = ledger
        .open_job(identity("c"), Owner::random().unwrap())
        .await
        .unwrap();
    assert!(!begun.is_loaded);
    assert_eq!(
        shown().await,
        [(one, true, false, false), (two, true, false, false)]
    );
    let owner = work(one);
    claim(&ledger, owner, &mut Cursor::default(), 2).await;
    assert_eq!(shown().await[0], (one, false, true, false));
    ledger.record(owner, 1, entry(RowState::Imported)).await.unwrap();
    ledger.record(owner, 2, entry(RowState::Unknown)).await.unwrap();
    assert_eq!(shown().await[0], (one, false, false, true));
    ledger.record(owner, 2, entry(RowState::Present)).await.unwrap();
    assert_eq!(shown().await, [(two, true, false, false)]);
    let job = ledger.open_jobs().await.unwrap().remove(0);
    assert_eq!(
        (job.id.clone(), job.route),
        (id_of(&ledger, two).await, Route::default())
    );
    assert_eq!(job.profile, identity("b").profile);
    ledger.pause(&job.id).await.unwrap();
    assert_eq!(shown().await, []);
}

pub(super) async fn retries_put_back_what_can_be_sent(place: &Place) {
    let ledger = place.open().await;
    let missing = NewRow {
        row: 5,
        line: 6,
        content: NewContent::Refused {
            code: "ROW_MISSING_VALUE".into(),
            message: String::new(),
        },
    };
    let mut rows: Vec<NewRow> = (1..=4).map(queued).collect();
    rows.extend([missing, member(6, 4, 4)]);
    let job = load(&ledger, identity("a"), rows).await;
    let (id, owner) = (id_of(&ledger, job).await, work(job));
    let mut cursor = Cursor::default();
    claim(&ledger, owner, &mut cursor, 9).await;
    let mut other = entry(RowState::Refused);
    other.code = Some("OTHER".to_owned());
    ledger.record(owner, 1, entry(RowState::Refused)).await.unwrap();
    ledger.record(owner, 2, other).await.unwrap();
    ledger.record(owner, 3, entry(RowState::Unknown)).await.unwrap();
    ledger.record(owner, 4, entry(RowState::Imported)).await.unwrap();
    assert!(claim(&ledger, owner, &mut cursor, 9).await.is_empty());

    let retried = async |retry: Retry| ledger.retry(&id, &retry).await.unwrap();
    assert_eq!(retried(Retry::refused_and_unknown().with_code("NONE")).await, 0);
    assert_eq!(retried(Retry::refused().with_code("OTHER")).await, 1);
    assert_eq!(claim(&ledger, owner, &mut cursor, 9).await, [2]);
    ledger.record(owner, 2, entry(RowState::Refused)).await.unwrap();
    // The run that gave it up may have it again.
    assert_eq!(retried(Retry::unknown()).await, 1);
    assert_eq!(claim(&ledger, owner, &mut cursor, 9).await, [3]);
    ledger.record(owner, 3, entry(RowState::Refused)).await.unwrap();
    // A row that may have been sent is unknown and not queued.
    assert_eq!(retried(Retry::refused_and_unknown()).await, 3);
    let expect = [
        (1, RowState::Queued),
        (2, RowState::Queued),
        (3, RowState::Unknown),
        (4, RowState::Imported),
        (5, RowState::Refused),
        (6, RowState::Refused),
    ];
    assert_eq!(states(&ledger, job).await, expect.into());
}

pub(super) async fn a_purge_keeps_the_counts_alone(place: &Place) {
    let ledger = place.open().await;
    let rows = 12_000;
    let mut new: Vec<NewRow> = (1..=rows).map(queued).collect();
    new.push(member(rows + 1, 1, 1));
    let job = load(&ledger, identity("a"), new).await;
    let (id, owner) = (id_of(&ledger, job).await, work(job));
    let error = ledger.purge(&id, false).await.unwrap_err();
    assert!(
        matches!(error, LedgerError::Unfinished { rows: found, .. } if found == rows),
        "{error}"
    );
    claim(&ledger, owner, &mut Cursor::default(), 1).await;
    ledger.record(owner, 1, entry(RowState::Refused)).await.unwrap();
    let before = ledger.counts(job).await.unwrap();
    let purged = ledger.purge(&id, true).await.unwrap();
    assert_eq!((purged.requests, purged.rows), (rows, rows));
    assert_eq!(ledger.counts(job).await.unwrap(), before);
    assert!(ledger.job(id.as_str()).await.unwrap().is_purged);
    let refused = ledger.rows_in(job, RowState::Refused, 0, 9).await.unwrap();
    assert_eq!(
        (refused[0].code.as_str(), &refused[0].user_card_code),
        ("CODE", &None)
    );
    assert_eq!(refused[1].code, "ROW_DUPLICATE_CODE");
    // Nothing can be sent any more, and a second purge finds nothing.
    let (answer, _) = ledger
        .claim_rows(work(job), Cursor::default(), 1, Skip::default())
        .await
        .unwrap();
    assert!(matches!(answer, Claim::Nothing), "{answer:?}");
    assert!(matches!(
        ledger.retry(&id, &Retry::refused()).await,
        Err(LedgerError::Purged { .. })
    ));
    assert_eq!(ledger.purge(&id, true).await.unwrap(), Purged::default());
    // Its members are no duplicates any more.
    let other = load(&ledger, identity("b"), vec![queued(2)]).await;
    assert_eq!(ledger.counts(other).await.unwrap().queued, 1);
}

pub(super) async fn jobs_are_found_by_the_beginning_of_their_name(place: &Place) {
    let ledger = place.open().await;
    for name in 0..20 {
        load(&ledger, identity(&name.to_string()), Vec::new()).await;
    }
    let jobs = ledger.jobs().await.unwrap();
    let id = &jobs[0].id;
    let found = ledger.job(id.as_str()).await.unwrap();
    assert_eq!(&found, &jobs[0]);
    assert_eq!(
        (found.source_name.as_str(), found.mchid.as_str(), found.route),
        ("19", "1", Route::default())
    );
    assert_eq!(
        (found.created_at, found.updated_at, found.is_loaded),
        (NOW, NOW, true)
    );
    // Twenty names begin with sixteen digits.
    let first = jobs.iter().map(|job| &job.id.as_str()[..1]);
    let mut ambiguous = BTreeMap::new();
    first.for_each(|digit| *ambiguous.entry(digit).or_insert(0) += 1);
    let (digit, times) = ambiguous.into_iter().max_by_key(|(_, times)| *times).unwrap();
    assert!(matches!(
        ledger.job(digit).await,
        Err(LedgerError::AmbiguousJob { jobs, .. }) if jobs == times
    ));
    for unknown in ["", "xyz"] {
        assert!(matches!(
            ledger.job(unknown).await,
            Err(LedgerError::NoSuchJob { .. })
        ));
    }
    assert!(matches!(
        ledger.pause(&JobId::of(&[0; 6])).await,
        Err(LedgerError::NoSuchJob { .. })
    ));
}
