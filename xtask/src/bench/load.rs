//! `bench load`: how fast a list gets into the ledger, and how much memory that takes.

use std::fs;

use super::{Bench, Figure, Target, floor::Floor, number, sandbox::median};
use crate::outcome::Outcome;

/// Loads lists of three sizes, each in a process of its own, in turns with the public operations alone.
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
    let mut turns = Vec::new();
    // A short load is over in less than a second: many of them make one figure.
    for _ in 0..(300_000 / rows).clamp(1, 15) | 1 {
        remove(&ledger);
        let threads = Floor::all_cores();
        let words = ["load", list.as_str(), &ledger];
        let (loaded, floor) = Floor::beside(bench, threads, &["seal"], &bench.measuring, &words)?;
        let sealed = floor.sum(&[("seal", 2.0)]);
        let (rate, cost) = (
            number(&loaded, "rows")? / number(&loaded, "running_seconds")?,
            number(&loaded, "cpu_seconds")? / number(&loaded, "rows")? * MICROS,
        );
        turns.push([
            rate * sealed.wall / MICROS / threads as f64,
            sealed.cpu / cost,
            rate,
            number(&loaded, "peak_bytes")?,
            number(&loaded, "ledger_bytes")?,
        ]);
    }
    let median = |which: usize| median(&turns.iter().map(|turn| turn[which]).collect::<Vec<_>>());
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
        method: "rows per second of the load by those of two OAEP seals a row on all cores and nothing else, which take turns \
                 of 0.3 s and 0.04 s with it; the median of up to fifteen loads",
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

const SEED: &str = "4";
const MIB: f64 = 1_048_576.0;
const MICROS: f64 = 1e6;
