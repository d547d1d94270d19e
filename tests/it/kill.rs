//! SIGKILL at any moment: every good row is imported once, whatever is killed.
//!
//! `WXMEMBER_KILL_ROUNDS` asks for another number of rounds, `WXMEMBER_KILL_SEED` for another first seed; a round that
//! fails tells its seed.

use std::env;

use tokio::task::JoinSet;
use wxmember_tests::kill::{Figures, Round};

fn asked(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_killed_loses_nobody_and_doubles_nobody() {
    let (first, rounds) = (asked("WXMEMBER_KILL_SEED", 1), asked("WXMEMBER_KILL_ROUNDS", 50));
    let mut seeds = first..first + rounds;
    let mut running = JoinSet::new();
    let (mut figures, mut failures) = (Figures::default(), Vec::new());
    loop {
        while running.len() < SIDE_BY_SIDE
            && let Some(seed) = seeds.next()
        {
            running.spawn(Round::run(seed));
        }
        match running.join_next().await {
            None => break,
            Some(Ok(Ok(round))) => figures.add(round),
            Some(Ok(Err(wrong))) => failures.push(wrong),
            Some(Err(panicked)) => failures.push(panicked.to_string()),
        }
    }
    println!("{figures}");
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert_eq!(figures.rounds, rounds);
}

const SIDE_BY_SIDE: usize = 2;
