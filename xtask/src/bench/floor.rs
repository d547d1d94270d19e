//! The floor under every figure about calls: the RSA operations of the backend in use, measured in the same run.

use std::path::Path;

use serde_json::Value;

use super::{Bench, number};
use crate::outcome::Outcome;

/// What each operation costs.
pub(super) struct Floor(Value);

/// Microseconds of one thread.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Micros {
    pub(super) cpu: f64,
    pub(super) wall: f64,
}

impl Floor {
    /// Measures with so many threads at once.
    pub(super) fn measure(bench: &Bench, threads: usize) -> Outcome<Self> {
        let seconds = if bench.is_quick { "0.8" } else { "2" };
        Self::of_figures(
            bench.measure(&["floor", &threads.to_string(), seconds])?,
            &OPERATIONS,
        )
    }

    /// Runs another measurement and stops it every few tenths of a second to measure the floor in its place; returns
    /// what it measured, with `running_seconds`, and the floor.
    pub(super) fn beside(
        bench: &Bench,
        threads: usize,
        operations: &[&str],
        program: &Path,
        words: &[&str],
    ) -> Outcome<(Value, Self)> {
        let kind = if operations == OPERATIONS { "all" } else { "seal" };
        let (threads, program) = (threads.to_string(), program.display().to_string());
        let words = [&["beside", &threads, kind, &program], words].concat();
        let mut measured = bench.measure(&words)?;
        let floor = Self::of_figures(measured["floor"].take(), operations)?;
        Ok((measured["measured"].take(), floor))
    }

    fn of_figures(figures: Value, operations: &[&str]) -> Outcome<Self> {
        for operation in operations {
            number(&figures[operation], "cpu_us")?;
        }
        Ok(Self(figures))
    }

    pub(super) fn all_cores() -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }

    /// One operation.
    pub(super) fn of(&self, operation: &str) -> Micros {
        let of = |name: &str| self.0[operation][name].as_f64().unwrap_or_default();
        Micros {
            cpu: of("cpu_us"),
            wall: of("wall_us"),
        }
    }

    /// So many of each operation.
    pub(super) fn sum(&self, operations: &[(&str, f64)]) -> Micros {
        let mut sum = Micros::default();
        for (operation, count) in operations {
            let one = self.of(operation);
            sum.cpu += one.cpu * count;
            sum.wall += one.wall * count;
        }
        sum
    }
}

pub(super) const OPERATIONS: [&str; 4] = ["sign", "open", "verify", "seal"];
