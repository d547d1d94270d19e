//! The three routes of an import against a sandbox: the same list in, members of that route out.

use std::{path::Path, sync::Arc};

use tokio_util::sync::CancellationToken;
use wxmember_import::{
    Defaults, Hint, Importer, IterSource, Ledger, Profile, Route, Settings, Source, Summary, Validity,
    WechatGateway,
};
use wxmember_sandbox::{Fault, Sandbox};
use wxmember_tests::{client, sandbox};

/// Members with everything that any route can take.
fn members() -> Arc<dyn Source> {
    let columns = ["phone number", "openid", "member number", "name", "joined on"];
    Arc::new(IterSource::new("list", columns, || {
        Ok((0..6).map(|row| {
            Ok(vec![
                format!("1380013{row:04}"),
                format!("o-{row}-gqzS4myYGmLZ7LgLBA"),
                format!("K{row}"),
                "张三".to_owned(),
                "2024-01-31".to_owned(),
            ])
        }))
    }))
}

async fn import(sandbox: &Sandbox, folder: &Path, route: Route) -> Summary {
    import_for(&sandbox.credentials().brand_id, sandbox, folder, route).await
}

async fn import_for(brand_id: &str, sandbox: &Sandbox, folder: &Path, route: Route) -> Summary {
    let credentials = sandbox.credentials();
    let profile = Profile::new(&credentials.mchid, brand_id, &credentials.card_id, "sandbox");
    let settings = Settings::new(profile)
        .with_route(route)
        .with_defaults(Defaults::default().with_validity(Validity::Permanent));
    let ledger = Ledger::open(folder.join("ledger.db")).unwrap();
    let importer = Importer::new(WechatGateway::new(client(sandbox)), ledger, settings);
    let cancel = CancellationToken::new();
    let job = importer.load(members(), &cancel).await.unwrap();
    importer.run(&job, &cancel).await.unwrap()
}

#[track_caller]
fn check(summary: &Summary, imported: u64, stop: &str, hint: &str) {
    let (code, told) = summary.stopped.as_ref().map_or(("", ""), |stop| {
        (
            stop.code.as_str(),
            stop.hint.as_ref().map(Hint::text).unwrap_or_default(),
        )
    });
    assert_eq!(
        (summary.imported, summary.refused, code),
        (imported, 0, stop),
        "{summary:?}"
    );
    assert!(told.contains(hint), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_brings_every_member_in() {
    for route in Route::ALL {
        let (sandbox, folder) = (sandbox().await, tempfile::tempdir().unwrap());
        // The first answer is lost, so the first member is sent twice; it is one member all the same.
        sandbox.fault(Fault::LostAnswer, 1);
        let summary = import(&sandbox, folder.path(), route).await;
        assert_eq!(
            (summary.imported + summary.present, summary.sent),
            (6, 7),
            "{route}: {summary:?}"
        );
        let cards = sandbox.members().len();
        // The older card is no user card.
        assert_eq!(
            cards,
            if route == Route::PhoneMembercard { 0 } else { 6 },
            "{route}"
        );
        assert_eq!(import(&sandbox, folder.path(), route).await.sent, 0);
        sandbox.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_is_not_open_says_which_are() {
    // A brand that is another merchant's, and a path that is not there.
    for (brand_id, is_there, code) in [("2008", true, "NO_AUTH"), ("1004", false, "NOT_FOUND")] {
        let (sandbox, folder) = (sandbox().await, tempfile::tempdir().unwrap());
        if !is_there {
            sandbox.fault(Fault::EmptyNotFound, 1);
        }
        let summary = import_for(brand_id, &sandbox, folder.path(), Route::ImportByPhone).await;
        // One row found out, and stays queued.
        assert_eq!((summary.sent, summary.queued), (1, 6));
        check(
            &summary,
            0,
            code,
            "`--via import-by-openid` or `--via phone-membercard`",
        );
        sandbox.shutdown().await;
    }
}
