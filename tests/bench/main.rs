//! The measuring program behind `cargo xtask bench`: each call does one piece of work in a process of its own and
//! prints what it cost as one line of JSON. It must judge nothing: `xtask` holds the figures against the targets.

use std::{path::Path, process::ExitCode, str::FromStr};

use serde_json::Value;
use wxmember_tests::members::MemberList;

mod answers;
mod beside;
mod cost;
mod finish;
mod floor;
#[expect(dead_code, reason = "`wxmember-bench-sdk` verifies by hand")]
mod platform;
mod quota;
mod request;
mod resume;
mod rows;
mod rsa;
mod said;
mod start;

const USAGE: &str = "\
wxmember-bench list ROWS SEED FILE              writes a member list
wxmember-bench load FILE LEDGER                 reads, validates, seals, stores; sends nothing
wxmember-bench import FILE LEDGER DIR           loads and sends everything to the sandbox of a folder, without a quota
wxmember-bench members ROWS SEED FILE           the members of `wxmember-bench-sdk calls` as JSON, for other programs
wxmember-bench floor THREADS SECONDS            what each RSA operation costs
wxmember-bench beside THREADS all|seal PROGRAM [ARGUMENT]...    another measurement with the floor in turns
wxmember-bench answers FIRST REQUESTS CONNECTIONS DIR PROCESS   what a running sandbox costs by requests signed before
wxmember-bench soak SECONDS MEMBERS CONNECTIONS DIR PROCESS     how a sandbox's memory grows at full load
wxmember-bench child PROGRAM [ARGUMENT]...      what another program costs
wxmember-bench quota PROGRAM RATE SECONDS DIR   how much of a quota an import uses, and how many 429 it gets
wxmember-bench finish FILE LEDGER LEFT URL      brings all rows but LEFT to their end without sending anything
wxmember-bench resume PROGRAM FILE LEDGER PORT DIR   how long until the first request of a continued job
wxmember-bench start PROGRAM ROUNDS             how long until the first request of a new import, beside `true`";

fn main() -> ExitCode {
    said::of(run)
}

fn run(arguments: &[&str]) -> Result<Value, String> {
    match *arguments {
        ["list", rows, seed, file] => list(number(rows)?, number(seed)?, Path::new(file)),
        ["load", file, ledger] => block_on(rows::load(Path::new(file), Path::new(ledger))),
        ["import", file, ledger, folder] => block_on(rows::import(
            Path::new(file),
            Path::new(ledger),
            Path::new(folder),
        )),
        ["members", rows, seed, file] => members(number(rows)?, number(seed)?, Path::new(file)),
        ["floor", threads, seconds] => floor::measure(number(threads)?, number(seconds)?),
        ["beside", threads, kind, program, ref arguments @ ..] => {
            beside::measure(number(threads)?, kind, program, arguments)
        }
        ["answers", first, requests, connections, folder, process] => answers::measure(
            number(first)?,
            number(requests)?,
            number(connections)?,
            Path::new(folder),
            process,
        ),
        ["soak", seconds, members, connections, folder, process] => answers::soak(
            number(seconds)?,
            number(members)?,
            number(connections)?,
            Path::new(folder),
            process,
        ),
        ["child", program, ref arguments @ ..] => cost::of_child(program, arguments),
        ["quota", program, rate, seconds, folder] => block_on(quota::measure(
            Path::new(program),
            number(rate)?,
            number(seconds)?,
            Path::new(folder),
        )),
        ["finish", file, ledger, left, url] => block_on(finish::finish(
            Path::new(file),
            Path::new(ledger),
            number(left)?,
            url,
        )),
        ["start", program, rounds] => start::measure(Path::new(program), number(rounds)?),
        ["resume", program, file, ledger, port, folder] => block_on(resume::measure(
            Path::new(program),
            Path::new(file),
            Path::new(ledger),
            number(port)?,
            Path::new(folder),
        )),
        _ => Err(USAGE.to_owned()),
    }
}

fn list(rows: u64, seed: u64, path: &Path) -> Result<Value, String> {
    let file = std::fs::File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let list = MemberList::new(rows, seed).with_mistakes(MISTAKES);
    list.write(std::io::BufWriter::new(file))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::json!({"rows": rows, "seed": seed, "mistakes_per_thousand": MISTAKES}))
}

fn members(rows: u64, seed: u64, path: &Path) -> Result<Value, String> {
    let members: Vec<_> = MemberList::new(rows, seed)
        .rows()
        .map(|row| {
            serde_json::json!({
                "phone_number": row.phone_number,
                "user_card_code": row.user_card_code,
                "name": row.name,
                "level": row.level,
                "pickup_time": request::PICKUP_TIME,
            })
        })
        .collect();
    std::fs::write(path, Value::from(members).to_string())
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::json!({"rows": rows, "seed": seed}))
}

fn number<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

fn block_on(work: impl Future<Output = Result<Value, String>>) -> Result<Value, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(work)
}

/// In a thousand rows, as in a list that somebody has looked through.
const MISTAKES: u64 = 5;
