//! A ledger that came to harm on the disk: stored requests, the values of its tables, the pages of its file.
//!
//! The first byte chooses the way:
//!
//! - *request*: a stored request of the route that the second byte names, through the gateway that sends it. Its signer
//!   fails, so nothing leaves.
//! - *values*: lines `table column id kind value`; each puts one value into a good ledger.
//! - *pages*: changes of the file, six bytes each: where, and what.

use std::{
    fs,
    path::Path,
    sync::{Arc, LazyLock},
    time::Duration,
};

use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use wxmember::{Client, FixedClock, Merchant, Signer, SignerError, Signing, Trust};
use wxmember_crypto::{KeyId, MerchantKey};
use wxmember_import::{
    Answer, CsvFile, Defaults, Gateway, Importer, Language, Ledger, Profile, Report, Retry, Route, RowState,
    SealedRequest, Settings, Until, Validity, WechatGateway, Worker, export, fuzzing,
};

use crate::{
    claims::{contains, quiet, silent},
    input::choice,
    parties::{
        BRAND, CARD, MCHID, MERCHANT_KEY, NOW, PUBLIC_KEY_ID, filled, merchant_certificate, platform_key,
    },
    workplace::{folder, runtime},
};

/// Harms a ledger and works with it.
pub fn run(data: &[u8]) {
    let Some((way, route, rest)) = choice(data) else {
        return;
    };
    match way % 3 {
        0 => request(Route::ALL[route % Route::ALL.len()], &filled(rest)),
        1 => damaged(|path| put_values(path, rest)),
        _ => damaged(|path| put_pages(path, rest)),
    }
}

/// What is unpacked is packed and unpacked again as it was; what cannot be read stops the run, and never the process.
fn request(route: Route, stored: &[u8]) {
    let key_id = KeyId::new(PUBLIC_KEY_ID);
    if let Some(json) = fuzzing::unpack(stored, &key_id) {
        let json = json.into_owned();
        let packed = fuzzing::pack(json.clone(), &key_id);
        // What begins as packed text does and is none was never packed by us.
        if packed.first() != Some(&1) || json.first() == Some(&b'{') {
            let again = fuzzing::unpack(&packed, &key_id);
            if json.first() != Some(&1) {
                assert_eq!(again.as_deref(), Some(json.as_slice()));
            }
        }
    }
    let request = SealedRequest::new(stored.to_vec(), key_id);
    quiet(&format!("{request:?}"));
    let answer = RUNTIME.block_on(GATEWAY.send(route, &request));
    let stop = match answer {
        Answer::StopRun(stop) => stop,
        // A name in it would lead to another path.
        Answer::NotSent { reason } => return quiet(&reason),
        answer => panic!("nothing can be sent without a signature: {answer:?}"),
    };
    quiet(&format!("{stop} {stop:?}"));
    assert!(
        ["LEDGER_DAMAGED", "SIGN_FAILED"].contains(&stop.code.as_str()),
        "{stop:?}"
    );
}

/// Makes a copy of a good ledger, harms it, and does with it whatever can be done.
fn damaged(harm: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir_in(ROOM.path()).expect("a folder");
    let path = folder.path().join("ledger.db");
    fs::write(&path, &GOOD.file).expect("the file is written");
    fs::write(folder.path().join("ledger.db.key"), &GOOD.key).expect("the key is written");
    harm(&path);
    RUNTIME.block_on(work(&path));
}

async fn work(path: &Path) {
    let ledger = match Ledger::open(path) {
        Ok(ledger) => ledger,
        Err(error) => return silent(&error),
    };
    tokio::time::pause();
    let jobs = match ledger.jobs().await {
        Ok(jobs) => jobs,
        Err(error) => {
            silent(&error);
            Vec::new()
        }
    };
    for job in jobs.iter().take(3) {
        let id = &job.id;
        for state in RowState::ALL {
            if let Err(error) = ledger.rows(id, state, 0, 50).await {
                silent(&error);
            }
        }
        match Report::of(&ledger, id).await {
            Ok(report) => {
                let _ = report.to_json().expect("a report is written");
                let _ = report.to_csv();
                let page = report.to_html(Language::Chinese);
                assert!(!page.contains("<script"), "the page has a script");
            }
            Err(error) => silent(&error),
        }
        let sink = Box::new(std::io::sink());
        if let Err(error) = export(&ledger, job, &RowState::ALL, None, "rows.csv", sink).await {
            silent(&error);
        }
        if let Err(error) = ledger.retry(id, &Retry::refused_and_unknown()).await {
            silent(&error);
        }
    }
    let settings = Settings::new(profile()).with_max_duration(Duration::from_secs(120));
    let worker = Worker::new(GATEWAY.clone(), ledger.clone(), settings);
    match worker.run(Until::Done, &CancellationToken::new()).await {
        Ok(summary) => quiet(&format!("{:?}", summary.stopped)),
        Err(error) => silent(&error),
    }
    for job in jobs.iter().take(3) {
        match ledger.purge(&job.id, true).await {
            Ok(_) => {}
            Err(error) => silent(&error),
        }
    }
    tokio::time::resume();
}

