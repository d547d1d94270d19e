//! One signed read, to see whether WeChat Pay accepts the signature, and by which clock it lives.
//!
//! Changes nothing over there: GET only. When the profile is not usable, keys that are made for this one call sign it:
//! the answer is a refusal, and its `Date` is what is asked for.

use std::net::IpAddr;

use wxmember::{
    Answer, Client, Error, ErrorKind, Merchant, MerchantKey, PlatformKey, Reply, RetryPolicy, Trust,
    VerifyError,
};
use wxmember_crypto::{KeyError, PrivateKey, generate_rsa_2048_pem, party};

use super::{
    facts::{Facts, Settings},
    report::{Check, Report},
};
use crate::{advice, profile::Profile};

/// Where requests would go.
pub(crate) fn base_url(facts: &Facts) -> &str {
    let urls = facts
        .settings
        .iter()
        .filter_map(|settings| settings.base_url.as_deref());
    urls.into_iter().next().unwrap_or(MAIN_HOST)
}

/// Whether a URL leads to this machine, where nobody but a sandbox answers.
pub(crate) fn is_on_this_machine(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Makes the read and tells what came of it. `asked_for` says that silence over there is worth a finding.
pub(crate) async fn ask(facts: &Facts, profile: Option<&Profile>, asked_for: bool, report: &mut Report) {
    let url = base_url(facts);
    let at = At {
        url,
        asked_for,
        downloads: facts.platform_key.is_none()
            && facts.platform_certificate.is_none()
            && facts.apiv3_key.is_some(),
    };
    match profile {
        Some(profile) => at.ask_with(profile, report).await,
        None => at.ask_the_time(facts, report).await,
    }
}

struct At<'a> {
    url: &'a str,
    asked_for: bool,
    /// Whether the platform's certificates are downloaded.
    downloads: bool,
}

impl At<'_> {
    /// The card template, since that says whether member cards are open for this merchant at all.
    async fn ask_with(&self, profile: &Profile, report: &mut Report) {
        let client = profile.client.with_retry(RetryPolicy::never());
        if self.downloads && !self.downloaded(&client, profile, report).await {
            return;
        }
        let card = client
            .chain("v3/brand/partner/card-member/cards/{card_id}")
            .param("card_id", &profile.card_id)
            .query("brand_id", &profile.brand_id)
            .get()
            .await;
        match card {
            Err(unknown) if unknown.kind() == ErrorKind::NotFound && unknown.code().is_none() => {
                let certificates = client.chain(CERTIFICATES).get().await;
                match certificates {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        self.refused(&error, profile, report)
                    }
                    certificates => {
                        self.in_time(Some(&unknown), report);
                        self.accepted("GET /v3/certificates", certificates.ok(), report);
                        self.unknown_path(report);
                    }
                }
            }
            Err(error) => self.refused(&error, profile, report),
            Ok(reply) => {
                self.in_time(None, report);
                self.accepted("the card template", Some(reply), report);
            }
        }
    }

    /// Downloads the platform certificates; without one no answer can be believed, so nothing else need be asked.
    async fn downloaded(&self, client: &Client, profile: &Profile, report: &mut Report) -> bool {
        match client.refresh_certificates().await {
            Ok(()) => {
                report.resume(Check::PlatformCertificate);
                let serial = client.sealing_key_id();
                let serial = serial.as_ref().map_or("none", |serial| serial.as_str());
                let note = format!("downloaded, and opened with the APIv3 key; {serial} seals");
                report.passed(Check::PlatformCertificate, note);
                true
            }
            Err(error) => {
                self.refused(&error, profile, report);
                false
            }
        }
    }

    /// Asks with keys of the moment, and takes nothing of the answer but its time.
    async fn ask_the_time(&self, facts: &Facts, report: &mut Report) {
        let client = match stranger(self.url, facts.settings.first()) {
            Ok(client) => client,
            Err(why) => return report.skipped(Check::Clock, format!("not compared: {why}")),
        };
        match client.chain(CERTIFICATES).get().await {
            Err(error) if error.kind() == ErrorKind::Connect => self.unreachable(&error, report),
            Err(error) => self.in_time(Some(&error), report),
            Ok(_) => report.skipped(Check::Clock, "not compared: a stranger's signature was accepted"),
        }
        report.skipped(Check::Online, "not tried with a profile that is not usable");
    }

    /// Compares the clocks by what a refusal says; an answer that was verified came in time.
    fn in_time(&self, error: Option<&Error>, report: &mut Report) {
        let stale = match error.and_then(Error::verify_error) {
            Some(VerifyError::Stale { clock_ahead }) => Some(*clock_ahead),
            _ => None,
        };
        let Some(ahead) = stale.or_else(|| error?.clock_offset()) else {
            return match error {
                None => report.passed(Check::Clock, "less than 300 s from the platform's"),
                Some(_) => report.skipped(Check::Clock, "not compared: the answer carries no time"),
            };
        };
        let seconds = ahead.unsigned_abs();
        if seconds < NOTABLE {
            return report.passed(Check::Clock, format!("{seconds} s from the platform's"));
        }
        let direction = if ahead > 0 { "behind" } else { "ahead of" };
        let consequence = if seconds < 300 {
            "requests are refused from 300 s on"
        } else {
            "every request is refused (limit 300 s)"
        };
        report.found(
            Check::Clock,
            self.url,
            format!("this machine's clock is {seconds} s {direction} the platform's, {consequence}"),
            "set the clock, best by NTP",
        );
    }

    fn accepted(&self, what: &str, reply: Option<Reply<Answer>>, report: &mut Report) {
        report.passed(
            Check::Online,
            match reply {
                Some(_) => format!("{what} was read: the signature is accepted and the answer verifies"),
                None => "the signature is accepted".to_owned(),
            },
        );
    }

    fn unknown_path(&self, report: &mut Report) {
        if is_on_this_machine(self.url) {
            report.skipped(
                Check::Online,
                "the card template: nobody knows the path over there",
            );
        } else {
            report.found(
                Check::Online,
                self.url,
                "the path of the card template is unknown (404 without a body)",
                "ask WeChat Pay to open member cards for this merchant id",
            );
        }
    }

    fn unreachable(&self, error: &Error, report: &mut Report) {
        if self.asked_for {
            report.found(
                Check::Online,
                self.url,
                format!("no connection ({})", advice::causes(error)),
                "check the address, the network and the proxy",
            );
        } else {
            report.skipped(
                Check::Clock,
                "not compared: nothing listens at the profile's address",
            );
        }
    }

    fn refused(&self, error: &Error, profile: &Profile, report: &mut Report) {
        let error = advice::deciding(error);
        if error.kind() == ErrorKind::Connect {
            return self.unreachable(error, report);
        }
        self.in_time(Some(error), report);
        let is_late = match error.verify_error() {
            Some(reason) => matches!(reason, VerifyError::Stale { .. }),
            None => error
                .clock_offset()
                .is_some_and(|offset| offset.unsigned_abs() >= 300),
        };
        if is_late {
            return report.skipped(Check::Online, "says nothing more until the clock is right");
        }
        let check = match error.verify_error() {
            Some(VerifyError::UnknownKey { .. }) => Check::PlatformKeyId,
            Some(VerifyError::Mismatch { .. }) => Check::PlatformKey,
            _ => Check::Online,
        };
        let fix = advice::of(error, profile).unwrap_or_else(|| {
            match error.status() {
                Some(429) | None => "try again",
                Some(400..=499) => "correct what the message names; the same again is refused again",
                Some(_) => "try again",
            }
            .to_owned()
        });
        report.found(check, self.url, advice::what(error), fix);
    }
}

