//! `wxmember sandbox` that misbehaves by a seed.

use std::{fs, path::Path};

use serde_json::Value;
use wxmember::{
    Client, ImportByPhone, Merchant, MerchantKey, PhoneNumber, PlatformKey, RetryPolicy, Trust, Validity,
};
use wxmember_tests::wxmember;

use crate::interop::Program;

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

/// Which of forty members were told to be imported by a sandbox with these arguments.
async fn answered(arguments: &[&str]) -> Vec<bool> {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("d");
    let _sandbox = Program::start_with(home.path(), &folder, arguments);
    let settings: Value = serde_json::from_str(&read(&folder, "sandbox.json")).unwrap();
    let text = |name: &str| settings[name].as_str().unwrap();
    let key = MerchantKey::from_pem(&read(&folder, "apiclient_key.pem")).unwrap();
    let platform = PlatformKey::from_pem(&read(&folder, "pub_key.pem")).unwrap();
    let client = Client::builder()
        .merchant(Merchant::new(text("mchid"), text("merchant_serial"), key).unwrap())
        .trust(Trust::public_key(text("platform_key_id"), platform).unwrap())
        .with_base_url(text("base_url"))
        .with_retry(RetryPolicy::never())
        .build()
        .unwrap();
    let mut answered = Vec::new();
    for number in 0..40 {
        let member = ImportByPhone::builder()
            .brand_id(text("brand_id").parse().unwrap())
            .card_id(text("card_id").parse().unwrap())
            .phone_number(PhoneNumber::new(format!("138001380{number:02}")))
            .user_card_code(format!("C{number}").parse().unwrap())
            .date_information(Validity::permanent())
            .pickup_time("2020-05-20T13:29:35+08:00".parse().unwrap())
            .build();
        answered.push(client.user_cards().import_by_phone(&member).await.is_ok());
    }
    answered
}

#[tokio::test]
async fn a_share_of_the_answers_is_lost_and_the_seed_says_which() {
    let one = answered(&["--fault", "lost-answer=30%,seed=7"]).await;
    let lost = one.iter().filter(|is_answered| !**is_answered).count();
    assert!((4..25).contains(&lost), "{lost}");
    assert_eq!(one, answered(&["--fault", "lost-answer=30%,seed=7"]).await);
    assert_ne!(one, answered(&["--fault", "lost-answer=30%,seed=8"]).await);
    let both = ["--fault", "lost-answer=30%,seed=7", "--fault", "rate-limited=30%"];
    let more = answered(&both)
        .await
        .iter()
        .filter(|is_answered| !**is_answered)
        .count();
    assert!(more > lost, "{more}");
}

#[test]
fn a_fault_that_cannot_be_read_is_wrong_usage_with_the_reason() {
    let home = tempfile::tempdir().unwrap();
    let check = |variable: Option<&str>, argument: Option<&str>, words: &str| {
        let mut command = wxmember(home.path());
        command.args(["sandbox", "--listen", "127.0.0.1:0"]);
        if let Some(variable) = variable {
            command.env("WXMEMBER_SANDBOX_FAULT", variable);
        }
        if let Some(argument) = argument {
            command.args(["--fault", argument]);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{said}");
    };
    check(None, Some("lost-answer"), "such as `lost-answer=1%,seed=7`");
    check(None, Some("lost-anser=1%"), "`lost-answer`, `lost-request`");
    check(None, Some("lost-answer=200%"), "at most `100%`");
    check(Some("unsigned=1%;lost-answer=0%"), None, "at most `100%`");
    check(None, Some("lost-answer=often"), "such as `10s`");
}
