//! `wxmember sandbox`, and the sandbox inside `wxmember import --sandbox`. The one module that names the sandbox crate.

use std::{num::NonZeroU32, path::Path, time::Duration};

use wxmember::{Client, Merchant, MerchantKey, PlatformKey, Trust};
use wxmember_sandbox::{FaultsFileError, IdentitiesError, Quota, Sandbox, StartError};

pub(crate) use wxmember_sandbox::{FaultRule, PolicyChoice, TomlFlaw, TomlMisread};

use crate::{
    args, exit,
    failure::{Failure, chain},
    language::t,
    print::{say, tell},
    signals,
};

mod replay;
mod rules;
mod scrub;

/// Runs until a signal comes, or prints what its verb asks for.
pub(crate) async fn run(arguments: &args::Sandbox) -> Result<exit::Code, Failure> {
    match &arguments.verb {
        None => {}
        Some(args::sandbox::Verb::Rules(arguments)) => return rules::run(arguments),
        Some(args::sandbox::Verb::Scrub(arguments)) => return scrub::run(arguments),
        Some(args::sandbox::Verb::Replay(arguments)) => return replay::run(arguments).await,
    }
    let shift = wxmember_sandbox::Clock::checked_shift(arguments.clock_shift);
    let shift = shift.map_err(|error| shift_failure(&error))?;
    let mut builder = Sandbox::builder()
        .with_address(arguments.listen)
        .with_control_address(arguments.control)
        .with_platform_certificates(arguments.platform_certificates);
    if let Some(quota) = arguments.quota {
        let rate = quota.per_second();
        // One second's worth, and room for one request whatever the rate.
        let burst = rate.ceil().clamp(1.0, f64::from(u32::MAX));
        let burst = NonZeroU32::new(burst as u32).unwrap_or(NonZeroU32::MIN);
        let every = Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX);
        builder = builder.with_quota(Quota::every(every).with_burst(burst));
    }
    if let Some(folder) = &arguments.dir {
        builder = builder.with_folder(folder);
    }
    if let Some(file) = &arguments.identities {
        builder = builder.with_identities(file);
    }
    for chosen in &arguments.policy {
        builder = builder.with_policy(*chosen);
    }
    if let Some(url) = &arguments.notify_url {
        builder = builder.with_notify_url(url);
    }
    if let Some(file) = &arguments.faults {
        builder = builder.with_faults(file);
    }
    if arguments.no_negative_test {
        builder = builder.without_negative_test_header();
    }
    let sandbox = builder.start().await.map_err(|error| {
        let failure = start_failure(&error);
        match hint(&error, arguments) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })?;
    let shifted = sandbox.clock().set_shift(shift);
    shifted.map_err(|error| shift_failure(&error))?;
    for rate in &arguments.fault {
        sandbox.fault_rule(rate.clone());
    }
    let stop = signals::cancel_on_signal(t!("stopping-sandbox"));
    let credentials = sandbox.credentials();
    say!("base_url         {}", sandbox.base_url())?;
    say!("control_url      {}", sandbox.control_url())?;
    say!("mchid            {}", credentials.mchid)?;
    say!("merchant_serial  {}", credentials.merchant_serial)?;
    if sandbox.platform_public_key().is_some() {
        say!("platform_key_id  {}", credentials.platform_key_id)?;
    }
    say!("brand_id         {}", credentials.brand_id)?;
    say!("card_id          {}", credentials.card_id)?;
    for other in sandbox.merchants().iter().skip(1) {
        say!("mchid            {}", other.mchid)?;
        say!("merchant_serial  {}", other.merchant_serial)?;
    }
    tell!("{}", t!("sandbox-test-only"));
    tell!("{}", t!("sandbox-page", url = sandbox.control_url()));
    match sandbox.profile().and_then(Path::parent) {
        Some(folder) => {
            let quota = quota_to_import_at(arguments.quota);
            tell!(
                "{}",
                t!("sandbox-import", folder = folder.display(), quota = quota)
            );
            tell!("{}", t!("sandbox-ledger", folder = folder.display()));
        }
        None if arguments.identities.is_some() => {
            tell!("{}", instead_of_import(arguments, &sandbox));
        }
        None => tell!("{}", t!("sandbox-dir")),
    }
    stop.cancelled().await;
    sandbox.shutdown().await;
    Ok(exit::DONE)
}

