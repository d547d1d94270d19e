//! The floor: what each RSA operation costs while so many threads do nothing else, by the backend in use.
//!
//! The threads take the four operations in turn, a slice of time each, so that whatever else the machine does meets all
//! of them alike. CPU time is the thread's own from `/proc/thread-self/schedstat`.

use std::{fs, thread, time::Duration};

use serde_json::{Value, json};
use tokio::time::Instant;
use wxmember::{FormValue, MerchantCiphertext, MerchantKey, OpenError, Signature};

use crate::calls::Opening;

/// Measures for some seconds.
pub(crate) fn measure(threads: usize, seconds: f64) -> Result<Value, String> {
    let key = MerchantKey::from_pem(include_str!("../vectors/test_merchant_key.pem"))
        .map_err(|error| error.to_string())?;
    let slices = (seconds / (SLICE.as_secs_f64() * OPERATIONS.len() as f64))
        .round()
        .max(1.0) as usize;
    let ended = thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| on_one_thread(&key, slices)))
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join())
            .collect::<Vec<_>>()
    });
    let mut slices = Vec::new();
    for ended in ended {
        slices.extend(ended.map_err(|_| "a thread panicked".to_owned())??);
    }
    let mut measured = json!({"threads": threads, "modulus_bits": 2048, "message_bytes": MESSAGE});
    for operation in OPERATIONS {
        let of_kind = || slices.iter().filter(|slice| slice.operation == operation);
        let count: u64 = of_kind().map(|slice| slice.count).sum();
        let total = |time: fn(&Slice) -> f64| of_kind().map(time).sum::<f64>() / count as f64;
        let mut each: Vec<f64> = of_kind().map(|slice| slice.cpu / slice.count as f64).collect();
        each.sort_by(f64::total_cmp);
        let at = |share: f64| each[((each.len() - 1) as f64 * share).round() as usize] * MICROS;
        measured[operation.name()] = json!({
            "count": count,
            "cpu_us": total(|slice| slice.cpu) * MICROS,
            "wall_us": total(|slice| slice.wall) * MICROS,
            "cpu_us_quartiles": [at(0.25), at(0.5), at(0.75)],
        });
    }
    Ok(measured)
}

/// Does the RSA of so many calls of the SDK and nothing else, for who counts its instructions.
pub(crate) fn of_calls(calls: u64, opening: Opening) -> Result<Value, String> {
    let key = MerchantKey::from_pem(include_str!("../vectors/test_merchant_key.pem"))
        .map_err(|error| error.to_string())?;
    let once = operations_of(&key)?;
    for _ in 0..calls {
        for operation in [
            Operation::Seal,
            Operation::Seal,
            Operation::Sign,
            Operation::Verify,
        ] {
            once(operation)?;
        }
        if opening == Opening::Yes {
            once(Operation::Open)?;
        }
    }
    Ok(json!({"calls": calls}))
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Operation {
    Sign,
    Open,
    Verify,
    Seal,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Open => "open",
            Self::Verify => "verify",
            Self::Seal => "seal",
        }
    }
}

/// One operation over and over.
struct Slice {
    operation: Operation,
    count: u64,
    /// Seconds.
    cpu: f64,
    wall: f64,
}

/// Does one operation when asked to, on values that were made before.
fn operations_of(key: &MerchantKey) -> Result<impl Fn(Operation) -> Result<(), String>, String> {
    let refused = |error: &dyn std::error::Error| error.to_string();
    let message = vec![b'm'; MESSAGE];
    let value = FormValue::new("13800138000");
    let signature: Signature = key.sign(&message).map_err(|error| refused(&error))?;
    let sealed: MerchantCiphertext = key.public_key().seal(&value).map_err(|error| refused(&error))?;
    Ok(move |operation| {
        match operation {
            Operation::Sign => drop(key.sign(&message).map_err(|error| refused(&error))?),
            Operation::Open => {
                let opened: Result<FormValue, OpenError> = key.open(&sealed);
                drop(opened.map_err(|error| refused(&error))?);
            }
            Operation::Verify => {
                let verified = key.public_key().verify(&message, &signature);
                verified.map_err(|error| refused(&error))?;
            }
            Operation::Seal => drop(key.public_key().seal(&value).map_err(|error| refused(&error))?),
        }
        Ok(())
    })
}

fn on_one_thread(key: &MerchantKey, slices: usize) -> Result<Vec<Slice>, String> {
    let once = operations_of(key)?;
    let mut made = Vec::new();
    for _ in 0..slices {
        for operation in OPERATIONS {
            let (cpu_before, start) = (cpu_of_thread()?, Instant::now());
            let mut count = 0;
            while start.elapsed() < SLICE {
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

const OPERATIONS: [Operation; 4] = [
    Operation::Sign,
    Operation::Open,
    Operation::Verify,
    Operation::Seal,
];
const SLICE: Duration = Duration::from_millis(100);
const BATCH: u64 = 8;
/// Bytes that are signed: a request with three sealed fields has some more.
const MESSAGE: usize = 2048;
const MICROS: f64 = 1e6;
