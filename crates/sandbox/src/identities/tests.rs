//! Identities files: what they can say, and how what is wrong is said.

use super::*;

const NOW: i64 = 1_796_000_000;

fn read_from(text: &str) -> Result<Identity, IdentitiesError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("identities.toml");
    fs::write(&path, text).unwrap();
    for (name, text) in [
        (
            "cert.pem",
            include_str!("../../../../tests/vectors/test_merchant_cert.pem"),
        ),
        (
            "key.pem",
            include_str!("../../../../tests/vectors/test_merchant_key.pem"),
        ),
        (
            "other.pem",
            include_str!("../../../../tests/vectors/test_wechatpay_pubmode_key.pem"),
        ),
        ("apiv3.txt", "TestOnlyApiV3Key0123456789abcdef\n"),
        ("garbage.txt", "MARKER"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    read(&path, &Clock::manual(NOW), None)
}

#[test]
fn the_file_that_shows_everything_can_be_read() {
    let identity = read_from(include_str!("../identities.toml")).unwrap();
    let mchids: Vec<_> = identity
        .merchants()
        .map(|merchant| merchant.mchid.as_str())
        .collect();
    assert_eq!(mchids, ["1900000109", "1900000110"]);
    assert_eq!(identity.credentials().card_id, "pbLatjvWOibDc5-TBnbUk1pD12o0");
    assert_eq!(
        identity.credentials().platform_key_id,
        "PUB_KEY_ID_0119000001092026113000000000000001"
    );
    assert_eq!((identity.templates.len(), identity.certified.len()), (2, 2));
    assert_eq!(identity.policies.len(), crate::policy::policies().len());
    let now = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_796_000_000);
    let expired = &identity.parties[1].certificates[0];
    assert!(expired.not_after() < now && identity.parties[0].certificates[0].not_after() > now);
}

#[test]
fn files_are_found_beside_the_file() {
    let identity = read_from(
        r#"
        [platform]
        private_key = "other.pem"
        [[merchants]]
        mchid = "1900000109"
        certificates = ["cert.pem"]
        private_key = "key.pem"
        apiv3_key_file = "apiv3.txt"
        "#,
    );
    let identity = identity.unwrap();
    let credentials = identity.credentials();
    assert_eq!(
        credentials.merchant_serial,
        "4D3C2B1A09F8E7D6C5B4A3928170615243F4E5D6"
    );
    assert_eq!(credentials.apiv3_key, "TestOnlyApiV3Key0123456789abcdef");
    let without_key = "[[merchants]]\nmchid = \"1\"\ncertificates = [\"cert.pem\"]";
    assert_eq!(read_from(without_key).unwrap().credentials().merchant_key_pem, "");
}

#[track_caller]
fn check(text: &str, part: &str) {
    let error = read_from(text).unwrap_err();
    let shown = format!(
        "{error} {:?}",
        std::error::Error::source(&error).map(ToString::to_string)
    );
    assert!(shown.contains(part), "{shown}");
    assert!(!format!("{shown} {error:?}").contains("MARKER"), "{shown}");
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_never_with_its_value() {
    let merchant = "[[merchants]]\nmchid = \"1\"\nbrands = [\"b\"]\n";
    check("", "line 1: the setting `merchants` is missing");
    check("[policies]\n", "the setting `merchants` is missing");
    check("merchants = []", "at least one");
    check("x = \"MARKER\n", "line 1");
    check(
        &format!("{merchant}brandz = [\"MARKER\"]"),
        "line 4: unknown setting `brandz` in `merchants`; there are `mchid`, ",
    );
    check(
        &format!("{merchant}state = \"MARKER\""),
        "line 4: the setting `merchants.state` can be `expired`, `not_yet_valid`, `valid`",
    );
    check(
        &format!("{merchant}apiv3_key_file = [\"MARKER\"]"),
        "line 4: the setting `merchants.apiv3_key_file` needs text in quotation marks",
    );
    check("[[merchants]]\nmchid = \"MARKER 1\"", "merchants[0]: `mchid`");
    check(
        &format!("{merchant}{merchant}"),
        "merchants[1]: its `mchid` is there already",
    );
    check(
        &format!("{merchant}certificates = [\"MISSING.pem\"]"),
        "MISSING.pem: cannot be read",
    );
    check(
        &format!("{merchant}certificates = [\"garbage.txt\"]"),
        "merchants[0]: unusable",
    );
    check(
        &format!("{merchant}certificates = [\"cert.pem\"]\nprivate_key = \"other.pem\""),
        "does not belong",
    );
    check(
        &format!("{merchant}private_key = \"key.pem\""),
        "give both or neither",
    );
    check(
        &format!("{merchant}certificates = [\"cert.pem\"]\nstate = \"expired\""),
        "leave it out",
    );
    check(
        &format!("{merchant}apiv3_key_file = \"garbage.txt\""),
        "the APIv3 key is unusable",
    );
    let template = "[[templates]]\ncard_id = \"c\"\nbrand_id = \"b\"\n";
    check(
        &format!("{merchant}{template}{template}"),
        "templates[1]: its `card_id`",
    );
    let foreign = template.replace("\"b\"", "\"MARKER\"");
    check(
        &format!("{merchant}{foreign}"),
        "templates[0]: no merchant has its `brand_id`",
    );
    check(
        &format!("[platform]\npublic_key = false\n{merchant}"),
        "[[platform.certificates]]",
    );
    let half = "[[platform.certificates]]\ncertificate = \"cert.pem\"\n";
    check(
        &format!("{half}{merchant}"),
        "platform.certificates[0]: give `certificate` and `private_key`",
    );
    check(
        &format!("{merchant}[policies]\nsecond_card = \"MARKER\""),
        "`second-card` can be `refuse`, `allow`",
    );
    check(&format!("{merchant}[policies]\nMARKER = \"x\""), "no such policy");
}
