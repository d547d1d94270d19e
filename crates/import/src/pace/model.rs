//! Pacing against an ideal token bucket, under random schedules, in virtual time.
//!
//! The ideal bucket counts tokens; ours knows the time of the next request. Two things must hold beside it: no window
//! holds more requests than `quota · time + burst`, and nobody waits while there is a token. The first tests are about
//! the bucket alone; the last one about two processes that share it through a ledger, with all that comes in between.

use std::{cell::RefCell, rc::Rc};

use proptest::{prelude::*, test_runner::FileFailurePersistence};

use super::*;
use crate::ledger::testing;

/// Holds one token at most, and gains `rate` a second. What is taken beyond that is owed.
#[derive(Debug)]
struct Ideal {
    rate: f64,
    tokens: f64,
    at: f64,
}

impl Ideal {
    /// How long the first of `requests` waits, in seconds.
    fn take(&mut self, now: f64, requests: u32) -> f64 {
        self.tokens = (self.tokens + (now - self.at) * self.rate).min(1.0);
        self.at = now;
        let wait = ((1.0 - self.tokens) / self.rate).max(0.0);
        self.tokens -= f64::from(requests);
        wait
    }
}

/// What becomes of the bucket, one after another.
#[derive(Clone, Debug)]
enum Event {
    Reserve { after: i64, requests: u32 },
    TooMany { after: i64, retry_after: Option<u64> },
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    // Microseconds: at once, within an interval, after a rest.
    let after = || prop_oneof![Just(0), 0..200_000_i64, 0..5_000_000_i64];
    let event = prop_oneof![
        5 => (after(), 1_u32..40).prop_map(|(after, requests)| Event::Reserve { after, requests }),
        1 => (after(), prop::option::of(0_u64..5_000))
            .prop_map(|(after, retry_after)| Event::TooMany { after, retry_after }),
    ];
    prop::collection::vec(event, 1..60)
}

proptest! {
    #![proptest_config(config(256))]

    /// Our intervals are whole microseconds, rounded up: of `n` requests the last may be `n` microseconds late.
    #[test]
    fn without_a_429_every_wait_is_that_of_an_ideal_bucket(events in events(), rate in 0.2_f64..2_000.0) {
        let mut bucket = Bucket::default();
        let mut ideal = Ideal { rate, tokens: 1.0, at: 0.0 };
        let (mut now, mut reserved) = (0, 0.0);
        for event in events {
            let Event::Reserve { after, requests } = event else { continue };
            now += after;
            let ours = bucket.reserve(now, requests, Some(rate)).wait.as_secs_f64();
            let best = ideal.take(now as f64 / 1e6, requests);
            prop_assert!(ours >= best - 1e-6, "{ours} s, a token is there after {best} s");
            prop_assert!(ours <= best + (reserved + 2.0) * 1e-6, "{ours} s, and a token was there after {best} s");
            reserved += f64::from(requests);
        }
    }

    /// Whatever the platform says, and also while the rate grows back.
    #[test]
    fn with_429s_a_window_holds_no_more_than_the_quota_and_one(events in events(), rate in 0.2_f64..2_000.0) {
        let mut bucket = Bucket::default();
        let (mut now, mut leaves, mut hold) = (0, Vec::new(), 0);
        let mut slowed: Option<(i64, f64)> = None;
        for event in events {
            match event {
                Event::Reserve { after, requests } => {
                    now += after;
                    let given = bucket.reserve(now, requests, Some(rate));
                    let first = now + given.wait.as_micros() as i64;
                    prop_assert!(first >= hold, "leaves at {first}, held until {hold}");
                    let interval = given.interval.as_micros() as i64;
                    // Nobody waits for more than what is reserved and what is held.
                    let last = leaves.last().map_or(0, |(last, interval)| last + interval);
                    prop_assert_eq!(first, now.max(last).max(hold));
                    leaves.extend((0..requests).map(|number| (first + i64::from(number) * interval, interval)));
                    // It recovers: in 20 s at the latest, and never backwards.
                    if let Some((at, lowered)) = slowed {
                        let grown = lowered + rate / 20.0 * (now - at) as f64 / 1e6;
                        let given = given.rate.unwrap();
                        prop_assert!((given - grown.min(rate)).abs() < rate * 1e-9, "{given}, not {grown} of {rate}");
                    }
                }
                Event::TooMany { after, retry_after } => {
                    now += after;
                    let before = bucket.reserve(now, 0, Some(rate)).rate.unwrap();
                    let retry_after = retry_after.map(Duration::from_millis);
                    let lowered = bucket.slow_down(now, Some(rate), retry_after, 0.0);
                    // It is lowered, once a second at most.
                    match slowed {
                        Some((at, last)) if now - at < 1_000_000 && before < rate => prop_assert_eq!(lowered, last),
                        _ => {
                            let half = (before / 2.0).max(rate.min(0.1));
                            prop_assert!((lowered - half).abs() < 1e-9, "{lowered} after {before}");
                            slowed = Some((now, lowered));
                        }
                    }
                    hold = hold.max(now + retry_after.map_or(1_000_000, |after| after.as_micros() as i64));
                }
            }
        }
        let most = burst(leaves.iter().map(|(at, _)| Duration::from_micros(*at as u64)), rate);
        prop_assert!(most <= 1.0 + 1e-6, "{most} at one moment");
    }
}

