//! The importer over the SDK against a sandbox that misbehaves: every row reaches a known end.

use std::{fs, path::Path, sync::Arc};

use tokio_util::sync::CancellationToken;
use wxmember::{ApiV3Key, Client, Merchant, MerchantKey, PlatformKey, Trust};
use wxmember_import::{
    CsvFile, Defaults, Importer, Ledger, LoadError, Profile, Settings, Summary, Validity, WechatGateway,
};
use wxmember_sandbox::{Fault, Sandbox};
use wxmember_tests::{client, sandbox};

/// Imports a list of so many rows, without a probe, in five attempts a row.
pub(crate) async fn import(sandbox: &Sandbox, folder: &Path, rows: usize) -> Summary {
    import_by(client(sandbox), sandbox, folder, rows, 5).await
}

async fn import_by(client: Client, sandbox: &Sandbox, folder: &Path, rows: usize, attempts: u32) -> Summary {
    let file = folder.join("members.csv");
    let lines = (0..rows).map(|row| format!("1380013{row:04},K{row:04},2024-01-31\n"));
    fs::write(
        &file,
        "手机号,会员卡号,领取时间\n".to_owned() + &lines.collect::<String>(),
    )
    .unwrap();
    let credentials = sandbox.credentials();
    let profile = Profile::new(
        &credentials.mchid,
        &credentials.brand_id,
        &credentials.card_id,
        "sandbox",
    );
    let settings = Settings::new(profile)
        .with_defaults(Defaults::default().with_validity(Validity::Permanent))
        .with_probe(false)
        .with_attempts(attempts.try_into().unwrap())
        .with_concurrency(4.try_into().unwrap());
    let ledger = Ledger::open(folder.join("ledger.db")).unwrap();
    let importer = Importer::new(WechatGateway::new(client), ledger, settings);
    let cancel = CancellationToken::new();
    let job = importer
        .load(Arc::new(CsvFile::new(&file)), &cancel)
        .await
        .unwrap();
    importer.run(&job, &cancel).await.unwrap()
}

