//! The engine against a scripted platform: every answer, crashes at every step, and what is left on disk.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::atomic::AtomicUsize,
    time::Duration,
};

use wxmember_crypto::{KeyId, Plaintext};

use super::*;
use crate::{
    gateway::{Answer, SealRefusal, SealedRequest, Stop},
    job::{Profile, Route},
    ledger::testing,
    member::{Member, Validity},
    source::CsvFile,
};

/// What the platform does with one attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Act {
    /// Does it and answers.
    Do,
    /// Does it, and the answer is lost.
    DoSilently,
    /// The request is lost.
    Lose,
    /// Refuses the connection.
    Unreachable,
    /// 429.
    Limit,
    /// Refuses the row.
    Refuse,
    /// Says that the member has the card.
    Has,
    /// Refuses all rows.
    Forbid,
    /// Never answers.
    Hang,
    /// The gateway has a defect.
    Panic,
}

/// Decides by the code and the number of the attempt for it.
type Script = Box<dyn Fn(&str, usize) -> Act + Send + Sync>;

/// A platform that keeps members by code and does what a script says.
#[derive(Default)]
struct Platform {
    members: Mutex<BTreeMap<String, u32>>,
    requests: AtomicUsize,
    attempts: Mutex<HashMap<String, usize>>,
    script: Option<Script>,
    /// Attempts of the same member at the same time must not be.
    under_way: Mutex<std::collections::HashSet<String>>,
}

#[derive(Clone)]
struct Fake(Arc<Platform>);

impl Fake {
    fn new() -> Self {
        Self(Arc::default())
    }

    fn with_script(script: impl Fn(&str, usize) -> Act + Send + Sync + 'static) -> Self {
        Self(Arc::new(Platform {
            script: Some(Box::new(script)),
            ..Platform::default()
        }))
    }

    fn codes(&self) -> Vec<String> {
        self.0.members.lock().unwrap().keys().cloned().collect()
    }

    fn requests(&self) -> usize {
        self.0.requests.load(Ordering::Relaxed)
    }

    fn add(&self, code: &str) -> bool {
        let mut members = self.0.members.lock().unwrap();
        let times = members.entry(code.to_owned()).or_default();
        *times += 1;
        *times == 1
    }
}

impl Gateway for Fake {
    fn seal(&self, _: Route, member: &Member) -> Result<SealedRequest, SealRefusal> {
        let sealed = "c".repeat(member.phone_number.as_ref().unwrap().expose().len());
        let body = format!(
            "{{\"user_card_code\":\"{}\",\"phone_number\":\"{sealed}\"}}",
            member.user_card_code.as_ref().unwrap()
        );
        Ok(SealedRequest::new(body.into_bytes(), KeyId::new("PUB_KEY_ID_01")))
    }

    async fn send(&self, _: Route, request: &SealedRequest) -> Answer {
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        let code = body.split('"').nth(3).unwrap().to_owned();
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        let attempt = {
            let mut attempts = self.0.attempts.lock().unwrap();
            let attempt = attempts.entry(code.clone()).or_default();
            *attempt += 1;
            *attempt
        };
        assert!(
            self.0.under_way.lock().unwrap().insert(code.clone()),
            "the same member twice at once"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.0.under_way.lock().unwrap().remove(&code);
        let request_id = Some(format!("request-{code}-{attempt}"));
        let refused = |code: &str, message: &str| Answer::Refused {
            status: 400,
            code: code.into(),
            message: message.into(),
            request_id: Some("request-r".into()),
        };
        let lost = || Answer::Unknown {
            reason: "the connection was reset".into(),
            request_id: None,
        };
        match self
            .0
            .script
            .as_ref()
            .map_or(Act::Do, |script| script(&code, attempt))
        {
            Act::Do if self.add(&code) => Answer::Imported { request_id },
            Act::Do => refused("ALREADY_EXISTS", "code exists"),
            Act::DoSilently => {
                self.add(&code);
                lost()
            }
            Act::Lose => lost(),
            Act::Unreachable => Answer::NotSent {
                reason: "connection refused".into(),
            },
            Act::Limit => Answer::RateLimited { retry_after: None },
            Act::Refuse => refused("PARAM_ERROR", "参数错误"),
            Act::Has => refused("INVALID_REQUEST", "会员已经领取过该卡"),
            Act::Forbid => Answer::StopRun(Stop {
                code: "NO_AUTH".into(),
                message: "no".into(),
                hint: None,
            }),
            Act::Hang => std::future::pending().await,
            Act::Panic => panic!("a defect"),
        }
    }
}

struct Setup {
    folder: tempfile::TempDir,
}

impl Setup {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, text: &str) -> Arc<dyn Source> {
        std::fs::write(self.path(name), text).unwrap();
        Arc::new(CsvFile::new(self.path(name)))
    }

