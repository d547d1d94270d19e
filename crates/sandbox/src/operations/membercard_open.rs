//! The older membership card (会员卡) and its three routes that know a member by phone number.
//!
//! Its cards are other cards than the user cards of the business card, so they are kept apart from those.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::{Value, json};
use wxmember_crypto::{Fingerprint, FormValue};

use crate::{
    member::mainland_number,
    operations::{Call, Outcome, Scene, phone_of, phone_refusal, request_numbers::RequestNumbers},
    refusal::{Location, Refusal},
    rule,
};

/// What is known of each member, by template and phone number; the number as a keyed hash.
#[derive(Default)]
pub(crate) struct Membercards {
    by_phone: HashMap<(String, Fingerprint), Membercard>,
    /// Codes that are taken, by template.
    codes: HashSet<(String, String)>,
    /// The code by request number.
    requests: RequestNumbers<String>,
}

#[derive(Default)]
struct Membercard {
    /// Given by the merchant or on receipt.
    code: Option<String>,
    /// What a search shows once the member has the card.
    received: Option<Value>,
}

/// `POST …/cards/{card_id}/phone-membercard/import`.
pub(crate) fn import(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    #[derive(Deserialize)]
    struct Request {
        code: Option<String>,
        out_request_no: String,
    }
    let request: Request = call.read()?;
    let card_id = call.text("card_id")?;
    let phone = phone_of(&call.body.personal, PHONE)?.ok_or(&rule::SYSTEM_ERROR)?;
    scene.own_template(card_id)?;
    let hash = scene.state.members.phone_hash(&phone);
    let content = json!({"code": request.code, "phone": hash.to_string()});
    let cards = &mut scene.state.membercards;
    let earlier = cards
        .requests
        .earlier(card_id, &request.out_request_no, &content)?;
    if let Some(code) = earlier {
        return Ok(Outcome::plain(json!({ "code": code })));
    }
    scene.policies.unpaid_member.check(&phone)?;
    let key = (card_id.to_owned(), hash);
    if cards
        .by_phone
        .get(&key)
        .is_some_and(|card| card.received.is_some())
    {
        return Err((&rule::SECOND_CARD).into());
    }
    let reserved = cards.by_phone.get(&key).and_then(|card| card.code.clone());
    let code = request.code.or(reserved);
    let code = code.unwrap_or_else(|| scene.tokens.digits(12));
    cards.take_code(card_id, &code, &key)?;
    cards
        .requests
        .note(card_id, &request.out_request_no, content, code.clone());
    let openid = scene.state.members.openid_of(&phone);
    receive(scene, key, openid, &code);
    Ok(Outcome::plain(json!({ "code": code })))
}

/// `POST …/phonenumber-member/import`: the member is reminded to take the card. Repeating it reminds again.
pub(crate) fn remind(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    #[derive(Deserialize)]
    struct Request {
        member_information: Member,
    }
    #[derive(Deserialize)]
    struct Member {
        card_id: String,
        code: Option<String>,
    }
    let Request {
        member_information: Member { card_id, code },
    } = call.read()?;
    let phone = phone_of(&call.body.personal, PHONE)?.ok_or(&rule::SYSTEM_ERROR)?;
    scene.own_template(&card_id)?;
    let key = (card_id.clone(), scene.state.members.phone_hash(&phone));
    let cards = &mut scene.state.membercards;
    if let Some(code) = code {
        cards.take_code(&card_id, &code, &key)?;
        let card = cards.by_phone.entry(key.clone()).or_default();
        if card.received.is_none() {
            card.code = Some(code);
        }
    }
    cards.by_phone.entry(key).or_default();
    Ok(Outcome::Nothing)
}

/// `GET …/phonenumber-member/search`.
pub(crate) fn search(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    let card_id = call.text("card_id")?;
    let name = "encrypted_phone_number";
    let phone = call.personal.get(name).ok_or(&rule::SYSTEM_ERROR)?;
    let phone = mainland_number(phone).ok_or_else(|| phone_refusal(Location::Query, name))?;
    scene.own_template(card_id)?;
    let key = (card_id.to_owned(), scene.state.members.phone_hash(&phone));
    let card = scene.state.membercards.by_phone.get(&key);
    let card = card.ok_or(&rule::REMINDED_NOT_FOUND)?;
    Ok(Outcome::plain(match &card.received {
        Some(received) => json!({"receive_status": "RECEIVED", "user_card_information": received}),
        None => json!({"receive_status": "UNSHOWED"}),
    }))
}

/// A member who was reminded takes the card; `false` for one who was not, or who has it already.
pub(crate) fn take(scene: &mut Scene<'_>, card_id: &str, phone: &str) -> bool {
    let Some(phone) = mainland_number(&FormValue::new(phone)) else {
        return false;
    };
    let key = (card_id.to_owned(), scene.state.members.phone_hash(&phone));
    let card = scene.state.membercards.by_phone.get(&key);
    let Some(card) = card.filter(|card| card.received.is_none()) else {
        return false;
    };
    let code = card.code.clone().unwrap_or_else(|| scene.tokens.digits(12));
    let openid = scene.state.members.openid_of(&phone);
    receive(scene, key, openid, &code);
    true
}

fn receive(scene: &mut Scene<'_>, key: (String, Fingerprint), openid: String, code: &str) {
    let template = scene.state.templates.find(&key.0);
    let appid = template.map_or("", |template| template.appid());
    let received = json!({
        "code": code,
        "openid": openid,
        "receive_time": scene.clock.rfc_3339(),
        "card_appid": appid,
        "card_id": key.0,
    });
    let card = scene.state.membercards.by_phone.entry(key).or_default();
    card.code = Some(code.to_owned());
    card.received = Some(received);
}

impl Membercards {
    /// Takes a code for a member; one that is another member's is refused.
    fn take_code(&mut self, card_id: &str, code: &str, key: &(String, Fingerprint)) -> Result<(), Refusal> {
        let is_own = self
            .by_phone
            .get(key)
            .is_some_and(|card| card.code.as_deref() == Some(code));
        let is_new = self.codes.insert((card_id.to_owned(), code.to_owned()));
        if is_new || is_own {
            Ok(())
        } else {
            Err((&rule::CODE_TAKEN).into())
        }
    }
}

const PHONE: &str = "/encrypted_phone_number";