/// Puts values where a line says; what SQLite refuses is left as it was.
fn put_values(path: &Path, lines: &[u8]) {
    let connection = rusqlite::Connection::open(path).expect("a good ledger");
    connection
        .execute_batch(
            "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF",
        )
        .expect("settings");
    for line in lines.split(|byte| *byte == b'\n').take(MOST_VALUES) {
        let mut parts = line.splitn(5, |byte| *byte == b' ');
        let mut word = || parts.next().and_then(|word| str::from_utf8(word).ok());
        let (Some(table), Some(column), Some(id), Some(kind)) = (word(), word(), word(), word()) else {
            continue;
        };
        let Some((table, key)) = TABLES.iter().find(|(name, _)| *name == table) else {
            continue;
        };
        let is_name = column
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let value = filled(parts.next().unwrap_or_default());
        let value: rusqlite::types::Value = match kind {
            "i" => str::from_utf8(&value)
                .ok()
                .and_then(|text| text.parse::<i64>().ok())
                .unwrap_or(i64::MAX)
                .into(),
            "n" => rusqlite::types::Value::Null,
            "r" => str::from_utf8(&value)
                .ok()
                .and_then(|text| text.parse::<f64>().ok())
                .unwrap_or(f64::MAX)
                .into(),
            _ => value.into(),
        };
        if !is_name || column.is_empty() {
            continue;
        }
        // A text need not be UTF-8, as far as SQLite is concerned.
        let place = if kind == "t" { "CAST(?1 AS TEXT)" } else { "?1" };
        let which = match (*key, id.parse::<i64>()) {
            (Some(key), Ok(id)) => format!("{key} & 4294967295 = {id}"),
            _ => "1 = 1".to_owned(),
        };
        let _ = connection.execute(
            &format!("UPDATE {table} SET {column} = {place} WHERE {which}"),
            [value],
        );
    }
}

fn put_pages(path: &Path, changes: &[u8]) {
    let mut file = GOOD.file.clone();
    let length = file.len();
    for change in changes.chunks_exact(6).take(MOST_VALUES) {
        let [first, second, third, size, value, step] = *change else {
            continue;
        };
        let at = u32::from_be_bytes([0, first, second, third]) as usize % length;
        let mut value = value;
        for byte in file.iter_mut().skip(at).take(usize::from(size % 16) + 1) {
            *byte = value;
            value = value.wrapping_add(step);
        }
    }
    // A file that lost its end.
    if let [.., last] = changes.chunks_exact(6).remainder() {
        file.truncate(length / 256 * usize::from(*last) + 1);
    }
    fs::write(path, file).expect("the file is written");
}

fn profile() -> Profile {
    Profile::new(MCHID, BRAND, CARD, "http://127.0.0.1:9")
}

struct Good {
    file: Vec<u8>,
    key: Vec<u8>,
}

/// Where the copies are.
static ROOM: LazyLock<TempDir> = LazyLock::new(folder);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(runtime);

/// A ledger with a row in every state.
static GOOD: LazyLock<Good> = LazyLock::new(|| {
    let folder: TempDir = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.db");
    let source = folder.path().join("members.csv");
    let mut text = "手机号,卡号,姓名,入会时间\n".to_owned();
    for number in 0..12 {
        text.push_str(&format!("199000100{number:02},E{number:04},李雷,2024-01-31\n"));
    }
    text.push_str("1,E0001,李雷,2024-01-31\n");
    fs::write(&source, text).expect("the list is written");
    RUNTIME.block_on(async {
        let ledger = Ledger::open(&path).expect("a new ledger");
        let defaults = Defaults::default().with_validity(Validity::Permanent);
        let settings = Settings::new(profile()).with_defaults(defaults);
        let importer = Importer::new(GATEWAY.clone(), ledger, settings);
        let cancel = CancellationToken::new();
        let loaded = importer.load(Arc::new(CsvFile::new(&source)), &cancel).await;
        loaded.expect("the list is loaded");
    });
    let connection = rusqlite::Connection::open(&path).expect("the ledger");
    connection
        .execute_batch(
            "UPDATE rows SET state = (id & 4294967295) % 6, updated_at = 1796000000 + (id & 255)
                 WHERE state = 0 AND (id & 4294967295) > 6;
             UPDATE rows SET state = 2, is_maybe_sent = 1, code = 'INTERRUPTED' WHERE id & 4294967295 = 2;
             INSERT INTO pace VALUES ('1900000109', 'http://127.0.0.1:9', 'import-by-phone', 0, 0, 0, 9.0, 0, 9.0);
             PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;",
        )
        .expect("the rows are spread over the states");
    drop(connection);
    let read = |path: &Path| fs::read(path).expect("the file is there");
    let good = Good {
        file: read(&path),
        key: read(&folder.path().join("ledger.db.key")),
    };
    assert!(contains(&good.file, b"SQLite format 3"));
    good
});

static GATEWAY: LazyLock<WechatGateway> = LazyLock::new(|| {
    let key = MerchantKey::from_pem(MERCHANT_KEY).expect("a test key");
    let serial = merchant_certificate().serial().as_str().to_owned();
    let merchant = Merchant::with_signer(MCHID, &serial, Arc::new(Silent), Arc::new(key));
    let client = Client::builder()
        .merchant(merchant.expect("a merchant"))
        .trust(Trust::public_key(PUBLIC_KEY_ID, platform_key()).expect("an id"))
        .with_base_url("http://127.0.0.1:9")
        .with_clock(Arc::new(FixedClock::at(NOW)))
        .build();
    WechatGateway::new(client.expect("a client"))
});

/// Gives no signature, so that nothing is sent.
#[derive(Debug)]
struct Silent;

impl Signer for Silent {
    fn sign<'a>(&'a self, _: &'a [u8]) -> Signing<'a> {
        Box::pin(std::future::ready(Err(SignerError::new("no signature here"))))
    }
}

/// The tables, and the column that holds the number of a row.
const TABLES: [(&str, Option<&str>); 7] = [
    ("cards", Some("id")),
    ("jobs", Some("id")),
    ("members", Some("id")),
    ("meta", None),
    ("pace", None),
    ("requests", Some("id")),
    ("rows", Some("id")),
];

/// More say nothing new.
const MOST_VALUES: usize = 24;
