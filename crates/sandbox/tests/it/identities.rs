//! Several merchants, brands, templates and modes at once, from one file.

use std::fs;

use serde_json::{Value, json};
use wxmember_sandbox::{Clock, Credentials, Sandbox};

use crate::client::{NOW, Received, Request, body, body_for, control, key_of};

async fn sandbox(text: &str) -> Sandbox {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("identities.toml");
    fs::write(&file, text).unwrap();
    let builder = Sandbox::builder().with_identities(file);
    builder.with_clock(Clock::manual(NOW)).start().await.unwrap()
}

const TWO: &str = r#"
    [platform]
    public_key_id = "PUB_KEY_ID_01"
    [[platform.certificates]]
    [[platform.certificates]]
    state = "expired"
    [[platform.certificates]]
    state = "not_yet_valid"
    [[merchants]]
    mchid = "101"
    brands = ["a", "b"]
    [[merchants]]
    mchid = "102"
    brands = ["c"]
    [[merchants]]
    mchid = "103"
    brands = ["c"]
    state = "expired"
    [[templates]]
    card_id = "card-a"
    brand_id = "a"
    [[templates]]
    card_id = "card-c"
    brand_id = "c"
"#;

async fn import(sandbox: &Sandbox, merchant: &Credentials, brand: &str, card: &str, code: &str) -> Received {
    let mut body = body(sandbox, code, "13800138000");
    body["brand_id"] = brand.into();
    body["card_id"] = card.into();
    let mut request = Request::new(sandbox, body);
    request.sign_as(merchant, NOW);
    request.answer(sandbox).await
}

#[tokio::test]
async fn each_merchant_acts_for_its_own_brands() {
    let sandbox = sandbox(TWO).await;
    let [first, second, expired] = sandbox.merchants() else {
        panic!("three merchants");
    };
    assert_eq!((&*first.card_id, &*second.card_id), ("card-a", "card-c"));
    assert_eq!(import(&sandbox, first, "a", "card-a", "1").await.status, 200);
    assert_eq!(import(&sandbox, second, "c", "card-c", "1").await.status, 200);
    for (merchant, brand, card, status, code) in [
        (first, "c", "card-c", 403, "NO_AUTH"),
        (second, "a", "card-a", 403, "NO_AUTH"),
        // A template of another brand is none of this one.
        (first, "b", "card-a", 400, "INVALID_REQUEST"),
        (expired, "c", "card-c", 401, "SIGN_ERROR"),
    ] {
        let answer = import(&sandbox, merchant, brand, card, "2").await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{answer:?}"
        );
    }
    assert_eq!(sandbox.journal().pop().unwrap().rule, Some("MERCHANT_EXPIRED"));
    // One merchant's certificate under another one's id.
    let mut crossed = second.clone();
    crossed.mchid = first.mchid.clone();
    let answer = import(&sandbox, &crossed, "a", "card-a", "3").await;
    assert_eq!(answer.status, 401);
    assert_eq!(sandbox.journal().pop().unwrap().rule, Some("MERCHANT_SERIAL"));

    let state = control(&sandbox, "/state").await.json();
    assert_eq!(state["merchants"][0]["brand_ids"], json!(["a", "b"]));
    assert_eq!(state["merchants"].as_array().unwrap().len(), 3);
    assert_eq!(state["members"]["count"], 2);
}

