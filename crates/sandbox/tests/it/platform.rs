//! The platform's keys side by side: which one signs, what opens, certificates as they are downloaded, rotation.

use serde_json::{Value, json};
use wxmember_crypto::{ApiV3Key, Certificate, KeyId, PlatformKey, party::Platform};
use wxmember_sandbox::{Fault, NoCertificates, PlatformCertificate, Policies, PublicKeyError, Sandbox};

use crate::client::{PATH, Received, Request, body_for, builder, decoded, key_of, sandbox};

const CERTIFICATES: &str = "/v3/certificates";

/// Asks for the certificates, naming no key.
async fn download(sandbox: &Sandbox) -> Received {
    let mut request = Request::get(sandbox, CERTIFICATES);
    request.set("Wechatpay-Serial", None);
    request.answer(sandbox).await
}

/// The certificates of an answer, opened, by serial number.
fn opened(sandbox: &Sandbox, answer: &Received) -> Vec<(String, Certificate<Platform>)> {
    let key = ApiV3Key::new(&sandbox.credentials().apiv3_key).unwrap();
    let data = answer.json()["data"].take();
    let data = data.as_array().unwrap().iter().map(|listed| {
        let sealed = &listed["encrypt_certificate"];
        assert_eq!(sealed["algorithm"], "AEAD_AES_256_GCM");
        let text = |name: &str| sealed[name].as_str().unwrap().as_bytes();
        let ciphertext = decoded(sealed["ciphertext"].as_str().unwrap());
        let pem = key
            .open(text("nonce"), text("associated_data"), &ciphertext)
            .unwrap();
        let certificate = Certificate::from_pem(std::str::from_utf8(&pem).unwrap()).unwrap();
        assert_eq!(certificate.serial().as_str(), listed["serial_no"]);
        (certificate.serial().as_str().to_owned(), certificate)
    });
    data.collect()
}

/// Imports a member sealed with a key of the platform, and returns the answer.
async fn import_with(sandbox: &Sandbox, key_id: &str, code: &str, phone: &str) -> Received {
    let body = body_for(&key_of(sandbox, key_id), code, phone);
    let mut request = Request::new(sandbox, body);
    request.set("Wechatpay-Serial", Some(key_id));
    request.answer(sandbox).await
}

fn serials(sandbox: &Sandbox) -> Vec<String> {
    let certificates = sandbox.platform_certificates();
    certificates
        .into_iter()
        .map(|certificate| certificate.serial)
        .collect()
}

#[tokio::test]
async fn certificates_are_downloaded_encrypted_and_verify_themselves() {
    let sandbox = builder().with_platform_certificates(2).start().await.unwrap();
    let answer = download(&sandbox).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let opened = opened(&sandbox, &answer);
    let listed: Vec<_> = opened.iter().map(|(serial, _)| serial.clone()).collect();
    assert_eq!(listed, serials(&sandbox));
    assert!(opened[0].1.not_before() < opened[1].1.not_before());
    // The newest one signs, and it is among those that came.
    let signed_by = answer.header("Wechatpay-Serial").unwrap();
    assert_eq!(signed_by, listed[1]);
    answer.verify_with(opened[1].1.public_key()).unwrap();
    assert_eq!(sandbox.certificate_downloads(), 1);
}

#[tokio::test]
async fn the_query_chooses_the_algorithm_and_nothing_else() {
    let sandbox = builder().with_platform_certificates(1).start().await.unwrap();
    for (query, status) in [
        ("?algorithm_type=RSA", 200),
        ("?algorithm_type=ALL", 200),
        ("?algorithm_type=SM2", 404),
        ("?algorithm_type=DSA", 400),
        ("?algorithm=RSA", 400),
    ] {
        let request = Request::get(&sandbox, &format!("{CERTIFICATES}{query}"));
        assert_eq!(request.answer(&sandbox).await.status, status, "{query}");
    }
    let answer = Request::get(&sandbox, "/v3/certificates?algorithm=RSA")
        .answer(&sandbox)
        .await;
    let expected = json!({"field": "algorithm", "issue": "未知参数", "location": "query"});
    assert_eq!(answer.json()["detail"], expected);
}

#[tokio::test]
async fn a_merchant_with_the_public_key_alone_has_no_certificates() {
    for (policy, code) in [
        (NoCertificates::default(), "RESOURCE_NOT_EXISTS"),
        (NoCertificates::NotFound, "NOT_FOUND"),
    ] {
        let mut policies = Policies::default();
        policies.no_certificates = policy;
        let sandbox = builder().with_policies(policies).start().await.unwrap();
        let answer = download(&sandbox).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, code));
    }
}

