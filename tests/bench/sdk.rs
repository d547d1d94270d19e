//! The loop over the SDK that `cargo xtask bench sdk` measures, in a program that has nothing else in it: its memory is
//! compared with that of programs over other clients.

use std::{path::Path, process::ExitCode};

use serde_json::Value;
use wxmember_tests::members::MemberList;

mod calls;
#[expect(dead_code, reason = "`wxmember-bench` has the rest")]
mod cost;
#[expect(dead_code, reason = "`wxmember-bench` has the rest")]
mod platform;
mod request;
mod rsa;
mod said;

const USAGE: &str = "\
wxmember-bench-sdk calls CALLS SEED IN-FLIGHT plain|opened DIR   imports to the sandbox of a folder, opening answers or not
wxmember-bench-sdk rsa CALLS plain|opened                        the RSA of such a loop alone";

fn main() -> ExitCode {
    said::of(run)
}

fn run(arguments: &[&str]) -> Result<Value, String> {
    let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is no number"));
    match *arguments {
        ["calls", calls, seed, in_flight, opening, folder] => {
            let list = MemberList::new(number(calls)?, number(seed)?);
            let in_flight = usize::try_from(number(in_flight)?).map_err(|error| error.to_string())?;
            let measured = calls::measure(list, in_flight, opening.parse()?, Path::new(folder));
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
            runtime.map_err(|error| error.to_string())?.block_on(measured)
        }
        ["rsa", calls, opening] => calls::rsa_alone(number(calls)?, opening.parse()?),
        _ => Err(USAGE.to_owned()),
    }
}
