//! Who may read what the program writes, and who may reach what it listens on.
#![cfg(unix)]

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use wxmember_tests::{
    files_below,
    folder::{Folder, NOWHERE},
    root, wxmember,
};

/// The command under a mask that lets everybody do everything, as careless hosts have it.
fn careless(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 000; exec \"$0\" \"$@\""]);
    shell
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear();
    for (name, value) in command.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    shell
}

/// The files below a folder that somebody else may read or write.
fn open_to_others(folder: &Path) -> Vec<String> {
    let mut open: Vec<_> = files_below(folder)
        .iter()
        .filter(|(path, _)| fs::metadata(path).unwrap().permissions().mode() & 0o077 != 0)
        .map(|(path, _)| path.strip_prefix(folder).unwrap().display().to_string())
        .collect();
    open.sort();
    open
}

#[test]
fn whatever_the_mask_files_with_secrets_and_persons_are_their_owners_alone() {
    let folder = Folder::write(NOWHERE);
    let home = folder.home();
    fs::copy(
        root().join("examples/members-with-mistakes.csv"),
        home.join("list.csv"),
    )
    .unwrap();
    fs::set_permissions(home.join("list.csv"), fs::Permissions::from_mode(0o600)).unwrap();
    let run = |words: &[&str], code: i32| {
        let mut command = wxmember(home);
        command.args(words);
        let output = careless(&command).current_dir(home).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {said}");
    };
    let ledger = ["--sandbox", "--ledger", "ledger.db"];
    run(&[&["import", "list.csv"][..], &ledger].concat(), 3);
    let export = [
        "export",
        "last",
        "--state",
        "refused",
        "--source",
        "list.csv",
        "--output",
        "export.csv",
    ];
    run(&[&export[..], &ledger[1..]].concat(), 0);
    run(
        &[
            "init",
            "--config",
            "made.toml",
            "--mchid",
            "1900000109",
            "--merchant-key",
            "d/apiclient_key.pem",
            "--merchant-certificate",
            "d/apiclient_cert.pem",
            "--platform-key",
            "d/pub_key.pem",
            "--platform-key-id",
            "PUB_KEY_ID_0119000001092026113000000000000001",
            "--brand-id",
            "1004",
            "--card-id",
            "pbLatjvWOibDc5-TBnbUk1pD12o0",
        ],
        0,
    );
    let names: Vec<_> = files_below(home)
        .iter()
        .map(|(path, _)| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    for name in [
        "ledger.db",
        "ledger.db.key",
        "list.csv.refused.csv",
        "export.csv",
        "made.toml",
        "sandbox_platform_key.pem",
        "apiv3_key.txt",
    ] {
        assert!(names.iter().any(|found| found == name), "{name}: {names:?}");
    }
    // Public keys, certificates, and a profile that names paths.
    let sandbox = "ledger.sandbox";
    let public = ["apiclient_cert.pem", "pub_key.pem", "wxmember.toml"];
    assert_eq!(
        open_to_others(home),
        public.map(|name| format!("{sandbox}/{name}"))
    );
}

/// What a restored backup or another program left open to all.
#[test]
fn a_secret_that_others_may_read_is_told_and_a_ledger_is_closed() {
    let folder = Folder::write(NOWHERE);
    let run = || {
        let output = wxmember(folder.home())
            .args(["worker", "--until-done", "--config"])
            .arg(folder.path.join("wxmember.toml"))
            .arg("--ledger")
            .arg(folder.path.join("ledger.db"))
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        said
    };
    assert!(!run().contains("others may read"));
    for name in ["apiclient_key.pem", "ledger.db", "ledger.db.key"] {
        folder.mode(name, 0o644);
    }
    let said = run();
    let key = folder.path.join("apiclient_key.pem");
    let told = format!(
        "warning: {0} holds a secret, and others may read it (mode 644); run `chmod 600 {0}`",
        key.display()
    );
    assert_eq!(said.matches("others may read").count(), 1, "{said}");
    assert!(said.contains(&told), "{said}");
    for name in ["ledger.db", "ledger.db.key"] {
        let mode = fs::metadata(folder.path.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

/// The control address shows everybody's data: it does not follow the API to other addresses.
#[test]
fn the_control_address_is_loopback_unless_it_is_told_otherwise() {
    let home = tempfile::tempdir().unwrap();
    let control = |arguments: &[&str]| {
        let mut child = wxmember(home.path())
            .arg("sandbox")
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines: Vec<_> = lines.take(2).map(Result::unwrap).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        let told = lines[1].strip_prefix("control_url").unwrap().trim();
        told.rsplit_once(':').unwrap().0.to_owned()
    };
    assert_eq!(control(&["--listen", "127.0.0.1:0"]), "http://127.0.0.1");
    assert_eq!(control(&["--listen", "0.0.0.0:0"]), "http://127.0.0.1");
    assert_ne!(
        control(&["--listen", "127.0.0.1:0", "--control", "0.0.0.0:0"]),
        "http://127.0.0.1"
    );
}