#[tokio::test]
async fn the_request_names_the_mode_of_the_answer() {
    let sandbox = builder().with_platform_certificates(2).start().await.unwrap();
    let [old, new] = &serials(&sandbox)[..] else {
        panic!("not two certificates");
    };
    let public_key = sandbox.credentials().platform_key_id.clone();
    for (index, (named, signs)) in [(&public_key, &public_key), (old, new), (new, new)]
        .into_iter()
        .enumerate()
    {
        let phone = format!("1380013800{index}");
        let answer = import_with(&sandbox, named, &index.to_string(), &phone).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("Wechatpay-Serial"), Some(signs.as_str()));
        answer.verify_with(&key_of(&sandbox, signs)).unwrap();
    }
}

#[tokio::test]
async fn a_rotated_certificate_signs_while_the_old_one_opens_until_it_is_retired() {
    let sandbox = builder().without_platform_public_key().start().await.unwrap();
    let old = serials(&sandbox).remove(0);
    let answer = import_with(&sandbox, &old, "1", "13800138001").await;
    assert_eq!(answer.header("Wechatpay-Serial"), Some(old.as_str()));

    let PlatformCertificate { serial: new, .. } = sandbox.rotate_platform_certificate().await.unwrap();
    assert_eq!(serials(&sandbox), [old.clone(), new.clone()]);
    let answer = import_with(&sandbox, &old, "2", "13800138002").await;
    assert_eq!(answer.header("Wechatpay-Serial"), Some(new.as_str()));

    // Sealed for one key and named as another: nothing opens.
    let body = body_for(&key_of(&sandbox, &old), "3", "13800138003");
    let mut request = Request::new(&sandbox, body);
    request.set("Wechatpay-Serial", Some(&new));
    let answer = request.answer(&sandbox).await;
    assert_eq!(answer.json()["message"], "平台私钥解密失败");

    let old_key = key_of(&sandbox, &old);
    assert!(sandbox.retire_platform_certificate(&old).unwrap());
    assert!(!sandbox.retire_platform_certificate(&old).unwrap());
    let mut request = Request::new(&sandbox, body_for(&old_key, "4", "13800138004"));
    request.set("Wechatpay-Serial", Some(&old));
    let answer = request.answer(&sandbox).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "PARAM_ERROR"));
    assert_eq!(answer.json()["message"], "平台证书序列号Wechatpay-Serial错误");

    // A merchant who knows the retired one alone still gets the new one.
    let mut request = Request::get(&sandbox, CERTIFICATES);
    request.set("Wechatpay-Serial", Some(&old));
    let answer = request.answer(&sandbox).await;
    assert_eq!(answer.status, 200);
    assert_eq!(opened(&sandbox, &answer)[0].0, new);
    assert_eq!(sandbox.members().len(), 2);
}

#[tokio::test]
async fn without_the_public_key_nothing_is_sealed_or_signed_with_it() {
    let sandbox = builder().without_platform_public_key().start().await.unwrap();
    let public_key = sandbox.credentials().platform_key_id.clone();
    let body = body_for(&crate::client::platform_key(&sandbox), "1", "13800138000");
    let mut request = Request::new(&sandbox, body);
    request.set("Wechatpay-Serial", Some(&public_key));
    assert_eq!(request.answer(&sandbox).await.status, 400);
    assert_ne!(
        download(&sandbox).await.header("Wechatpay-Serial"),
        Some(&*public_key)
    );
}

#[tokio::test]
async fn a_folder_keeps_the_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let start = |count| {
        Sandbox::builder()
            .with_folder(folder.path())
            .with_clock(wxmember_sandbox::Clock::manual(crate::client::NOW))
            .with_platform_certificates(count)
            .start()
    };
    let first = start(1).await.unwrap();
    let rotated = first.rotate_platform_certificate().await.unwrap();
    let kept = serials(&first);
    assert_eq!(kept[1], rotated.serial);
    let file = folder.path().join(format!("wechatpay_{}.pem", rotated.serial));
    assert_eq!(std::fs::read_to_string(file).unwrap(), rotated.pem);

    let second = start(2).await.unwrap();
    assert_eq!(serials(&second), kept);
    assert!(second.retire_platform_certificate(&kept[0]).unwrap());
    let third = start(0).await.unwrap();
    assert_eq!(serials(&third), kept[1..]);
}

