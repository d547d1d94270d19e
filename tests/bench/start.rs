//! How long the program takes to its first request, beside one that does nothing.

use std::{
    io::Read,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tokio::time::Instant;
use wxmember_tests::folder::Folder;

/// Starts all of them in turn, round after round, and takes the medians.
///
/// A start is a time of some milliseconds on a machine that does other things too, so there are many rounds.
pub(crate) fn measure(program: &Path, rounds: usize) -> Result<Value, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let folder = Folder::write(&format!("http://{address}"));
    folder.replace(
        "wxmember.toml",
        "card_id =",
        "validity = \"permanent\"\ncard_id =",
    );
    folder.put(
        "one.csv",
        "手机号,会员卡号,领取时间\n13800138000,A0001,2024-01-02 10:00:00\n",
    );
    let (mut floor, mut version, mut first) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        floor.push(to_the_end(&mut Command::new("true"))?);
        version.push(to_the_end(Command::new(program).arg("--version"))?);
        let ledger = format!("{round}.db");
        first.push(to_the_first_request(program, &folder, &ledger, &listener)?);
    }
    Ok(json!({
        "rounds": rounds,
        "floor_seconds": median(floor),
        "version_seconds": median(version),
        "first_request_seconds": median(first),
    }))
}

fn to_the_end(command: &mut Command) -> Result<f64, String> {
    let start = Instant::now();
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let seconds = start.elapsed().as_secs_f64();
    match status {
        Ok(status) if status.success() => Ok(seconds),
        Ok(status) => Err(format!("{:?} ended with {status}", command.get_program())),
        Err(error) => Err(format!("{:?}: {error}", command.get_program())),
    }
}

fn to_the_first_request(
    program: &Path,
    folder: &Folder,
    ledger: &str,
    listener: &TcpListener,
) -> Result<f64, String> {
    let in_folder = |name: &str| folder.path.join(name);
    let start = Instant::now();
    let mut child = Command::new(program)
        .arg("import")
        .arg(in_folder("one.csv"))
        .arg("--config")
        .arg(in_folder("wxmember.toml"))
        .arg("--ledger")
        .arg(in_folder(ledger))
        .args(["--format", "json"])
        .env("HOME", folder.home())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let came = wait_for_a_byte(&mut child, listener).map(|()| start.elapsed().as_secs_f64());
    drop(child.kill());
    drop(child.wait());
    came
}

/// Looks for a connection over and over, since a program that fails never makes one.
fn wait_for_a_byte(child: &mut Child, listener: &TcpListener) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    listener.set_nonblocking(true).map_err(failed)?;
    loop {
        match listener.accept() {
            Ok((mut stream, _)) => {
                stream.set_nonblocking(false).map_err(failed)?;
                stream.set_read_timeout(Some(LONGEST_REQUEST)).map_err(failed)?;
                return match stream.read(&mut [0]).map_err(failed)? {
                    0 => Err("the connection was closed without a request".to_owned()),
                    _ => Ok(()),
                };
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(failed(error)),
        }
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Err(format!("the import ended with {status} before its first request"));
        }
        std::thread::sleep(LOOK);
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A program that connects and then says nothing is broken, not slow.
const LONGEST_REQUEST: std::time::Duration = std::time::Duration::from_secs(30);

/// Twenty looks in a millisecond cost next to nothing, and blur a start by as much.
const LOOK: std::time::Duration = std::time::Duration::from_micros(50);
