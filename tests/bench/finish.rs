//! A job whose rows have come to their end, made by the engine itself with a platform that takes everything at once.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wxmember_import::{
    Answer, CsvFile, Gateway, Importer, Ledger, Member, Route, SealRefusal, SealedRequest, Stop,
    WechatGateway,
};

use crate::{cost::ledger_bytes, platform::Account, rows};

/// Seals as the real one does; sending is a count.
struct Everything {
    real: WechatGateway,
    left: AtomicU64,
}

impl Gateway for Everything {
    fn seal(&self, route: Route, member: &Member) -> Result<SealedRequest, SealRefusal> {
        self.real.seal(route, member)
    }

    async fn send(&self, _: Route, _: &SealedRequest) -> Answer {
        let taken = self
            .left
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        match taken {
            Ok(_) => Answer::Imported { request_id: None },
            Err(_) => Answer::StopRun(Stop {
                code: "BENCH".to_owned(),
                message: "the rest is for the next run".to_owned(),
                hint: None,
            }),
        }
    }
}

/// Loads a file and finishes all its good rows but `left`, for the account of the test keys at `url`.
pub(crate) async fn finish(file: &Path, ledger: &Path, left: u64, url: &str) -> Result<Value, String> {
    let account = Account::of_tests(url)?;
    let start = Instant::now();
    let store = Ledger::open(ledger).map_err(|error| error.to_string())?;
    let gateway = Everything {
        real: WechatGateway::new(account.client.clone()),
        left: AtomicU64::new(0),
    };
    let importer = Importer::new(gateway, store.clone(), rows::settings(&account));
    let cancel = CancellationToken::new();
    importer
        .load(Arc::new(CsvFile::new(file)), &cancel)
        .await
        .map_err(|error| error.to_string())?;
    let loaded = start.elapsed();
    let progress = *importer.progress().borrow();
    let gateway = Everything {
        real: WechatGateway::new(account.client.clone()),
        left: AtomicU64::new((progress.rows - progress.refused).saturating_sub(left)),
    };
    // The same job once more, now that the good rows are counted.
    let importer = Importer::new(gateway, store, rows::settings(&account));
    let job = importer
        .load(Arc::new(CsvFile::new(file)), &cancel)
        .await
        .map_err(|error| error.to_string())?;
    let summary = importer
        .run(&job, &cancel)
        .await
        .map_err(|error| error.to_string())?;
    drop(importer);
    Ok(json!({
        "rows": summary.rows,
        "finished": summary.imported + summary.refused,
        "queued": summary.queued,
        "load_seconds": loaded.as_secs_f64(),
        "seconds": start.elapsed().as_secs_f64(),
        "ledger_bytes": ledger_bytes(ledger),
    }))
}
