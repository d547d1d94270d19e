//! Cards in the hands of members (用户会员卡): looked up, changed, confirmed, invalidated. Imports stand in `import`.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;
use serde_json::{Value, json};
use wxmember_crypto::{FormValue, PhoneNumber, Plaintext};

use crate::{
    member::{Card, Member, Stage, mainland_number},
    operations::{
        Call, Outcome, PHONE, Scene,
        page::Page,
        phone_of,
        validity::{Validity, moment},
    },
    policy::SecondCard,
    refusal::{Issue, Location, Refusal},
    rule,
};

pub(crate) mod import;

/// `GET /user-cards`.
pub(crate) fn list(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    let brand_id = call.text("brand_id")?;
    scene.check_brand(brand_id)?;
    let state = call.optional_text("user_card_state");
    let page = Page::of(&call)?;
    let now = scene.clock.date_time();
    let members = scene.state.members.of_openid(call.text("openid")?);
    let members = members.filter(|member| {
        member.card.document["brand_id"] == brand_id && state.is_none_or(|state| member.state(now) == state)
    });
    let (members, total) = page.of_list(members);
    let mut data = Vec::new();
    let mut personal = BTreeMap::new();
    for (index, member) in members.into_iter().enumerate() {
        let card = member.into_shown(now);
        data.push(card.document);
        let fields = card.personal.into_iter();
        personal.extend(fields.map(|(pointer, value)| (format!("/data/{index}{pointer}"), value)));
    }
    Ok(Outcome::Document(Card {
        document: page.answer(data, total),
        personal,
    }))
}

/// `GET /user-cards/{user_card_code}`.
pub(crate) fn find(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    let (brand_id, card_id) = (call.text("brand_id")?, call.text("card_id")?);
    let member = named(&call, scene, brand_id, card_id, call.text("openid")?)?;
    Ok(Outcome::Document(member.shown(scene.clock.date_time())))
}

/// `PATCH /user-cards/{user_card_code}`.
pub(crate) fn update(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    #[derive(Deserialize)]
    struct Request {
        brand_id: String,
        openid: String,
    }
    let request: Request = call.read()?;
    let card_id = call.text("card_id")?;
    let member = named(&call, scene, &request.brand_id, card_id, &request.openid)?;
    if member.stage == Stage::Invalid {
        return Err((&rule::USER_CARD_INVALIDATED).into());
    }
    let changes = Changes::of(&call, &member, scene)?;
    changed(scene, &member, |member| changes.apply(member))
}

/// `POST /user-cards/{user_card_code}/invalidate`; a card that is invalid already is answered as it is.
pub(crate) fn invalidate(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    let (brand_id, card_id) = (call.text("brand_id")?, call.text("card_id")?);
    let member = named(&call, scene, brand_id, card_id, call.member("openid")?)?;
    if member.stage == Stage::Invalid {
        return Ok(Outcome::Document(member.shown(scene.clock.date_time())));
    }
    let reason = call.body.document.get("invalid_reason").cloned();
    let now = scene.clock.rfc_3339();
    changed(scene, &member, |member| {
        member.set_stage(Stage::Invalid);
        member.card.document["invalid_time"] = now.into();
        if let Some(reason) = reason {
            member.card.document["invalid_reason"] = reason;
        }
    })
}

/// `POST /user-cards/{user_card_code}/confirm`: a card that a member took opens, or stays closed.
pub(crate) fn confirm(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    #[derive(Deserialize)]
    struct Request {
        brand_id: String,
        card_id: String,
        openid: String,
        user_card_confirm_state: String,
    }
    let request: Request = call.read()?;
    let member = named(&call, scene, &request.brand_id, &request.card_id, &request.openid)?;
    let opens = request.user_card_confirm_state != "CREATE_CARD_FAIL";
    let stage = match (member.stage, opens) {
        (Stage::Invalid, _) => return Err((&rule::USER_CARD_INVALIDATED).into()),
        (Stage::Effective, false) => return Err((&rule::USER_CARD_OPENED).into()),
        (Stage::Unactivated, false) => Stage::Unactivated,
        (Stage::Effective | Stage::Unactivated, true) => Stage::Effective,
    };
    let changes = Changes::of(&call, &member, scene)?;
    changed(scene, &member, |member| {
        changes.apply(member);
        member.set_stage(stage);
    })
}

