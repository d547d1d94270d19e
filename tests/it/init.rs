//! `wxmember init`: a profile is written when it is known to be usable, and nothing is ever lost.

use std::{fs, process::Output};

use wxmember_tests::{
    folder::{Folder, NOWHERE},
    shown, wxmember,
};

const CONFIG: &str = "made.toml";

/// Runs it in the folder with these arguments.
fn init(folder: &Folder, arguments: &[&str]) -> Output {
    wxmember(folder.home())
        .current_dir(&folder.path)
        .args(["init", "--config", CONFIG])
        .args(arguments)
        .output()
        .unwrap()
}

const WHOLE: [&str; 14] = [
    "--mchid",
    "1900000109",
    "--merchant-key",
    "apiclient_key.pem",
    "--merchant-certificate",
    "apiclient_cert.pem",
    "--platform-key",
    "pub_key.pem",
    "--platform-key-id",
    "PUB_KEY_ID_0119000001092026113000000000000001",
    "--brand-id",
    "1004",
    "--card-id",
    "pbLatjvWOibDc5-TBnbUk1pD12o0",
];

fn with<'a>(change: &[(&str, &'a str)]) -> Vec<&'a str> {
    let mut arguments = WHOLE.to_vec();
    for (flag, value) in change {
        let at = arguments.iter().position(|argument| argument == flag).unwrap();
        arguments[at + 1] = value;
    }
    arguments
}

#[test]
fn a_profile_is_written_that_every_command_can_use() {
    let folder = Folder::write(NOWHERE);
    let mut arguments = WHOLE.to_vec();
    arguments.extend(["--apiv3-key-file", "apiv3_key.txt", "--validity", "365"]);
    let output = init(&folder, &arguments);
    let written = fs::read_to_string(folder.path.join(CONFIG)).unwrap();
    insta::assert_snapshot!(format!("{}--- {CONFIG}\n{written}", shown(&output, &[])));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.path.join(CONFIG))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let output = wxmember(folder.home())
        .args(["doctor", "--config"])
        .arg(folder.path.join(CONFIG))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output, &[]));
}

#[test]
fn paths_are_written_relative_to_the_file_that_holds_them() {
    let folder = Folder::write(NOWHERE);
    let config = folder.home().join(CONFIG);
    let config = config.to_str().unwrap();
    let output = wxmember(folder.home())
        .current_dir(&folder.path)
        .args(["init", "--config", config, "--profile", "a shop"])
        .args(WHOLE)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output, &[]));
    let written = fs::read_to_string(config).unwrap();
    assert!(written.contains("[profile.\"a shop\"]"), "{written}");
    assert!(
        written.contains("merchant_key = \"d/apiclient_key.pem\""),
        "{written}"
    );
}

#[test]
fn without_a_terminal_every_missing_flag_is_named() {
    let folder = Folder::write(NOWHERE);
    let texts = [
        init(&folder, &[]),
        init(&folder, &WHOLE[..6]),
        init(&folder, &["--platform-key", "pub_key.pem"]),
        init(&folder, &[&WHOLE[..], &["--validity", "long"]].concat()),
    ];
    let text = texts.map(|output| shown(&output, &[])).join("---\n");
    assert!(!folder.path.join(CONFIG).exists());
    insta::assert_snapshot!(text);
}

#[test]
fn what_does_not_fit_together_is_not_written() {
    let folder = Folder::write(NOWHERE);
    folder.put("brand_key.pem", include_str!("../vectors/test_brand_key.pem"));
    let outputs = [
        init(&folder, &with(&[("--merchant-key", "brand_key.pem")])),
        init(&folder, &with(&[("--merchant-key", "nowhere.pem")])),
        init(&folder, &with(&[("--platform-key-id", "4D3C2B1A")])),
        init(&folder, &with(&[("--mchid", "wx1")])),
    ];
    let texts = outputs.map(|output| {
        assert_eq!(output.status.code(), Some(1));
        shown(&output, &[])
    });
    let text = texts.join("---\n");
    assert!(!text.contains("MII") && !folder.path.join(CONFIG).exists());
    insta::assert_snapshot!(text);
}

#[test]
fn a_file_that_is_there_is_replaced_by_force_only() {
    let folder = Folder::write(NOWHERE);
    folder.put(CONFIG, "precious");
    let output = init(&folder, &WHOLE);
    assert_eq!(
        shown(&output, &[]),
        "exit code: 1\n--- stdout\n--- stderr\nerror: made.toml is there already\n\n\
         hint: name another file with `--config`, or replace this one with `--force`\n"
    );
    let forced = |arguments: &[&str]| init(&folder, &[&["--force"], arguments].concat());
    // A profile that is not usable replaces nothing.
    assert_eq!(forced(&with(&[("--mchid", "wx1")])).status.code(), Some(1));
    let text = || fs::read_to_string(folder.path.join(CONFIG)).unwrap();
    assert_eq!(text(), "precious");
    assert_eq!(forced(&WHOLE).status.code(), Some(0));
    assert!(text().contains("[profile.default]"));
    let leftovers = fs::read_dir(&folder.path).unwrap().filter_map(Result::ok);
    assert!(
        leftovers
            .map(|entry| entry.file_name().into_string().unwrap())
            .all(|name| !name.ends_with(".part"))
    );
}

#[test]
fn a_key_under_a_passphrase_is_named_together_with_the_file_of_its_passphrase() {
    let folder = Folder::write(NOWHERE);
    let protected = |name: &str| {
        let from = wxmember_tests::root().join("tests/vectors/protected").join(name);
        fs::copy(from, folder.path.join(name)).unwrap();
        folder.mode(name, 0o600);
    };
    protected("modern.p12");
    protected("pkcs8_default.pem");
    folder.put("passphrase.txt", "test-passphrase\n");
    let rest = &WHOLE[6..];
    let p12 = [&["--mchid", "1900000109", "--merchant-p12", "modern.p12"], rest].concat();
    let pem = [
        &with(&[("--merchant-key", "pkcs8_default.pem")])[..],
        &["--merchant-key-passphrase-file", "passphrase.txt"],
    ]
    .concat();
    for arguments in [p12, pem] {
        let output = init(&folder, &[&["--force"], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", shown(&output, &[]));
        let output = wxmember(folder.home())
            .args(["doctor", "--config"])
            .arg(folder.path.join(CONFIG))
            .output()
            .unwrap();
        let said = shown(&output, &[]);
        assert_eq!(output.status.code(), Some(0), "{said}");
        let belongs = "belongs to the certificate 4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D6";
        assert!(said.contains(belongs), "{said}");
    }
    // A wrong passphrase is no profile, and is not repeated.
    folder.put("passphrase.txt", "MARKER");
    let wrong = [
        &with(&[("--merchant-key", "pkcs8_default.pem")])[..],
        &["--force", "--merchant-key-passphrase-file", "passphrase.txt"],
    ]
    .concat();
    let output = init(&folder, &wrong);
    let said = shown(&output, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("the passphrase is wrong") && !said.contains("MARKER"),
        "{said}"
    );
    let output = wxmember(folder.home())
        .args(["doctor", "--config"])
        .arg(folder.path.join(CONFIG))
        .output()
        .unwrap();
    let said = shown(&output, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("the passphrase is wrong") && !said.contains("MARKER"),
        "{said}"
    );
}
