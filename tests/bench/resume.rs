//! How long a job takes from the start of the program to its first request, when nearly all of it is done.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use wxmember_sandbox::Sandbox;
use wxmember_tests::{folder::Folder, identity};

/// Starts the program on a job that [`finish`](crate::finish::finish) left, with the sandbox at the job's address.
///
/// Beside it stands the time of `sha256sum` on the same file, before and after.
pub(crate) async fn measure(
    program: &Path,
    file: &Path,
    ledger: &Path,
    port: u16,
    folder: &Path,
) -> Result<Value, String> {
    let sandbox = Sandbox::builder()
        .with_identity(identity().map_err(|error| error.to_string())?)
        .with_address(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .start()
        .await
        .map_err(|error| error.to_string())?;
    let profile = Folder::write(&sandbox.base_url());
    let config = profile.path.join("wxmember.toml");
    let text = fs::read_to_string(&config).map_err(|error| error.to_string())?;
    profile.put("wxmember.toml", &format!("{text}validity = \"permanent\"\n"));
    let before = sha256sum(file)?;
    let start = Instant::now();
    let output = fs::File::create(folder.join("resume.json")).map_err(|error| error.to_string())?;
    let mut child = Command::new(program)
        .arg("import")
        .arg(file)
        .arg("--config")
        .arg(&config)
        .arg("--ledger")
        .arg(ledger)
        .args(["--format", "json"])
        .env("HOME", profile.home())
        .stdin(Stdio::null())
        .stdout(output)
        .spawn()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let mut first = None;
    while first.is_none() && start.elapsed() < LONGEST {
        if sandbox.requests() > 0 {
            first = Some(start.elapsed().as_secs_f64());
        } else if child.try_wait().map_err(|error| error.to_string())?.is_some() {
            break;
        } else {
            sleep(Duration::from_millis(1)).await;
        }
    }
    drop(child.kill());
    drop(child.wait());
    sandbox.shutdown().await;
    let first = first.ok_or_else(|| "no request came".to_owned())?;
    let digest = (before + sha256sum(file)?) / 2.0;
    Ok(json!({
        "first_request_seconds": first,
        "sha256sum_seconds": digest,
        "beyond_seconds": first - digest,
    }))
}

fn sha256sum(file: &Path) -> Result<f64, String> {
    let start = Instant::now();
    let status = Command::new("sha256sum")
        .arg(file)
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("sha256sum: {error}"))?;
    match status.success() {
        true => Ok(start.elapsed().as_secs_f64()),
        false => Err("sha256sum failed".to_owned()),
    }
}

const LONGEST: Duration = Duration::from_secs(300);