#[tokio::test]
async fn both_modes_work_at_once_and_expired_certificates_in_neither() {
    let sandbox = sandbox(TWO).await;
    let merchant = sandbox.credentials().clone();
    let listed = control(&sandbox, "/platform-certificates").await.json();
    let listed = listed["certificates"].as_array().unwrap().clone();
    assert_eq!(
        listed
            .iter()
            .map(|one| one["is_valid"].clone())
            .collect::<Vec<_>>(),
        [false, true, false]
    );
    let serials: Vec<_> = listed
        .iter()
        .map(|one| one["serial"].as_str().unwrap().to_owned())
        .collect();
    let sealed_for = async |key_id: &str, code: &str, phone: &str| {
        let mut body = body_for(&key_of(&sandbox, key_id), code, phone);
        body["brand_id"] = "a".into();
        body["card_id"] = "card-a".into();
        let mut request = Request::new(&sandbox, body);
        request.set("Wechatpay-Serial", Some(key_id));
        request.sign_as(&merchant, NOW);
        request.answer(&sandbox).await
    };
    for (index, key_id) in ["PUB_KEY_ID_01", &serials[1]].into_iter().enumerate() {
        let answer = sealed_for(key_id, &index.to_string(), &format!("1380013800{index}")).await;
        assert_eq!(answer.header("Wechatpay-Serial"), Some(key_id));
        answer.verify_with(&key_of(&sandbox, key_id)).unwrap();
    }
    for key_id in [&serials[0], &serials[2]] {
        let answer = sealed_for(key_id, "9", "13800138009").await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "PARAM_ERROR"));
        let id = answer.header("Request-ID").unwrap();
        let explained = control(&sandbox, &format!("/requests/{id}")).await.json();
        assert_eq!(explained["facts"]["known"], json!(["PUB_KEY_ID_01", serials[1]]));
    }
    let without = sandbox_without_public_key().await;
    let mut request = Request::new(&without, Value::Null);
    request.set("Wechatpay-Serial", Some(&without.credentials().platform_key_id));
    assert_eq!(request.answer(&without).await.status, 400);
    assert_eq!(
        without.journal().pop().unwrap().rule,
        Some("PLATFORM_SERIAL_UNKNOWN")
    );
}

async fn sandbox_without_public_key() -> Sandbox {
    let text = "[platform]\npublic_key = false\n[[platform.certificates]]\n[[merchants]]\nmchid = \"1\"";
    sandbox(text).await
}

#[tokio::test]
async fn an_unusable_file_is_said_to_be_so_at_the_start() {
    let error = Sandbox::builder()
        .with_identities("missing.toml")
        .start()
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "missing.toml: cannot be read");
}

#[tokio::test]
async fn a_folder_keeps_the_keys_that_the_file_leaves_out() {
    let folder = tempfile::tempdir().unwrap();
    let (file, kept) = (folder.path().join("identities.toml"), folder.path().join("d"));
    let two = TWO.replace("public_key_id = \"PUB_KEY_ID_01\"", "");
    fs::write(&file, &two).unwrap();
    let start = || {
        let builder = Sandbox::builder().with_identities(&file).with_folder(&kept);
        builder.with_clock(Clock::manual(NOW)).start()
    };
    let held = |sandbox: &Sandbox| {
        let merchants = sandbox.merchants().iter();
        let held = merchants.map(|held| {
            (
                held.merchant_key_pem.clone(),
                held.apiv3_key.clone(),
                held.platform_key_id.clone(),
            )
        });
        held.collect::<Vec<_>>()
    };
    let serials = |sandbox: &Sandbox| {
        let certificates = sandbox.platform_certificates().into_iter();
        certificates
            .map(|certificate| certificate.serial)
            .collect::<std::collections::BTreeSet<_>>()
    };
    let first = start().await.unwrap();
    let rotated = first.rotate_platform_certificate().await.unwrap();
    let (keys, before) = (held(&first), serials(&first));
    assert_eq!(before.len(), 4);
    assert!(kept.join("101/wxmember.toml").is_file() && kept.join("102/pub_key.pem").is_file());
    first.shutdown().await;
    let second = start().await.unwrap();
    assert_eq!(held(&second), keys);
    assert_eq!(serials(&second), before);
    let sent = import(&second, &second.merchants()[1], "c", "card-c", "1").await;
    assert_eq!(sent.status, 200, "{sent:?}");
    assert!(second.retire_platform_certificate(&rotated.serial).unwrap());
    second.shutdown().await;
    let third = start().await.unwrap();
    assert!(!serials(&third).contains(&rotated.serial));
    third.shutdown().await;

    // The two kinds of folders are told apart, and a lost half is named.
    let alone = Sandbox::builder().with_folder(&kept).start().await.unwrap_err();
    assert!(
        alone
            .to_string()
            .contains("identities file; give that file as well"),
        "{alone}"
    );
    fs::remove_file(kept.join("101/apiclient_cert.pem")).unwrap();
    let broken = start().await.unwrap_err();
    assert!(
        broken.to_string().contains("101/apiclient_cert.pem: missing"),
        "{broken}"
    );
    let single = folder.path().join("single");
    Sandbox::builder()
        .with_folder(&single)
        .start()
        .await
        .unwrap()
        .shutdown()
        .await;
    let mixed = Sandbox::builder()
        .with_folder(&single)
        .with_identities(&file)
        .start()
        .await
        .unwrap_err();
    assert!(mixed.to_string().contains("name another folder"), "{mixed}");
    fs::write(&file, two.replace("\"101\"", "\"../101\"")).unwrap();
    let outside = start().await.unwrap_err();
    assert!(
        outside
            .to_string()
            .contains("merchants[0]: its `mchid` names a folder"),
        "{outside}"
    );
}