    /// A list of `rows` good members with the codes `C1`, `C2` and so on.
    fn members(&self, rows: usize) -> Arc<dyn Source> {
        let lines = (1..=rows).map(|row| format!("1380000{row:04},C{row},MARKERNAME,2024-01-02\n"));
        self.file(
            "members.csv",
            &format!("手机号,卡号,姓名,领取时间\n{}", lines.collect::<String>()),
        )
    }

    fn importer(&self, gateway: &Fake) -> Importer<Fake> {
        Importer::new(
            gateway.clone(),
            testing::open(&self.path("ledger.db")),
            settings(),
        )
    }

    /// Tasks and blocking threads of a dropped run let go of the ledger a little later. Who opens it then is alone, as
    /// after the death of a process.
    async fn importer_after_crash(&self, gateway: &Fake) -> Importer<Fake> {
        while let Ok(key) = std::fs::File::open(self.path("ledger.db.key")) {
            if key.try_lock().is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.importer(gateway)
    }
}

fn settings() -> Settings {
    let profile = Profile::new("1900000001", "1004", "card", "http://127.0.0.1:1");
    Settings::new(profile).with_defaults(Defaults::default().with_validity(Validity::Permanent))
}

async fn import(importer: &Importer<Fake>, source: &Arc<dyn Source>) -> Summary {
    let cancel = CancellationToken::new();
    let job = importer.load(Arc::clone(source), &cancel).await.unwrap();
    let summary = importer.run(&job, &cancel).await.unwrap();
    assert_eq!(
        summary.rows,
        summary.imported + summary.present + summary.refused + summary.unknown + summary.queued
    );
    assert_eq!(summary.rows, job.rows());
    let progress = *importer.progress().borrow();
    assert_eq!(
        (progress.imported, progress.queued),
        (summary.imported, summary.queued)
    );
    summary
}

fn counts(summary: &Summary) -> [u64; 5] {
    [
        summary.imported,
        summary.present,
        summary.refused,
        summary.unknown,
        summary.queued,
    ]
}

#[tokio::test(start_paused = true)]
async fn the_same_again_sends_nothing() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let source = setup.members(100);
    let importer = setup.importer(&gateway);
    assert_eq!(counts(&import(&importer, &source).await), [100, 0, 0, 0, 0]);
    drop(importer);
    let again = import(&setup.importer(&gateway), &source).await;
    assert_eq!((counts(&again), again.sent), ([100, 0, 0, 0, 0], 0));
    assert_eq!(gateway.requests(), 100);
}

