//! What only a database can be: away, crashed, another version, somebody else's, under another key.

use std::path::PathBuf;

use super::{
    super::{
        Claim, ClaimedRow, Cursor, Entry, Ledger, LedgerError, NewContent, NewRow, Owner, RowState, Skip,
        Work, testing::server,
    },
    *,
};
use crate::{
    gateway::SealedRequest,
    job::{Identity, Profile, Route},
    ledger::{KeyColumns, MemberKind},
};

struct Setup {
    server: server::Postgres,
    folder: tempfile::TempDir,
}

impl Setup {
    fn new() -> Self {
        let server = server::Postgres::start();
        server.create_database("ledger");
        Self {
            server,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("ledger.key")
    }

    async fn open(&self) -> Result<Ledger, LedgerError> {
        Ledger::connect(&self.server.url("ledger"), &self.key()).await
    }
}

fn row(row: u64) -> NewRow {
    let mut member_hash = [0; 32];
    member_hash[..8].copy_from_slice(&row.to_be_bytes());
    NewRow {
        row,
        line: row + 1,
        content: NewContent::Queued {
            user_card_code: format!("C{row}"),
            member_hash,
            request: SealedRequest::new(b"{}".to_vec(), wxmember_crypto::KeyId::new("K")),
        },
    }
}

fn columns() -> Arc<KeyColumns> {
    Arc::new(KeyColumns {
        user_card_code: "c".into(),
        member: "m".into(),
        member_kind: MemberKind::PhoneNumber,
    })
}

async fn load(ledger: &Ledger, rows: u64) -> i64 {
    let digest = wxmember_crypto::SourceHasher::new().finish();
    let identity = Identity {
        source_name: "a".into(),
        source_digest: digest,
        profile: Profile::new("1", "2", "3", "http://h"),
        route: Route::default(),
        defaults: digest,
    };
    let owner = Owner::random().unwrap();
    let job = ledger.open_job(identity, owner).await.unwrap();
    assert!(job.may_load);
    let new = (job.rows + 1..=rows).map(row).collect();
    ledger.store_rows(job.key, owner, new, columns()).await.unwrap();
    ledger.finish_loading(job.key, rows).await.unwrap();
    job.key
}

fn work(job: i64) -> Work {
    Work {
        job,
        owner: Owner::random().unwrap(),
        lease: Duration::from_secs(60),
    }
}

fn imported() -> Entry {
    Entry {
        state: RowState::Imported,
        code: None,
        message: None,
        request_id: Some("r".into()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_and_comes_back_loses_nothing() {
    const ROWS: u64 = 400;
    let setup = Setup::new();
    let ledger = setup.open().await.unwrap();
    let job = load(&ledger, ROWS).await;
    let drive = |ledger: Ledger| async move {
        let (work, mut cursor, mut done) = (work(job), Cursor::default(), 0);
        loop {
            let (claim, behind) = ledger.claim_rows(work, cursor, 5, Skip::default()).await.unwrap();
            cursor = behind;
            let Claim::Rows(rows) = claim else { return done };
            let records = rows.into_iter().map(|ClaimedRow { row, .. }| {
                let ledger = ledger.clone();
                tokio::spawn(async move { ledger.record(work, row, imported()).await })
            });
            for record in records.collect::<Vec<_>>() {
                assert!(
                    record.await.unwrap().unwrap(),
                    "what was written counts as written"
                );
                done += 1;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let workers = [
        tokio::spawn(drive(ledger.clone())),
        tokio::spawn(drive(setup.open().await.unwrap())),
    ];
    for _ in 0..2 {
        setup.server.crash();
        setup.server.start_again();
    }
    let mut done = 0;
    for worker in workers {
        done += worker.await.unwrap();
    }
    assert_eq!(done, ROWS);
    assert_eq!(ledger.counts(job).await.unwrap().imported, ROWS);
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_and_the_pace_go_by_the_clock_of_the_database() {
    let setup = Setup::new();
    let ledger = setup.open().await.unwrap();
    let job = load(&ledger, 1).await;
    ledger
        .claim_rows(work(job), Cursor::default(), 1, Skip::default())
        .await
        .unwrap();
    let sql = "SELECT lease_until / 1000000 - extract(epoch FROM now())::bigint BETWEEN 50 AND 60 FROM wxmember.rows";
    assert_eq!(setup.server.sql("ledger", sql), "t\n");
    let (claim, _) = ledger
        .claim_rows(work(job), Cursor::default(), 1, Skip::default())
        .await
        .unwrap();
    assert!(
        matches!(claim, Claim::Wait(wait) if wait <= Duration::from_secs(60)),
        "{claim:?}"
    );
    // The other host's worker was killed: its lease is over when the database says so.
    setup
        .server
        .sql("ledger", "UPDATE wxmember.rows SET lease_until = 0");
    let (claim, _) = ledger
        .claim_rows(work(job), Cursor::default(), 1, Skip::default())
        .await
        .unwrap();
    assert!(matches!(claim, Claim::Rows(rows) if rows[0].is_maybe_sent));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_nobody_knows_of_is_found_again() {
    let setup = Setup::new();
    let ledger = setup.open().await.unwrap();
    let job = load(&ledger, 2).await;
    let work = work(job);
    ledger
        .claim_rows(work, Cursor::default(), 2, Skip::default())
        .await
        .unwrap();
    let super::super::Store::Postgres(store) = &ledger.store else {
        panic!("a database")
    };
    let write = Write {
        work,
        row: 1,
        change: super::super::Change::Record(imported()),
    };
    let mut session = store.session().await.unwrap().session;
    for (is_repeat, expect) in [(false, true), (true, true), (false, false)] {
        let changed = work::write_changes(&mut session, &[&write], 0, is_repeat)
            .await
            .unwrap();
        assert_eq!(changed, [expect]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_a_later_version_and_foreign_tables_are_refused() {
    let setup = Setup::new();
    drop(setup.open().await.unwrap());
    let right = std::fs::read(setup.key()).unwrap();
    assert_eq!(right.len(), 32);
    std::fs::remove_file(setup.key()).unwrap();
    let error = setup.open().await.unwrap_err();
    assert!(
        matches!(&error, LedgerError::KeyElsewhere { path } if *path == setup.key()),
        "{error}"
    );
    assert!(error.to_string().contains("`--ledger-key`"), "{error}");
    assert!(!setup.key().exists());
    std::fs::write(setup.key(), [7; 32]).unwrap();
    let error = setup.open().await.unwrap_err();
    assert!(matches!(error, LedgerError::WrongKey { .. }), "{error}");
    std::fs::write(setup.key(), &right).unwrap();
    setup.open().await.unwrap();
    // The key is nowhere in the database.
    let hex: String = right.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(!setup.server.dump("ledger").contains(&hex));

    setup.server.sql(
        "ledger",
        "UPDATE wxmember.meta SET number = 99 WHERE name = 'version'",
    );
    let error = setup.open().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the ledger has version 99, this software knows up to 2; update wxmember"
    );

    setup.server.create_database("other");
    setup
        .server
        .sql("other", "CREATE SCHEMA wxmember CREATE TABLE t (x text)");
    let error = Ledger::connect(&setup.server.url("other"), &setup.key())
        .await
        .unwrap_err();
    assert!(matches!(error, LedgerError::Foreign { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loads_nothing_needs_no_key_and_makes_none() {
    let setup = Setup::new();
    let url = setup.server.url("ledger");
    // A worker may be the first that is there.
    let worker = Ledger::connect_without_key(&url).await.unwrap();
    assert!(matches!(worker.hash(), Err(LedgerError::NoKey)));
    let sql = "SELECT count(*) FROM wxmember.meta WHERE name = 'key'";
    assert_eq!(setup.server.sql("ledger", sql), "0\n");
    let importer = setup.open().await.unwrap();
    assert_eq!(std::fs::read(setup.key()).unwrap().len(), 32);
    assert_eq!(setup.server.sql("ledger", sql), "1\n");
    let job = load(&importer, 1).await;
    // On a second host the key's file is not there.
    std::fs::remove_file(setup.key()).unwrap();
    for ledger in [worker, Ledger::connect_without_key(&url).await.unwrap()] {
        assert_eq!(ledger.jobs().await.unwrap().len(), 1);
    }
    let ledger = Ledger::connect_without_key(&url).await.unwrap();
    let (claim, _) = ledger
        .claim_rows(work(job), Cursor::default(), 1, Skip::default())
        .await
        .unwrap();
    assert!(matches!(claim, Claim::Rows(rows) if rows.len() == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_falls_silent_in_a_transaction_stops_nobody() {
    let setup = Setup::new();
    let ledger = setup.open().await.unwrap();
    let key = crate::pace::PaceKey::new(&Profile::new("1", "2", "3", "http://h"), Route::default());
    ledger.reserve(&key, 1, Some(1000.0)).await.unwrap();
    let (config, tls) = connect::parse(&setup.server.url("ledger")).unwrap();
    let patience = connect::Patience {
        in_transaction: Duration::from_millis(300),
        ..connect::Patience::default()
    };
    let mut silent = connect::session(&config, &tls, patience).await.unwrap();
    silent.execute("BEGIN", &[]).await.unwrap();
    silent
        .all("SELECT next_at FROM pace FOR UPDATE", &[])
        .await
        .unwrap();
    let reserve = ledger.reserve(&key, 1, Some(1000.0));
    let reservation = tokio::time::timeout(Duration::from_secs(20), reserve).await;
    assert!(reservation.unwrap().unwrap().rate.is_some());
    let failure = silent.execute("COMMIT", &[]).await.unwrap_err();
    assert!(failure.is_passing(), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_takes_too_long_is_asked_for_again() {
    let setup = Setup::new();
    drop(setup.open().await.unwrap());
    let (config, tls) = connect::parse(&setup.server.url("ledger")).unwrap();
    let patience = connect::Patience {
        lock: Duration::from_millis(1),
        ..connect::Patience::default()
    };
    let mut holder = connect::session(&config, &tls, patience).await.unwrap();
    holder.execute("BEGIN", &[]).await.unwrap();
    holder.execute("LOCK TABLE meta", &[]).await.unwrap();
    let mut other = connect::session(&config, &tls, patience).await.unwrap();
    let failure = other.execute("SELECT 1 FROM meta", &[]).await.unwrap_err();
    assert!(failure.is_passing(), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_says_is_told_without_values() {
    let setup = Setup::new();
    let ledger = setup.open().await.unwrap();
    let job = load(&ledger, 1).await;
    setup.server.sql(
        "ledger",
        "ALTER TABLE wxmember.rows ADD CHECK (request_id <> 'MARKER')",
    );
    let mut entry = imported();
    entry.request_id = Some("MARKER".into());
    ledger
        .claim_rows(work(job), Cursor::default(), 2, Skip::default())
        .await
        .unwrap();
    let error = ledger.record(work(job), 1, entry).await.unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(told.contains("23514") && !told.contains("MARKER"), "{told}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(!source.contains("MARKER"), "{source}");
}

#[tokio::test]
async fn nobody_there_is_an_error_after_a_while() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    tokio::time::pause();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("postgres://user:MARKER@{address}/db");
    let error = Ledger::connect(&url, &folder.path().join("key"))
        .await
        .unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(error.to_string(), "failed to open the database in the ledger");
    assert!(
        source.contains("refused") && !source.contains("MARKER"),
        "{source}"
    );
}

#[cfg(feature = "aws-lc-rs")]
#[tokio::test(flavor = "multi_thread")]
async fn connections_are_encrypted_and_the_certificate_is_verified() {
    use tokio_rustls::rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, pem::PemObject},
    };

    let server = server::Postgres::start_with_tls();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    let url = server.url("postgres").replace("127.0.0.1", "localhost") + "?sslmode=require";
    // Nobody vouches for the certificate.
    let error = Ledger::connect(&url, &key).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("certificate"), "{source}");

    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(server.certificate().as_bytes()).unwrap();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let trusting = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (config, _) = connect::parse(&url).unwrap();
    let tls = connect::Tls::Yes(Arc::new(trusting));
    let (store, _) = Postgres::open(config, tls, Some(&key), None).await.unwrap();
    let sql = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
               WHERE ssl AND application_name = 'wxmember'";
    assert_eq!(server.sql("postgres", sql), "1\n");
    // A server without TLS is refused, not talked to in clear.
    drop(store);
    let plain = server::Postgres::start();
    let url = plain.url("postgres") + "?sslmode=require";
    let error = Ledger::connect(&url, &key).await.unwrap_err();
    assert!(
        std::error::Error::source(&error)
            .unwrap()
            .to_string()
            .contains("TLS")
    );
}
