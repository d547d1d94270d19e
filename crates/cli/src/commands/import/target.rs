//! Where members go, and what holds for all of them: from the profile, or a sandbox inside this process.

use std::path::Path;

use wxmember_import::{
    Defaults, Ledger, Profile as JobProfile, Quota, Route, Settings, Validity, WechatGateway,
};

use crate::{
    args::{import::Import, running::Running},
    commands::sandbox::Embedded,
    failure::Failure,
    language::t,
    ledger,
    profile::Profile,
};

/// What an import needs besides its source.
pub(super) struct Target {
    pub(super) gateway: WechatGateway,
    pub(super) settings: Settings,
    pub(super) ledger: Ledger,
    pub(super) embedded: Option<Embedded>,
}

impl Target {
    /// Of the arguments and the profile they name.
    pub(super) async fn of(arguments: &Import) -> Result<Self, Failure> {
        if arguments.sandbox {
            return Self::embedded(arguments).await;
        }
        let config = arguments.config.as_deref().unwrap_or(Path::new("wxmember.toml"));
        let profile = Profile::read(config, arguments.profile.as_deref().unwrap_or("default"))?;
        let defaults = crate::mapping::defaults(defaults(&profile), &arguments.source)?;
        let route = arguments.via.or(profile.via).unwrap_or_default();
        let settings = settings(&profile, &arguments.running, route, config)?.with_defaults(defaults);
        Ok(Self {
            gateway: WechatGateway::new(profile.client),
            settings,
            ledger: ledger::open(&arguments.ledger, ledger::OWN).await?,
            embedded: None,
        })
    }

    async fn embedded(arguments: &Import) -> Result<Self, Failure> {
        // Not said of the flag itself, since a variable that is `0` counts as given there.
        if arguments.config.is_some() || arguments.profile.is_some() {
            return Err(Failure::usage(t!("sandbox-has-no-profile")).hint(t!("sandbox-has-no-profile-hint")));
        }
        let folder = ledger::sandbox_file(&arguments.ledger)?.with_extension("sandbox");
        let embedded = Embedded::start(&folder).await?;
        // The port changes each time; the job must stay the same.
        let profile = job_profile(
            &embedded.client,
            embedded.brand_id(),
            embedded.card_id(),
            "sandbox",
        );
        let defaults = Defaults::default().with_validity(Validity::Permanent);
        let defaults = crate::mapping::defaults(defaults, &arguments.source)?;
        let settings = run_as(
            Settings::new(profile)
                .with_route(arguments.via.unwrap_or_default())
                .with_defaults(defaults),
            &arguments.running,
            None,
        );
        Ok(Self {
            gateway: WechatGateway::new(embedded.client.clone()),
            settings,
            ledger: ledger::open(&arguments.ledger, ledger::SANDBOX).await?,
            embedded: Some(embedded),
        })
    }
}

/// What a profile and the arguments say of a run.
pub(in crate::commands) fn settings(
    profile: &Profile,
    running: &Running,
    route: Route,
    config: &Path,
) -> Result<Settings, Failure> {
    let quota = match &profile.quota {
        Some(text) => Some(text.parse().map_err(|error| {
            Failure::because(format!("{}: `quota`", config.display()), &error)
                .hint(t!("hint-correct-profile", file = config.display()))
        })?),
        None => None,
    };
    let job = job_profile(
        &profile.client,
        &profile.brand_id,
        &profile.card_id,
        &profile.base_url,
    );
    let settings = Settings::new(job).with_route(route).with_api_quota();
    Ok(run_as(settings, running, quota))
}

/// What a profile says of rows that do not say otherwise.
pub(in crate::commands) fn defaults(profile: &Profile) -> Defaults {
    let mut defaults = Defaults::default().with_custom_fields(&profile.custom_fields);
    if let Some(validity) = &profile.validity {
        defaults = defaults.with_validity(Validity::from(validity));
    }
    if let Some(time) = &profile.pickup_time {
        defaults = defaults.with_pickup_time(time);
    }
    if let Some(level) = &profile.level {
        defaults = defaults.with_level(level);
    }
    if let Some(color) = &profile.card_color {
        defaults = defaults.with_card_color(color);
    }
    if let Some(url) = &profile.card_picture_url {
        defaults = defaults.with_card_picture_url(url);
    }
    if let Some(zone) = profile.time_zone {
        defaults = defaults.with_time_zone(zone);
    }
    defaults
}

fn job_profile(client: &wxmember::Client, brand_id: &str, card_id: &str, base_url: &str) -> JobProfile {
    JobProfile::new(client.merchant().mchid(), brand_id, card_id, base_url)
}

fn run_as(mut settings: Settings, running: &Running, quota: Option<Quota>) -> Settings {
    if let Some(quota) = running.quota.or(quota) {
        settings = settings.with_quota(quota);
    }
    if let Some(concurrency) = running.concurrency {
        settings = settings.with_concurrency(concurrency);
    }
    if let Some(window) = running.window {
        settings = settings.with_window(window);
    }
    if let Some(time) = running.max_duration {
        settings = settings.with_max_duration(time);
    }
    if running.yes {
        settings = settings.with_refusal_limit(None);
    }
    settings
        .with_on_unknown(running.on_unknown.into())
        .with_probe(!running.yes)
}
