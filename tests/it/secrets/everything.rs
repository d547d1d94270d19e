//! Markers in every secret and every personal field; then everything runs, and every byte that was written is searched.
//!
//! All that the program writes lies below one folder, temporary files too. `HOLDS` are the places whose purpose is to
//! hold some of it; every other file must hold none, in no form. The list of all places is a snapshot, so that one that
//! is no longer searched is seen.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use wxmember_sandbox::{Fault, FaultRule, Sandbox};
use wxmember_tests::{Postgres, files_below, folder::Folder, identity, root, wxmember};

use self::given::{
    CITY, GIVEN, HOLDS, LEDGER_PASSWORD, MEMBERS, OPENIDS, OWN_KEYS, PASSPHRASE, markers, recording,
};

mod given;

struct Scene {
    sandbox: Sandbox,
    folder: Folder,
    /// Commands that did not end as they should.
    wrong: RefCell<Vec<String>>,
}

impl Scene {
    async fn set() -> Self {
        let sandbox = Sandbox::builder()
            .with_identity(identity().unwrap())
            .with_policy("unpaid-member=refuse".parse().unwrap())
            .start()
            .await
            .unwrap();
        let folder = Folder::write(&sandbox.base_url());
        // The key is under a passphrase, so that there is one.
        let protected = root().join("tests/vectors/protected/pkcs8_default.pem");
        folder.put("apiclient_key.pem", &fs::read_to_string(protected).unwrap());
        folder.replace(
            "wxmember.toml",
            "brand_id",
            "merchant_key_passphrase_file = \"passphrase.txt\"\nvalidity = \"permanent\"\nbrand_id",
        );
        folder.put("passphrase.txt", PASSPHRASE);
        folder.put("ledger_password.txt", LEDGER_PASSWORD);
        folder.put("members.csv", MEMBERS);
        folder.put("openids.csv", OPENIDS);
        folder.put("phone.txt", "13987654337\n");
        let card = json!({
            "brand_id": "1004", "card_id": "pbLatjvWOibDc5-TBnbUk1pD12o0", "user_card_code": "MARKCODE03",
            "date_information": {"type": "PERMANENT"}, "pickup_time": "2020-05-20T13:29:35+08:00",
            "user_information": {"common_field_list": [{"name": "USER_FORM_FLAG_CITY", "value": "标记城市丙"}]},
        });
        folder.put("card.json", &card.to_string());
        folder.put("recording.json", &recording().to_string());
        for name in ["said", "tmp", "control", "postgres"] {
            fs::create_dir(folder.home().join(name)).unwrap();
        }
        Self {
            sandbox,
            folder,
            wrong: RefCell::default(),
        }
    }

    /// A command that stands in the merchant's folder and logs all it can; what it says goes into files.
    fn command(&self, name: &str, words: &[&str]) -> Command {
        let said =
            |end: &str| fs::File::create(self.folder.home().join(format!("said/{name}.{end}"))).unwrap();
        let mut command = wxmember(self.folder.home());
        command
            .args(words)
            .current_dir(&self.folder.path)
            .env("TMPDIR", self.folder.home().join("tmp"))
            .env("RUST_BACKTRACE", "full")
            .env("RUST_LOG", "trace")
            .env("WXMEMBER_LOG", "debug")
            .env("PGPASSWORD", LEDGER_PASSWORD)
            .stdin(Stdio::null())
            .stdout(said("stdout"))
            .stderr(said("stderr"));
        command
    }

    fn run(&self, name: &str, words: &[&str], code: i32) {
        self.run_with(name, words, None, code);
    }

    fn run_with(&self, name: &str, words: &[&str], input: Option<&[u8]>, code: i32) {
        let mut command = self.command(name, words);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that refuses its arguments reads nothing.
        drop(stdin.write_all(input.unwrap_or_default()));
        drop(stdin);
        let status = child.wait().unwrap();
        if status.code() != Some(code) {
            let said = format!("{name}: {status}, not {code}: {}", self.said(name));
            self.wrong.borrow_mut().push(said);
        }
    }

    fn said(&self, name: &str) -> String {
        let read = |end: &str| {
            fs::read_to_string(self.folder.home().join(format!("said/{name}.{end}"))).unwrap_or_default()
        };
        format!("{}{}", read("stdout"), read("stderr"))
    }