/// What is said of the merchants of a file when no profile can import: which one lacks a card template, or where keys are.
fn instead_of_import(arguments: &args::Sandbox, sandbox: &Sandbox) -> String {
    let lacking = arguments.dir.as_ref().and_then(|folder| {
        let merchants = sandbox.merchants().iter();
        let lacking = merchants.filter(|merchant| merchant.card_id.is_empty());
        let mut profiles = lacking.map(|merchant| folder.join(&merchant.mchid).join("wxmember.toml"));
        profiles.find(|profile| profile.is_file())
    });
    match lacking {
        Some(profile) => t!("sandbox-no-card", profile = profile.display()),
        None => t!("sandbox-credentials", url = sandbox.control_url()),
    }
}

fn shift_failure(error: &wxmember_sandbox::ClockShiftError) -> Failure {
    Failure::usage(format!("`--clock-shift`: {error}"))
}

/// A sandbox inside this process with a client for it.
pub(crate) struct Embedded {
    sandbox: Sandbox,
    pub(crate) client: Client,
}

impl Embedded {
    /// Starts one whose keys are kept in `folder`, so that what a ledger holds can still be opened next time.
    pub(crate) async fn start(folder: &Path) -> Result<Self, Failure> {
        let sandbox = Sandbox::builder()
            .with_folder(folder)
            .start()
            .await
            .map_err(|error| start_failure(&error))?;
        let broken =
            |error: &dyn std::error::Error| Failure::because("the sandbox's own keys are unusable", error);
        let credentials = sandbox.credentials();
        let key = MerchantKey::from_pem(&credentials.merchant_key_pem).map_err(|error| broken(&error))?;
        let platform =
            PlatformKey::from_pem(&credentials.platform_key_pem).map_err(|error| broken(&error))?;
        let merchant = Merchant::new(&credentials.mchid, &credentials.merchant_serial, key);
        let trust = Trust::public_key(&credentials.platform_key_id, platform);
        let client = Client::builder()
            .merchant(merchant.map_err(|error| broken(&error))?)
            .trust(trust.map_err(|error| broken(&error))?)
            .with_base_url(sandbox.base_url())
            .build()
            .map_err(|error| broken(&error))?;
        Ok(Self { sandbox, client })
    }

    /// The brand that owns the sandbox's card.
    pub(crate) fn brand_id(&self) -> &str {
        &self.sandbox.credentials().brand_id
    }

    /// The sandbox's card template.
    pub(crate) fn card_id(&self) -> &str {
        &self.sandbox.credentials().card_id
    }

    /// Stops it.
    pub(crate) async fn stop(self) {
        self.sandbox.shutdown().await;
    }
}

/// The quota for the command that is shown: the sandbox's own, or more than the five a second of the real API.
fn quota_to_import_at(quota: Option<wxmember_import::Quota>) -> String {
    match quota.map(wxmember_import::Quota::per_second) {
        None => "200/s".to_owned(),
        Some(rate) if rate >= 1.0 => format!("{}/s", rate.floor()),
        Some(rate) => format!("{}/h", (rate * 3600.0).floor().max(1.0)),
    }
}

fn start_failure(error: &StartError) -> Failure {
    Failure::new(format!("failed to start the sandbox: {}", chain(error)))
}

/// What can be done about it, for who gave the arguments.
fn hint(error: &StartError, arguments: &args::Sandbox) -> Option<String> {
    Some(match error {
        StartError::Bind { .. } if arguments.listen == arguments.control => {
            "`--listen` and `--control` need an address each; port 0 takes a free one".to_owned()
        }
        StartError::Bind { address, .. } => {
            let flag = if *address == arguments.control {
                "--control"
            } else {
                "--listen"
            };
            format!("choose another address with `{flag}`; port 0 takes a free one")
        }
        StartError::Identities(IdentitiesError::Syntax { .. }) => {
            "the file needs `[[merchants]]`, and may hold what crates/sandbox/src/identities.toml of the source shows"
                .to_owned()
        }
        StartError::Faults(FaultsFileError::Syntax { .. }) => {
            "the file needs `[[faults]]`, and may hold what crates/sandbox/src/faults.toml of the source shows"
                .to_owned()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_is_shown_stays_below_the_sandboxs_quota() {
        assert_eq!(quota_to_import_at(None), "200/s");
        for (quota, shown) in [
            ("5/s", "5/s"),
            ("90/m", "1/s"),
            ("30/m", "1800/h"),
            ("1/h", "1/h"),
        ] {
            assert_eq!(quota_to_import_at(quota.parse().ok()), shown, "{quota}");
        }
    }
}