#[tokio::test(start_paused = true)]
async fn every_answer_ends_where_it_should() {
    let gateway = Fake::with_script(|code, attempt| match (code, attempt) {
        ("C2", _) => Act::Refuse,
        ("C3", _) => Act::Has,
        ("C4", 1 | 2) => Act::Lose,
        ("C5", 1) => Act::DoSilently,
        ("C6", 1) => Act::Unreachable,
        ("C7", 1..=3) => Act::Limit,
        ("C8", _) => Act::Lose,
        ("C9", 1) => Act::Hang,
        _ => Act::Do,
    });
    let setup = Setup::new();
    let importer = setup.importer(&gateway);
    let source = setup.members(10);
    let summary = import(&importer, &source).await;
    // Imported: 1, 4, 6, 7, 9, 10; present: 3 and 5, whose first answer was lost; 8 stays unknown.
    assert_eq!(counts(&summary), [6, 2, 1, 1, 0]);
    assert!(
        gateway
            .0
            .members
            .lock()
            .unwrap()
            .values()
            .all(|times| *times <= 2)
    );
    let cancel = CancellationToken::new();
    let job = importer.load(source, &cancel).await.unwrap();
    let unknown = importer.rows(&job, RowState::Unknown, 0, 10).await.unwrap();
    assert_eq!((unknown.len(), unknown[0].row, unknown[0].line), (1, 8, 9));
    // The same command tries it again, and only it.
    let before = gateway.requests();
    importer.run(&job, &cancel).await.unwrap();
    assert_eq!(gateway.requests() - before, 5);
}

#[tokio::test(start_paused = true)]
async fn what_hits_every_row_leaves_them_queued() {
    let gateway = Fake::with_script(|code, _| if code == "C40" { Act::Forbid } else { Act::Do });
    let setup = Setup::new();
    let summary = import(&setup.importer(&gateway), &setup.members(500)).await;
    assert_eq!(
        summary.stopped.as_ref().map(|stop| stop.code.as_str()),
        Some("NO_AUTH")
    );
    assert!(
        summary.queued > 400 && summary.unknown == 0 && summary.refused == 0,
        "{summary:?}"
    );
    assert_eq!(summary.imported as usize, gateway.codes().len());
    let open = Fake(Arc::new(Platform {
        members: Mutex::new(gateway.0.members.lock().unwrap().clone()),
        ..Platform::default()
    }));
    assert_eq!(
        counts(&import(&setup.importer(&open), &setup.members(500)).await),
        [500, 0, 0, 0, 0]
    );
}

