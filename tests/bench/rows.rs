//! Rows through the importer, with what they cost.

use std::{path::Path, sync::Arc};

use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wxmember_import::{CsvFile, Defaults, Importer, Ledger, Profile, Settings, Validity, WechatGateway};

use crate::{
    cost::{cpu, ledger_bytes, moment, peak_memory},
    platform::Account,
};

/// Loads a file. The ledger is closed before its size is taken.
pub(crate) async fn load(file: &Path, ledger_path: &Path) -> Result<Value, String> {
    let account = Account::of_tests("http://127.0.0.1:9")?;
    let gateway = WechatGateway::new(account.client.clone());
    let ledger = Ledger::open(ledger_path).map_err(|error| error.to_string())?;
    let importer = Importer::new(gateway, ledger, settings(&account));
    account.warm_up()?;
    let (cpu_before, began_at) = (cpu()?, moment());
    let job = importer
        .load(Arc::new(CsvFile::new(file)), &CancellationToken::new())
        .await
        .map_err(|error| error.to_string())?;
    let (ended_at, cpu_after) = (moment(), cpu()?);
    let progress = *importer.progress().borrow();
    drop(importer);
    Ok(json!({
        "rows": job.rows(),
        "refused": progress.refused,
        "began_at": began_at,
        "ended_at": ended_at,
        "cpu_seconds": cpu_after.own - cpu_before.own,
        "peak_bytes": peak_memory("self"),
        "ledger_bytes": ledger_bytes(ledger_path),
    }))
}

/// Loads a file and sends everything.
pub(crate) async fn import(file: &Path, ledger: &Path, folder: &Path) -> Result<Value, String> {
    let account = Account::of_folder(folder)?;
    let gateway = WechatGateway::new(account.client.clone());
    let settings = settings(&account);
    let settings = settings.with_concurrency(CONCURRENCY.try_into().map_err(|_| "no requests".to_owned())?);
    let cancel = CancellationToken::new();
    let (cpu_before, start) = (cpu()?, Instant::now());
    let ledger = Ledger::open(ledger).map_err(|error| error.to_string())?;
    let importer = Importer::new(gateway, ledger, settings);
    let job = importer
        .load(Arc::new(CsvFile::new(file)), &cancel)
        .await
        .map_err(|error| error.to_string())?;
    let cpu_loaded = cpu()?;
    let summary = importer
        .run(&job, &cancel)
        .await
        .map_err(|error| error.to_string())?;
    let (seconds, cpu_after) = (start.elapsed().as_secs_f64(), cpu()?);
    Ok(json!({
        "rows": summary.rows,
        "imported": summary.imported,
        "sent": summary.sent,
        "seconds": seconds,
        "cpu_seconds": cpu_after.own - cpu_before.own,
        "load_cpu_seconds": cpu_loaded.own - cpu_before.own,
        "peak_bytes": peak_memory("self"),
    }))
}

/// An import without a quota.
pub(crate) fn settings(account: &Account) -> Settings {
    let profile = Profile::new(
        &account.mchid,
        &account.brand_id,
        &account.card_id,
        &account.base_url,
    );
    Settings::new(profile).with_defaults(Defaults::default().with_validity(Validity::Permanent))
}

/// As an importer without a quota does.
const CONCURRENCY: usize = 32;
