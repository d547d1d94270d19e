//! Wrong keys and profiles: one clear error before any request.

use std::{fs, path::Path};

use wxmember_sandbox::Sandbox;
use wxmember_tests::{sandbox, shown, wxmember};

/// Runs an import with a changed profile folder; nothing may reach the sandbox.
async fn refused(change: impl FnOnce(&Path)) -> String {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("sandbox");
    let sandbox = sandbox().await;
    write_profile(&folder, &sandbox);
    change(&folder);
    let config = folder.join("wxmember.toml");
    let mut command = wxmember(home.path());
    command
        .args(["import", "examples/members.csv", "--config"])
        .arg(&config);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    assert_eq!(sandbox.requests(), 0);
    sandbox.shutdown().await;
    assert_eq!(output.status.code(), Some(1));
    let text = shown(&output, &[(&home.path().display().to_string(), "HOME")]);
    text.split_once("--- stderr\n").unwrap().1.to_owned()
}

fn write_profile(folder: &Path, sandbox: &Sandbox) {
    let credentials = sandbox.credentials();
    fs::create_dir_all(folder).unwrap();
    let key = folder.join("apiclient_key.pem");
    fs::write(&key, &credentials.merchant_key_pem).unwrap();
    #[cfg(unix)]
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    fs::write(
        folder.join("apiclient_cert.pem"),
        &credentials.merchant_certificate_pem,
    )
    .unwrap();
    fs::write(folder.join("pub_key.pem"), &credentials.platform_key_pem).unwrap();
    let profile = format!(
        "[profile.default]\nbase_url = \"{}\"\nmchid = \"{}\"\nmerchant_key = \"apiclient_key.pem\"\n\
         merchant_certificate = \"apiclient_cert.pem\"\nplatform_key_id = \"{}\"\nplatform_key = \"pub_key.pem\"\n\
         brand_id = \"{}\"\ncard_id = \"{}\"\nvalidity = \"permanent\"\n",
        sandbox.base_url(),
        credentials.mchid,
        credentials.platform_key_id,
        credentials.brand_id,
        credentials.card_id,
    );
    fs::write(folder.join("wxmember.toml"), profile).unwrap();
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_profile_is_one_clear_error_before_any_request() {
    let brand_key = include_str!("../vectors/test_brand_key.pem");
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let errors = [
        refused(|folder| fs::remove_file(folder.join("wxmember.toml")).unwrap()).await,
        refused(|folder| fs::remove_file(folder.join("apiclient_key.pem")).unwrap()).await,
        refused(|folder| fs::write(folder.join("apiclient_key.pem"), "hello").unwrap()).await,
        refused(|folder| fs::write(folder.join("apiclient_key.pem"), encrypted).unwrap()).await,
        refused(|folder| fs::write(folder.join("apiclient_key.pem"), brand_key).unwrap()).await,
        refused(|folder| {
            fs::copy(folder.join("apiclient_cert.pem"), folder.join("pub_key.pem")).unwrap();
        })
        .await,
        refused(|folder| {
            replace(
                &folder.join("wxmember.toml"),
                "mchid = ",
                "merchant_serial = \"AB\"\nmchid = ",
            )
        })
        .await,
        refused(|folder| replace(&folder.join("wxmember.toml"), "PUB_KEY_ID_", "KEY_")).await,
        refused(|folder| {
            replace(
                &folder.join("wxmember.toml"),
                "http://127.0.0.1",
                "http://example.com",
            )
        })
        .await,
        refused(|folder| replace(&folder.join("wxmember.toml"), "brand_id", "brandid")).await,
        refused(|folder| replace(&folder.join("wxmember.toml"), "profile.default", "profile.other")).await,
        refused(|folder| {
            replace(
                &folder.join("wxmember.toml"),
                "platform_key = \"pub_key.pem\"\n",
                "",
            )
        })
        .await,
    ];
    let text = errors.join("\n=====\n");
    assert!(!text.contains("MII"));
    insta::assert_snapshot!(text);
}