/// How much a bucket must hold that leaks at `rate`, so that these requests do not spill: the most by which any window
/// holds more than `rate · time`.
fn burst(times: impl Iterator<Item = Duration>, rate: f64) -> f64 {
    let (mut level, mut most, mut last) = (0.0, 0.0_f64, Duration::ZERO);
    for at in times {
        level = f64::max(level - (at - last).as_secs_f64() * rate, 0.0) + 1.0;
        most = most.max(level);
        last = at;
    }
    most
}

/// A process rests, then has work for some requests.
#[derive(Clone, Debug)]
struct Work {
    rest: Duration,
    requests: u32,
    /// The last request is answered by 429.
    is_too_many: bool,
}

fn schedule() -> impl Strategy<Value = Vec<Work>> {
    let rest = prop_oneof![Just(0_u64), 0..150_u64, 0..4_000_u64].prop_map(Duration::from_millis);
    let work = (rest, 1_u32..30, prop::bool::weighted(0.08)).prop_map(|(rest, requests, is_too_many)| Work {
        rest,
        requests,
        is_too_many,
    });
    prop::collection::vec(work, 0..8)
}

/// A request: when there was work, and when it left. A 429: when it came, and until when everything is held.
#[derive(Clone, Copy, Debug)]
struct Request {
    process: usize,
    asked: Duration,
    left: Duration,
}

#[derive(Clone, Copy, Debug)]
struct TooMany {
    process: usize,
    at: Duration,
    rate: f64,
}

/// What happened, in the order of time.
#[derive(Debug, Default)]
struct Log {
    requests: Vec<Request>,
    refusals: Vec<TooMany>,
}

async fn drive(process: usize, pacer: &Pacer, start: Instant, schedule: &[Work], log: &RefCell<Log>) {
    for work in schedule {
        tokio::time::sleep(work.rest).await;
        for _ in 0..work.requests {
            let asked = start.elapsed();
            pacer.ready().await.unwrap();
            let left = start.elapsed();
            log.borrow_mut().requests.push(Request { process, asked, left });
        }
        if work.is_too_many {
            pacer.slow_down(None).await.unwrap();
            let (at, rate) = (start.elapsed(), pacer.rate().unwrap());
            log.borrow_mut().refusals.push(TooMany { process, at, rate });
        }
    }
}

