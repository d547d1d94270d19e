//! A scripted platform for the tests of this crate, and importers and workers beside it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wxmember::{Clock, Sleep};
use wxmember_crypto::{KeyId, Plaintext};

use crate::{
    defaults::Defaults,
    gateway::{Answer, Gateway, SealRefusal, SealedRequest, Stop},
    importer::Importer,
    job::{Profile, Route},
    ledger::testing,
    member::{Member, Validity},
    progress::Summary,
    settings::Settings,
    source::{CsvFile, Source},
    worker::Worker,
};

/// What the platform does with one attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Act {
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
    /// Finds the signature wrong.
    Distrust,
    /// Never answers.
    Hang,
    /// The gateway has a defect.
    Panic,
}

/// Decides by the code and the number of the attempt for it.
pub(crate) type Script = Box<dyn Fn(&str, usize) -> Act + Send + Sync>;

/// A platform that keeps members by code and does what a script says.
#[derive(Default)]
pub(crate) struct Platform {
    pub(crate) members: Mutex<BTreeMap<String, u32>>,
    pub(crate) requests: AtomicUsize,
    pub(crate) attempts: Mutex<HashMap<String, usize>>,
    pub(crate) script: Option<Script>,
    /// Attempts of the same member at the same time must not be.
    pub(crate) under_way: Mutex<HashSet<String>>,
}

#[derive(Clone)]
pub(crate) struct Fake(pub(crate) Arc<Platform>);

impl Fake {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn with_script(script: impl Fn(&str, usize) -> Act + Send + Sync + 'static) -> Self {
        Self(Arc::new(Platform {
            script: Some(Box::new(script)),
            ..Platform::default()
        }))
    }

    pub(crate) fn codes(&self) -> Vec<String> {
        self.0.members.lock().unwrap().keys().cloned().collect()
    }

    pub(crate) fn requests(&self) -> usize {
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
        let _under_way = UnderWay::new(self, &code);
        tokio::time::sleep(Duration::from_millis(20)).await;
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
            Act::Distrust => Answer::Refused {
                status: 401,
                code: "SIGN_ERROR".into(),
                message: String::new(),
                request_id: None,
            },
            Act::Hang => std::future::pending().await,
            Act::Panic => panic!("a defect"),
        }
    }
}

/// An attempt for a member: until its answer, or until the engine that made it is dropped.
struct UnderWay<'a>(&'a Fake, String);

impl<'a> UnderWay<'a> {
    fn new(fake: &'a Fake, code: &str) -> Self {
        let is_alone = fake.0.under_way.lock().unwrap().insert(code.to_owned());
        assert!(is_alone, "the same member twice at once");
        Self(fake, code.to_owned())
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.0.under_way.lock().unwrap().remove(&self.1);
    }
}

pub(crate) struct Setup {
    pub(crate) folder: tempfile::TempDir,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> Arc<dyn Source> {
        std::fs::write(self.path(name), text).unwrap();
        Arc::new(CsvFile::new(self.path(name)))
    }

    /// A list of `rows` good members with the codes `C1`, `C2` and so on.
    pub(crate) fn members(&self, rows: usize) -> Arc<dyn Source> {
        self.members_in("members.csv", 1..=rows)
    }

    /// The same in a file of its own.
    pub(crate) fn members_in(&self, name: &str, rows: std::ops::RangeInclusive<usize>) -> Arc<dyn Source> {
        let lines = rows.map(|row| format!("1380000{row:04},C{row},MARKERNAME,2024-01-02\n"));
        self.file(
            name,
            &format!("手机号,卡号,姓名,领取时间\n{}", lines.collect::<String>()),
        )
    }

    pub(crate) fn importer(&self, gateway: &Fake) -> Importer<Fake> {
        self.importer_with(gateway, settings())
    }

    pub(crate) fn importer_with(&self, gateway: &Fake, settings: Settings) -> Importer<Fake> {
        Importer::new(gateway.clone(), testing::open(&self.path("ledger.db")), settings)
    }

    pub(crate) fn worker_with(&self, gateway: &Fake, settings: Settings) -> Worker<Fake> {
        Worker::new(gateway.clone(), testing::open(&self.path("ledger.db")), settings)
    }

    /// Tasks and blocking threads of a dropped run let go of the ledger a little later. Who opens it then is alone, as
    /// after the death of a process.
    pub(crate) async fn importer_after_crash(&self, gateway: &Fake) -> Importer<Fake> {
        while let Ok(key) = std::fs::File::open(self.path("ledger.db.key")) {
            if key.try_lock().is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.importer(gateway)
    }
}

pub(crate) fn settings() -> Settings {
    let profile = Profile::new("1900000001", "1004", "card", "http://127.0.0.1:1");
    Settings::new(profile)
        .with_defaults(Defaults::default().with_validity(Validity::Permanent))
        .with_probe(false)
}

/// An import that nobody else takes part in.
pub(crate) async fn import(importer: &Importer<Fake>, source: &Arc<dyn Source>) -> Summary {
    let summary = import_with(importer, source).await;
    let progress = *importer.progress().borrow();
    assert_eq!(
        (progress.imported, progress.queued),
        (summary.imported, summary.queued)
    );
    summary
}

pub(crate) async fn import_with(importer: &Importer<Fake>, source: &Arc<dyn Source>) -> Summary {
    let cancel = CancellationToken::new();
    let job = importer.load(Arc::clone(source), &cancel).await.unwrap();
    let summary = importer.run(&job, &cancel).await.unwrap();
    assert_eq!(
        summary.rows,
        summary.imported + summary.present + summary.refused + summary.unknown + summary.queued
    );
    assert_eq!(summary.rows, job.rows());
    summary
}

pub(crate) fn counts(summary: &Summary) -> [u64; 5] {
    [
        summary.imported,
        summary.present,
        summary.refused,
        summary.unknown,
        summary.queued,
    ]
}

/// A clock that shows a time of the day when tokio's clock starts, and goes with it.
#[derive(Debug)]
pub(crate) struct ClockAt {
    began: Duration,
    started: Instant,
}

impl ClockAt {
    pub(crate) fn new(time: &str) -> Self {
        let time: jiff::Timestamp = time.parse().unwrap();
        Self {
            began: Duration::from_secs(time.as_second().try_into().unwrap()),
            started: Instant::now(),
        }
    }
}

impl Clock for ClockAt {
    fn since_1970(&self) -> Duration {
        self.began + self.started.elapsed()
    }

    fn sleep(&self, time: Duration) -> Sleep<'_> {
        Box::pin(tokio::time::sleep(time))
    }
}