/// A client for any address, with any platform key under any id.
fn client_with(sandbox: &Sandbox, base_url: String, platform_key_id: &str, platform_key_pem: &str) -> Client {
    let credentials = sandbox.credentials();
    let key = MerchantKey::from_pem(&credentials.merchant_key_pem).unwrap();
    let platform = PlatformKey::from_pem(platform_key_pem).unwrap();
    Client::builder()
        .merchant(Merchant::new(&credentials.mchid, &credentials.merchant_serial, key).unwrap())
        .trust(Trust::public_key(platform_key_id, platform).unwrap())
        .with_base_url(base_url)
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn lost_answers_and_probes_end_as_imported_once() {
    let (sandbox, folder) = (sandbox().await, tempfile::tempdir().unwrap());
    for fault in [
        Fault::LostAnswer,
        Fault::SignatureProbe,
        Fault::SystemError,
        Fault::RateLimited,
        Fault::BadGateway,
    ] {
        sandbox.fault(fault, 2);
    }
    let summary = import(&sandbox, folder.path(), 40).await;
    assert_eq!(
        (summary.rows, summary.imported + summary.present),
        (40, 40),
        "{summary:?}"
    );
    assert_eq!((summary.refused, summary.unknown, summary.queued), (0, 0, 0));
    assert!(summary.sent >= 50, "{summary:?}");
    assert_eq!(sandbox.members().len(), 40);
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_stays_unknown_is_kept_and_found_out_by_the_next_run() {
    let (sandbox, folder) = (sandbox().await, tempfile::tempdir().unwrap());
    sandbox.fault(Fault::WrongSignature, 5);
    let summary = import(&sandbox, folder.path(), 1).await;
    assert_eq!(
        (summary.rows, summary.unknown, summary.sent),
        (1, 1, 5),
        "{summary:?}"
    );
    assert_eq!(sandbox.members().len(), 1);
    let summary = import(&sandbox, folder.path(), 1).await;
    assert_eq!(
        (summary.imported + summary.present, summary.unknown),
        (1, 0),
        "{summary:?}"
    );
    assert_eq!(sandbox.members().len(), 1);
    sandbox.shutdown().await;
}

/// A wrong clock must not burn the list: the run stops, the rows wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_401_stops_the_run_and_leaves_the_rows_queued() {
    let (sandbox, folder) = (sandbox().await, tempfile::tempdir().unwrap());
    sandbox.clock().set_shift(-600).unwrap();
    let summary = import(&sandbox, folder.path(), 40).await;
    assert_eq!(
        (summary.rows, summary.queued, summary.refused),
        (40, 40, 0),
        "{summary:?}"
    );
    assert!(summary.sent <= 8, "{summary:?}");
    assert_eq!(summary.stopped.as_ref().unwrap().code, "SIGN_ERROR");
    sandbox.clock().set_shift(0).unwrap();
    let summary = import(&sandbox, folder.path(), 40).await;
    assert_eq!((summary.imported, summary.queued), (40, 0), "{summary:?}");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_404_stops_the_run_with_the_reason() {
    let (sandbox, folder) = (sandbox().await, tempfile::tempdir().unwrap());
    sandbox.fault(Fault::EmptyNotFound, 4);
    let summary = import(&sandbox, folder.path(), 20).await;
    assert_eq!(summary.stopped.as_ref().unwrap().code, "NOT_FOUND");
    assert!(summary.queued >= 16 && summary.refused == 0, "{summary:?}");
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_leaves_the_rows_queued() {
    let (sandbox, folder) = (sandbox().await, tempfile::tempdir().unwrap());
    let other = wxmember_tests::sandbox().await;
    let address = other.base_url();
    other.shutdown().await;
    let credentials = sandbox.credentials();
    let nobody = client_with(
        &sandbox,
        address,
        &credentials.platform_key_id,
        &credentials.platform_key_pem,
    );
    let summary = import_by(nobody, &sandbox, folder.path(), 1, 2).await;
    assert_eq!(
        (summary.rows, summary.queued, summary.unknown),
        (1, 1, 0),
        "{summary:?}"
    );
    sandbox.shutdown().await;
}

/// A wrong platform key is the profile's fault and not the rows'.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_platform_key_stops_the_run_and_leaves_the_rows_queued() {
    let sandbox = sandbox().await;
    let credentials = sandbox.credentials();
    // The second key is a public key that the platform does not hold the private half of.
    let others = MerchantKey::from_pem(include_str!("../vectors/test_brand_key.pem")).unwrap();
    for (id, pem) in [
        (
            "PUB_KEY_ID_0119000001092026113000000000000099",
            credentials.platform_key_pem.clone(),
        ),
        (credentials.platform_key_id.as_str(), others.public_key().to_pem()),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let client = client_with(&sandbox, sandbox.base_url(), id, &pem);
        let summary = import_by(client, &sandbox, folder.path(), 20, 2).await;
        assert_eq!((summary.queued, summary.refused), (20, 0), "{summary:?}");
        let stop = summary.stopped.unwrap();
        assert_eq!(stop.code, "PARAM_ERROR");
        assert!(stop.hint.unwrap().text().contains("platform_key"));
    }
    assert!(sandbox.members().is_empty());
    sandbox.shutdown().await;
}

/// A merchant in certificate mode names no platform key; the certificates are downloaded before the first row is sealed.
#[tokio::test(flavor = "multi_thread")]
async fn rows_are_sealed_with_a_downloaded_certificate() {
    let certified = Sandbox::builder()
        .with_identity(wxmember_tests::identity().unwrap())
        .with_platform_certificates(1)
        .start()
        .await
        .unwrap();
    let bare = sandbox().await;
    let client = |sandbox: &Sandbox| {
        let credentials = sandbox.credentials();
        let key = MerchantKey::from_pem(&credentials.merchant_key_pem).unwrap();
        let apiv3_key = ApiV3Key::new(&credentials.apiv3_key).unwrap();
        Client::builder()
            .merchant(Merchant::new(&credentials.mchid, &credentials.merchant_serial, key).unwrap())
            .trust(Trust::downloaded_certificates(apiv3_key))
            .with_base_url(sandbox.base_url())
            .build()
            .unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let summary = import_by(client(&certified), &certified, folder.path(), 10, 2).await;
    assert_eq!((summary.imported, summary.refused), (10, 0), "{summary:?}");

    // Without any key the rows are not blamed: nothing is loaded, and the same again starts anew.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("members.csv");
    fs::write(&file, "手机号,会员卡号,领取时间\n13800130000,K1,2024-01-31\n").unwrap();
    let profile = Profile::new("1900000109", "1004", "pbLatjvWOibDc5-TBnbUk1pD12o0", "sandbox");
    let settings =
        Settings::new(profile).with_defaults(Defaults::default().with_validity(Validity::Permanent));
    let ledger = Ledger::open(folder.path().join("ledger.db")).unwrap();
    let importer = Importer::new(WechatGateway::new(client(&bare)), ledger, settings);
    let error = importer
        .load(Arc::new(CsvFile::new(&file)), &CancellationToken::new())
        .await
        .unwrap_err();
    let LoadError::NotReady(stop) = error else {
        panic!("{error}");
    };
    assert!(stop.hint.unwrap().text().contains("platform_key_id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_stops_the_run_and_is_named() {
    let sandbox = sandbox().await;
    sandbox.clock().set_shift(600).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let summary = import(&sandbox, folder.path(), 3).await;
    assert_eq!((summary.queued, summary.refused), (3, 0), "{summary:?}");
    let hint = summary.stopped.unwrap().hint.unwrap();
    assert!(hint.text().contains("s behind the platform's"), "{hint:?}");
}
