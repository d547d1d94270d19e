//! `wxmember doctor`: every finding by name, from the real program.

use std::fs;

use serde_json::Value;
use wxmember_tests::{shown, wxmember};

use crate::folder::{Folder, NOWHERE, PLATFORM_PRIVATE_KEY};

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