    /// What is neither good nor a refusal, so that every way through a run is gone.
    fn misbehave(&self) {
        for fault in [
            Fault::LostAnswer,
            Fault::WrongSignature,
            Fault::SystemError,
            Fault::RateLimited,
        ] {
            self.sandbox.fault(fault, 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_runs_no_secret_and_no_person_is_written() {
    let scene = Scene::set().await;
    lists(&scene);
    jobs(&scene);
    calls_and_keys(&scene);
    sandbox_program(&scene);
    shared_ledger(&scene);
    scene.sandbox.shutdown().await;

    assert_eq!(scene.wrong.take(), Vec::<String>::new());

    let home = scene.folder.home();
    let mut markers = markers();
    for folder in [OWN_KEYS, "state/wxmember/sandbox.sandbox"] {
        let read = |name: &str| fs::read_to_string(home.join(folder).join(name)).unwrap();
        markers.add_key("a key of the sandbox", &read("apiclient_key.pem"));
        markers.add_key("a key of the sandbox", &read("sandbox_platform_key.pem"));
        markers.add("a key of the sandbox".to_owned(), read("apiv3_key.txt").trim());
    }
    let markers = markers.in_every_form();
    let mut places: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (path, content) in files_below(home) {
        let place = place(path.strip_prefix(home).unwrap());
        // Files of one place are searched as one; no marker has a zero in it that is not between others.
        let bytes = places.entry(place).or_default();
        bytes.extend(content);
        bytes.extend([0; 2]);
    }
    let mut given = Vec::new();
    for name in GIVEN {
        given.extend(
            places
                .remove(name)
                .unwrap_or_else(|| panic!("{name} was not given")),
        );
    }
    let holds: Vec<_> = places
        .iter()
        .map(|(place, bytes)| (place.as_str(), markers.kinds_in(bytes).join(", ")))
        .filter(|(_, kinds)| !kinds.is_empty())
        .collect();
    let expected: Vec<_> = HOLDS
        .iter()
        .map(|(place, kinds)| (*place, (*kinds).to_owned()))
        .collect();
    assert_eq!(holds, expected);
    let searched: Vec<_> = places.keys().map(String::as_str).collect();
    insta::assert_snapshot!(searched.join("\n"));

    // The search itself works: what was given, and the keys of both sides, are full of markers of every kind.
    for name in ["test_merchant_key.pem", "test_wechatpay_pubmode_key.pem"] {
        given.extend(fs::read(root().join("tests/vectors").join(name)).unwrap());
    }
    let kinds = "address, birthday, city, code, e-mail, ledger password, name, openid, passphrase, \
                 phone number, the APIv3 key, the merchant's private key, the platform's private key, wrong value";
    assert_eq!(markers.kinds_in(&given).join(", "), kinds);
}

/// A name that is the same in every run.
fn place(path: &Path) -> String {
    let name = path.display().to_string();
    if name.starts_with("postgres/data/") {
        "postgres/data".to_owned()
    } else {
        name
    }
}

/// Everything that reads a list.
fn lists(scene: &Scene) {
    let config = ["--config", "wxmember.toml"];
    let with = |words: &[&'static str]| [words, &config[..]].concat();
    scene.run("check", &with(&["check", "members.csv"]), 3);
    scene.run(
        "check-json",
        &with(&["check", "members.csv", "--format", "json", "--log-format", "json"]),
        3,
    );
    scene.misbehave();
    let import = [
        "import",
        "members.csv",
        "--quota",
        "1000/s",
        "--ledger",
        "ledger.db",
    ];
    let json = ["--format", "json", "--log-format", "json"];
    scene.run("import-json", &with(&[&import[..], &json].concat()), 3);
    let import = ["import", "members.csv", "--ledger", "second.db", "--lang", "zh"];
    scene.run("import-text", &with(&import), 3);
    let import = ["import", "-", "--input-format", "csv", "--ledger", "stdin.db"];
    scene.run_with("import-stdin", &with(&import), Some(MEMBERS.as_bytes()), 3);
    let import = [
        "import",
        "openids.csv",
        "--via",
        "import-by-openid",
        "--ledger",
        "openid.db",
    ];
    scene.run("import-openid", &with(&import), 0);
    scene.run("import-embedded", &["import", "members.csv", "--sandbox"], 3);
    // A phone number where no file is, and where no profile is.
    scene.run("import-nothing", &with(&["import", "missing.csv"]), 1);
}

/// Everything that is asked of a job.
fn jobs(scene: &Scene) {
    let run = |name: &str, words: &[&str], code| {
        scene.run(name, &[words, &["--ledger", "ledger.db"]].concat(), code);
    };
    run("jobs", &["jobs"], 0);
    run("jobs-json", &["jobs", "--format", "json"], 0);
    run("status", &["status", "last"], 0);
    run("status-json", &["status", "last", "--format", "json"], 0);
    for format in ["text", "json", "csv", "html"] {
        run(
            &format!("report-{format}"),
            &["report", "last", "--format", format],
            0,
        );
    }
    run(
        "report-file",
        &["report", "last", "--format", "html", "--output", "report.html"],
        0,
    );
    for state in ["imported", "present", "queued", "refused", "unknown"] {
        run(
            &format!("export-{state}"),
            &["export", "last", "--state", state],
            0,
        );
    }
    let export = [
        "export",
        "last",
        "--state",
        "refused",
        "--source",
        "members.csv",
        "--output",
        "export.csv",
    ];
    run("export-source", &export, 0);
    run("pause", &["pause", "last"], 0);
    run("resume", &["resume", "last"], 0);
    run("retry", &["retry", "last", "--format", "json"], 0);
    scene.run("purge", &["purge", "last", "--force", "--ledger", "second.db"], 0);
}

/// Everything about single calls, fields and keys.
fn calls_and_keys(scene: &Scene) {
    let config = ["--config", "wxmember.toml"];
    let run = |name: &str, words: &[&str], input: &[u8], code| {
        scene.run_with(name, &[words, &config[..]].concat(), Some(input), code);
    };
    let import = [
        "call",
        "POST",
        "v3/brand/partner/card-member/user-cards/import-by-phone",
        "--json",
        "@card.json",
        "--seal",
        CITY,
    ];
    let call = |name: &str, more: &[&str], input: &[u8], code| {
        run(name, &[&import[..], more].concat(), input, code);
    };
    call("call", &["-v", "--seal", "/phone_number=-"], b"13987654337\n", 0);
    let open = ["--seal", "/phone_number=@phone.txt", "--open", "/phone_number"];
    call("call-open", &open, b"", 0);
    // A field in clear is refused, and not shown.
    run("call-clear", &import[..5], b"", 1);
    scene
        .sandbox
        .fault_rule(FaultRule::share(Fault::WrongSignature, 1_000_000, 1));
    call(
        "call-wrong",
        &["-v", "--seal", "/phone_number=-"],
        b"13987654337\n",
        1,
    );
    scene.sandbox.clear_faults();
    run("seal", &["seal"], "13987654117".as_bytes(), 0);
    let sealed = fs::read(scene.folder.home().join("said/seal.stdout")).unwrap();
    run("open-foreign", &["open"], &sealed, 1);
    let vectors = fs::read_to_string(root().join("tests/vectors/vectors.json")).unwrap();
    let vectors: Value = serde_json::from_str(&vectors).unwrap();
    let own = vectors["oaep"].as_array().unwrap().iter();
    let mut own = own.filter(|vector| vector["decrypt_with"] == "test_merchant_key.pem");
    run(
        "open",
        &["open"],
        own.next().unwrap()["ciphertext"].as_str().unwrap().as_bytes(),
        0,
    );
    let verify = [
        "verify",
        "--serial",
        "X",
        "--timestamp",
        "1",
        "--nonce",
        "n",
        "--signature",
        "AAAA",
        "--body",
        "-",
    ];
    run("verify", &verify, "{\"name\": \"标记姓名甲\"}".as_bytes(), 1);
    scene.run("doctor", &["doctor", "--online", "--config", "wxmember.toml"], 0);
    scene.run("doctor-json", &["doctor", "--dir", ".", "--format", "json"], 0);
    let init = [
        "init",
        "--config",
        "made.toml",
        "--mchid",
        "1900000109",
        "--merchant-key",
        "apiclient_key.pem",
        "--merchant-key-passphrase-file",
        "passphrase.txt",
        "--merchant-certificate",
        "apiclient_cert.pem",
        "--platform-key",
        "pub_key.pem",
        "--platform-key-id",
        "PUB_KEY_ID_0119000001092026113000000000000001",
        "--apiv3-key-file",
        "apiv3_key.txt",
        "--brand-id",
        "1004",
        "--card-id",
        "pbLatjvWOibDc5-TBnbUk1pD12o0",
    ];
    scene.run("init", &init, 0);
    let out = scene.folder.home().join("fixtures");
    let scrub = [
        "sandbox",
        "scrub",
        "recording.json",
        "--output",
        out.to_str().unwrap(),
    ];
    scene.run("scrub", &scrub, 0);
    let fixture = out.join("import_by_phone-400.json");
    scene.run("replay", &["sandbox", "replay", fixture.to_str().unwrap()], 1);
}

/// The sandbox as a program: an import into it, with faults, and everything that its control address shows unasked.
fn sandbox_program(scene: &Scene) {
    let home = scene.folder.home();
    let own = home.join(OWN_KEYS);
    let words = [
        "sandbox",
        "--listen",
        "127.0.0.1:0",
        "--policy",
        "unpaid-member=refuse",
        "--fault",
        "wrong-signature=20%,seed=5",
        "--fault",
        "lost-answer=20%,seed=6",
        "--dir",
        own.to_str().unwrap(),
    ];
    let mut child = scene
        .command("sandbox", &words)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    // It listens once it has said where.
    stdout.read_line(&mut said).unwrap();
    let profile = own.join("wxmember.toml");
    let import = [
        "import",
        "members.csv",
        "--quota",
        "1000/s",
        "--ledger",
        "third.db",
        "--config",
        profile.to_str().unwrap(),
    ];
    scene.run("import-into-program", &import, 3);
    let settings = fs::read_to_string(own.join("sandbox.json")).unwrap();
    let settings: Value = serde_json::from_str(&settings).unwrap();
    let address = settings["control_url"]
        .as_str()
        .unwrap()
        .trim_start_matches("http://");
    for target in [
        "",
        "credentials",
        "faults",
        "journal",
        "members",
        "notifications",
        "policies",
        "requests/1",
        "state",
    ] {
        let answer = fetch(address, target);
        assert!(
            answer.starts_with(b"HTTP/1.1 200"),
            "{target}: {}",
            String::from_utf8_lossy(&answer)
        );
        let name = if target.is_empty() { "page" } else { target };
        fs::write(home.join("control").join(name.replace('/', "-")), answer).unwrap();
    }
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    stdout.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{}", scene.said("sandbox"));
    fs::write(home.join("said/sandbox.stdout"), said).unwrap();
}

fn fetch(address: &str, target: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("GET /{target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// A ledger in PostgreSQL: an import that stops, a worker that goes on; the server's own files and a dump.
fn shared_ledger(scene: &Scene) {
    let server = Postgres::start();
    let url = server.create_database("ledger");
    let ledger = [
        "--config",
        "wxmember.toml",
        "--ledger",
        &url,
        "--ledger-key",
        "ledger.key",
    ];
    let import = [
        "import",
        "members.csv",
        "--quota",
        "1/s",
        "--max-duration",
        "1s",
        "--log-format",
        "json",
    ];
    scene.run("import-postgres", &[&import[..], &ledger].concat(), 75);
    scene.misbehave();
    let worker = [
        "worker",
        "--until-done",
        "--quota",
        "1000/s",
        "--format",
        "json",
        "--log-format",
        "json",
    ];
    scene.run("worker", &[&worker[..], &ledger[..4]].concat(), 3);
    scene.run("report-postgres", &["report", "last", "--ledger", &url], 0);
    let folder = scene.folder.home().join("postgres");
    fs::write(folder.join("dump.sql"), server.dump("ledger")).unwrap();
    // As a backup of the files would have them.
    server.crash();
    for (path, content) in files_below(server.folder()) {
        let copy: PathBuf = folder.join(path.strip_prefix(server.folder()).unwrap());
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::write(copy, content).unwrap();
    }
}
