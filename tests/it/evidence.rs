//! What the sandbox says of its own rules, and what a merchant's recordings say of them: `sandbox rules`, `scrub`, `replay`.

use std::{fs, path::Path, process::Output};

use serde_json::{Value, json};
use wxmember_sandbox::{rules, rules_as_json};
use wxmember_tests::{root, wxmember};

const PHONE: &str = "13912345678";
const NAME: &str = "欧阳锋锐";

fn run(home: &Path, arguments: &[&str]) -> Output {
    wxmember(home).args(["sandbox"]).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn every_rule_is_one_line_and_the_shares_are_the_last_lines() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), &["rules"]);
    assert_eq!(output.status.code(), Some(0));
    let (table, talk) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(table.lines().count(), rules().len());
    for (rule, line) in rules().iter().zip(table.lines()) {
        let answer = format!(
            "{} {}",
            rule.status,
            if rule.code.is_empty() { "-" } else { rule.code }
        );
        for part in [rule.id, &answer, rule.check.id(), rule.en, rule.source] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
    let second = table
        .lines()
        .find(|line| line.starts_with("SECOND_CARD "))
        .unwrap();
    assert!(second.contains(" +1d "), "{second}");
    assert!(talk.lines().next().unwrap().starts_with("rule "), "{talk}");
    assert!(talk.contains("policy `second-card`, a member who has a card comes with another code: refuse (400 INVALID_REQUEST) | allow"));
    // Three parts under headings of their own: what can be chosen, what to read, how sure the rules are.
    let parts: Vec<_> = talk.split("\n\n").collect();
    let head = |index: usize| parts[index].lines().next().unwrap();
    assert_eq!(parts.len(), 4, "{talk}");
    assert!(head(1).contains("--policy") && head(2).contains("sections") && head(3).starts_with("how sure"));
    for section in ["3.3", "3.4", "3.5", "4.3"] {
        assert!(
            parts[2]
                .lines()
                .any(|line| line.starts_with(&format!("{section}  "))),
            "{talk}"
        );
    }
    let shares: Vec<_> = talk.lines().rev().take(5).collect();
    assert!(
        shares[0].starts_with("I  ") && shares[4].starts_with("D  "),
        "{talk}"
    );
    let counted: usize = shares
        .iter()
        .map(|line| {
            line[1..]
                .split_whitespace()
                .next()
                .unwrap()
                .parse::<usize>()
                .unwrap()
        })
        .sum();
    assert_eq!(counted, rules().len());
}

#[test]
fn the_rules_are_chinese_for_people_and_the_same_for_programs() {
    let home = tempfile::tempdir().unwrap();
    let chinese = run(home.path(), &["rules", "--lang", "zh"]);
    let (table, talk) = (text(&chinese.stdout), text(&chinese.stderr));
    assert_eq!(table.lines().count(), rules().len());
    for (rule, line) in rules().iter().zip(table.lines()) {
        assert!(line.contains(rule.zh) && line.contains(rule.check.zh()), "{line}");
    }
    assert!(
        talk.starts_with("规则 ")
            && talk.contains("官方文档页面写明")
            && talk.contains("策略 `second-card`，")
            && talk.contains("3.4  时钟"),
        "{talk}"
    );
    let [english, other] = ["en", "zh"]
        .map(|language| run(home.path(), &["rules", "--format", "json", "--lang", language]).stdout);
    assert_eq!(english, other);
    let document: Value = serde_json::from_slice(&english).unwrap();
    assert_eq!(document, rules_as_json());
    assert_eq!(document["count"], rules().len());
    for rule in document["rules"].as_array().unwrap() {
        assert!(
            !rule["source"].as_str().unwrap().is_empty()
                && !rule["sureness_means_zh"].as_str().unwrap().is_empty(),
            "{rule}"
        );
    }
    assert_eq!(document["policies"][2]["choices"][1]["name"], "allow");
}

/// An import that was refused, with a person in every place.
fn recording() -> Value {
    let body = json!({
        "brand_id": "98765", "card_id": "pXyZ_Card-Id", "user_card_code": "CODE-77", "phone_number": "A".repeat(342) + "==",
        "level": NAME, "date_information": {"type": "PERMANENT"}, "pickup_time": "2024-02-29T08:00:00+08:00",
    });
    json!({
        "request": {
            "method": "POST",
            "url": "https://api.mch.weixin.qq.com/v3/brand/partner/card-member/user-cards/import-by-phone",
            "headers": {"Authorization": format!("WECHATPAY2-SHA256-RSA2048 mchid=\"{PHONE}\""), "Accept": "application/json",
                "User-Agent": NAME, "Content-Type": "application/json", "Wechatpay-Serial": format!("PUB_KEY_ID_{PHONE}")},
            "body": body.to_string(),
        },
        "response": {"status": 400, "body": {"code": "PARAM_ERROR", "message": format!("平台私钥解密失败 {NAME} {PHONE}")}},
    })
}

