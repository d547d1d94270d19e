//! `wxmember doctor`: every finding by name, from the real program.

use std::{fs, process::Output};

use serde_json::Value;
use wxmember::{Certificate, party};
use wxmember_tests::{
    folder::{Folder, NOWHERE, PLATFORM_PRIVATE_KEY},
    sandbox, shown, wxmember,
};

use crate::interop::Program;

/// Runs the doctor on a spoilt folder.
fn doctor(spoil: impl FnOnce(&Folder)) -> String {
    let folder = Folder::write(NOWHERE);
    spoil(&folder);
    let output = wxmember(folder.home())
        .args(["doctor", "--dir"])
        .arg(&folder.path)
        .output()
        .unwrap();
    shown(&output, &[(&folder.shown_home(), "HOME")])
}

#[test]
fn a_healthy_folder_is_said_to_be_so() {
    let text = doctor(|_| {});
    insta::assert_snapshot!(text);
    // The same through a profile.
    let folder = Folder::write(NOWHERE);
    let output = wxmember(folder.home())
        .args(["doctor", "--config"])
        .arg(folder.path.join("wxmember.toml"))
        .output()
        .unwrap();
    assert_eq!(shown(&output, &[(&folder.shown_home(), "HOME")]), text);
}

#[test]
fn every_mistake_in_a_folder_is_named_with_its_file_and_its_remedy() {
    let toml = "wxmember.toml";
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let brand_key = include_str!("../vectors/test_brand_key.pem");
    let platform_cert = include_str!("../vectors/test_wechatpay_certmode_cert.pem");
    let merchant_key = include_str!("../vectors/test_merchant_key.pem");
    let merchant_cert = include_str!("../vectors/test_merchant_cert.pem");
    let pub_key = include_str!("../vectors/test_wechatpay_pubmode_pub_key.pem");
    let texts = [
        doctor(|folder| folder.put("apiclient_key.pem", PLATFORM_PRIVATE_KEY)),
        doctor(|folder| folder.put("apiclient_key.pem", pub_key)),
        doctor(|folder| folder.put("apiclient_key.pem", brand_key)),
        doctor(|folder| folder.put("apiclient_key.pem", merchant_cert)),
        doctor(|folder| folder.put("apiclient_key.pem", encrypted)),
        doctor(|folder| folder.put("apiclient_key.pem", "hello")),
        doctor(|folder| {
            let p12 = include_bytes!("../vectors/protected/modern.p12");
            fs::write(folder.path.join("apiclient_key.pem"), p12).unwrap();
        }),
        doctor(|folder| folder.remove("apiclient_key.pem")),
        doctor(|folder| folder.put("apiclient_cert.pem", merchant_key)),
        doctor(|folder| folder.put("pub_key.pem", merchant_cert)),
        doctor(|folder| folder.put("pub_key.pem", merchant_key)),
        doctor(|folder| folder.put("pub_key.pem", platform_cert)),
        doctor(|folder| folder.replace(toml, "4D3C", "4D3D")),
        doctor(|folder| {
            folder.replace(toml, "PUB_KEY_ID_0119000001092026113000000000000001", "X");
            folder.replace(
                toml,
                "4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D6",
                "PUB_KEY_ID_0119000001092026113000000000000001",
            );
            folder.replace(
                toml,
                "\"X\"",
                "\"4d:3c:2b:1a:09:f8:e7:d6:c5:b4:a3:92:81:70:61:52:43:f4:e5:d6\"",
            );
        }),
        doctor(|folder| folder.replace(toml, "1900000109", "wx1900000109")),
        doctor(|folder| folder.replace(toml, "1900000109", "1900000110")),
        doctor(|folder| folder.put("apiv3_key.txt", "TestOnlyApiV3Key")),
        doctor(|folder| folder.mode("apiclient_key.pem", 0o644)),
        doctor(|folder| folder.replace(toml, "brand_id", "brandid")),
        doctor(|folder| folder.replace(toml, "= \"1900000109\"", "= 1900000109")),
        doctor(|folder| folder.replace(toml, "[profile.default]", "[profile.other]")),
        doctor(|folder| folder.replace(toml, NOWHERE, "http://example.com")),
        doctor(|folder| folder.put("sandbox.json", "{\"mchid\": \"1900000110\"}")),
    ];
    let findings: Vec<_> = texts
        .iter()
        .map(|text| {
            assert!(text.starts_with("exit code: 1\n"), "{text}");
            let (_, stdout) = text.split_once("--- stdout\n").unwrap();
            let found = stdout.lines().filter(|line| line.starts_with('✗'));
            found.map(|line| format!("{line}\n")).collect::<String>()
        })
        .collect();
    let text = findings.join("---\n");
    assert!(!text.contains("MII"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn serials_in_other_forms_are_right() {
    for form in [
        "0x4d3c2b1a09f8e7d6c5b4a3928170615243f4e5d6",
        "4D:3C:2B:1A:09:F8:E7:D6:C5:B4:A3:92:81:70:61:52:43:F4:E5:D6",
    ] {
        let text = doctor(|folder| {
            folder.replace("wxmember.toml", "4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D6", form);
        });
        assert!(text.starts_with("exit code: 0\n"), "{text}");
    }
}

#[test]
fn a_folder_of_the_certificate_tool_needs_no_profile() {
    let text = doctor(|folder| {
        folder.remove("wxmember.toml");
        folder.remove("pub_key.pem");
        folder.remove("apiv3_key.txt");
        folder.put("apiclient_cert.p12", "");
        folder.mode("apiclient_cert.p12", 0o644);
        folder.put(
            "wechatpay_5157F09EFDC096DE15EBE81A47057A72000C0DE5.pem",
            include_str!("../vectors/test_wechatpay_certmode_cert.pem"),
        );
    });
    insta::assert_snapshot!(text);
}

#[test]
fn json_tells_the_same_and_holds_no_key() {
    let folder = Folder::write(NOWHERE);
    folder.put("apiclient_key.pem", PLATFORM_PRIVATE_KEY);
    folder.put("apiv3_key.txt", "MARKER");
    let output = wxmember(folder.home())
        .args(["doctor", "--format", "json", "--dir"])
        .arg(&folder.path)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = shown(&output, &[]);
    for secret in ["MARKER", "MII", "BEGIN"] {
        assert!(!said.contains(secret), "{said}");
    }
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["healthy"], false);
    let checks: Vec<_> = value["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["check"].as_str().unwrap())
        .collect();
    assert_eq!(checks, ["merchant_key", "apiv3_key"]);
    assert_eq!(
        value["findings"][0]["at"],
        folder.path.join("apiclient_key.pem").display().to_string()
    );
}

#[test]
fn nothing_to_look_at_is_one_clear_error() {
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = wxmember(home.path())
            .args(arguments)
            .current_dir(home.path())
            .output()
            .unwrap();
        shown(&output, &[])
    };
    let texts = [run(&["doctor", "--dir", "nowhere"]), run(&["doctor"])];
    assert!(fs::read_dir(home.path()).unwrap().next().is_none());
    insta::assert_snapshot!(texts.join("---\n"));
}

/// Runs the doctor on the folder, and lets the sandbox in this process answer meanwhile.
async fn visit(folder: &Folder, more: &[&str]) -> Output {
    let mut command = wxmember(folder.home());
    command.args(["doctor", "--dir"]).arg(&folder.path).args(more);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    output.await.unwrap()
}

#[test]
fn three_mistakes_at_once_are_all_named_by_the_programs_alone() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("d");
    let _sandbox = Program::start_with(home.path(), &folder, &["--clock-shift", "600"]);
    let path = |name: &str| folder.join(name);
    fs::copy(path("sandbox_platform_key.pem"), path("apiclient_key.pem")).unwrap();
    let profile = fs::read_to_string(path("wxmember.toml")).unwrap();
    let line = profile
        .lines()
        .find(|line| line.starts_with("merchant_serial"))
        .unwrap();
    let wrong = "merchant_serial = \"4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D6\"";
    fs::write(path("wxmember.toml"), profile.replace(line, wrong)).unwrap();
    let output = wxmember(home.path())
        .args(["doctor", "--dir"])
        .arg(&folder)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    let found: Vec<_> = text.lines().filter(|line| line.starts_with('✗')).collect();
    assert_eq!(found.len(), 3, "{text}");
    for (line, file, words) in [
        (
            found[0],
            "apiclient_key.pem",
            "the platform's key is in the merchant's place",
        ),
        (
            found[1],
            "wxmember.toml",
            "is not the serial number of the certificate",
        ),
        (found[2], "http://127.0.0.1", "s behind the platform's"),
    ] {
        assert!(line.contains(file) && line.contains(words), "{line}");
    }
    // Seconds pass between two readings of a clock.
    assert!(
        found[2].contains(" 600 s") || found[2].contains(" 599 s"),
        "{}",
        found[2]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_sandbox_is_asked_and_everything_is_in_order() {
    let sandbox = sandbox().await;
    let folder = Folder::write(&sandbox.base_url());
    let output = visit(&folder, &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output, &[]));
    assert!(sandbox.requests() > 0);
    let text = String::from_utf8(output.stdout).unwrap();
    for line in ["✓ clock: ", "✓ online: the card template was read"] {
        assert!(text.contains(line), "{text}");
    }
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_is_named_with_its_direction() {
    let sandbox = sandbox().await;
    let folder = Folder::write(&sandbox.base_url());
    for (shift, words) in [
        (3600, " s behind the platform's"),
        (-3600, " s ahead of the platform's"),
    ] {
        sandbox.clock().set_shift(shift).unwrap();
        let output = visit(&folder, &["--online"]).await;
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            text.contains(words) && text.contains("every request is refused"),
            "{text}"
        );
    }
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_says_of_the_keys_is_passed_on() {
    let sandbox = sandbox().await;
    let credentials = sandbox.credentials();
    // A serial number that nobody checks offline, for lack of a certificate.
    let folder = Folder::write(&sandbox.base_url());
    folder.replace(
        "wxmember.toml",
        "merchant_certificate = \"apiclient_cert.pem\"\n",
        "",
    );
    folder.replace("wxmember.toml", &credentials.merchant_serial, "5157F09EFDC0");
    let serial = visit(&folder, &["--online"]).await;
    // A public key that is somebody's, but not this platform's.
    let folder = Folder::write(&sandbox.base_url());
    let other = include_str!("../vectors/test_wechatpay_certmode_cert.pem");
    let other = Certificate::<party::Platform>::from_pem(other).unwrap();
    folder.put("pub_key.pem", &other.public_key().to_pem());
    let key = visit(&folder, &["--online"]).await;
    // A card template that is nobody's.
    let folder = Folder::write(&sandbox.base_url());
    folder.replace("wxmember.toml", &credentials.card_id, "pNobodys");
    let card = visit(&folder, &["--online"]).await;
    let mut found = String::new();
    for output in [&serial, &key, &card] {
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8_lossy(&output.stdout);
        for line in text.lines().filter(|line| line.starts_with('✗')) {
            let line = line.replace(&sandbox.base_url(), "URL");
            let (before, request) = line.split_once("request ").unwrap();
            let (_, after) = request.split_once(')').unwrap();
            found.push_str(&format!("{before}request ID){after}\n"));
        }
    }
    insta::assert_snapshot!(found);
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_at_the_address_is_a_finding_when_somebody_asked() {
    let sandbox = sandbox().await;
    let url = sandbox.base_url();
    sandbox.shutdown().await;
    let folder = Folder::write(&url);
    let unasked = visit(&folder, &[]).await;
    assert_eq!(unasked.status.code(), Some(0), "{}", shown(&unasked, &[]));
    let asked = visit(&folder, &["--online"]).await;
    assert_eq!(asked.status.code(), Some(1));
    let text = shown(&asked, &[]);
    assert!(text.contains("no connection"), "{text}");
}
