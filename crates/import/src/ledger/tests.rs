//! What every store must do, whichever it is: leases, uniqueness, loads, pauses, retries, purges, reports.

use std::collections::BTreeMap;

use wxmember::FixedClock;
use wxmember_crypto::{KeyId, SourceHasher};

use self::handover::{
    a_purged_source_can_be_imported_again, a_retry_of_many_rows_goes_through_all_of_them,
    a_row_that_is_kept_waits_for_its_owner, a_row_that_was_never_sent_leaves_its_place_to_another_job,
    a_run_is_given_nothing_that_it_skips,
};
use super::{testing::server::Postgres, *};
use crate::{
    gateway::SealedRequest,
    job::{Profile, Route},
};

mod handover;
mod model;

/// Where the ledgers of one test are.
enum Place {
    File {
        folder: tempfile::TempDir,
        clock: Arc<FixedClock>,
    },
    Database {
        url: String,
        folder: tempfile::TempDir,
        clock: Arc<FixedClock>,
    },
}

impl Place {
    fn database(server: &Postgres, name: &str) -> Self {
        Self::Database {
            url: server.create_database(name),
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(FixedClock::at(NOW)),
        }
    }

    fn file() -> Self {
        Self::File {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(FixedClock::at(NOW)),
        }
    }

    /// Another process opens the ledger.
    async fn open(&self) -> Ledger {
        match self {
            Self::File { folder, clock } => {
                Ledger::open_with_clock(&folder.path().join("ledger.db"), clock.clone()).unwrap()
            }
            Self::Database { url, folder, clock } => {
                let key = folder.path().join("ledger.key");
                Ledger::connect_with_clock(url, Some(&key), Some(clock.clone()))
                    .await
                    .unwrap()
            }
        }
    }

    fn advance(&self, seconds: u64) {
        match self {
            Self::Database { clock, .. } | Self::File { clock, .. } => {
                clock.advance(Duration::from_secs(seconds))
            }
        }
    }
}

macro_rules! every_store {
    ($($name:ident,)*) => {
        mod in_a_file {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(&super::Place::file()).await;
                }
            )*
        }

        /// One server for all: to make one takes a second.
        #[tokio::test(flavor = "multi_thread")]
        async fn in_a_database() {
            let server = Postgres::start();
            $(
                println!("{}", stringify!($name));
                $name(&Place::database(&server, stringify!($name))).await;
            )*
        }
    };
}

every_store! {
    a_claimed_row_is_nobody_elses_until_its_lease_ends,
    a_late_answer_undoes_nothing_and_a_success_wins,
    a_run_claims_a_row_once_and_finds_what_others_let_go,
    a_row_that_was_taken_over_is_not_sent_again_by_its_former_owner,
    a_row_that_is_kept_waits_for_its_owner,
    a_run_is_given_nothing_that_it_skips,
    a_row_that_repeats_another_names_it,
    a_member_that_an_earlier_job_brought_in_is_present,
    refused_rows_hold_no_claim,
    a_row_that_was_never_sent_leaves_its_place_to_another_job,
    loading_is_one_process_at_a_time,
    storing_rows_twice_changes_nothing,
    a_job_begun_under_other_defaults_begins_anew,
    a_paused_job_gives_no_rows,
    a_job_is_open_as_long_as_a_row_of_it_is_not_done,
    retries_put_back_what_can_be_sent,
    a_retry_of_many_rows_goes_through_all_of_them,
    a_purge_keeps_the_counts_alone,
    a_purged_source_can_be_imported_again,
    jobs_are_found_by_the_beginning_of_their_name,
    the_timeline_has_a_slot_for_every_stretch,
    outcomes_are_counted_by_code,
    the_pace_is_shared,
    two_processes_claim_each_row_once,
}

const NOW: i64 = 1_700_000_000;

fn identity(name: &str) -> Identity {
    identity_for(name, "3")
}

fn identity_for(name: &str, card: &str) -> Identity {
    let mut hasher = SourceHasher::new();
    hasher.update(name.as_bytes());
    Identity {
        source_name: name.into(),
        source_digest: hasher.finish(),
        profile: Profile::new("1", "2", card, "http://127.0.0.1"),
        route: Route::default(),
        defaults: SourceHasher::new().finish(),
    }
}

