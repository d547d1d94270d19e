//! `wxmember call`: any signed call from a terminal, with nothing in clear but what was asked for.

use std::{
    io::Write,
    process::{Output, Stdio},
};

use serde_json::Value;
use wxmember_sandbox::Sandbox;
use wxmember_tests::{
    PHONE,
    folder::{Folder, NOWHERE},
    sandbox, shown, wxmember,
};

/// Runs `call` with the folder's profile, and lets the sandbox in this process answer meanwhile.
async fn call(folder: &Folder, arguments: &[&str], input: &str) -> Output {
    let mut command = wxmember(folder.home());
    command
        .arg("call")
        .args(arguments)
        .arg("--config")
        .arg(folder.path.join("wxmember.toml"))
        .current_dir(&folder.path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let input = input.to_owned();
    let run = move || {
        let mut child = command.spawn().unwrap();
        // A program that refuses its arguments reads nothing.
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        child.wait_with_output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// What differs from run to run, replaced: times, nonces, ids, addresses and ciphertexts.
fn steady(folder: &Folder, sandbox: &Sandbox, output: &Output) -> String {
    let replace = [(folder.shown_home(), "HOME"), (sandbox.base_url(), "URL")];
    let replace = replace.each_ref().map(|(from, to)| (from.as_str(), *to));
    let lines = shown(output, &replace);
    let lines = lines.lines().map(|line| {
        let mut words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        for at in 1..words.len() {
            let is_number = |word: &str| {
                let digits = word.trim_end_matches(['n', '\\', ',', ':', ';']);
                digits.len() == 10 && digits.bytes().all(|byte| byte.is_ascii_digit())
            };
            if words[at - 1] == "request" && words[at] != "could" {
                let id = words[at].trim_end_matches(['\n', ')', ',', ':']).to_owned();
                words[at] = words[at].replace(&id, "ID");
            } else if is_number(&words[at]) && words[at - 1] != "mchid" {
                words[at] = "TIME".to_owned();
            } else if words[at].trim_end_matches("\\n").len() == 32 {
                words[at] = "NONCE\\n".to_owned();
            }
        }
        words.join(" ") + "\n"
    });
    lines.collect()
}

const CARD: [&str; 6] = [
    "GET",
    "v3/brand/partner/card-member/cards/{card_id}",
    "--param",
    "card_id=pbLatjvWOibDc5-TBnbUk1pD12o0",
    "--query",
    "brand_id=1004",
];

const IMPORT: [&str; 4] = [
    "POST",
    "v3/brand/partner/card-member/user-cards/import-by-phone",
    "--json",
    "@member.json",
];

const SEARCH: &str = "v3/marketing/membercard-open/phonenumber-member/search";

const CITY: &str = "/user_information/common_field_list/*/value";

fn member(folder: &Folder) {
    folder.put(
        "member.json",
        r#"{"brand_id": "1004", "card_id": "pbLatjvWOibDc5-TBnbUk1pD12o0", "user_card_code": "C1",
            "date_information": {"type": "PERMANENT"}, "pickup_time": "2020-05-20T13:29:35+08:00",
            "user_information": {"common_field_list": [{"name": "USER_FORM_FLAG_CITY", "value": "MARKERCITY"}]}}"#,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_prints_the_answer_as_it_came_and_the_rest_on_stderr() {
    let sandbox = sandbox().await;
    let folder = Folder::write(&sandbox.base_url());
    let output = call(&folder, &CARD, "").await;
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output, &[]));
    let card: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(card["card_id"], "pbLatjvWOibDc5-TBnbUk1pD12o0");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("200, request "), "{stderr}");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_sealed_on_the_way_and_opened_on_demand_only() {
    let sandbox = sandbox().await;
    let folder = Folder::write(&sandbox.base_url());
    member(&folder);
    let city = CITY;
    let seal = ["-v", "--seal", "/phone_number=-", "--seal", city];
    let arguments = [&IMPORT[..], &seal].concat();
    let output = call(&folder, &arguments, &format!("{PHONE}\n")).await;
    let said = shown(&output, &[]);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for secret in [PHONE, "MARKERCITY", "PRIVATE"] {
        assert!(!said.contains(secret), "{said}");
    }
    assert!(sandbox.member("pbLatjvWOibDc5-TBnbUk1pD12o0", "C1").is_some());
    let card: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(card["phone_number"].as_str().unwrap().len(), 344);
    // The same once more: the member is there, and one field is wanted in clear.
    folder.put("phone.txt", PHONE);
    let seal = [
        "--seal",
        "/phone_number=@phone.txt",
        "--seal",
        city,
        "--open",
        "/phone_number",
    ];
    let output = call(&folder, &[&IMPORT[..], &seal].concat(), "").await;
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output, &[]));
    let card: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(card["phone_number"], PHONE);
    let city = &card["user_information"]["common_field_list"][0]["value"];
    assert_eq!(city.as_str().unwrap().len(), 344);
    assert!(!String::from_utf8(output.stderr).unwrap().contains(PHONE));
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_of_the_query_is_sealed_on_the_way() {
    let sandbox = sandbox().await;
    let folder = Folder::write(&sandbox.base_url());
    folder.put(
        "remind.json",
        r#"{"member_information": {"card_id": "pbLatjvWOibDc5-TBnbUk1pD12o0",
            "registration_time": "2015-05-20T13:29:35+08:00"}}"#,
    );
    let remind = [
        "POST",
        "v3/marketing/membercard-open/phonenumber-member/import",
        "--json",
        "@remind.json",
        "--seal",
        "/encrypted_phone_number=-",
    ];
    let output = call(&folder, &remind, PHONE).await;
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output, &[]));
    folder.put("phone.txt", &format!("{PHONE}\n"));
    for (source, input) in [("-", PHONE), ("@phone.txt", "")] {
        let parameter = format!("encrypted_phone_number={source}");
        let card = "card_id=pbLatjvWOibDc5-TBnbUk1pD12o0";
        let search = ["GET", SEARCH, "-v", "--query", card, "--seal-query", &parameter];
        let output = call(&folder, &search, input).await;
        let said = shown(&output, &[]);
        assert_eq!(output.status.code(), Some(0), "{said}");
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["receive_status"], "UNSHOWED");
        assert!(
            said.contains("encrypted_phone_number=") && !said.contains(PHONE),
            "{said}"
        );
    }
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_message_is_told_and_a_refused_signature_is_explained() {
    let sandbox = sandbox().await;
    let folder = Folder::write(&sandbox.base_url());
    sandbox.clock().set_shift(3600).unwrap();
    let late = call(&folder, &[&CARD[..], &["-v"]].concat(), "").await;
    assert_eq!(late.status.code(), Some(1));
    let late = steady(&folder, &sandbox, &late).replace("3599 s", "3600 s");
    sandbox.clock().set_shift(0).unwrap();
    folder.replace(
        "wxmember.toml",
        "merchant_certificate = \"apiclient_cert.pem\"\n",
        "",
    );
    folder.replace(
        "wxmember.toml",
        "4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D6",
        "5157F09EFDC0",
    );
    member(&folder);
    let serial = call(
        &folder,
        &[&IMPORT[..], &["--seal", "/phone_number=-", "--seal", CITY]].concat(),
        PHONE,
    )
    .await;
    assert_eq!(serial.status.code(), Some(1));
    let serial = steady(&folder, &sandbox, &serial);
    let mut said = format!("{late}---\n{serial}");
    // The ciphertext differs each time, and the digest with it.
    while let Some(at) = said.find("sha256 ") {
        let digest = said[at + 7..at + 71].to_owned();
        if !digest.starts_with("e3b0c442") {
            said = said.replace(&digest, "DIGEST");
        }
        said = said.replacen("sha256 ", "SHA-256 ", 1);
    }
    insta::assert_snapshot!(said);
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_says_what_to_do() {
    let sandbox = sandbox().await;
    let folder = Folder::write(&sandbox.base_url());
    member(&folder);
    let mut said = String::new();
    for arguments in [
        &["GET", "v3/nowhere"][..],
        &[
            "GET",
            "v3/brand/partner/card-member/cards/pNobodys",
            "--query",
            "brand_id=1004",
        ],
        &CARD[..4],
        // In clear it is neither sent nor shown.
        &[&IMPORT[..], &["-v"]].concat(),
        &["DELETE", "v3/certificates"],
        &["GET", SEARCH, "--query", "encrypted_phone_number=MARKER"],
    ] {
        let output = call(&folder, arguments, "").await;
        assert_eq!(output.status.code(), Some(1));
        said.push_str(&steady(&folder, &sandbox, &output));
        said.push_str("---\n");
    }
    assert!(!said.contains("MARKER"), "{said}");
    insta::assert_snapshot!(said);
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_one_clear_error_without_a_value() {
    let folder = Folder::write(NOWHERE);
    member(&folder);
    folder.put("broken.json", "{\"MARKER\": MARKER}");
    let post = ["POST", "v3/a"];
    let with = |more: &[&'static str]| [&post[..], more].concat();
    let mut said = String::new();
    for arguments in [
        vec!["FETCH", "v3/a"],
        vec!["GET", "v3/a?b=c"],
        vec!["GET", "https://example.com/v3/a"],
        vec!["GET", "v3/{a}"],
        vec!["GET", "v3/a b"],
        vec!["GET", "v3/a", "--json", "@member.json"],
        vec!["put", "v3/a"],
        vec!["GET", "v3/a", "--query", "b"],
        with(&["--json", "{\"MARKER\": 1}"]),
        with(&["--seal", "/brand_id=MARKER"]),
        with(&["--seal", "MARKER"]),
        with(&["--seal-query", "a=MARKER"]),
        with(&["--seal-query", "MARKER"]),
        with(&["--seal-query", "=-"]),
        with(&["--json", "@nowhere.json"]),
        with(&["--json", "@broken.json"]),
        with(&["--json", "-", "--seal", "/a=-"]),
        with(&["--json", "-", "--seal-query", "a=-"]),
        with(&["--json", "@member.json", "--seal", "/x/y=-"]),
        with(&["--json", "@member.json", "--seal", "/phone_number"]),
    ] {
        let output = call(&folder, &arguments, "MARKER").await;
        assert!(output.stdout.is_empty());
        let text = shown(&output, &[(&folder.shown_home(), "HOME")]);
        let text = text.replace("--- stdout\n--- stderr\n", "");
        said.push_str(&text);
        said.push_str("---\n");
    }
    assert!(!said.contains("MARKER"), "{said}");
    insta::assert_snapshot!(said);
}
