//! The two imports, by phone number and by openid: what the business says about a request that is well-formed and opened.

use serde::Deserialize;
use serde_json::{Value, json};
use wxmember_crypto::{FormValue, Plaintext};

use crate::{
    member::{Card, Member, Stage},
    operations::{
        Call, Outcome, PHONE, Scene, phone_of,
        validity::{Validity, moment},
    },
    refusal::Refusal,
    rule,
};

/// The members of both requests that the business looks at. The schema has been checked before.
#[derive(Deserialize)]
struct Request {
    brand_id: String,
    card_id: String,
    user_card_code: String,
    openid: Option<String>,
    // The two requests call the validity by different names (section 1.5).
    #[serde(alias = "date_information")]
    valid_date_information: Validity,
    pickup_time: String,
}

/// `POST /user-cards/import-by-phone`.
pub(crate) fn by_phone(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    import(call, scene, "/date_information")
}

/// `POST /user-cards/import-by-openid`.
pub(crate) fn by_openid(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    import(call, scene, "/valid_date_information")
}

/// Imports a member, or finds the one that is there.
fn import(call: Call, scene: &mut Scene<'_>, validity_at: &str) -> Result<Outcome, Refusal> {
    let member = member_of(call, scene, validity_at)?;
    let member = scene.state.members.import(member, scene.policies)?;
    Ok(Outcome::Document(member.into_shown(scene.clock.date_time())))
}

/// Checks a request and makes the member of it.
fn member_of(call: Call, scene: &Scene<'_>, validity_at: &str) -> Result<Member, Refusal> {
    let request: Request = call.read()?;
    let phone_number = phone_of(&call.body.personal, PHONE)?;
    scene.check_brand(&request.brand_id)?;
    let template = scene.effective_template(&request.card_id, &request.brand_id)?;
    let validity = &request.valid_date_information;
    validity.check(validity_at)?;
    if let Some(of_template) = template.validity() {
        validity.check_type(&of_template, validity_at, scene.policies.validity_type)?;
    }
    if let Some(phone) = &phone_number {
        scene.policies.unpaid_member.check(phone)?;
    }
    let openid = match (request.openid, &phone_number) {
        (Some(openid), _) => openid,
        (None, Some(phone)) => scene.state.members.openid_of(phone),
        (None, None) => return Err((&rule::SYSTEM_ERROR).into()),
    };
    let Card {
        document,
        mut personal,
    } = call.body;
    if let Some(phone) = &phone_number {
        // The card shows the number as it is kept, without the country code.
        personal.insert(PHONE.to_owned(), FormValue::new(phone.expose()));
    }
    Ok(Member {
        card_id: request.card_id,
        user_card_code: request.user_card_code,
        ends_at: validity.ends_at(moment(&request.pickup_time)?),
        card: Card {
            document: card_of(document, &openid, template.card_type(), &scene.clock.rfc_3339())?,
            personal,
        },
        openid,
        phone_number,
        stage: Stage::Effective,
        repeats: 0,
    })
}

/// The card of the answer: what the request said, under the answer's names, and what the platform adds.
fn card_of(request: Value, openid: &str, card_type: &str, now: &str) -> Result<Value, Refusal> {
    let Value::Object(mut card) = request else {
        return Err((&rule::SYSTEM_ERROR).into());
    };
    if let Some(validity) = card.remove("date_information") {
        card.insert("valid_date_information".to_owned(), validity);
    }
    let added = json!({
        "openid": openid,
        "card_type": card_type,
        "user_card_state": "EFFECTIVE",
        "create_time": now,
        "modify_time": now,
    });
    if let Value::Object(added) = added {
        card.extend(added);
    }
    Ok(Value::Object(card))
}
