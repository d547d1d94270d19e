//! `bench load`: how fast a list gets into the ledger, and how much memory that takes.

use std::fs;

use serde_json::Value;

use super::{Bench, Figure, Target, number};
use crate::outcome::Outcome;

/// Loads lists of three sizes, each in a process of its own, with the public operations alone before and after each.
pub(super) fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> Outcome {
    let largest = bench
        .rows
        .unwrap_or(if bench.is_quick { 100_000 } else { 1_000_000 });
    let mut loads = Vec::new();
    for rows in [largest / 100, largest / 10, largest] {
        loads.push(one(bench, rows, figures)?);
    }
    let [small, middle, large] = &loads[..] else {
        return Ok(());
    };
    Figure {
        name: format!(
            "load: rate at {} rows, share of that at {}",
            large.rows, middle.rows
        ),
        value: large.share / middle.share,
        unit: "",
        target: Target::AtLeast(0.9),
        method: "rows per second of the largest list by those of the middle one, each by the public operations beside it, \
                 since the machine's own speed changes in between",
    }
    .add_to(figures);
    Figure {
        name: format!(
            "load: memory at {} rows, times that at {}",
            large.rows, small.rows
        ),
        value: large.peak / small.peak,
        unit: "",
        target: Target::AtMost(1.2),
        method: "VmHWM of the loading process at its end, of the largest list by that of the smallest",
    }
    .add_to(figures);
    Figure {
        name: format!("load: memory at {} rows", large.rows),
        value: large.peak / MIB,
        unit: "MiB",
        target: Target::AtMost(100.0),
        method: "VmHWM of the loading process at its end",
    }
    .add_to(figures);
    Figure {
        name: format!("load: ledger of {} rows", large.rows),
        value: large.ledger / MIB,
        unit: "MiB",
        target: Target::None,
        method: "size of the database file and its write-ahead log after the load",
    }
    .add_to(figures);
    Ok(())
}

struct Load {
    rows: u64,
    rate: f64,
    /// The rate by that of the public operations alone.
    share: f64,
    peak: f64,
    ledger: f64,
}

fn one(bench: &Bench, rows: u64, figures: &mut Vec<Figure>) -> Outcome<Load> {
    let (list, ledger) = (
        bench.path(&format!("{rows}.csv")),
        bench.path(&format!("{rows}.db")),
    );
    bench.measure(&["list", &rows.to_string(), SEED, &list])?;
    // Some seconds of sealing, however large the list is.
    let seal = || bench.measure(&["seal", &rows.clamp(50_000, 200_000).to_string()]);
    let mut turns = Vec::new();
    let mut before = seal()?;
    // A machine that is shared changes its speed within seconds, so short loads take turns with sealing.
    for _ in 0..(500_000 / rows).clamp(1, 5) {
        remove(&ledger);
        let loaded = bench.measure(&["load", &list, &ledger])?;
        let after = seal()?;
        let alone = |per: &str| -> Outcome<f64> { Ok((rate(&before, per)? + rate(&after, per)?) / 2.0) };
        turns.push([
            rate(&loaded, "seconds")? / alone("seconds")?,
            rate(&loaded, "cpu_seconds")? / alone("cpu_seconds")?,
            rate(&loaded, "seconds")?,
            number(&loaded, "peak_bytes")?,
            number(&loaded, "ledger_bytes")?,
        ]);
        before = after;
    }
    let median = |which: usize| {
        let mut values: Vec<f64> = turns.iter().map(|turn| turn[which]).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let load = Load {
        rows,
        rate: median(2),
        share: median(0),
        peak: median(3),
        ledger: median(4),
    };
    Figure {
        name: format!("load: {rows} rows"),
        value: load.rate,
        unit: "rows/s",
        target: Target::None,
        method: "a CSV with phone, code, name, level and time, loaded by the importer in a process of its own",
    }
    .add_to(figures);
    Figure {
        name: format!("load: {rows} rows, share of the public operations"),
        value: load.share,
        unit: "",
        target: Target::AtLeast(0.6),
        method: "rows per second of the load by those of two OAEP seals a row on all cores, the mean of before and after, the \
                 median of up to five turns; \
                 each process has sealed once before",
    }
    .add_to(figures);
    Figure {
        name: format!("load: {rows} rows, share of the public operations by CPU time"),
        value: median(1),
        unit: "",
        target: Target::None,
        method: "the same by CPU time of the processes, which other programs on the machine change little",
    }
    .add_to(figures);
    remove(&ledger);
    drop(fs::remove_file(list));
    Ok(load)
}

/// A million rows are a gigabyte; what is not there need not go.
fn remove(ledger: &str) {
    for end in ["", "-wal", "-shm", ".key"] {
        drop(fs::remove_file(format!("{ledger}{end}")));
    }
}

/// Rows by seconds of one kind.
fn rate(measured: &Value, per: &str) -> Outcome<f64> {
    Ok(number(measured, "rows")? / number(measured, per)?)
}

const SEED: &str = "4";
const MIB: f64 = 1_048_576.0;
