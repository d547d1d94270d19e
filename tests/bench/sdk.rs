//! The loop over the SDK that `cargo xtask bench sdk` measures, in a program that has nothing else in it: its memory is
//! compared with that of programs over other clients.

use std::{path::Path, process::ExitCode};

use serde_json::Value;
use wxmember_tests::members::MemberList;

mod bare;
mod calls;
#[expect(dead_code, reason = "`wxmember-bench` has the rest")]
mod cost;
#[expect(dead_code, reason = "`wxmember-bench` has the rest")]
mod platform;
mod request;
mod said;

use self::calls::By;

const USAGE: &str = "\
wxmember-bench-sdk calls CALLS SEED IN-FLIGHT plain|opened DIR   imports to the sandbox of a folder, opening answers or not
wxmember-bench-sdk bare CALLS SEED IN-FLIGHT plain|opened DIR    the same by the HTTP library and the keys alone";

fn main() -> ExitCode {
    said::of(run)
}

fn run(arguments: &[&str]) -> Result<Value, String> {
    let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is no number"));
    match *arguments {
        [by @ ("calls" | "bare"), calls, seed, in_flight, opening, folder] => {
            let by = if by == "calls" { By::Sdk } else { By::Hand };
            let list = MemberList::new(number(calls)?, number(seed)?);
            let in_flight = usize::try_from(number(in_flight)?).map_err(|error| error.to_string())?;
            let measured = calls::measure(by, list, in_flight, opening.parse()?, Path::new(folder));
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
            runtime.map_err(|error| error.to_string())?.block_on(measured)
        }
        _ => Err(USAGE.to_owned()),
    }
}