/// A client with keys that nobody knows.
fn stranger(url: &str, settings: Option<&Settings>) -> Result<Client, String> {
    let key = || generate_rsa_2048_pem().map_err(|error: KeyError| error.to_string());
    let merchant = MerchantKey::from_pem(&key()?).map_err(|error| error.to_string())?;
    let platform = PrivateKey::<party::Platform>::from_pem(&key()?).map_err(|error| error.to_string())?;
    let platform: PlatformKey = platform.public_key().clone();
    let mchid = settings
        .and_then(|settings| settings.mchid.as_deref())
        .unwrap_or(NOBODY);
    let merchant = Merchant::new(mchid, SERIAL, merchant).map_err(|error| error.to_string())?;
    let trust = Trust::public_key("PUB_KEY_ID_0", platform).map_err(|error| error.to_string())?;
    Client::builder()
        .merchant(merchant)
        .trust(trust)
        .with_base_url(url)
        .with_retry(RetryPolicy::never())
        .build()
        .map_err(|error| error.to_string())
}

const MAIN_HOST: &str = "https://api.mch.weixin.qq.com";
const CERTIFICATES: &str = "v3/certificates";

/// A merchant id and a serial number that are well formed and nobody's.
const NOBODY: &str = "1";
const SERIAL: &str = "1";

/// Seconds of difference that are worth a finding; a request takes some itself.
const NOTABLE: u64 = 60;

#[cfg(test)]
mod tests {
    use super::is_on_this_machine;

    #[test]
    fn only_this_machine_is_asked_unasked() {
        for url in [
            "http://127.0.0.1:8765",
            "http://localhost",
            "http://[::1]:1/",
            "http://127.1.2.3",
        ] {
            assert!(is_on_this_machine(url), "{url}");
        }
        for url in [
            "https://api.mch.weixin.qq.com",
            "http://example.com/127.0.0.1",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com:80",
            "",
        ] {
            assert!(!is_on_this_machine(url), "{url}");
        }
    }
}
