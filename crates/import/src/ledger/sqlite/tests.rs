//! What only a file can be: another file, another version, without its key, and opened by several processes.

use std::path::PathBuf;

use wxmember::{FixedClock, SystemClock};

use super::*;

fn open(path: &Path) -> Result<Sqlite, LedgerError> {
    Sqlite::open(path, Arc::new(SystemClock::new())).map(|(store, _)| store)
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    (folder, path)
}

#[test]
fn other_files_and_later_versions_are_refused() {
    let (folder, path) = place();
    drop(open(&path).unwrap());
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let error = open(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the ledger has version 99, this software knows up to 3; update wxmember"
    );

    let text = folder.path().join("text");
    std::fs::write(
        &text,
        "not a database, but long enough to be looked at".repeat(40),
    )
    .unwrap();
    std::fs::write(folder.path().join("text.key"), [0; 32]).unwrap();
    assert!(matches!(open(&text), Err(LedgerError::Foreign { .. })));

    let other = folder.path().join("other.db");
    Connection::open(&other)
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    std::fs::write(folder.path().join("other.db.key"), [0; 32]).unwrap();
    assert!(matches!(open(&other), Err(LedgerError::Foreign { .. })));
}

/// Also what a restored backup left open to all, with the log of a process that was killed.
#[cfg(unix)]
#[test]
fn the_files_of_a_ledger_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let (folder, path) = place();
    let names = ["ledger.db", "ledger.db-shm", "ledger.db-wal", "ledger.db.key"];
    let modes = || {
        names.map(|name| {
            std::fs::metadata(folder.path().join(name))
                .unwrap()
                .permissions()
                .mode()
                & 0o777
        })
    };
    let one = open(&path).unwrap();
    assert_eq!(modes(), [0o600; 4]);
    for name in names {
        let open_to_all = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(folder.path().join(name), open_to_all).unwrap();
    }
    let two = open(&path).unwrap();
    assert_eq!(modes(), [0o600; 4]);
    drop((one, two));
}

#[cfg(unix)]
#[test]
fn the_file_of_another_application_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;

    let (_folder, path) = place();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE theirs (x)").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(open(&path), Err(LedgerError::Foreign { .. })));
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640
    );
}

#[test]
fn a_ledger_without_its_key_is_refused() {
    let (folder, path) = place();
    drop(open(&path).unwrap());
    let key = folder.path().join("ledger.db.key");
    let right = std::fs::read(&key).unwrap();
    std::fs::write(&key, [7; 32]).unwrap();
    assert!(matches!(open(&path), Err(LedgerError::WrongKey { .. })));
    std::fs::write(&key, [0; 31]).unwrap();
    assert!(matches!(open(&path), Err(LedgerError::Key { .. })));
    std::fs::remove_file(&key).unwrap();
    assert!(matches!(open(&path), Err(LedgerError::Key { .. })));
    assert!(
        std::fs::read(&key).unwrap().is_empty(),
        "nothing is left that looks like a key"
    );
    assert!(matches!(open(&path), Err(LedgerError::Key { .. })));
    std::fs::write(&key, right).unwrap();
    open(&path).unwrap();
}

/// Two first starts at the same moment: this one opened the key's file before the other one had written the key.
#[test]
fn a_key_that_another_process_makes_meanwhile_is_read_and_never_removed() {
    let (folder, path) = place();
    let mut presence = key::Presence::enter(&path).unwrap();
    let file = folder.path().join("ledger.db.key");
    std::fs::write(&file, [7; 32]).unwrap();
    presence.key(false).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), [7; 32]);
    // Nor is one removed that is put back while the file is found to be empty.
    std::fs::write(&file, []).unwrap();
    assert!(matches!(presence.key(false), Err(LedgerError::Key { .. })));
    assert!(file.exists());
}

#[test]
fn a_process_of_the_first_version_keeps_others_out() {
    let (folder, path) = place();
    drop(open(&path).unwrap());
    let key = File::open(folder.path().join("ledger.db.key")).unwrap();
    key.lock().unwrap();
    let mut tries = 0;
    let mut presence = key::Presence::enter_within(&path, || {
        tries += 1;
        tries < 3
    });
    assert!(matches!(presence, Err(LedgerError::Busy { .. })));
    key.unlock().unwrap();
    presence = key::Presence::enter_within(&path, || false);
    assert!(presence.is_ok_and(|presence| presence.is_alone()));
}

