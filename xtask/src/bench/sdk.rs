//! `bench sdk`: what a call of the SDK costs beside the RSA in it, and beside what a user would take instead.

use serde_json::Value;

use super::{
    Bench, Figure, Target,
    floor::{Floor, OPERATIONS},
    import::Sandbox,
    number,
    rivals::Rival,
    sandbox::median,
};
use crate::{outcome::Outcome, workspace::Workspace};

/// One way of calling the SDK.
struct Way {
    in_flight: &'static str,
    opening: &'static str,
    /// What stands in the name of its figures.
    name: &'static str,
    rsa: &'static [(&'static str, f64)],
    target: Target,
}

/// Each way and each other client in turn, round after round, all against one sandbox.
pub(super) fn measure(bench: &Bench, workspace: &Workspace, figures: &mut Vec<Figure>) -> Outcome {
    let (rounds, calls) = if bench.is_quick { (1, 300) } else { (5, 1_500) };
    let rivals = Rival::all(bench, workspace)?;
    let sandbox = Sandbox::start(bench, "calls")?;
    let members = bench.path("members.json");
    bench.measure(&["members", &calls.to_string(), SEED, &members])?;
    let mut costs = vec![Vec::new(); WAYS.len()];
    let (mut ratios, mut by_hand, mut beyond) = (costs.clone(), costs.clone(), costs.clone());
    let mut floors = Vec::new();
    let mut ours = Vec::new();
    let mut theirs = vec![Vec::new(); rivals.len()];
    for round in 0..rounds {
        for (index, way) in WAYS.iter().enumerate() {
            let threads = if way.in_flight == "1" {
                1
            } else {
                Floor::all_cores()
            };
            let beside = |by: &str| -> Outcome<_> {
                let calls = calls.to_string();
                let words = [by, &calls, SEED, way.in_flight, way.opening, &sandbox.folder];
                let (measured, floor) = Floor::beside(bench, threads, &OPERATIONS, &bench.calling, &words)?;
                let cost = each(&measured, "cpu_seconds")?;
                Ok((cost, cost / floor.sum(way.rsa).cpu, floor))
            };
            // In turn, so that neither is always the one that comes first.
            let ((cost, ratio, floor), hand) = if round % 2 == 0 {
                (beside("calls")?, beside("bare")?.1)
            } else {
                let hand = beside("bare")?.1;
                (beside("calls")?, hand)
            };
            ratios[index].push(ratio);
            costs[index].push(cost);
            by_hand[index].push(hand);
            beyond[index].push(ratio / hand);
            if index == 0 {
                floors.push(floor);
            }
        }
        let words = ["calls", &calls.to_string(), SEED, "32", "opened", &sandbox.folder];
        ours.push(bench.calls(&words)?);
        for (rival, measured) in rivals.iter().zip(&mut theirs) {
            measured.push(rival.measure(bench, &members, &sandbox.folder)?);
        }
    }
    for operation in OPERATIONS {
        let each: Vec<_> = floors.iter().map(|floor| floor.of(operation).cpu).collect();
        Figure {
            name: format!("floor: {operation}"),
            value: median(&each),
            unit: "µs CPU",
            target: Target::None,
            method: "one RSA-2048 operation of the backend in use, on all cores at once, beside every round; median",
        }
        .add_to(figures);
    }
    for (index, way) in WAYS.iter().enumerate() {
        Figure {
            name: format!("sdk: {}", way.name),
            value: median(&costs[index]) / 1000.0,
            unit: "CPU s/1000",
            target: Target::None,
            method: "user and system time of a loop over `import_by_phone` with two sealed fields, per 1,000 calls; the \
                     sandbox is another process and not counted; median of the rounds",
        }
        .add_to(figures);
        Figure {
            name: format!("sdk: {}, times its RSA", way.name),
            value: median(&ratios[index]),
            unit: "",
            target: way.target,
            method: "that by the sum of its RSA operations, which take turns of 0.3 s and 0.16 s with it on as many threads; \
                     median of the rounds",
        }
        .add_to(figures);
        Figure {
            name: format!("sdk: {}, a loop by hand times its RSA", way.name),
            value: median(&by_hand[index]),
            unit: "",
            target: Target::None,
            method: "the same of a loop over the same HTTP library and the SDK's keys, the rest written by hand: untyped JSON, \
                     no limits, no retries; median of the rounds",
        }
        .add_to(figures);
        Figure {
            name: format!("sdk: {}, times a loop by hand", way.name),
            value: median(&beyond[index]),
            unit: "",
            target: Target::AtMost(1.05),
            method: "the figure of the SDK by that of the loop by hand, which come one after the other, in either order; median \
                     of the rounds",
        }
        .add_to(figures);
    }
    let mut rows = vec![("wxmember".to_owned(), Row::of(&ours)?)];
    for (rival, measured) in rivals.iter().zip(&theirs) {
        rows.push((rival.name.to_owned(), Row::of(measured)?));
    }
    let best = rows[0].1;
    for (name, row) in &rows {
        row.add_to(name, best, figures);
    }
    Ok(())
}