#[tokio::test]
async fn policies_come_from_the_file_and_a_flag_wins() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("identities.toml");
    fs::write(
        &file,
        format!("{TWO}\n[policies]\nsecond_card = \"allow\"\ntaken-code = \"invalid-request\"\n"),
    )
    .unwrap();
    let builder = Sandbox::builder()
        .with_identities(&file)
        .with_policy("taken-code=already-exists".parse().unwrap())
        .with_clock(Clock::manual(NOW));
    let sandbox = builder.start().await.unwrap();
    let answer = control(&sandbox, "/policies").await.json();
    assert_eq!(answer["policies"]["second-card"], "allow");
    assert_eq!(answer["policies"]["taken-code"], "already-exists");
    let merchant = &sandbox.merchants()[0];
    for code in ["1", "2"] {
        assert_eq!(import(&sandbox, merchant, "a", "card-a", code).await.status, 200);
    }
}

#[tokio::test]
async fn the_brands_own_scheme_and_paths_are_refused_with_the_reason() {
    let sandbox = sandbox(TWO).await;
    let mut request = Request::get(&sandbox, "/v3/certificates");
    let value = request
        .header("Authorization")
        .replace("WECHATPAY2", "WECHATPAY-BRAND");
    request.set("Authorization", Some(&value));
    let other = Request::get(&sandbox, "/brand/card-member/cards?limit=1");
    for (request, status, rule) in [
        (request, 401, "AUTHORIZATION_SCHEME"),
        (other, 404, "UNKNOWN_PATH"),
    ] {
        let answer = request.answer(&sandbox).await;
        assert_eq!(answer.status, status);
        let id = answer.header("Request-ID").unwrap();
        let explained = control(&sandbox, &format!("/requests/{id}")).await.json();
        assert_eq!(explained["rule"], rule);
        let hint = explained["facts"]["hint"]["en"].as_str().unwrap();
        assert!(hint.contains("not in the API document"), "{hint}");
    }
}

#[tokio::test]
async fn what_is_not_valid_yet_stays_so_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (file, kept) = (folder.path().join("identities.toml"), folder.path().join("d"));
    let text = "[[merchants]]\nmchid = \"1\"\n[[merchants]]\nmchid = \"2\"\nstate = \"not_yet_valid\"\n";
    fs::write(&file, text).unwrap();
    let year = 365 * 86_400;
    for now in [NOW, NOW + 2 * 86_400, NOW + 3 * year] {
        let builder = Sandbox::builder().with_identities(&file).with_folder(&kept);
        let sandbox = builder.with_clock(Clock::manual(now)).start().await.unwrap();
        let merchant = &sandbox.merchants()[1];
        let mut request = Request::get(&sandbox, "/v3/certificates");
        request.sign_as(merchant, now);
        assert_eq!(request.answer(&sandbox).await.status, 401);
        assert_eq!(
            sandbox.journal().pop().unwrap().rule,
            Some("MERCHANT_EXPIRED"),
            "{now}"
        );
        sandbox.shutdown().await;
    }
}

