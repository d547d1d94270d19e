//! Members from a program's own list, not from a file: an import with the library, against a sandbox in this process.
//!
//!     cargo run --example import_from_iterator

#![expect(clippy::print_stdout, reason = "an example shows its outcome")]

use std::{error::Error, sync::Arc};

use tokio_util::sync::CancellationToken;
use wxmember::{Client, Merchant, MerchantKey, PlatformKey, Trust};
use wxmember_import::{
    Defaults, Importer, IterSource, Ledger, Profile, RowState, Settings, Validity, WechatGateway,
};
use wxmember_sandbox::Sandbox;

/// A customer, as the program knows them.
struct Customer {
    mobile: &'static str,
    number: u32,
    joined_on: &'static str,
}

const CUSTOMERS: [Customer; 4] = [
    Customer {
        mobile: "13800138000",
        number: 1001,
        joined_on: "2023-04-05",
    },
    Customer {
        mobile: "13800138001",
        number: 1002,
        joined_on: "2023-06-07",
    },
    Customer {
        mobile: "0571-8888",
        number: 1003,
        joined_on: "2023-08-09",
    },
    Customer {
        mobile: "13800138003",
        number: 1004,
        joined_on: "2024-01-02",
    },
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let sandbox = Sandbox::start().await?;
    let credentials = sandbox.credentials();
    let profile = Profile::new(
        &credentials.mchid,
        &credentials.brand_id,
        &credentials.card_id,
        sandbox.base_url(),
    );
    let settings = Settings::new(profile)
        .with_defaults(Defaults::default().with_validity(Validity::Permanent))
        .with_quota("5/s".parse()?);
    let folder = tempfile::tempdir()?;
    let ledger = Ledger::open(folder.path().join("ledger.db"))?;
    let importer = Importer::new(WechatGateway::new(client(&sandbox)?), ledger, settings);

    // Asked for each time the list is read, and streamed: a query would be made here. An error of it ends the load.
    let source = Arc::new(IterSource::new(
        "customers",
        ["mobile", "member number", "joined on"],
        || {
            Ok(CUSTOMERS.iter().map(|customer| {
                Ok(vec![
                    customer.mobile.to_owned(),
                    customer.number.to_string(),
                    customer.joined_on.to_owned(),
                ])
            }))
        },
    ));
    let cancel = CancellationToken::new();
    let job = importer.load(source.clone(), &cancel).await?;
    let summary = importer.run(&job, &cancel).await?;
    println!(
        "{} rows: {} imported, {} refused, {} unknown, {} requests",
        summary.rows, summary.imported, summary.refused, summary.unknown, summary.sent
    );
    for row in importer.rows(&job, RowState::Refused, 0, 100).await? {
        println!("row {}: {} {}", row.row, row.code, row.message);
    }

    // The same list is the same job: what is done is not sent again, also by another process or after a crash.
    let job = importer.load(source, &cancel).await?;
    let summary = importer.run(&job, &cancel).await?;
    println!("the same again sends {} requests", summary.sent);
    sandbox.shutdown().await;
    Ok(())
}

fn client(sandbox: &Sandbox) -> Result<Client, Box<dyn Error + Send + Sync>> {
    let credentials = sandbox.credentials();
    let key = MerchantKey::from_pem(&credentials.merchant_key_pem)?;
    let platform = PlatformKey::from_pem(&credentials.platform_key_pem)?;
    let client = Client::builder()
        .merchant(Merchant::new(
            &credentials.mchid,
            &credentials.merchant_serial,
            key,
        )?)
        .trust(Trust::public_key(&credentials.platform_key_id, platform)?)
        .with_base_url(sandbox.base_url())
        .build()?;
    Ok(client)
}
