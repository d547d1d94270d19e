//! Tokens for WeChat Pay's components (预授权): issued here, used up by the components on people's phones.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::{
    clock::rfc_3339,
    operations::{Call, Outcome, Scene},
    refusal::Refusal,
};

/// The tokens that have not expired.
#[derive(Default)]
pub(crate) struct IssuedTokens(HashMap<String, Issued>);

struct Issued {
    ends_at: OffsetDateTime,
    is_for_one_use: bool,
}

impl IssuedTokens {
    /// Whether a token opens its component now; one that is for one use is used up by it.
    pub(crate) fn open(&mut self, token: &str, now: OffsetDateTime) -> bool {
        let Some(issued) = self.0.get(token) else {
            return false;
        };
        let opens = now < issued.ends_at;
        if issued.is_for_one_use || !opens {
            self.0.remove(token);
        }
        opens
    }
}

/// `POST /pre-auth-tokens`: good for one hour.
pub(crate) fn pre_auth(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    issue(&call, scene, Duration::HOUR, false)
}

/// `POST /pay-view-tokens`: good for ten minutes and for one use.
pub(crate) fn pay_view(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    issue(&call, scene, Duration::minutes(10), true)
}

fn issue(
    call: &Call,
    scene: &mut Scene<'_>,
    lifetime: Duration,
    is_for_one_use: bool,
) -> Result<Outcome, Refusal> {
    #[derive(Deserialize)]
    struct Request {
        brand_id: String,
        card_id: String,
    }
    let request: Request = call.read()?;
    scene.check_brand(&request.brand_id)?;
    scene.effective_template(&request.card_id, &request.brand_id)?;
    let now = scene.clock.date_time();
    let ends_at = now.saturating_add(lifetime);
    let token = scene.tokens.token().to_ascii_lowercase();
    let IssuedTokens(issued) = &mut scene.state.tokens;
    issued.retain(|_, issued| now < issued.ends_at);
    issued.insert(
        token.clone(),
        Issued {
            ends_at,
            is_for_one_use,
        },
    );
    Ok(Outcome::plain(
        json!({"token": token, "expire_time": rfc_3339(ends_at)}),
    ))
}
