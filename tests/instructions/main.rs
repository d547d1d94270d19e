//! The hot paths as gungraun runs them, each alone under callgrind: `cargo xtask bench --check` counts their instructions.
//!
//! The number in the id of a benchmark says how often it does its work; the costs are divided by it. What a benchmark works
//! on is made before the counting begins, warm: keys are parsed, randomness is gathered, connections are open. A function
//! here does nothing but call [`Stage`], since callgrind toggles at every function whose name looks like it, closures too.
//!
//! A program of the package and not a `[[bench]]` of it: benches bring in what tests need, `tokio/test-util` among it, which
//! would build half of the tree a second time and count another runtime than the one that ships.

#![expect(
    missing_docs,
    clippy::exit,
    reason = "the macros of gungraun make public functions, and end the process when a run failed"
)]

use gungraun::{Callgrind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};

mod server;
mod stage;

use crate::stage::Stage;

// Two personal fields of a request: the phone number and the name.
#[library_benchmark]
#[bench::times_32(args = (32), setup = Stage::set_up)]
fn seal(stage: Stage) -> Stage {
    stage.seal();
    stage
}

// The `Authorization` of a request with two sealed fields.
#[library_benchmark]
#[bench::times_32(args = (32), setup = Stage::set_up)]
fn sign(stage: Stage) -> Stage {
    stage.sign();
    stage
}

// The headers and the body of an answer.
#[library_benchmark]
#[bench::times_32(args = (32), setup = Stage::set_up)]
fn verify(stage: Stage) -> Stage {
    stage.verify();
    stage
}

// An answer from bytes to what it says; its phone number stays sealed.
#[library_benchmark]
#[bench::times_32(args = (32), setup = Stage::set_up)]
fn parse(stage: Stage) -> Stage {
    stage.parse();
    stage
}

// The phone number of an answer.
#[library_benchmark]
#[bench::times_32(args = (32), setup = Stage::after_a_call)]
fn open(stage: Stage) -> Stage {
    stage.open();
    stage
}

// An import from the member to the verified answer, over a connection that is open.
#[library_benchmark]
#[bench::times_8(args = (8), setup = Stage::after_a_call)]
fn call(mut stage: Stage) -> Stage {
    stage.call();
    stage
}

// A row of a list until it could be stored: read, mapped, validated, sealed, packed.
#[library_benchmark]
#[bench::times_500(args = (500), setup = Stage::set_up)]
fn row(stage: Stage) -> Stage {
    stage.rows();
    stage
}

library_benchmark_group!(
    name = paths,
    benchmarks = [seal, sign, verify, parse, open, call, row]
);

main!(
    // The counts are what is compared; a model of caches would only take time.
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = paths
);
