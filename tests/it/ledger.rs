//! A whole import into a ledger in PostgreSQL, and what can be read in the database afterwards.

use std::{fs, sync::Arc};

use tokio_util::sync::CancellationToken;
use wxmember_import::{CsvFile, Defaults, Importer, Ledger, Profile, Settings, Validity, WechatGateway};
use wxmember_tests::{Postgres, client, sandbox};

/// A dump writes bytes as hexadecimal digits, so a marker is looked for in both ways.
#[track_caller]
fn check_absent(dump: &str, marker: &str) {
    let hex: String = marker.bytes().map(|byte| format!("{byte:02x}")).collect();
    assert!(
        !dump.contains(marker) && !dump.contains(&hex),
        "`{marker}` is in the dump"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_holds_no_personal_field_in_clear_and_after_a_purge_no_code() {
    let (sandbox, server) = (sandbox().await, Postgres::start());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("members.csv");
    // Two good members, one that breaks a rule, one that repeats another.
    fs::write(
        &file,
        "手机号,会员卡号,姓名,地址,领取时间\n\
         13800138001,MARKERCODE1,MARKERNAME,MARKERSTREET,2024-01-31\n\
         13800138002,MARKERCODE2,MARKERNAME,MARKERSTREET,2024-01-31\n\
         MARKERPHONE,MARKERCODE3,MARKERNAME,MARKERSTREET,2024-01-31\n\
         13800138001,MARKERCODE4,MARKERNAME,MARKERSTREET,2024-01-31\n",
    )
    .unwrap();
    let credentials = sandbox.credentials();
    let profile = Profile::new(
        &credentials.mchid,
        &credentials.brand_id,
        &credentials.card_id,
        "sandbox",
    );
    let settings =
        Settings::new(profile).with_defaults(Defaults::default().with_validity(Validity::Permanent));
    let key = folder.path().join("ledger.key");
    let ledger = Ledger::connect(&server.url("postgres"), &key).await.unwrap();
    let importer = Importer::new(WechatGateway::new(client(&sandbox)), ledger.clone(), settings);
    let cancel = CancellationToken::new();
    let job = importer
        .load(Arc::new(CsvFile::new(&file)), &cancel)
        .await
        .unwrap();
    let summary = importer.run(&job, &cancel).await.unwrap();
    assert_eq!((summary.imported, summary.refused), (2, 2), "{summary:?}");
    assert_eq!(sandbox.members().len(), 2);

    let dump = server.dump("postgres");
    // The codes travel in clear, and a packed request begins with the byte 1: the dump has the rows and the requests.
    assert!(dump.contains("MARKERCODE1") && dump.contains("\\\\x01"));
    for marker in [
        "13800138001",
        "13800138002",
        "MARKERNAME",
        "MARKERSTREET",
        "MARKERPHONE",
    ] {
        check_absent(&dump, marker);
    }
    let key: String = fs::read(&key)
        .unwrap()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(!dump.contains(&key));

    let purged = ledger.purge(job.id(), false).await.unwrap();
    assert_eq!(purged.requests, 2);
    let dump = server.dump("postgres");
    check_absent(&dump, "MARKERCODE");
    assert!(dump.contains("ROW_DUPLICATE_PHONE_NUMBER"));
    sandbox.shutdown().await;
}
