//! SIGKILL at any moment: every good row is imported once, whatever is killed.
//!
//! `WXMEMBER_KILL_ROUNDS` and `WXMEMBER_KILL_WORKER_ROUNDS` ask for other numbers of rounds, `WXMEMBER_KILL_SEED` for
//! another first seed; a round that fails tells its seed.

use std::env;

use tokio::task::JoinSet;
use wxmember_tests::kill::{Figures, Round, WorkersRound};

fn asked(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// Plays rounds, some side by side, and fails when one of them did.
async fn play<F>(rounds: u64, side_by_side: usize, round: impl Fn(u64) -> F) -> Figures
where
    F: Future<Output = Result<Figures, String>> + Send + 'static,
{
    let first = asked("WXMEMBER_KILL_SEED", 1);
    let mut seeds = first..first + rounds;
    let mut running = JoinSet::new();
    let (mut figures, mut failures) = (Figures::default(), Vec::new());
    loop {
        while running.len() < side_by_side
            && let Some(seed) = seeds.next()
        {
            running.spawn(round(seed));
        }
        match running.join_next().await {
            None => break,
            Some(Ok(Ok(round))) => figures.add(round),
            Some(Ok(Err(wrong))) => failures.push(wrong),
            Some(Err(panicked)) => failures.push(panicked.to_string()),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert_eq!(figures.rounds, rounds);
    figures
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_killed_loses_nobody_and_doubles_nobody() {
    let figures = play(asked("WXMEMBER_KILL_ROUNDS", 50), 2, Round::run).await;
    println!("{figures}");
}

/// Most of a round is waiting for the leases of those who were killed, so several go side by side.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_workers_that_are_killed_and_a_server_that_crashes_lose_nobody_and_double_nobody() {
    let figures = play(asked("WXMEMBER_KILL_WORKER_ROUNDS", 2), 4, WorkersRound::run).await;
    println!("{figures}");
}
