//! The floor: what each RSA operation costs while so many threads do nothing else, by the backend in use.
//!
//! The threads take the operations in turn, a slice of time each, so that whatever else the machine does meets all of
//! them alike. CPU time is the thread's own from `/proc/thread-self/schedstat`.

use std::{fs, thread, time::Duration};

use serde_json::{Value, json};
use tokio::time::Instant;
use wxmember::MerchantKey;

use crate::rsa::{self, MESSAGE, Operation, operations_of};

/// Some operations, and what they have cost so far.
pub(crate) struct Floor {
    key: MerchantKey,
    threads: usize,
    operations: Vec<Operation>,
    slices: Vec<Slice>,
}

impl Floor {
    pub(crate) fn new(threads: usize, operations: &[Operation]) -> Result<Self, String> {
        let key = rsa::key()?;
        // The first seal of a process gathers randomness for 50 ms.
        operations_of(&key)?(Operation::Seal)?;
        Ok(Self {
            key,
            threads,
            operations: operations.to_vec(),
            slices: Vec::new(),
        })
    }

    /// Does each operation for that long, on all threads at once.
    pub(crate) fn visit(&mut self, slice: Duration) -> Result<(), String> {
        let (key, operations) = (&self.key, &self.operations);
        let ended = thread::scope(|scope| {
            let running: Vec<_> = (0..self.threads)
                .map(|_| scope.spawn(|| on_one_thread(key, operations, slice)))
                .collect();
            running
                .into_iter()
                .map(|thread| thread.join())
                .collect::<Vec<_>>()
        });
        for ended in ended {
            self.slices
                .extend(ended.map_err(|_| "a thread panicked".to_owned())??);
        }
        Ok(())
    }

    /// What one of each costs.
    pub(crate) fn figures(&self) -> Value {
        let mut measured = json!({"threads": self.threads, "modulus_bits": 2048, "message_bytes": MESSAGE});
        for operation in &self.operations {
            let of_kind = || self.slices.iter().filter(|slice| slice.operation == *operation);
            let count: u64 = of_kind().map(|slice| slice.count).sum();
            let total = |time: fn(&Slice) -> f64| of_kind().map(time).sum::<f64>() / count as f64;
            let mut each: Vec<f64> = of_kind().map(|slice| slice.cpu / slice.count as f64).collect();
            each.sort_by(f64::total_cmp);
            let at = |share: f64| {
                let place = (each.len().saturating_sub(1) as f64 * share).round() as usize;
                each.get(place).copied().unwrap_or_default() * MICROS
            };
            measured[name(*operation)] = json!({
                "count": count,
                "cpu_us": total(|slice| slice.cpu) * MICROS,
                "wall_us": total(|slice| slice.wall) * MICROS,
                "cpu_us_quartiles": [at(0.25), at(0.5), at(0.75)],
            });
        }
        measured
    }
}

/// Measures all operations for some seconds.
pub(crate) fn measure(threads: usize, seconds: f64) -> Result<Value, String> {
    let mut floor = Floor::new(threads, &OPERATIONS)?;
    let visits = seconds / (SLICE.as_secs_f64() * OPERATIONS.len() as f64);
    for _ in 0..visits.round().max(1.0) as usize {
        floor.visit(SLICE)?;
    }
    Ok(floor.figures())
}

/// One operation over and over.
struct Slice {
    operation: Operation,
    count: u64,
    /// Seconds.
    cpu: f64,
    wall: f64,
}

fn name(operation: Operation) -> &'static str {
    match operation {
        Operation::Sign => "sign",
        Operation::Open => "open",
        Operation::Verify => "verify",
        Operation::Seal => "seal",
    }
}

fn on_one_thread(key: &MerchantKey, operations: &[Operation], slice: Duration) -> Result<Vec<Slice>, String> {
    let once = operations_of(key)?;
    let mut made = Vec::new();
    for &operation in operations {
        let (cpu_before, start) = (cpu_of_thread()?, Instant::now());
        let mut count = 0;
        while start.elapsed() < slice {
            for _ in 0..BATCH {
                once(operation)?;
            }
            count += BATCH;
        }
        made.push(Slice {
            operation,
            count,
            cpu: cpu_of_thread()? - cpu_before,
            wall: start.elapsed().as_secs_f64(),
        });
    }
    Ok(made)
}

/// Seconds of this thread on a CPU.
fn cpu_of_thread() -> Result<f64, String> {
    let path = "/proc/thread-self/schedstat";
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let nanos = text
        .split_whitespace()
        .next()
        .and_then(|text| text.parse::<f64>().ok());
    nanos
        .map(|nanos| nanos / 1e9)
        .ok_or_else(|| format!("{path} has no CPU time"))
}

pub(crate) const OPERATIONS: [Operation; 4] = [
    Operation::Sign,
    Operation::Open,
    Operation::Verify,
    Operation::Seal,
];
const SLICE: Duration = Duration::from_millis(100);
const BATCH: u64 = 8;
const MICROS: f64 = 1e6;
