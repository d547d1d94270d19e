//! What every store must do, whichever it is: leases, uniqueness, loads, pauses, retries, purges, reports.

use std::collections::BTreeMap;

use wxmember::FixedClock;
use wxmember_crypto::{KeyId, SourceHasher};

use self::{
    figures::{outcomes_are_counted_by_code, the_pace_is_shared, the_timeline_has_a_slot_for_every_stretch},
    handover::{
        a_purged_source_can_be_imported_again, a_retry_of_many_rows_goes_through_all_of_them,
        a_row_that_is_kept_waits_for_its_owner, a_row_that_was_never_sent_leaves_its_place_to_another_job,
        a_run_is_given_nothing_that_it_skips,
    },
    jobs::{
        a_job_is_open_as_long_as_a_row_of_it_is_not_done, a_paused_job_gives_no_rows,
        a_purge_keeps_the_counts_alone, jobs_are_found_by_the_beginning_of_their_name,
        retries_put_back_what_can_be_sent,
    },
    leases::{
        a_claimed_row_is_nobody_elses_until_its_lease_ends, a_late_answer_undoes_nothing_and_a_success_wins,
        a_row_that_was_taken_over_is_not_sent_again_by_its_former_owner,
        a_run_claims_a_row_once_and_finds_what_others_let_go, two_processes_claim_each_row_once,
    },
    loading::{
        a_job_begun_under_other_defaults_begins_anew, loading_is_one_process_at_a_time,
        storing_rows_twice_changes_nothing,
    },
    unique::{
        a_member_that_an_earlier_job_brought_in_is_present, a_row_that_repeats_another_names_it,
        refused_rows_hold_no_claim,
    },
};
use super::{testing::server::Postgres, *};
use crate::{
    gateway::SealedRequest,
    job::{Profile, Route},
};

mod figures;
mod handover;
mod jobs;
mod leases;
mod loading;
mod model;
mod unique;

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