#[tokio::test]
async fn a_profile_is_written_for_whom_the_folder_keeps_every_key() {
    let folder = tempfile::tempdir().unwrap();
    let (file, kept) = (folder.path().join("identities.toml"), folder.path().join("d"));
    let start = async |text: &str| {
        fs::write(&file, text).unwrap();
        let builder = Sandbox::builder().with_identities(&file).with_folder(&kept);
        builder.with_clock(Clock::manual(NOW)).start().await.unwrap()
    };
    let card = "brands = [\"b\"]\n[[templates]]\ncard_id = \"c\"\nbrand_id = \"b\"\n";
    let sandbox = start(&format!(
        "[[merchants]]\nmchid = \"2\"\n[[merchants]]\nmchid = \"1\"\n{card}"
    ))
    .await;
    let profile = kept.join("1/wxmember.toml");
    // The first merchant has no card, and its profile says so.
    assert_eq!(sandbox.profile(), Some(profile.as_path()));
    let other = fs::read_to_string(kept.join("2/wxmember.toml")).unwrap();
    assert!(
        other.contains("# Not complete: ") && !other.contains("card_id ="),
        "{other}"
    );
    fs::copy(kept.join("1/apiclient_cert.pem"), folder.path().join("cert.pem")).unwrap();
    sandbox.shutdown().await;
    // The files of before are still there, and none of them is what the merchant signs with now.
    for own in ["certificates = [\"cert.pem\"]", "state = \"expired\""] {
        let text = format!("[[merchants]]\nmchid = \"1\"\n{own}\n{card}[[merchants]]\nmchid = \"2\"\n");
        let sandbox = start(&text).await;
        assert_eq!(sandbox.profile(), None, "{own}");
        assert!(
            !profile.exists() && kept.join("2/wxmember.toml").is_file(),
            "{own}"
        );
        sandbox.shutdown().await;
    }
    // Nor does one stay of a merchant who is not in the file any more, but for what somebody wrote himself.
    fs::write(&profile, "# My own.\n").unwrap();
    start("[[merchants]]\nmchid = \"3\"\n").await.shutdown().await;
    assert!(profile.is_file() && !kept.join("2/wxmember.toml").exists());
    assert!(kept.join("2/apiclient_key.pem").is_file() && kept.join("3/wxmember.toml").is_file());
    let mine = "[[merchants]]\nmchid = \"1\"\n";
    fs::write(&file, mine).unwrap();
    let builder = Sandbox::builder().with_identities(&file).with_folder(&kept);
    let refused = builder.with_clock(Clock::manual(NOW)).start().await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("1/wxmember.toml: not written by the sandbox"),
        "{refused}"
    );
    assert_eq!(fs::read_to_string(&profile).unwrap(), "# My own.\n");
}

#[tokio::test]
async fn without_the_public_key_a_profile_names_none() {
    let folder = tempfile::tempdir().unwrap();
    let (file, kept) = (folder.path().join("identities.toml"), folder.path().join("d"));
    fs::write(
        &file,
        "[platform]\npublic_key = false\n[[platform.certificates]]\n[[merchants]]\nmchid = \"1\"\nbrands = [\"b\"]\n\
         [[templates]]\ncard_id = \"c\"\nbrand_id = \"b\"",
    )
    .unwrap();
    for _ in 0..2 {
        let builder = Sandbox::builder().with_identities(&file).with_folder(&kept);
        let sandbox = builder.with_clock(Clock::manual(NOW)).start().await.unwrap();
        let text = fs::read_to_string(sandbox.profile().unwrap()).unwrap();
        assert!(
            !text.contains("platform_key") && text.contains("apiv3_key_file"),
            "{text}"
        );
        assert!(!kept.join("1/pub_key.pem").exists());
        let settings = fs::read_to_string(kept.join("sandbox.json")).unwrap();
        assert!(!settings.contains("platform_key_id"), "{settings}");
        sandbox.shutdown().await;
    }
}
