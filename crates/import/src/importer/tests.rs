//! Loading, files of refused rows, and what is left on disk.

use std::path::PathBuf;

use super::*;
use crate::{
    fake::{Act, Fake, Setup, counts, import, settings},
    ledger::testing,
    member::Validity,
    source::CsvFile,
};

#[tokio::test]
async fn a_load_that_is_cut_off_before_it_begins_goes_on() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let source = setup.members(5000);
    let cancel = CancellationToken::new();
    cancel.cancel();
    let importer = setup.importer(&gateway);
    let error = importer.load(Arc::clone(&source), &cancel).await.unwrap_err();
    assert!(matches!(error, LoadError::Cancelled { rows: 0 }), "{error}");
    let job = importer.load(source, &CancellationToken::new()).await.unwrap();
    assert_eq!((job.rows(), job.is_continued()), (5000, true));
}

/// Some transactions are in the ledger: the next load goes on behind their rows, and no row is there twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_was_cut_off_goes_on_behind_what_is_stored() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let source = setup.members(40_000);
    let cancel = CancellationToken::new();
    let importer = setup.importer(&gateway);
    let mut progress = importer.progress();
    let cut = async {
        progress.wait_for(|progress| progress.rows >= 2000).await.unwrap();
        cancel.cancel();
    };
    let (loaded, ()) = tokio::join!(importer.load(Arc::clone(&source), &cancel), cut);
    let stored = match loaded {
        Err(LoadError::Cancelled { rows }) => rows,
        other => panic!("{other:?}"),
    };
    assert!((2000..40_000).contains(&stored), "{stored}");
    let job = importer
        .load(Arc::clone(&source), &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!((job.rows(), job.is_continued()), (40_000, true));
    let tables = rusqlite::Connection::open(setup.path("ledger.db")).unwrap();
    let (rows, claims, last): (u64, u64, u64) = tables
        .query_row(
            "SELECT count(*), sum(has_claim), max(id & 4294967295) FROM rows",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    // The list has 9,999 members, again and again.
    assert_eq!((rows, claims, last), (40_000, 9_999, 40_000));
}

#[tokio::test]
async fn a_load_that_the_ledger_fails_leaves_no_lease() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let source = setup.members(10);
    let (cancel, importer) = (CancellationToken::new(), setup.importer(&gateway));
    let tables = rusqlite::Connection::open(setup.path("ledger.db")).unwrap();
    let full = "CREATE TRIGGER full BEFORE INSERT ON rows BEGIN SELECT raise(ABORT, 'full'); END";
    tables.execute_batch(full).unwrap();
    let error = importer.load(Arc::clone(&source), &cancel).await.unwrap_err();
    assert!(matches!(error, LoadError::Ledger(_)), "{error}");
    let owner: i64 = tables
        .query_row("SELECT load_owner FROM jobs", [], |row| row.get(0))
        .unwrap();
    assert_eq!(owner, 0);
    tables.execute_batch("DROP TRIGGER full").unwrap();
    assert_eq!(importer.load(source, &cancel).await.unwrap().rows(), 10);
}

#[tokio::test]
async fn an_unreadable_source_leaves_nothing_behind() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    std::fs::write(
        setup.path("bad.csv"),
        b"phone,code,name,joined at\n13800138000,A1,\xD5\xC5,2024-01-02\n",
    )
    .unwrap();
    let importer = setup.importer(&gateway);
    for _ in 0..2 {
        let source: Arc<dyn Source> = Arc::new(CsvFile::new(setup.path("bad.csv")));
        let error = importer
            .load(source, &CancellationToken::new())
            .await
            .unwrap_err();
        assert!(
            matches!(error, LoadError::Source(SourceError::NotUtf8 { line: 2, .. })),
            "{error}"
        );
    }
    let source = setup.file("other.csv", "name\nMARKERNAME\n");
    let error = importer
        .load(source, &CancellationToken::new())
        .await
        .unwrap_err();
    insta::assert_snapshot!(error, @"`other.csv`, line 1: none of the 1 columns is `phone_number`; name it, for example, `手机号`");
}

#[tokio::test]
async fn other_defaults_are_noticed() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let (source, cancel) = (setup.members(3), CancellationToken::new());
    let job = setup
        .importer(&gateway)
        .load(Arc::clone(&source), &cancel)
        .await
        .unwrap();
    assert!(!job.are_defaults_changed() && !job.is_continued());
    let other = settings().with_defaults(Defaults::default().with_validity(Validity::FixTerm { days: 3 }));
    let importer = Importer::new(gateway, testing::open(&setup.path("ledger.db")), other);
    let job = importer.load(source, &cancel).await.unwrap();
    assert!(job.are_defaults_changed() && job.is_continued());
}

fn example(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(name)
}

