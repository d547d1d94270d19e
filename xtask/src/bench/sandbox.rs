//! `bench sandbox`: what the sandbox costs beside the RSA that each answer needs, and how much memory it takes.

use super::{Bench, Figure, Target, floor::Floor, import::Sandbox, number};
use crate::outcome::Outcome;

/// Imports new members in rounds, the floor before and after each; then a soak with members that are there.
pub(super) fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> Outcome {
    let (rounds, members) = if bench.is_quick { (2, 1_000) } else { (5, 10_000) };
    let requests = members / rounds;
    let sandbox = Sandbox::start(bench, "sandbox")?;
    let process = sandbox.process().to_string();
    let mut shares = Vec::new();
    let (mut floor_cpu, mut floor_wall) = (Vec::new(), Vec::new());
    let (mut cpu, mut wall, mut peak) = (Vec::new(), Vec::new(), 0.0);
    let mut before = Floor::measure(bench, Floor::all_cores())?;
    for round in 0..rounds {
        let measured = bench.measure(&[
            "answers",
            &(1 + round * requests).to_string(),
            &requests.to_string(),
            CONNECTIONS,
            &sandbox.folder,
            &process,
        ])?;
        let after = Floor::measure(bench, Floor::all_cores())?;
        let rsa = |floor: &Floor| floor.sum(ONE_IMPORT);
        let by_floor = (rsa(&before).cpu + rsa(&after).cpu) / 2.0;
        let by_wall = (rsa(&before).wall + rsa(&after).wall) / 2.0 / Floor::all_cores() as f64;
        let each = |name: &str| Ok(number(&measured, name)? / requests as f64 * MICROS);
        let (cost, time): (f64, f64) = (each("cpu_seconds")?, each("seconds")?);
        shares.push(by_floor / cost);
        floor_cpu.push(by_floor);
        floor_wall.push(by_wall);
        cpu.push(cost);
        wall.push(time);
        peak = number(&measured, "peak_bytes")?;
        before = after;
    }
    Figure {
        name: "sandbox: RSA of one import".to_owned(),
        value: median(&floor_cpu),
        unit: "µs CPU",
        target: Target::None,
        method: "verify, three opens, one seal, one signature: each operation alone on all cores before and after each \
                 round; median of the rounds",
    }
    .add_to(figures);
    Figure {
        name: "sandbox: one import".to_owned(),
        value: median(&cpu),
        unit: "µs CPU",
        target: Target::None,
        method: "user and system time of `wxmember sandbox` per answered import with three sealed fields, 32 \
                 connections, requests signed before; it seals three fields of the answer, two more than the floor",
    }
    .add_to(figures);
    Figure {
        name: "sandbox: share of its RSA by CPU time".to_owned(),
        value: median(&shares),
        unit: "",
        target: Target::AtLeast(0.85),
        method: "the first by the second within each round, which other programs on the machine change little; median",
    }
    .add_to(figures);
    Figure {
        name: "sandbox: spread of that share".to_owned(),
        value: shares.iter().copied().fold(f64::MIN, f64::max)
            - shares.iter().copied().fold(f64::MAX, f64::min),
        unit: "",
        target: Target::None,
        method: "largest less smallest of the rounds",
    }
    .add_to(figures);
    Figure {
        name: "sandbox: imports a second".to_owned(),
        value: MICROS / median(&wall),
        unit: "/s",
        target: Target::None,
        method: "answers by wall time with the load on the same cores; what RSA alone allows there is the floor's wall \
                 time by the number of cores",
    }
    .add_to(figures);
    Figure {
        name: "sandbox: share of its RSA by wall time".to_owned(),
        value: median(&floor_wall) / median(&wall),
        unit: "",
        target: Target::None,
        method: "the same by wall time; the load's own work is against it",
    }
    .add_to(figures);
    Figure {
        name: format!("sandbox: memory with {members} members"),
        value: peak / MIB,
        unit: "MiB",
        target: Target::AtMost(50.0),
        method: "VmHWM of `wxmember sandbox` after so many imports with three personal fields each",
    }
    .add_to(figures);
    soak(bench, &sandbox, &process, figures)
}

fn soak(bench: &Bench, sandbox: &Sandbox, process: &str, figures: &mut Vec<Figure>) -> Outcome {
    let seconds = if bench.is_quick { "8" } else { "60" };
    let measured = bench.measure(&["soak", seconds, MEMBERS, CONNECTIONS, &sandbox.folder, process])?;
    let requests = number(&measured, "requests")? - number(&measured, "settled_requests")?;
    let grown = number(&measured, "bytes")? - number(&measured, "settled_bytes")?;
    Figure {
        name: format!("sandbox: growth in {seconds} s of full load beyond its state"),
        value: (grown - requests * BYTES_OF_NONCE) / MIB,
        unit: "MiB",
        target: Target::AtMost(1.0),
        method: "VmRSS at the end less that after a quarter, with members that are all there, less 64 bytes for each \
                 nonce that must be remembered for 300 s",
    }
    .add_to(figures);
    Figure {
        name: format!("sandbox: answers in {seconds} s of full load"),
        value: number(&measured, "requests")?,
        unit: "",
        target: Target::None,
        method: "32 connections, each request signed by the load; every answer must be a 200",
    }
    .add_to(figures);
    Ok(())
}

pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[count / 2],
        count => (sorted[count / 2 - 1] + sorted[count / 2]) / 2.0,
    }
}

/// What the sandbox must do for one import: verify it, open three fields, seal the answer's phone number, sign.
const ONE_IMPORT: &[(&str, f64)] = &[("verify", 1.0), ("open", 3.0), ("seal", 1.0), ("sign", 1.0)];
const CONNECTIONS: &str = "32";
/// Of the soak; the same ones as the first of the rounds.
const MEMBERS: &str = "200";
const BYTES_OF_NONCE: f64 = 64.0;
const MICROS: f64 = 1e6;
const MIB: f64 = 1_048_576.0;
