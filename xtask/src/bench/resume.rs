//! `bench continue`: a job that is nearly done must not take long to find out what is left.

use std::net::TcpListener;

use super::{Bench, Figure, Target, number};
use crate::outcome::{Failure, Outcome};

/// Finishes a job but for a few rows, then starts the program on it.
pub(super) fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> Outcome {
    let rows = bench
        .rows
        .unwrap_or(if bench.is_quick { 10_000 } else { 1_000_000 });
    let (list, ledger) = (bench.path("continue.csv"), bench.path("continue.db"));
    bench.measure(&["list", &rows.to_string(), SEED, &list])?;
    let port = free_port()?.to_string();
    let url = format!("http://127.0.0.1:{port}");
    bench.measure(&["finish", &list, &ledger, LEFT, &url])?;
    let program = bench.program.display().to_string();
    let folder = bench.path("");
    let measured = bench.measure(&["resume", &program, &list, &ledger, &port, &folder])?;
    Figure {
        name: format!("continue: first request after {rows} rows, beyond sha256sum"),
        value: number(&measured, "beyond_seconds")?,
        unit: "s",
        target: Target::AtMost(2.0),
        method: "from the start of `wxmember import` to its first request at the sandbox, less the time of `sha256sum` \
                 on the file; the finished rows were made by the engine with a gateway that answers at once",
    }
    .add_to(figures);
    Ok(())
}

/// The address is part of a job, so it must be known before the sandbox is there.
fn free_port() -> Outcome<u16> {
    let failed =
        |error: std::io::Error| Failure::failed(format!("no free port: {error}"), "run the command again");
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
    Ok(listener.local_addr().map_err(failed)?.port())
}

const SEED: &str = "6";
/// Rows that are not sent yet.
const LEFT: &str = "20";