#[tokio::test]
async fn the_example_has_a_thousand_good_members() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let source: Arc<dyn Source> = Arc::new(CsvFile::new(example("members.csv")));
    let importer = setup.importer(&gateway);
    let job = importer.load(source, &CancellationToken::new()).await.unwrap();
    assert_eq!(importer.progress().borrow().queued, 1000);
    assert_eq!((job.rows(), job.ignored_columns()), (1000, &[] as &[String]));
}

#[tokio::test(start_paused = true)]
async fn every_mistake_is_named_and_can_be_put_right() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let source: Arc<dyn Source> = Arc::new(CsvFile::new(example("members-with-mistakes.csv")));
    let importer = setup.importer(&gateway);
    let summary = import(&importer, &source).await;
    assert_eq!(counts(&summary), [5, 0, 21, 0, 0]);
    let job = importer
        .load(Arc::clone(&source), &CancellationToken::new())
        .await
        .unwrap();
    let rows = importer.rows(&job, RowState::Refused, 0, 100).await.unwrap();
    let mut kinds: Vec<&str> = rows.iter().map(|row| row.code.as_str()).collect();
    let lines: Vec<String> = rows
        .iter()
        .map(|row| format!("{}: {} {}", row.line, row.code, row.message))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
    kinds.sort_unstable();
    kinds.dedup();
    assert!(kinds.len() >= 20, "{kinds:?}");

    // The file of refused rows is a source again: its own problems are the same, row by row.
    let refused = setup.path("members.csv.refused.csv");
    assert_eq!(
        importer
            .write_refused(&job, Arc::clone(&source), &refused)
            .await
            .unwrap()
            .rows,
        21
    );
    let again: Arc<dyn Source> = Arc::new(CsvFile::new(&refused));
    let job = importer
        .load(Arc::clone(&again), &CancellationToken::new())
        .await
        .unwrap();
    let second = importer.rows(&job, RowState::Refused, 0, 100).await.unwrap();
    assert_eq!((job.rows(), second.len()), (21, 21));
    let texts = |rows: &[RowReport]| rows.iter().map(|row| row.message.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&second)[..19], texts(&rows)[..19]);
    // The duplicates repeat rows of the first job now.
    let told = [&second[19].message, &second[20].message];
    assert!(told.iter().all(|text| text.contains(" of job ")), "{told:?}");
    // And its refused rows have the columns once.
    let third = setup.path("third.csv");
    importer.write_refused(&job, again, &third).await.unwrap();
    let header = std::fs::read_to_string(&third).unwrap();
    assert_eq!(header.lines().next().unwrap().matches("request_id").count(), 1);
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&refused).unwrap().permissions()) & 0o777,
        0o600
    );
}

#[tokio::test(start_paused = true)]
async fn formulas_are_guarded_and_come_back() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let text = "手机号,卡号,姓名,性别,领取时间\n+8613800138000,=1+1,@x,?,2024-01-02\n";
    let source = setup.file("formulas.csv", text);
    let importer = setup.importer(&gateway);
    let cancel = CancellationToken::new();
    let job = importer.load(Arc::clone(&source), &cancel).await.unwrap();
    let path = setup.path("refused.csv");
    importer.write_refused(&job, source, &path).await.unwrap();
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(
        written.contains("\n'+8613800138000,'=1+1,'@x,?,2024-01-02,1,ROW_UNKNOWN_SEX,"),
        "{written}"
    );
    let fixed = setup.file("fixed.csv", &written.replace(",?,", ",女,"));
    import(&importer, &fixed).await;
    assert_eq!(gateway.codes(), ["=1+1"]);
}

#[tokio::test(start_paused = true)]
async fn no_personal_text_reaches_the_disk() {
    let gateway = Fake::with_script(|code, _| if code == "C2" { Act::Refuse } else { Act::Do });
    let setup = Setup::new();
    let source = setup.file(
        "members.csv",
        "手机号,卡号,姓名,性别,领取时间\n13800138001,C1,MARKERNAME,男,2024-01-02\n13800138002,C2,MARKERNAME,女,2024-01-02\n\
         13800138003,C3,MARKERNAME,MARKERSEX,2024-01-02\n13800138001,C4,MARKERNAME,,2024-01-02\nMARKERPHONE,C5,x,,2024-01-02\n",
    );
    let importer = setup.importer(&gateway);
    assert_eq!(counts(&import(&importer, &source).await), [1, 0, 4, 0, 0]);
    let mut looked_at = 0;
    for file in std::fs::read_dir(setup.folder.path()).unwrap() {
        let file = file.unwrap();
        if file.file_name() == "members.csv" {
            continue;
        }
        looked_at += 1;
        let bytes = std::fs::read(file.path()).unwrap();
        for marker in ["MARKER", "1380013800"] {
            let found = bytes
                .windows(marker.len())
                .any(|window| window == marker.as_bytes());
            assert!(!found, "{marker} in {:?}", file.file_name());
        }
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions()) & 0o077,
            0
        );
    }
    assert!(looked_at >= 3, "ledger, key and log were looked at");
    assert!(!format!("{importer:?}").contains("MARKER"));
}
