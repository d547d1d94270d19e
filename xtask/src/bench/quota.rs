//! `bench quota`: the platform's quota is to be used, and never to be overstepped.

use super::{Bench, Figure, Target, number};
use crate::outcome::Outcome;

/// Two quotas, a minute each.
pub(super) fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> Outcome {
    let seconds = if bench.is_quick { 10.0 } else { 60.0 };
    for rate in ["5", "50"] {
        let measured = bench.measure(&[
            "quota",
            &bench.program.display().to_string(),
            rate,
            &seconds.to_string(),
            &bench.path(""),
        ])?;
        Figure {
            name: format!("quota: share of {rate}/s used"),
            value: number(&measured, "used")?,
            unit: "",
            target: Target::AtLeast(0.98),
            method: "answers 200 of a sandbox that enforces the quota, from the first request on, by what it allows",
        }
        .add_to(figures);
        Figure {
            name: format!("quota: 429 at {rate}/s"),
            value: number(&measured, "too_many")? * 60.0 / seconds,
            unit: "a minute",
            target: Target::AtMost(1.0),
            method: "answers 429 of the same sandbox in the same time",
        }
        .add_to(figures);
    }
    Ok(())
}