#[tokio::test(start_paused = true)]
async fn a_platform_out_of_reach_stops_the_run() {
    let gateway = Fake::with_script(|_, _| Act::Unreachable);
    let setup = Setup::new();
    let summary = import(&setup.importer(&gateway), &setup.members(100)).await;
    assert_eq!(counts(&summary), [0, 0, 0, 0, 100]);
    assert_eq!(summary.stopped.unwrap().code, "UNREACHABLE");
    assert!(gateway.requests() <= 32 * 5);
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_loses_everything_stops_the_run() {
    let gateway = Fake::with_script(|_, _| Act::Lose);
    let setup = Setup::new();
    let summary = import(&setup.importer(&gateway), &setup.members(500)).await;
    assert_eq!(summary.stopped.unwrap().code, "UNKNOWN_OUTCOMES");
    assert!(summary.unknown < 150 && summary.queued > 350);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_panics_costs_one_row_its_certainty() {
    let gateway = Fake::with_script(|code, attempt| {
        if (code, attempt) == ("C5", 1) {
            Act::Panic
        } else {
            Act::Do
        }
    });
    let setup = Setup::new();
    let (importer, source) = (setup.importer(&gateway), setup.members(10));
    let cancel = CancellationToken::new();
    let job = importer.load(Arc::clone(&source), &cancel).await.unwrap();
    assert_eq!(
        counts(&importer.run(&job, &cancel).await.unwrap()),
        [9, 0, 0, 1, 0]
    );
    assert_eq!(
        counts(&importer.run(&job, &cancel).await.unwrap()),
        [10, 0, 0, 0, 0]
    );
}

#[tokio::test(start_paused = true)]
async fn cancelling_drains() {
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let gateway = Fake::with_script(move |code, _| {
        if code == "C50" {
            token.cancel();
        }
        Act::Do
    });
    let setup = Setup::new();
    let (importer, source) = (setup.importer(&gateway), setup.members(200));
    let job = importer.load(Arc::clone(&source), &cancel).await.unwrap();
    let summary = importer.run(&job, &cancel).await.unwrap();
    assert_eq!(
        counts(&summary),
        [
            gateway.requests() as u64,
            0,
            0,
            0,
            200 - gateway.requests() as u64
        ]
    );
    assert!(summary.queued > 100 && summary.stopped.is_none() && !summary.is_complete());
}

/// Dropping a run is a crash: nothing is written any more. Resumed until done, every member is there, and those that
/// were sent twice were known as unknown in between.
#[tokio::test(start_paused = true)]
async fn a_crash_at_any_moment_loses_and_doubles_nothing() {
    for moment in 1..40_u64 {
        let gateway =
            Fake::with_script(
                move |code, attempt| match (code.len() + attempt + moment as usize) % 5 {
                    0 => Act::Lose,
                    1 => Act::DoSilently,
                    2 => Act::Limit,
                    _ => Act::Do,
                },
            );
        let setup = Setup::new();
        let source = setup.members(60);
        for round in 0..3 {
            let importer = setup.importer_after_crash(&gateway).await;
            let cancel = CancellationToken::new();
            let job = importer.load(Arc::clone(&source), &cancel).await.unwrap();
            let crash_after = Duration::from_millis(moment * 13 + round * 100);
            let _ = tokio::time::timeout(crash_after, importer.run(&job, &cancel)).await;
            gateway.0.under_way.lock().unwrap().clear();
        }
        let importer = setup.importer_after_crash(&gateway).await;
        let mut summary = import(&importer, &source).await;
        while !summary.is_complete() {
            summary = import(&importer, &source).await;
        }
        assert_eq!(
            (summary.imported + summary.present, summary.refused),
            (60, 0),
            "crash at {moment}"
        );
        assert_eq!(gateway.codes().len(), 60);
    }
}

#[tokio::test(start_paused = true)]
async fn the_quota_holds_for_repeats_too() {
    let gateway = Fake::with_script(|_, attempt| if attempt == 1 { Act::Lose } else { Act::Do });
    let setup = Setup::new();
    let importer = Importer::new(
        gateway.clone(),
        testing::open(&setup.path("ledger.db")),
        settings().with_quota("5/s".parse().unwrap()),
    );
    let summary = import(&importer, &setup.members(50)).await;
    assert_eq!(counts(&summary), [50, 0, 0, 0, 0]);
    // 100 requests at five a second.
    assert!((19.7..23.0).contains(&summary.seconds), "{}", summary.seconds);
}

#[tokio::test]
async fn a_load_that_was_cut_off_goes_on() {
    let (setup, gateway) = (Setup::new(), Fake::new());
    let source = setup.members(5000);
    let cancel = CancellationToken::new();
    cancel.cancel();
    let importer = setup.importer(&gateway);
    let error = importer.load(Arc::clone(&source), &cancel).await.unwrap_err();
    assert!(matches!(error, LoadError::Cancelled { .. }), "{error}");
    let job = importer
        .load(Arc::clone(&source), &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!((job.rows(), job.is_continued()), (5000, true));
    let progress = *importer.progress().borrow();
    assert_eq!((progress.rows, progress.queued), (5000, 5000));
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
            .unwrap(),
        21
    );
    let again: Arc<dyn Source> = Arc::new(CsvFile::new(&refused));
    let job = importer
        .load(Arc::clone(&again), &CancellationToken::new())
        .await
        .unwrap();
    let second = importer.rows(&job, RowState::Refused, 0, 100).await.unwrap();
    // The duplicates stand alone now.
    assert_eq!((job.rows(), second.len()), (21, 19));
    let texts = |rows: &[RowReport]| rows.iter().map(|row| row.message.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&second), texts(&rows)[..19]);
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
