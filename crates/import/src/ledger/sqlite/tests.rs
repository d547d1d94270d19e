//! Opening, versions, and the transactions against a model.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wxmember_crypto::SourceHasher;

use super::*;
use crate::job::{Profile, Route};

fn identity(name: &str) -> Identity {
    let mut hasher = SourceHasher::new();
    hasher.update(name.as_bytes());
    let digest = hasher.finish();
    Identity {
        source_name: name.into(),
        source_digest: digest,
        profile: Profile::new("1", "2", "3", "http://127.0.0.1"),
        route: Route::default(),
        defaults: digest,
    }
}

fn queued(row: u64) -> NewRow {
    let mut phone_hash = [0; 32];
    phone_hash[..8].copy_from_slice(&row.to_be_bytes());
    let request = SealedRequest::new(vec![b'x'; 8], KeyId::new("K"));
    let content = NewContent::Queued {
        user_card_code: format!("C{row}"),
        phone_hash,
        request,
    };
    NewRow {
        row,
        line: row + 1,
        content,
    }
}

fn columns() -> KeyColumns {
    KeyColumns {
        user_card_code: "卡号".into(),
        phone_number: "手机号".into(),
    }
}

#[test]
fn a_ledger_is_open_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let first = Sqlite::open(&path).unwrap();
    assert!(matches!(Sqlite::open(&path), Err(LedgerError::Busy { .. })));
    drop(first);
    Sqlite::open(&path).unwrap();
}

#[test]
fn other_files_and_later_versions_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(Sqlite::open(&path).unwrap());
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let error = Sqlite::open(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the ledger has version 99, this software knows up to 1; update wxmember"
    );

    let text = folder.path().join("text");
    std::fs::write(
        &text,
        "not a database, but long enough to be looked at".repeat(40),
    )
    .unwrap();
    std::fs::write(folder.path().join("text.key"), [0; 32]).unwrap();
    assert!(matches!(Sqlite::open(&text), Err(LedgerError::Foreign { .. })));

    let other = folder.path().join("other.db");
    Connection::open(&other)
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    std::fs::write(folder.path().join("other.db.key"), [0; 32]).unwrap();
    assert!(matches!(Sqlite::open(&other), Err(LedgerError::Foreign { .. })));
}

#[test]
fn a_ledger_without_its_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(Sqlite::open(&path).unwrap());
    let key = folder.path().join("ledger.db.key");
    std::fs::write(&key, [0; 31]).unwrap();
    assert!(matches!(Sqlite::open(&path), Err(LedgerError::Key { .. })));
    std::fs::remove_file(&key).unwrap();
    assert!(matches!(Sqlite::open(&path), Err(LedgerError::Key { .. })));
}

#[test]
fn a_row_that_repeats_another_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = Sqlite::open(&folder.path().join("ledger.db")).unwrap();
    let mut tables = lock(&store.connection);
    let job = tables.open_job(&identity("a")).unwrap().key;
    let mut twin = queued(1);
    twin.row = 2;
    tables.store_rows(job, &[queued(1)], &columns()).unwrap();
    tables.store_rows(job, &[twin], &columns()).unwrap();
    let refused = tables.rows_in(job, RowState::Refused, 0, 9).unwrap();
    assert_eq!(refused[0].code, "ROW_DUPLICATE_CODE");
    assert_eq!(
        refused[0].message,
        "column `卡号`: the same code is in row 1; column `手机号`: the same phone number is in row 1"
    );
    // Another job may have the same members.
    let other = tables.open_job(&identity("b")).unwrap().key;
    tables.store_rows(other, &[queued(1)], &columns()).unwrap();
    assert_eq!(tables.counts(other).unwrap().queued, 1);
}

#[derive(Clone, Debug)]
enum Call {
    Claim(u32),
    Record(usize, RowState),
    LeaseAgain(usize),
    Recover,
    NewRun,
}

fn call() -> impl Strategy<Value = Call> {
    let state = prop::sample::select(vec![
        RowState::Queued,
        RowState::Imported,
        RowState::Present,
        RowState::Refused,
        RowState::Unknown,
    ]);
    prop_oneof![
        (1_u32..5).prop_map(Call::Claim),
        (any::<usize>(), state).prop_map(|(index, state)| Call::Record(index, state)),
        any::<usize>().prop_map(Call::LeaseAgain),
        Just(Call::Recover),
        Just(Call::NewRun),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_tables_do_what_a_map_does(calls in proptest::collection::vec(call(), 0..60)) {
        const ROWS: u64 = 12;
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Sqlite::open(&folder.path().join("ledger.db")).unwrap();
        let mut tables = lock(&store.connection);
        let job = tables.open_job(&identity("a")).unwrap().key;
        tables.store_rows(job, &(1..=ROWS).map(queued).collect::<Vec<_>>(), &columns()).unwrap();
        let mut model: BTreeMap<u64, RowState> = (1..=ROWS).map(|row| (row, RowState::Queued)).collect();
        let (mut cursor, mut leased) = (Cursor::default(), Vec::new());
        for call in calls {
            match call {
                Call::Claim(limit) => {
                    let (rows, behind) = tables.claim_rows(job, cursor, limit).unwrap();
                    let of = |state, after| {
                        model.iter().filter(|(row, s)| **s == state && **row > after).map(|(row, _)| *row)
                            .take(limit as usize).collect::<Vec<_>>()
                    };
                    let mut expect = Vec::new();
                    if !cursor.is_past_unknown {
                        expect = of(RowState::Unknown, cursor.row);
                    }
                    if expect.is_empty() {
                        expect = of(RowState::Queued, if cursor.is_past_unknown { cursor.row } else { 0 });
                    }
                    cursor = behind;
                    let found: Vec<u64> = rows.iter().map(|row| row.row).collect();
                    prop_assert_eq!(&found, &expect);
                    for row in found {
                        model.insert(row, RowState::Leased);
                        leased.push(row);
                    }
                }
                Call::Record(index, state) if !leased.is_empty() => {
                    let row = leased.swap_remove(index % leased.len());
                    let entry = Entry { state, code: None, message: None, request_id: None };
                    tables.write_changes(&[&Write { job, row, change: Change::Record(entry) }]).unwrap();
                    model.insert(row, state);
                }
                Call::LeaseAgain(index) if !leased.is_empty() => {
                    let row = leased[index % leased.len()];
                    tables.write_changes(&[&Write { job, row, change: Change::Lease }]).unwrap();
                }
                Call::Recover => {
                    let recovered = tables.recover_leases(job).unwrap();
                    prop_assert_eq!(recovered as usize, leased.len());
                    for row in leased.drain(..) {
                        model.insert(row, RowState::Unknown);
                    }
                }
                Call::NewRun => cursor = Cursor::default(),
                _ => {}
            }
            let mut expect = Counts::default();
            model.values().for_each(|state| *expect.of(*state) += 1);
            prop_assert_eq!(tables.counts(job).unwrap(), expect);
        }
    }
}
