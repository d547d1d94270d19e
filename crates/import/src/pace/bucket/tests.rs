//! The shared rate under orders of events that nobody thought of. No clock: times are numbers.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Event {
    Reserve(u32),
    SlowDown(Option<u64>),
}

fn events() -> impl Strategy<Value = Vec<(i64, Event)>> {
    let event = prop_oneof![
        4 => (1_u32..20).prop_map(Event::Reserve),
        1 => proptest::option::of(0_u64..5000).prop_map(Event::SlowDown),
    ];
    proptest::collection::vec((-900_000_i64..3_000_000, event), 1..80)
}

proptest! {
    /// Small steps back of the clock are in it, as several processes ask.
    #[test]
    fn no_window_holds_more_than_the_ceiling_allows(events in events(), ceiling in 0.5_f64..2000.0) {
        let (mut bucket, mut clock, mut latest) = (Bucket::default(), SECOND, 0_i64);
        let mut last: Option<i64> = None;
        for (step, event) in events {
            clock = (clock + step).max(1);
            latest = latest.max(clock);
            match event {
                Event::Reserve(requests) => {
                    let now = latest;
                    // What the bucket takes for now: never before what it has seen.
                    let reservation = bucket.reserve(clock.max(latest - SECOND + 1), requests, Some(ceiling));
                    let (wait, interval) = (
                        reservation.wait.as_micros() as i64,
                        reservation.interval.as_micros() as i64,
                    );
                    prop_assert!(reservation.rate.unwrap() <= ceiling);
                    let first = now + wait;
                    if let Some(last) = last {
                        prop_assert!((first - last) as f64 >= SECOND as f64 / ceiling - 0.001);
                    }
                    prop_assert!(requests == 1 || interval as f64 >= SECOND as f64 / ceiling);
                    prop_assert!(first >= bucket.hold);
                    last = Some(first + interval * i64::from(requests - 1));
                }
                Event::SlowDown(retry_after) => {
                    let after = retry_after.map(Duration::from_millis);
                    bucket.slow_down(clock.max(latest - SECOND + 1), Some(ceiling), after, 0.0);
                }
            }
        }
    }

    /// As a damaged ledger may hold them.
    #[test]
    fn no_numbers_panic(
        times in any::<[i64; 4]>(),
        rates in any::<[f64; 2]>(),
        now in 0..i64::MAX,
        ceiling in proptest::option::of(0.01_f64..5000.0),
    ) {
        let [next, hold, seen_at, at] = times;
        let slowed = Some(Slowed { rate: rates[0], at, before: rates[1] });
        let mut bucket = Bucket { next, hold, seen_at, slowed };
        bucket.slow_down(now, ceiling, None, 1.0);
        let reservation = bucket.reserve(now, 3, ceiling);
        prop_assert!(reservation.rate.is_none_or(|rate| rate <= MOST_PER_SECOND));
    }

    #[test]
    fn a_rate_that_was_slowed_comes_back(ceiling in 0.01_f64..5000.0, times in 1_i64..20) {
        let mut bucket = Bucket::default();
        for time in 0..times {
            bucket.slow_down(time * SECOND, Some(ceiling), None, 0.0);
        }
        let slow = bucket.reserve(times * SECOND, 1, Some(ceiling)).rate.unwrap();
        prop_assert!(slow < ceiling);
        let whole = bucket.reserve((times + 20) * SECOND, 1, Some(ceiling)).rate.unwrap();
        prop_assert!((whole - ceiling).abs() < ceiling * 1e-9, "{whole} of {ceiling}");
    }
}

#[test]
fn a_429_halves_the_rate_once_a_second_and_holds_everything() {
    let mut bucket = Bucket::default();
    bucket.reserve(0, 1, Some(20.0));
    assert_eq!(bucket.slow_down(0, Some(20.0), None, 0.0), 10.0);
    assert_eq!(bucket.slow_down(SECOND - 1, Some(20.0), None, 0.0), 10.0);
    let next = bucket.reserve(SECOND, 1, Some(20.0));
    assert_eq!(next.wait, Duration::from_micros(999_999));
    assert_eq!(next.rate, Some(11.0));
    assert_eq!(bucket.slow_down(3 * SECOND, Some(20.0), None, 0.0), 6.5);
}

#[test]
fn a_damaged_hold_is_no_longer_than_the_longest_pause() {
    let mut bucket = Bucket {
        hold: i64::MAX,
        ..Bucket::default()
    };
    assert_eq!(bucket.reserve(0, 1, Some(20.0)).wait, PAUSE_MOST);
}

#[test]
fn the_platform_says_how_long_to_wait() {
    let mut bucket = Bucket::default();
    let seven = Some(Duration::from_secs(7));
    assert_eq!(bucket.slow_down(0, None, seven, 100.0), 50.0);
    assert_eq!(bucket.reserve(0, 1, None).wait, Duration::from_secs(7));
    bucket.slow_down(0, None, Some(Duration::from_secs(86_400)), 100.0);
    assert!(bucket.reserve(0, 1, None).wait <= PAUSE_MOST + Duration::from_secs(1));
}

#[test]
fn without_a_ceiling_nothing_waits_before_a_429_and_the_rate_grows_after_it() {
    let mut bucket = Bucket::default();
    assert_eq!(bucket.reserve(0, 1000, None), Reservation::UNLIMITED);
    bucket.slow_down(0, None, None, 100.0);
    assert_eq!(bucket.reserve(10 * SECOND, 1, None).rate, Some(100.0));
    assert_eq!(bucket.reserve(20 * SECOND, 1, None).rate, Some(150.0));
}

#[test]
fn a_429_long_after_the_first_one_starts_from_what_is_sent() {
    let mut bucket = Bucket::default();
    bucket.slow_down(0, None, None, 100.0);
    let hour = 3600 * SECOND;
    assert!(bucket.reserve(hour, 1, None).rate.unwrap() > 10_000.0);
    assert_eq!(bucket.slow_down(hour, None, None, 80.0), 40.0);
    // A process that sends nothing itself knows no better than the last 429.
    assert_eq!(bucket.slow_down(2 * hour, None, None, 0.0), 20.0);
}

#[test]
fn a_clock_that_jumps_back_stalls_nobody() {
    let (mut bucket, hour) = (Bucket::default(), 3600 * SECOND);
    bucket.reserve(hour, 1, Some(5.0));
    bucket.slow_down(hour, Some(5.0), Some(Duration::from_secs(2)), 0.0);
    let reservation = bucket.reserve(0, 1, Some(5.0));
    assert_eq!(reservation.wait, Duration::from_secs(2));
    assert_eq!(reservation.rate, Some(2.5));
}

#[test]
fn another_ceiling_counts_at_once() {
    let mut bucket = Bucket::default();
    bucket.reserve(0, 1, Some(5.0));
    assert_eq!(bucket.reserve(SECOND, 1, Some(50.0)).rate, Some(50.0));
}
