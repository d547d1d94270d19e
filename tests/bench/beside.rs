//! A measurement with the floor beside it: the measuring process is stopped every few tenths of a second, and the RSA
//! operations alone run in its place.
//!
//! A machine that is shared changes its speed within seconds, by a quarter and more. Both see the same of it, so that
//! their ratio is good to a few hundredths where a floor before and a floor behind were not.

use std::{
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{
    cost,
    floor::{Floor, OPERATIONS},
    rsa::Operation,
};

/// Runs a program that measures between two moments that it names, `began_at` and `ended_at`.
pub(crate) fn measure(threads: usize, kind: &str, program: &str, words: &[&str]) -> Result<Value, String> {
    let operations = match kind {
        "all" => &OPERATIONS[..],
        "seal" => &[Operation::Seal],
        _ => return Err(format!("`{kind}` is neither `all` nor `seal`")),
    };
    let mut floor = Floor::new(threads, operations)?;
    floor.visit(SLICE)?;
    let mut child = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    let pauses = take_turns(&mut child, &mut floor);
    if pauses.is_err() {
        // Nobody is left to go on with it.
        drop(child.kill());
    }
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let pauses = pauses?;
    floor.visit(SLICE)?;
    let said = String::from_utf8_lossy(&output.stdout);
    let mut measured: Value = serde_json::from_str(&said).map_err(|_| {
        format!(
            "`{program} {}` printed no figures: {}",
            words.join(" "),
            output.status
        )
    })?;
    let moment = |name: &str| measured[name].as_f64().ok_or(format!("no `{name}`"));
    let (began, ended) = (moment("began_at")?, moment("ended_at")?);
    let paused: f64 = pauses
        .iter()
        .map(|(from, to)| (to.min(ended) - from.max(began)).max(0.0))
        .sum();
    measured["running_seconds"] = json!(ended - began - paused);
    Ok(json!({"measured": measured, "pauses": pauses.len(), "floor": floor.figures()}))
}

/// Until the child ends; returns when it was stopped.
fn take_turns(child: &mut Child, floor: &mut Floor) -> Result<Vec<(f64, f64)>, String> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or("the child has no process")?;
    let mut pauses = Vec::new();
    loop {
        for _ in 0..POLLS {
            thread::sleep(TURN / POLLS);
            if child.try_wait().map_err(|error| error.to_string())?.is_some() {
                return Ok(pauses);
            }
        }
        let signal = |signal| kill_process(pid, signal).map_err(|error| error.to_string());
        let from = cost::moment();
        signal(Signal::STOP)?;
        let visited = floor.visit(SLICE);
        signal(Signal::CONT)?;
        pauses.push((from, cost::moment()));
        visited?;
    }
}

/// How long the child runs before the floor comes.
const TURN: Duration = Duration::from_millis(300);
const POLLS: u32 = 30;
/// Of each operation.
const SLICE: Duration = Duration::from_millis(40);