#[test]
fn several_processes_have_it_open_and_the_first_alone_recovers() {
    let (_folder, path) = place();
    let first = open(&path).unwrap();
    let second = open(&path).unwrap();
    assert!(!key::Presence::enter(&path).unwrap().is_alone());
    drop(first);
    assert!(!key::Presence::enter(&path).unwrap().is_alone());
    drop(second);
    assert!(key::Presence::enter(&path).unwrap().is_alone());
}

/// A ledger as the first version left it: two jobs of one card, rows in every state, one member in both jobs.
#[test]
fn a_ledger_of_the_first_version_is_taken_over() {
    let (folder, path) = place();
    std::fs::write(folder.path().join("ledger.db.key"), [5; 32]).unwrap();
    let old = Connection::open(&path).unwrap();
    old.execute_batch(schema::MIGRATIONS[0]).unwrap();
    old.execute_batch(
        "PRAGMA user_version = 1; PRAGMA application_id = 1465404738;
         INSERT INTO jobs (id, identity, source_name, source_digest, mchid, brand_id, card_id, base_url, route, defaults,
             rows, is_loaded)
         VALUES (1, x'AABBCCDDEEFF00', 'a.csv', x'01', '1', '2', '3', 'http://h/', 'import-by-phone', x'02', 6, 1),
                (2, x'112233445566', 'b.csv', x'03', '1', '2', '3', 'http://h', 'import-by-phone', x'02', 2, 1);
         INSERT INTO rows (job, row, line, state, attempts, is_maybe_sent, user_card_code, phone_hash, code, message)
         VALUES (1, 1, 2, 'queued',   0, 0, 'C1', x'0101010101010101010101010101010101010101010101010101010101010101', NULL, NULL),
                (1, 2, 3, 'leased',   1, 0, 'C2', x'0202020202020202020202020202020202020202020202020202020202020202', NULL, NULL),
                (1, 3, 4, 'unknown',  5, 1, 'C3', x'0303030303030303030303030303030303030303030303030303030303030303', 'UNKNOWN_OUTCOME', 'lost'),
                (1, 4, 5, 'imported', 1, 0, 'C4', x'0404040404040404040404040404040404040404040404040404040404040404', NULL, NULL),
                (1, 5, 6, 'present',  1, 0, 'C5', x'0505050505050505050505050505050505050505050505050505050505050505', 'INVALID_REQUEST', 'has it'),
                (1, 6, 7, 'refused',  0, 0, NULL, NULL, 'ROW_MISSING_VALUE', 'column `x`: is empty'),
                (2, 1, 2, 'queued',   0, 0, 'C4', x'0404040404040404040404040404040404040404040404040404040404040404', NULL, NULL),
                (2, 2, 3, 'refused',  1, 0, 'C9', x'0909090909090909090909090909090909090909090909090909090909090909', 'PARAM_ERROR', 'no');
         INSERT INTO requests (job, row, platform_key_id, body)
         SELECT job, row, 'K', CAST('body ' || job || ' ' || row AS BLOB) FROM rows WHERE user_card_code IS NOT NULL;",
    )
    .unwrap();
    drop(old);

    let store = open(&path).unwrap();
    let mut tables = lock(&store.connection);
    let jobs = tables.jobs(None).unwrap();
    let names: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
    assert_eq!(names, ["112233445566", "aabbccddeeff"]);
    let counts = jobs[1].counts;
    // The one that was leased is unknown, since nobody else has the ledger open.
    assert_eq!(
        [
            counts.queued,
            counts.leased,
            counts.unknown,
            counts.imported,
            counts.present,
            counts.refused
        ],
        [1, 0, 2, 1, 1, 1]
    );
    assert_eq!(
        (jobs[1].base_url.as_str(), jobs[1].rows, jobs[1].is_loaded),
        ("http://h", 6, true)
    );
    let refused = tables.rows_in(1, crate::RowState::Refused, 0, 9).unwrap();
    assert_eq!(
        (refused[0].row, refused[0].line, refused[0].code.as_str()),
        (6, 7, "ROW_MISSING_VALUE")
    );
    // The member that both jobs have belongs to the one that imported it.
    let claims: i64 = tables
        .connection
        .query_row("SELECT count(*) FROM rows WHERE has_claim = 1", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(claims, 5);
    // Its refused row can be put back, with its request.
    assert_eq!(
        tables.retry(2, &crate::Retry::refused(), 0, 100).unwrap(),
        (1, Some(2))
    );
    let body: Vec<u8> = tables
        .connection
        .query_row("SELECT body FROM requests WHERE id = ?1", [row_id(2, 2)], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(body, b"body 2 2");
}

/// Rows are not found by an index of their own, which only a plan shows.
#[test]
fn claiming_and_looking_for_duplicates_scan_nothing() {
    let (_folder, path) = place();
    let store = open(&path).unwrap();
    let tables = lock(&store.connection);
    for (statement, index) in [
        (
            "SELECT id FROM rows WHERE state = 0 AND id > 1 AND id <= 9 AND owner <> 1 ORDER BY id LIMIT 1",
            "rows_by_state (state=? AND rowid>? AND rowid<?)",
        ),
        (
            "SELECT id FROM members WHERE prefix = x'01'",
            "PRIMARY KEY (prefix=?)",
        ),
        (
            "SELECT id FROM rows WHERE card = 1 AND user_card_code = 'C' AND has_claim = 1",
            "rows_by_code (card=? AND user_card_code=?)",
        ),
        (
            "UPDATE rows SET attempts = 1 WHERE state = 1 AND id BETWEEN 1 AND 9 AND lease_until <= 5",
            "rows_by_state (state=? AND rowid>? AND rowid<?)",
        ),
        (
            "SELECT count(*) FROM rows WHERE state = 1 AND id BETWEEN 1 AND 9",
            "COVERING INDEX rows_by_state (state=? AND rowid>? AND rowid<?)",
        ),
    ] {
        let plan: String = tables
            .connection
            .query_row(&format!("EXPLAIN QUERY PLAN {statement}"), [], |row| row.get(3))
            .unwrap();
        assert!(
            plan.starts_with("SEARCH") && plan.ends_with(index),
            "{statement}: {plan}"
        );
    }
}

#[test]
fn times_are_asked_of_the_clock_given() {
    let (_folder, path) = place();
    let clock = FixedClock::at(1_000);
    let (store, _) = Sqlite::open(&path, Arc::new(clock)).unwrap();
    assert_eq!(lock(&store.connection).now(), 1_000_000_000);
}

/// The query that looks for a member must not read a table from end to end.
#[test]
fn a_member_is_looked_for_in_both_tables_by_prefix() {
    let (_folder, path) = place();
    let store = open(&path).unwrap();
    let tables = lock(&store.connection);
    let plan = |statement: &str, parameters: &[&dyn rusqlite::ToSql]| {
        let statement = format!("EXPLAIN QUERY PLAN {statement}");
        let mut statement = tables.connection.prepare(&statement).unwrap();
        let lines = statement
            .query_map(parameters, |row| row.get::<_, String>(3))
            .unwrap();
        lines.collect::<Result<Vec<_>, _>>().unwrap().join("; ")
    };
    let parameters: &[&dyn rusqlite::ToSql] = &[&"1", &"2", &3];
    let found = plan(load::FIND_MEMBER, parameters);
    assert_eq!(found.matches("PRIMARY KEY (prefix=?)").count(), 2, "{found}");
    assert!(found.contains("SEARCH rows USING INTEGER PRIMARY KEY"), "{found}");
    let deleted = plan(
        "DELETE FROM members WHERE (prefix, id) IN (
             SELECT substr(member_hash, 1, 8), id FROM rows WHERE id BETWEEN 1 AND 2 AND member_hash IS NOT NULL)",
        &[],
    );
    assert!(
        deleted.contains("SEARCH members USING PRIMARY KEY (prefix=? AND id=?)"),
        "{deleted}"
    );
}

/// A table for nothing but its size.
fn filling(tables: &Tables) {
    tables
        .connection
        .execute_batch("CREATE TABLE filling (x)")
        .unwrap();
}

/// Writes so many bytes; says what the commit said.
fn fill(tables: &mut Tables, bytes: u32) -> Result<(), rusqlite::Error> {
    let transaction = tables.begin().unwrap();
    transaction
        .execute("INSERT INTO filling VALUES (zeroblob(?1))", [bytes])
        .unwrap();
    transaction.commit()
}

/// Rows that make a long log: it goes over while they are written, and nothing of it is left when the ledger is closed.
#[test]
fn the_log_goes_over_while_rows_are_written() {
    let (folder, path) = place();
    let store = open(&path).unwrap();
    let log = folder.path().join("ledger.db-wal");
    {
        let mut tables = lock(&store.connection);
        filling(&tables);
        let mut over = 0;
        // Half of them would do; the thread may be slow to begin.
        for _ in 0..10_000 {
            fill(&mut tables, 40000).unwrap();
            over = std::fs::metadata(&path).unwrap().len();
            if over > 8 << 20 {
                break;
            }
        }
        assert!(over > 8 << 20, "{over} bytes went over");
        let length = std::fs::metadata(&log).unwrap().len();
        assert!(length < 200 << 20, "the log has {length} bytes");
    }
    drop(store);
    assert!(!log.exists(), "the last one to close it empties the log");
}

/// Nothing of what was written may stay in a log that a checkpoint keeps busy.
#[test]
fn a_forgotten_log_is_empty_whatever_the_thread_does() {
    let (folder, path) = place();
    let store = open(&path).unwrap();
    let mut tables = lock(&store.connection);
    filling(&tables);
    for _ in 0..5 {
        fill(&mut tables, 12000000).unwrap();
        tables.forget_log().unwrap();
        let log = folder.path().join("ledger.db-wal");
        assert_eq!(std::fs::metadata(log).unwrap().len(), 0);
    }
}

fn some_work() -> crate::ledger::Work {
    crate::ledger::Work {
        job: 1,
        owner: crate::ledger::Owner::random().unwrap(),
        lease: Duration::from_secs(60),
    }
}

/// A thousand results at once are a few transactions, not a thousand.
#[tokio::test]
async fn results_of_one_moment_share_a_transaction() {
    let (_folder, path) = place();
    let store = Arc::new(open(&path).unwrap());
    let work = some_work();
    let commits = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = Arc::clone(&commits);
    let hook = move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        false
    };
    lock(&store.connection)
        .connection
        .commit_hook(Some(hook))
        .unwrap();
    let mut writes = tokio::task::JoinSet::new();
    for row in 1..=1000 {
        let store = Arc::clone(&store);
        let change = crate::ledger::Change::Lease;
        writes.spawn(async move { store.write(Write { work, row, change }).await });
    }
    while let Some(written) = writes.join_next().await {
        assert!(!written.unwrap().unwrap(), "there is no such row");
    }
    let commits = commits.load(std::sync::atomic::Ordering::Relaxed);
    assert!((1..=20).contains(&commits), "{commits}");
}