/// A client in the table: medians of its rounds.
#[derive(Clone, Copy)]
struct Row {
    /// CPU seconds for 1,000 calls.
    cpu: f64,
    rate: f64,
    /// Bytes.
    peak: f64,
}

impl Row {
    fn of(rounds: &[Value]) -> Outcome<Self> {
        let all = |of: fn(&Value) -> Outcome<f64>| -> Outcome<f64> {
            Ok(median(&rounds.iter().map(of).collect::<Outcome<Vec<_>>>()?))
        };
        Ok(Self {
            cpu: all(|measured| Ok(each(measured, "cpu_seconds")? / 1000.0))?,
            rate: all(|measured| Ok(number(measured, "calls")? / number(measured, "seconds")?))?,
            peak: all(|measured| number(measured, "peak_bytes"))?,
        })
    }

    /// Another client's figures have what the SDK reaches as target turned around: it must be ahead.
    fn add_to(self, name: &str, ours: Self, figures: &mut Vec<Figure>) {
        let is_ours = name == "wxmember";
        let behind = |worst| if is_ours { Target::None } else { worst };
        for (what, value, unit, target) in [
            ("CPU", self.cpu, "CPU s/1000", behind(Target::AtLeast(ours.cpu))),
            ("rate", self.rate, "calls/s", behind(Target::AtMost(ours.rate))),
            (
                "peak memory",
                self.peak / MIB,
                "MiB",
                behind(Target::AtLeast(ours.peak / MIB)),
            ),
        ] {
            Figure {
                name: format!("client: {name}, {what}"),
                value,
                unit,
                target,
                method: "the same calls by 32 at once against the same sandbox on the same cores, in turn and without a floor \
                         beside them, the answer verified and its phone number opened: user and system time, calls by the \
                         time from the first to the last, VmHWM of the process at its end; median of the rounds. A client that is better than the \
                         SDK misses its target",
            }
            .add_to(figures);
        }
    }
}

/// Microseconds of a call.
fn each(measured: &Value, name: &str) -> Outcome<f64> {
    Ok(number(measured, name)? / number(measured, "calls")? * 1e6)
}

const WAYS: &[Way] = &[
    Way {
        in_flight: "32",
        opening: "opened",
        name: "32 at once, opening",
        rsa: WITH_OPENING,
        target: Target::AtMost(1.12),
    },
    Way {
        in_flight: "1",
        opening: "opened",
        name: "one by one, opening",
        rsa: WITH_OPENING,
        target: Target::AtMost(1.25),
    },
    Way {
        in_flight: "32",
        opening: "plain",
        name: "32 at once, not opening",
        rsa: WITHOUT_OPENING,
        target: Target::AtMost(1.25),
    },
    Way {
        in_flight: "1",
        opening: "plain",
        name: "one by one, not opening",
        rsa: WITHOUT_OPENING,
        target: Target::None,
    },
];
const WITH_OPENING: &[(&str, f64)] = &[("seal", 2.0), ("sign", 1.0), ("verify", 1.0), ("open", 1.0)];
const WITHOUT_OPENING: &[(&str, f64)] = &[("seal", 2.0), ("sign", 1.0), ("verify", 1.0)];
const SEED: &str = "9";
const MIB: f64 = 1_048_576.0;
