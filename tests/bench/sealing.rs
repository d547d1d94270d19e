//! The RSA public operations of rows and nothing else: the most that a load could reach on the same cores.

use std::thread;

use serde_json::{Value, json};
use tokio::time::Instant;
use wxmember::{FormValue, PhoneNumber, PlatformKey};
use wxmember_tests::members::{MemberList, MemberRow};

use crate::cost::cpu;

/// Seals the two personal fields of so many rows, on all cores at once.
pub(crate) fn alone(rows: u64) -> Result<Value, String> {
    let key = key()?;
    warm_up()?;
    let threads = thread::available_parallelism().map_or(1, usize::from) as u64;
    let made: Vec<MemberRow> = MemberList::new(MADE, 1).rows().collect();
    let (cpu_before, start) = (cpu()?, Instant::now());
    let sealed = thread::scope(|scope| {
        let share = |number: u64| rows / threads + u64::from(number < rows % threads);
        let running: Vec<_> = (0..threads)
            .map(|number| {
                let (key, made) = (&key, &made);
                scope.spawn(move || -> Result<(), String> {
                    for row in made.iter().cycle().take(share(number) as usize) {
                        let phone = PhoneNumber::new(row.phone_number.as_str());
                        let name = FormValue::new(row.name.as_str());
                        key.seal(&phone).map_err(|error| error.to_string())?;
                        key.seal(&name).map_err(|error| error.to_string())?;
                    }
                    Ok(())
                })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join())
            .collect::<Vec<_>>()
    });
    for ended in sealed {
        ended.map_err(|_| "a thread panicked".to_owned())??;
    }
    Ok(json!({
        "rows": rows,
        "threads": threads,
        "seconds": start.elapsed().as_secs_f64(),
        "cpu_seconds": cpu()?.own - cpu_before.own,
    }))
}

/// Seals once. The backend gathers randomness before its first seal, some 50 ms of each process, whatever it does later.
pub(crate) fn warm_up() -> Result<(), String> {
    let sealed = key()?.seal(&PhoneNumber::new("13800138000"));
    sealed.map(drop).map_err(|error| error.to_string())
}

fn key() -> Result<PlatformKey, String> {
    PlatformKey::from_pem(include_str!("../vectors/test_wechatpay_pubmode_pub_key.pem"))
        .map_err(|error| error.to_string())
}

/// Rows to take turns with.
const MADE: u64 = 1000;
