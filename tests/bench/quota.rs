//! An import against a sandbox that enforces a quota: how much of it is used, and how often it is overstepped.

use std::{
    fs,
    num::NonZeroU32,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use wxmember_sandbox::{Quota, Sandbox};
use wxmember_tests::{folder::Folder, identity, members::MemberList};

/// Watches the program for some seconds from its first request on, then ends it.
pub(crate) async fn measure(program: &Path, rate: u32, seconds: u64, folder: &Path) -> Result<Value, String> {
    let quota = NonZeroU32::new(rate).ok_or_else(|| "no quota".to_owned())?;
    let sandbox = Sandbox::builder()
        .with_identity(identity().map_err(|error| error.to_string())?)
        .with_quota(Quota::per_second(quota))
        .start()
        .await
        .map_err(|error| error.to_string())?;
    let profile = Folder::write(&sandbox.base_url());
    let config = profile.path.join("wxmember.toml");
    let text = fs::read_to_string(&config).map_err(|error| error.to_string())?;
    profile.put("wxmember.toml", &format!("{text}validity = \"permanent\"\n"));
    let list = folder.join(format!("quota-{rate}.csv"));
    let file = fs::File::create(&list).map_err(|error| error.to_string())?;
    MemberList::new(u64::from(rate) * (seconds + 10), u64::from(rate))
        .write(std::io::BufWriter::new(file))
        .map_err(|error| error.to_string())?;
    let mut child = Command::new(program)
        .arg("import")
        .arg(&list)
        .arg("--config")
        .arg(&config)
        .arg("--ledger")
        .arg(profile.path.join("ledger.db"))
        .args(["--format", "json", "--quota", &format!("{rate}/s")])
        .env("HOME", profile.home())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let waiting = Instant::now();
    while sandbox.requests() == 0 {
        if waiting.elapsed() > LONGEST_START {
            drop(child.kill());
            drop(child.wait());
            return Err("no request came".to_owned());
        }
        sleep(Duration::from_millis(1)).await;
    }
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut seen = Seen::default();
    while Instant::now() < end {
        sleep(Duration::from_millis(100).min(end - Instant::now())).await;
        seen.look(&sandbox);
    }
    drop(child.kill());
    drop(child.wait());
    sandbox.shutdown().await;
    Ok(json!({
        "rate": rate,
        "seconds": seconds,
        "answered": seen.answered,
        "too_many": seen.too_many,
        "others": seen.others,
        "used": seen.answered as f64 / (u64::from(rate) * seconds) as f64,
    }))
}

/// What the journal has told so far.
#[derive(Default)]
struct Seen {
    last: u64,
    answered: u64,
    too_many: u64,
    others: u64,
}

impl Seen {
    fn look(&mut self, sandbox: &Sandbox) {
        for entry in sandbox.journal() {
            if entry.number > self.last {
                self.last = entry.number;
                match entry.status {
                    Some(200) => self.answered += 1,
                    Some(429) => self.too_many += 1,
                    _ => self.others += 1,
                }
            }
        }
    }
}

const LONGEST_START: Duration = Duration::from_secs(60);