/// A card that a member takes in the joining component; the merchant has to confirm it.
pub(crate) fn take(scene: &mut Scene<'_>, card_id: &str, phone: &str) -> Result<Arc<Member>, Refusal> {
    let phone = mainland_number(&FormValue::new(phone)).ok_or(&rule::PHONE_NUMBER)?;
    let template = scene.state.templates.find(card_id).ok_or(&rule::CARD)?;
    if !template.is_effective {
        return Err((&rule::CARD_INVALIDATED).into());
    }
    let now = scene.clock.date_time();
    let time = scene.clock.rfc_3339();
    let openid = scene.state.members.openid_of(&phone);
    let user_card_code = scene.tokens.digits(12);
    let member = Member {
        card_id: card_id.to_owned(),
        user_card_code: user_card_code.clone(),
        ends_at: template.validity().and_then(|validity| validity.ends_at(now)),
        card: Card {
            document: json!({
                "user_card_code": user_card_code,
                "card_id": card_id,
                "openid": openid,
                "brand_id": template.brand_id,
                "card_type": template.card_type(),
                "phone_number": "",
                "valid_date_information": template.validity_document(),
                "pickup_time": time,
                "user_card_state": "UNACTIVATED",
                "create_time": time,
                "modify_time": time,
            }),
            personal: [(PHONE.to_owned(), FormValue::new(phone.expose()))].into(),
        },
        openid,
        phone_number: Some(phone),
        stage: Stage::Unactivated,
        repeats: 0,
    };
    Ok(Arc::new(scene.state.members.import(member, scene.policies)?))
}

/// The card that the path names, if brand, template and openid are its own.
fn named(
    call: &Call,
    scene: &Scene<'_>,
    brand_id: &str,
    card_id: &str,
    openid: &str,
) -> Result<Arc<Member>, Refusal> {
    scene.check_brand(brand_id)?;
    let member = scene.state.members.find(card_id, call.text("user_card_code")?);
    let member =
        member.filter(|member| member.openid == openid && member.card.document["brand_id"] == brand_id);
    member.ok_or_else(|| {
        let issue = Issue::new(
            "没有此品牌、模板、用户标识下的会员卡",
            "names no card of this brand, template and openid",
        );
        let name = "user_card_code";
        Refusal::within(Location::Url, &rule::USER_CARD_NOT_FOUND, name, issue)
    })
}

/// Changes a card in one step and answers it.
fn changed(
    scene: &mut Scene<'_>,
    member: &Member,
    change: impl FnOnce(&mut Member),
) -> Result<Outcome, Refusal> {
    let now = scene.clock.rfc_3339();
    let (card_id, code) = (&member.card_id, &member.user_card_code);
    let changed = scene.state.members.change(card_id, code, |member| {
        change(member);
        member.card.document["modify_time"] = now.into();
    });
    let changed = changed.ok_or(&rule::SYSTEM_ERROR)?;
    Ok(Outcome::Document(changed.shown(scene.clock.date_time())))
}

/// What a request changes of a card: checked, and good for the whole card.
struct Changes {
    fields: Vec<(String, Value)>,
    personal: BTreeMap<String, FormValue>,
    phone_number: Option<PhoneNumber>,
    /// Set when the validity or the pick-up time changes.
    ends_at: Option<Option<time::OffsetDateTime>>,
}

impl Changes {
    fn of(call: &Call, member: &Member, scene: &Scene<'_>) -> Result<Self, Refusal> {
        let mut personal = call.body.personal.clone();
        let phone_number = phone_of(&personal, PHONE)?;
        if let Some(phone) = &phone_number {
            personal.insert(PHONE.to_owned(), FormValue::new(phone.expose()));
            let with_phone = Member {
                phone_number: Some(phone.clone()),
                ..member.clone()
            };
            let policy = scene.policies.second_card;
            if policy == SecondCard::Refuse && scene.state.members.has_card(&with_phone) {
                return Err((&rule::SECOND_CARD).into());
            }
        }
        let given = call.body.document.as_object().into_iter().flatten();
        let fields: Vec<_> = given
            .filter(|(name, _)| CHANGEABLE.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        // Both decide when the card ends; what is not given stays.
        let mut dates = member.card.document.clone();
        for (name, value) in &fields {
            dates[name] = value.clone();
        }
        let validity =
            Validity::deserialize(&dates["valid_date_information"]).map_err(|_| &rule::SYSTEM_ERROR)?;
        let is_given = |wanted: &str| fields.iter().any(|(name, _)| name == wanted);
        let at = "/valid_date_information";
        if is_given("valid_date_information") {
            validity.check(at)?;
            let template = scene.state.templates.find(&member.card_id);
            if let Some(of_template) = template.and_then(|template| template.validity()) {
                validity.check_type(&of_template, at, scene.policies.validity_type)?;
            }
        }
        let pickup = moment(dates["pickup_time"].as_str().unwrap_or_default())?;
        let dates_change = is_given("valid_date_information") || is_given("pickup_time");
        Ok(Self {
            fields,
            personal,
            phone_number,
            ends_at: dates_change.then(|| validity.ends_at(pickup)),
        })
    }

    fn apply(self, member: &mut Member) {
        for (name, value) in self.fields {
            member.card.replace(&name, value, &self.personal);
        }
        if let Some(phone) = self.phone_number {
            member.phone_number = Some(phone);
        }
        if let Some(ends_at) = self.ends_at {
            member.ends_at = ends_at;
        }
    }
}

/// What may change of a card; the rest of a request says which card is meant, or how it ended.
const CHANGEABLE: [&str; 8] = [
    "attach",
    "card_color",
    "card_picture_url",
    "level",
    "phone_number",
    "pickup_time",
    "user_information",
    "valid_date_information",
];
