//! Rows through the importer and through the bare SDK, with what each costs.

use std::{path::Path, sync::Arc};

use serde_json::{Value, json};
use tokio::{sync::Mutex, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;
use wxmember::{
    CommonField, CommonFieldName, FormValue, ImportByPhone, PhoneNumber, UserInformation,
    Validity as WireValidity,
};
use wxmember_import::{CsvFile, Importer, Ledger, WechatGateway};
use wxmember_tests::members::{MemberList, MemberRow};

use crate::{
    cost::{cpu, ledger_bytes, peak_memory},
    platform::Account,
    sealing,
};

/// Loads a file. The ledger is closed before its size is taken.
pub(crate) async fn load(file: &Path, ledger_path: &Path) -> Result<Value, String> {
    let account = Account::of_tests("http://127.0.0.1:9")?;
    let gateway = WechatGateway::new(account.client.clone());
    let ledger = Ledger::open(ledger_path).map_err(|error| error.to_string())?;
    let importer = Importer::new(gateway, ledger, account.settings());
    sealing::warm_up()?;
    let (cpu_before, start) = (cpu()?, Instant::now());
    let job = importer
        .load(Arc::new(CsvFile::new(file)), &CancellationToken::new())
        .await
        .map_err(|error| error.to_string())?;
    let (seconds, cpu_after) = (start.elapsed().as_secs_f64(), cpu()?);
    let progress = *importer.progress().borrow();
    drop(importer);
    Ok(json!({
        "rows": job.rows(),
        "refused": progress.refused,
        "seconds": seconds,
        "cpu_seconds": cpu_after.own - cpu_before.own,
        "peak_bytes": peak_memory("self"),
        "ledger_bytes": ledger_bytes(ledger_path),
    }))
}

/// Loads a file and sends everything.
pub(crate) async fn import(file: &Path, ledger: &Path, folder: &Path) -> Result<Value, String> {
    let account = Account::of_folder(folder)?;
    let gateway = WechatGateway::new(account.client.clone());
    let settings = account.settings();
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

/// Sends the same members by the SDK alone, as many at once as the importer does.
pub(crate) async fn sdk(list: MemberList, folder: &Path) -> Result<Value, String> {
    let account = Arc::new(Account::of_folder(folder)?);
    let members: Vec<ImportByPhone> = list
        .rows()
        .map(|row| request(&account, row))
        .collect::<Result<_, _>>()?;
    let rows = members.len();
    let members = Arc::new(Mutex::new(members.into_iter()));
    let (cpu_before, start) = (cpu()?, Instant::now());
    let mut loops = JoinSet::new();
    for _ in 0..CONCURRENCY {
        let (account, members) = (Arc::clone(&account), Arc::clone(&members));
        loops.spawn(async move {
            let user_cards = account.client.user_cards();
            loop {
                let member = members.lock().await.next();
                let Some(member) = member else {
                    return Ok(());
                };
                if let Err(error) = user_cards.import_by_phone(&member).await {
                    return Err(error.to_string());
                }
            }
        });
    }
    while let Some(ended) = loops.join_next().await {
        ended.map_err(|error| error.to_string())??;
    }
    Ok(json!({
        "rows": rows,
        "seconds": start.elapsed().as_secs_f64(),
        "cpu_seconds": cpu()?.own - cpu_before.own,
        "peak_bytes": peak_memory("self"),
    }))
}

/// The request that imports a row: phone number, code, level, name.
pub(crate) fn request(account: &Account, row: MemberRow) -> Result<ImportByPhone, String> {
    let wrong = |what: &str| format!("row {}: no {what}", row.row);
    let name = CommonField::builder()
        .name(CommonFieldName::Name)
        .value(FormValue::new(row.name.clone()))
        .build();
    let mut request = ImportByPhone::builder()
        .brand_id(account.brand_id.parse().map_err(|_| wrong("brand"))?)
        .card_id(account.card_id.parse().map_err(|_| wrong("card"))?)
        .phone_number(PhoneNumber::new(row.phone_number.clone()))
        .user_card_code(row.user_card_code.parse().map_err(|_| wrong("code"))?)
        .date_information(WireValidity::permanent())
        .pickup_time(PICKUP_TIME.parse().map_err(|_| wrong("time"))?)
        .build();
    request.level = Some(row.level.parse().map_err(|_| wrong("level"))?);
    request.user_information = Some(UserInformation::builder().common_field_list(vec![name]).build());
    Ok(request)
}

/// One for all: the rows of a list have times that people write.
pub(crate) const PICKUP_TIME: &str = "2020-05-20T13:29:35+08:00";
/// As an importer without a quota does.
const CONCURRENCY: usize = 32;