#[test]
fn a_recording_is_scrubbed_and_replayed() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(format!("{PHONE}.json"));
    fs::write(&file, recording().to_string()).unwrap();
    let (file, folder) = (file.to_str().unwrap(), home.path().join("out"));
    let scrubbed = || {
        run(
            home.path(),
            &["scrub", file, "--output", folder.to_str().unwrap()],
        )
    };
    let output = scrubbed();
    let (path, talk) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{talk}");
    assert!(
        talk.contains("1 exchange kept") && talk.contains("ciphertexts of personal fields"),
        "{talk}"
    );
    let path = path.trim_end();
    assert!(path.ends_with("out/import_by_phone-400.json"), "{path}");
    // A second one is written beside it.
    assert!(
        text(&scrubbed().stdout)
            .trim_end()
            .ends_with("out/import_by_phone-400-2.json")
    );
    let fixture = fs::read_to_string(path).unwrap();
    for marker in [PHONE, NAME, "98765", "pXyZ", "CODE-77", "AAAA", "2024"] {
        for said in [&fixture, &talk] {
            assert!(!said.contains(marker), "{marker}: {said}");
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    // The sandbox opens what it seals itself, so that it has no reason to refuse, until the fixture says what was wrong.
    let output = run(home.path(), &["replay", path]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).contains("the rebuilt request was accepted: what was wrong does not show; by status, code and message it may be OPENING\n"),
        "{}",
        text(&output.stdout)
    );
    let output = run(home.path(), &["replay", path, "--format", "json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let exchange = &document["fixtures"][0]["exchanges"][0];
    assert_eq!(
        (&exchange["verdict"], &exchange["candidates"]),
        (&json!("not_refused"), &json!(["OPENING"]))
    );
    let mut changed: Value = serde_json::from_str(&fixture).unwrap();
    changed["exchanges"][0]["request"]["spoilt"] = "ciphertext".into();
    fs::write(path, changed.to_string()).unwrap();
    let output = run(home.path(), &["replay", path, "--lang", "zh"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(
        text(&output.stdout).contains("证实 OPENING"),
        "{}",
        text(&output.stdout)
    );
    let output = run(home.path(), &["replay", path, "--format", "json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["fixtures"][0]["exchanges"][0]["verdict"], "confirms");

    // One that somebody wrote a value into is found out.
    changed["exchanges"][0]["request"]["body"]["level"] = NAME.into();
    fs::write(path, changed.to_string()).unwrap();
    let output = run(home.path(), &["replay", path]);
    assert_eq!(output.status.code(), Some(1));
    let talk = text(&output.stderr);
    assert!(
        talk.contains("/exchanges/0/request/body/level") && !talk.contains(NAME),
        "{talk}"
    );
}

#[test]
fn what_cannot_be_scrubbed_is_one_clear_error_and_nothing_is_written() {
    let home = tempfile::tempdir().unwrap();
    let check = |content: &str, part: &str| {
        let file = home.path().join("in.json");
        fs::write(&file, content).unwrap();
        let folder = home.path().join("out");
        let output = run(
            home.path(),
            &[
                "scrub",
                file.to_str().unwrap(),
                "--output",
                folder.to_str().unwrap(),
            ],
        );
        let talk = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{talk}");
        assert!(talk.contains(part) && !talk.contains(PHONE), "{talk}");
        assert!(!folder.exists());
    };
    check(PHONE, "cannot be scrubbed");
    check(r#"{"log": {"entries": []}}"#, "hint: record calls of paths under");
    let mut recording = recording();
    recording["response"]["body"]["new_name"] = PHONE.into();
    check(&recording.to_string(), "the answer's /new_name");
    let output = run(home.path(), &["scrub"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_fixtures_of_the_repository_replay() {
    let home = tempfile::tempdir().unwrap();
    let folder = root().join("crates/sandbox/fixtures");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let paths: Vec<_> = entries
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_str().unwrap().starts_with("documented-"))
        })
        .collect();
    assert!(paths.len() >= 3);
    let output = wxmember(home.path())
        .args(["sandbox", "replay"])
        .args(&paths)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
}
