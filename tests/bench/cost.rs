//! What a process has cost so far, from `/proc`: Linux only, as the measured machine is.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tokio::time::Instant;

/// CPU seconds of this process and of the children that it has waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cpu {
    pub(crate) own: f64,
    pub(crate) children: f64,
}

/// Reads the CPU time, user and system together, in steps of a hundredth of a second.
pub(crate) fn cpu() -> Result<Cpu, String> {
    cpu_of("self")
}

/// The same of another process.
pub(crate) fn cpu_of(process: &str) -> Result<Cpu, String> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    // The name of the program stands in parentheses and may hold anything.
    let fields = text.rsplit(')').next().unwrap_or_default();
    let ticks: Vec<f64> = fields
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse().ok())
        .collect();
    match ticks[..] {
        [user, system, children_user, children_system] => Ok(Cpu {
            own: (user + system) / TICKS,
            children: (children_user + children_system) / TICKS,
        }),
        _ => Err(format!("{path} has no CPU time")),
    }
}

/// Seconds of the clock that goes on by itself: the same for all processes, and nobody sets it.
pub(crate) fn moment() -> f64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// The most memory that a process has had so far, in bytes; `None` when it is gone.
pub(crate) fn peak_memory(process: &str) -> Option<u64> {
    of_status(process, "VmHWM:")
}

/// The memory that a process has now, in bytes; `None` when it is gone.
pub(crate) fn memory(process: &str) -> Option<u64> {
    of_status(process, "VmRSS:")
}

fn of_status(process: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Runs a program to its end, and says what it cost.
pub(crate) fn of_child(program: &str, arguments: &[&str]) -> Result<Value, String> {
    let (before, start) = (cpu()?, Instant::now());
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    let process = child.id().to_string();
    let mut peak = 0;
    // What it prints is one line, which the pipe holds; a peak of its last moments can be missed.
    let status = loop {
        peak = peak_memory(&process).map_or(peak, |memory| memory.max(peak));
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    let seconds = start.elapsed().as_secs_f64();
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    Ok(json!({
        "code": status.code(),
        "seconds": seconds,
        "cpu_seconds": cpu()?.children - before.children,
        "peak_bytes": peak,
        "said": serde_json::from_str::<Value>(&said).unwrap_or(Value::Null),
    }))
}

/// The files of a ledger, in bytes.
pub(crate) fn ledger_bytes(ledger: &Path) -> u64 {
    let beside = |more: &str| {
        let mut path = ledger.as_os_str().to_owned();
        path.push(more);
        fs::metadata(path).map_or(0, |file| file.len())
    };
    beside("") + beside("-wal")
}

/// `USER_HZ`, which is 100 on every Linux.
const TICKS: f64 = 100.0;
