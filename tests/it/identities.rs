//! `wxmember sandbox --identities`: several merchants from a file, their keys kept in a folder.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
};

use serde_json::Value;
use wxmember_tests::{Running, root, wxmember};

use crate::interop::Program;

#[test]
fn each_merchant_of_the_file_has_a_ready_profile_and_keeps_its_keys() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("identities.toml");
    // The file that shows everything, with a second merchant who may sign.
    let shown = fs::read_to_string(root().join("crates/sandbox/src/identities.toml")).unwrap();
    fs::write(
        &file,
        shown.replace("# Of a certificate that is made.\nstate = \"expired\"", ""),
    )
    .unwrap();
    let folder = home.path().join("d");
    let start = || Program::start_with(home.path(), &folder, &["--identities", file.to_str().unwrap()]);
    // A few of a thousand are enough.
    let list = home.path().join("list.csv");
    let members = fs::read_to_string(root().join("examples/members.csv")).unwrap();
    let few: Vec<_> = members.lines().take(4).collect();
    fs::write(&list, few.join("\n") + "\n").unwrap();
    let import = |mchid: &str, ledger: &str| {
        let output = wxmember(home.path())
            .args([
                "import",
                list.to_str().unwrap(),
                "--quota",
                "100000/s",
                "--format",
                "json",
                "--ledger",
            ])
            .arg(home.path().join(ledger))
            .arg("--config")
            .arg(folder.join(mchid).join("wxmember.toml"))
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["imported"].clone()
    };
    let key = || fs::read(folder.join("1900000110/apiclient_key.pem")).unwrap();
    let first = start();
    let made = key();
    assert_eq!(import("1900000109", "one.db"), 3);
    assert_eq!(import("1900000110", "two.db"), 3);
    drop(first);
    let _second = start();
    assert_eq!(key(), made);
    assert_eq!(import("1900000110", "three.db"), 3);
}

#[test]
fn without_the_public_key_none_is_announced_and_the_profile_imports() {
    let home = tempfile::tempdir().unwrap();
    let (file, folder) = (home.path().join("identities.toml"), home.path().join("d"));
    let start = |text: &str| {
        fs::write(&file, text).unwrap();
        let mut running = wxmember(home.path());
        running.args(["sandbox", "--listen", "127.0.0.1:0", "--identities"]);
        running.arg(&file).arg("--dir").arg(&folder);
        let running = running.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut running = Running(running.unwrap());
        let mut said = String::new();
        let mut lines = BufReader::new(running.0.stdout.take().unwrap());
        while !said.contains("card_id") {
            assert_ne!(lines.read_line(&mut said).unwrap(), 0, "{said}");
        }
        let mut told = String::new();
        let mut lines = BufReader::new(running.0.stderr.take().unwrap());
        for _ in 0..3 {
            lines.read_line(&mut told).unwrap();
        }
        (running, said, told)
    };
    let merchant = "[[merchants]]\nmchid = \"1\"\nbrands = [\"b\"]\n";
    let rest = "[[templates]]\ncard_id = \"c\"\nbrand_id = \"b\"\n[[platform.certificates]]\n[platform]\npublic_key = false\n";
    let (running, said, told) = start(&format!("{merchant}{rest}"));
    assert!(
        !said.contains("platform_key_id") && said.contains("merchant_serial"),
        "{said}"
    );
    let profile = folder.join("1/wxmember.toml");
    assert!(told.contains(profile.to_str().unwrap()), "{told}");
    let list = home.path().join("list.csv");
    let members = fs::read_to_string(root().join("examples/members.csv")).unwrap();
    let few: Vec<_> = members.lines().take(4).collect();
    fs::write(&list, few.join("\n") + "\n").unwrap();
    let output = wxmember(home.path())
        .args(["import", list.to_str().unwrap(), "--format", "json", "--config"])
        .arg(&profile)
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{talk}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["imported"], 3, "{talk}");
    drop(running);

    // A profile without a card template cannot import, so it is not named for that.
    let (running, _, told) = start("[[merchants]]\nmchid = \"1\"\n");
    assert!(
        told.contains("1/wxmember.toml cannot import yet") && !told.contains("wxmember import"),
        "{told}"
    );
    drop(running);

    // Who keeps keys of his own has no profile to be named.
    fs::rename(folder.join("1/apiclient_cert.pem"), home.path().join("cert.pem")).unwrap();
    let own = format!("{merchant}certificates = [\"cert.pem\"]\n{rest}");
    let (_running, _, told) = start(&own);
    assert!(
        !told.contains("wxmember.toml") && told.contains("/credentials?reveal=true"),
        "{told}"
    );
}

#[test]
fn what_is_wrong_with_the_file_or_a_policy_is_one_clear_error() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("identities.toml");
    fs::write(&file, "[[merchants]]\nmchid = \"1\"\nmarker = \"MARKER\"\n").unwrap();
    let run = |arguments: &[&str]| {
        let output = wxmember(home.path())
            .args(["sandbox", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = run(&["--identities", file.to_str().unwrap()]);
    assert!(
        code == Some(1) && said.contains("identities.toml: line 3") && !said.contains("MARKER"),
        "{said}"
    );
    let (code, said) = run(&["--policy", "second-card=perhaps"]);
    assert!(
        code == Some(2) && said.contains("`second-card` can be `refuse`, `allow`"),
        "{said}"
    );
    let (code, said) = run(&["--notify-url", "https://merchant.example/notify"]);
    assert!(code == Some(2) && said.contains("no TLS"), "{said}");
    let (code, said) = run(&["--clock-shift", "3155760001"]);
    assert!(
        code == Some(2) && said.contains("`--clock-shift`: ") && said.contains("100 years"),
        "{said}"
    );
}

#[test]
fn what_is_wrong_with_a_flag_or_the_folder_is_said_in_chinese() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("d");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("wxmember.toml"), "# My own.\n").unwrap();
    let folder = folder.to_str().unwrap();
    for (arguments, words) in [
        (["--clock-shift", "-3155760001"], "即最多快慢 100 年"),
        (
            ["--fault", "cut-body=1,operation=import_phonenumber_member"],
            "没有应答体；请换一种故障或接口",
        ),
        (["--policy", "second=allow"], "没有这项策略；可用的有"),
        (["--dir", folder], "不是沙箱写的文件"),
    ] {
        let output = wxmember(home.path())
            .args(["sandbox", "--lang", "zh", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_ne!(output.status.code(), Some(0));
        let english = said
            .split_whitespace()
            .filter(|word| ["the", "is", "a"].contains(word));
        assert!(said.contains(words) && english.count() == 0, "{said}");
    }
}