/// Somebody else is at a checkpoint again and again, and this one's log is always long: no commit may be called failed.
#[test]
fn a_commit_is_good_whoever_is_at_a_checkpoint() {
    let (_folder, path) = place();
    let store = open(&path).unwrap();
    let mut tables = lock(&store.connection);
    let mut checkpoints = tables.checkpoints.take().unwrap();
    checkpoints.end(&mut tables.connection);
    tables.checkpoints = Some(Checkpoints::of(&mut tables.connection, &path, 1).unwrap());
    filling(&tables);
    let is_over = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let other = {
        let (is_over, path) = (Arc::clone(&is_over), path.clone());
        std::thread::spawn(move || {
            let other = Connection::open(path).unwrap();
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                let _ = other.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            }
        })
    };
    let mut failed = Vec::new();
    for _ in 0..2000 {
        failed.extend(fill(&mut tables, 20000).err());
    }
    is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    other.join().unwrap();
    assert!(failed.is_empty(), "{} commits: {}", failed.len(), failed[0]);
}

/// A runtime that ends takes its tasks with it; what waited is written all the same, and nobody after it waits for it.
#[test]
fn a_runtime_that_ends_leaves_no_write_behind() {
    let (_folder, path) = place();
    let store = Arc::new(open(&path).unwrap());
    let work = some_work();
    let write = |row| {
        let change = crate::ledger::Change::Lease;
        store.write(Write { work, row, change })
    };
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
    };
    let first = runtime();
    assert!(!first.block_on(write(1)).unwrap());
    first.block_on(async {
        // The group's time has not come when the runtime ends.
        let mut waits = std::pin::pin!(write(2));
        let polled = std::future::poll_fn(|ctx| std::task::Poll::Ready(waits.as_mut().poll(ctx)));
        assert!(polled.await.is_pending());
    });
    drop(first);
    let next = runtime();
    let written = next.block_on(async { tokio::time::timeout(Duration::from_secs(60), write(3)).await });
    assert!(!written.expect("somebody writes").unwrap());
}