/// Runs two schedules beside each other, and says how fast a process may go 25 s after.
fn played(per_second: u32, schedules: &[Vec<Work>; 2]) -> (Log, f64) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::new("1", "2", "3", "http://127.0.0.1");
        // Two processes: each has the ledger open by itself.
        let pacers = [(); 2].map(|()| {
            let ledger = testing::open(&folder.path().join("ledger.db"));
            let quota = Quota::each_second(NonZeroU32::new(per_second).unwrap());
            Pacer::new(ledger, PaceKey::new(&profile, Route::default()), Some(quota))
        });
        let (start, log) = (Instant::now(), Rc::new(RefCell::new(Log::default())));
        tokio::join!(
            drive(0, &pacers[0], start, &schedules[0], &log),
            drive(1, &pacers[1], start, &schedules[1], &log),
        );
        tokio::time::sleep(Duration::from_secs(25)).await;
        pacers[0].ready().await.unwrap();
        (log.take(), pacers[0].rate().unwrap())
    })
}

/// Places that a process takes at a time: one by one, or those of a tenth of a second.
fn chunk(per_second: u32) -> f64 {
    if f64::from(per_second) > ONE_BY_ONE {
        (f64::from(per_second) / 10.0).ceil()
    } else {
        1.0
    }
}

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn two_processes_share_a_quota_use_it_and_never_pass_it(
        per_second in prop_oneof![1_u32..=20, 21_u32..400],
        schedules in [schedule(), schedule()],
    ) {
        let (log, recovered) = played(per_second, &schedules);
        let (rate, chunk) = (f64::from(per_second), chunk(per_second));
        let leaves = &log.requests;

        // Never more than quota · time + burst. A process that comes late to places that it took sends them at once:
        // those of a tenth of a second and one interval at most. Timers are late by up to a millisecond.
        let most = burst(leaves.iter().map(|request| request.left), rate);
        let allowed = if chunk > 1.0 { 1.0 + 2.0 * (chunk + 1.0) } else { 1.0 } + rate * 0.002;
        prop_assert!(most <= allowed, "{most} at one moment: {log:?}");

        // After a 429 the process that heard it sends nothing for a second, the other one what it had taken before.
        for refusal in &log.refusals {
            prop_assert!(refusal.rate <= rate / 2.0 + 1e-9);
            let held = leaves.iter().filter(|request| {
                request.left > refusal.at && request.left < refusal.at + Duration::from_millis(999)
            });
            let (own, others): (Vec<&Request>, Vec<_>) = held.partition(|request| request.process == refusal.process);
            prop_assert!(own.is_empty(), "{own:?} after {refusal:?}");
            prop_assert!(others.len() as f64 <= chunk, "{others:?} after {refusal:?}");
        }
        prop_assert!((recovered - rate).abs() < 1e-9, "{recovered} is left of {rate}");

        // Never idle while there are tokens and work waits: what a process took and then left unused is lost, once for
        // each time that one goes to rest.
        if log.refusals.is_empty() {
            let places = 2.0 * (chunk + 1.0);
            for request in leaves {
                let waited = (request.left - request.asked).as_secs_f64();
                prop_assert!(waited <= places / rate + 0.003, "{waited} s: {request:?}");
            }
            for busy in busy(leaves) {
                let lost = chunk * (busy.rests as f64 + 2.0) + 1.0;
                let tokens = (busy.until - busy.from).as_secs_f64() * rate;
                prop_assert!(busy.requests as f64 >= tokens - lost, "{busy:?} of {tokens}");
            }
        }
    }
}

/// A time in which there was always work.
#[derive(Debug)]
struct Busy {
    from: Duration,
    until: Duration,
    requests: usize,
    /// How often a process came with work.
    rests: usize,
}

fn busy(leaves: &[Request]) -> Vec<Busy> {
    let mut requests = leaves.to_vec();
    requests.sort_by_key(|request| request.asked);
    let mut all: Vec<Busy> = Vec::new();
    let mut last = [None; 2];
    for request in requests {
        let is_new = last[request.process].replace(request.left) != Some(request.asked);
        match all.last_mut() {
            Some(busy) if request.asked <= busy.until => {
                busy.until = busy.until.max(request.left);
                busy.requests += 1;
                busy.rests += usize::from(is_new);
            }
            _ => all.push(Busy {
                from: request.asked,
                until: request.left,
                requests: 1,
                rests: 1,
            }),
        }
    }
    all
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(SEEDS))),
        ..ProptestConfig::with_cases(cases)
    }
}

/// What once failed is tried first.
const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/pace/model.txt");