#[tokio::test]
async fn downloads_are_counted_and_can_fail_alone() {
    let sandbox = builder().with_platform_certificates(1).start().await.unwrap();
    sandbox
        .fault_on("list_certificates", Fault::SystemError, 1)
        .unwrap();
    let answer = crate::client::import(&sandbox, "1", "13800138000").await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(download(&sandbox).await.status, 500);
    assert_eq!(download(&sandbox).await.status, 200);
    assert_eq!(sandbox.certificate_downloads(), 2);
}

#[tokio::test]
async fn the_journal_holds_every_attempt_and_no_body() {
    let sandbox = sandbox().await;
    let good = Request::new(&sandbox, crate::client::body(&sandbox, "1", "13800138000"));
    let answer = good.answer(&sandbox).await;
    let replayed = good.answer(&sandbox).await;
    sandbox.fault(Fault::LostAnswer, 1);
    crate::client::import(&sandbox, "1", "13800138000").await;
    Request::get(&sandbox, "/v3/nothing?a=b").answer(&sandbox).await;

    let journal = sandbox.journal();
    let numbers: Vec<_> = journal.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    let first = &journal[0];
    assert_eq!(first.operation.as_deref(), Some("import_by_phone"));
    assert_eq!((first.method.as_str(), first.target.as_str()), ("POST", PATH));
    assert_eq!((first.status, first.rule, first.fault), (Some(200), None, None));
    assert_eq!(first.request_id.as_deref(), answer.header("Request-ID"));
    assert_eq!(first.timestamp, Some(crate::client::NOW));
    let serial = &sandbox.credentials().platform_key_id;
    assert_eq!(first.platform_serial.as_ref(), Some(serial));
    assert_eq!(journal[1].nonce, first.nonce);
    assert_eq!(
        (journal[1].status, journal[1].rule),
        (Some(401), Some("NONCE_REPLAYED"))
    );
    assert_eq!(journal[1].request_id.as_deref(), replayed.header("Request-ID"));
    assert_ne!(journal[2].nonce, first.nonce);
    assert_eq!(
        (journal[2].status, journal[2].fault),
        (None, Some(Fault::LostAnswer))
    );
    assert_eq!(journal[3].target, "/v3/nothing?a=b");
    assert_eq!(
        (journal[3].operation.clone(), journal[3].rule),
        (None, Some("UNKNOWN_PATH"))
    );
    let shown = format!("{journal:?}");
    assert!(!shown.contains("13800138000") && !shown.contains("phone_number"));
    let shown: Value = crate::client::control(&sandbox, "/journal").await.json();
    assert_eq!(shown["requests"][1]["rule"], "NONCE_REPLAYED");
    assert_eq!(
        KeyId::new(shown["requests"][0]["platform_serial"].as_str().unwrap()).as_str(),
        serial
    );
}

#[tokio::test]
async fn a_public_key_is_rotated_by_command_and_the_older_one_opens_until_it_is_retired() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = builder().with_folder(folder.path()).start().await.unwrap();
    let old = sandbox.credentials().platform_key_id.clone();
    let new = sandbox.rotate_platform_public_key().await.unwrap();
    assert_eq!(sandbox.platform_public_key().unwrap().id, new.id);
    // Sealed for the old one, answered with the new one.
    let answer = crate::client::import(&sandbox, "1", "13800138000").await.unwrap();
    assert_eq!(answer.header("Wechatpay-Serial"), Some(&*new.id));
    answer
        .verify_with(&PlatformKey::from_pem(&new.pem).unwrap())
        .unwrap();
    let current = sandbox.retire_platform_public_key(&new.id);
    assert!(matches!(current, Err(PublicKeyError::Current)));
    sandbox.retire_platform_public_key(&old).unwrap();
    let refused = crate::client::import(&sandbox, "2", "13900139000").await.unwrap();
    assert_eq!(refused.status, 400);
    assert_eq!(sandbox.journal()[1].rule, Some("PLATFORM_SERIAL_UNKNOWN"));
    sandbox.shutdown().await;
    // The folder is as it was.
    let again = builder().with_folder(folder.path()).start().await.unwrap();
    assert_eq!(again.platform_public_key().unwrap().id, old);

    let sandbox = builder().without_platform_public_key().start().await.unwrap();
    let none = sandbox.rotate_platform_public_key().await;
    assert!(matches!(none, Err(PublicKeyError::NoPublicKey)));
    let none = sandbox.retire_platform_public_key(&old);
    assert!(matches!(none, Err(PublicKeyError::NoPublicKey)));
}