/// A row with the code and the phone number of a member.
fn member(row: u64, code: u64, phone: u64) -> NewRow {
    let mut member_hash = [9; 32];
    // Hashes that begin alike are still apart.
    member_hash[..8].copy_from_slice(&(phone / 4).to_be_bytes());
    member_hash[8..16].copy_from_slice(&phone.to_be_bytes());
    NewRow {
        row,
        line: row + 1,
        content: NewContent::Queued {
            user_card_code: format!("C{code}"),
            member_hash,
            request: SealedRequest::new(format!("body {row}").into_bytes(), KeyId::new("K")),
        },
    }
}

fn queued(row: u64) -> NewRow {
    member(row, row, row)
}

fn columns() -> Arc<KeyColumns> {
    Arc::new(KeyColumns {
        user_card_code: "卡号".into(),
        member: "手机号".into(),
        member_kind: MemberKind::PhoneNumber,
    })
}

fn entry(state: RowState) -> Entry {
    Entry {
        state,
        code: (!state.is_success()).then(|| "CODE".to_owned()),
        message: None,
        request_id: Some("request".to_owned()),
    }
}

async fn load(ledger: &Ledger, identity: Identity, rows: Vec<NewRow>) -> i64 {
    let owner = Owner::random().unwrap();
    let job = ledger.open_job(identity, owner).await.unwrap();
    assert!(job.may_load && job.is_new);
    let count = rows.len() as u64;
    ledger.store_rows(job.key, owner, rows, columns()).await.unwrap();
    ledger.finish_loading(job.key, count).await.unwrap();
    job.key
}

fn work(job: i64) -> Work {
    Work {
        job,
        owner: Owner::random().unwrap(),
        lease: Duration::from_secs(60),
    }
}

async fn claim(ledger: &Ledger, work: Work, cursor: &mut Cursor, limit: u32) -> Vec<u64> {
    let (claim, behind) = ledger
        .claim_rows(work, *cursor, limit, Skip::default())
        .await
        .unwrap();
    *cursor = behind;
    match claim {
        Claim::Rows(rows) => rows.iter().map(|row| row.row).collect(),
        _ => Vec::new(),
    }
}

async fn states(ledger: &Ledger, job: i64) -> BTreeMap<u64, RowState> {
    let mut states = BTreeMap::new();
    for state in RowState::ALL {
        for row in ledger.rows_in(job, state, 0, 1000).await.unwrap() {
            assert_eq!(row.state, state);
            states.insert(row.row, state);
        }
    }
    states
}

async fn refusal(ledger: &Ledger, job: i64, row: u64) -> (String, String) {
    for state in RowState::ALL {
        let rows = ledger.rows_in(job, state, row - 1, 1).await.unwrap();
        if let Some(found) = rows.first().filter(|found| found.row == row) {
            return (found.code.clone(), found.message.clone());
        }
    }
    panic!("no row {row}");
}

async fn id_of(ledger: &Ledger, job: i64) -> JobId {
    let jobs = ledger.jobs().await.unwrap();
    jobs.iter().find(|report| report.key == job).unwrap().id.clone()
}

async fn a_claimed_row_is_nobody_elses_until_its_lease_ends(place: &Place) {
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

async fn a_late_answer_undoes_nothing_and_a_success_wins(place: &Place) {
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

async fn a_run_claims_a_row_once_and_finds_what_others_let_go(place: &Place) {
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

async fn a_row_that_was_taken_over_is_not_sent_again_by_its_former_owner(place: &Place) {
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

async fn a_row_that_repeats_another_names_it(place: &Place) {
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

async fn a_member_that_an_earlier_job_brought_in_is_present(place: &Place) {
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

async fn refused_rows_hold_no_claim(place: &Place) {
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

async fn loading_is_one_process_at_a_time(place: &Place) {
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

async fn storing_rows_twice_changes_nothing(place: &Place) {
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

async fn a_job_begun_under_other_defaults_begins_anew(place: &Place) {
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

async fn a_paused_job_gives_no_rows(place: &Place) {
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

async fn a_job_is_open_as_long_as_a_row_of_it_is_not_done(place: &Place) {
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

async fn retries_put_back_what_can_be_sent(place: &Place) {
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

async fn a_purge_keeps_the_counts_alone(place: &Place) {
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

async fn jobs_are_found_by_the_beginning_of_their_name(place: &Place) {
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

async fn the_timeline_has_a_slot_for_every_stretch(place: &Place) {
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

async fn outcomes_are_counted_by_code(place: &Place) {
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

async fn the_pace_is_shared(place: &Place) {
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

async fn two_processes_claim_each_row_once(place: &Place) {
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
