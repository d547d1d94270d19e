//! The operation `import_by_phone`: what the business says about a request that is well-formed and opened.

use serde::Deserialize;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use wxmember_crypto::{FormValue, Plaintext};

use crate::{
    clock::Clock,
    member::{Card, Member, Members, mainland_number},
    operations::{Call, Outcome, Scene},
    refusal::{Issue, Refusal},
    registry::{Caller, Registry},
    rule,
};

/// The members of the request that the business looks at. The schema has been checked before.
#[derive(Deserialize)]
struct Request {
    brand_id: String,
    card_id: String,
    user_card_code: String,
    date_information: Validity,
}

#[derive(Deserialize)]
struct Validity {
    r#type: String,
    available_begin_time: Option<String>,
    available_end_time: Option<String>,
    available_day_after_receive: Option<u64>,
}

/// Imports a member, or finds the one that is there.
pub(crate) fn play(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    let members = &mut scene.state.members;
    let member = member_of(call.body, scene.caller, scene.registry, members, scene.clock)?;
    let member = members.import(member, scene.policies)?;
    Ok(Outcome::Document(member.card.clone()))
}

/// Checks a request and makes the member of it.
fn member_of(
    opened: Card,
    caller: &Caller,
    registry: &Registry,
    members: &Members,
    clock: &Clock,
) -> Result<Member, Refusal> {
    // Both failures mean that this code and the document have come apart.
    let request = Request::deserialize(&opened.document).map_err(|_| &rule::SYSTEM_ERROR)?;
    let phone = opened.personal.get(PHONE).ok_or(&rule::SYSTEM_ERROR)?;
    let phone_number = mainland_number(phone).ok_or_else(|| {
        let issue = Issue::new(
            "必须为1开头的11位中国大陆手机号，可带+86前缀",
            "must be a mainland mobile number: eleven digits from 13 to 19 on, +86 before it allowed",
        );
        Refusal::at(&rule::PHONE_NUMBER, PHONE, issue)
    })?;
    if !caller.may_act_for(&request.brand_id) {
        return Err((&rule::BRAND).into());
    }
    if !registry.is_template_of(&request.card_id, &request.brand_id) {
        return Err((&rule::CARD).into());
    }
    check_validity(&request.date_information)?;

    let openid = members.openid_of(&phone_number);
    let Card {
        document,
        mut personal,
    } = opened;
    // The card shows the number as it is kept, without the country code.
    personal.insert(PHONE.to_owned(), FormValue::new(phone_number.expose()));
    Ok(Member {
        card_id: request.card_id,
        user_card_code: request.user_card_code,
        card: Card {
            document: card_of(document, &openid, &clock.rfc_3339())?,
            personal,
        },
        openid,
        phone_number,
        repeats: 0,
    })
}

/// The card of the answer: what the request said, under the answer's names, and what the platform adds.
fn card_of(request: Value, openid: &str, now: &str) -> Result<Value, Refusal> {
    let Value::Object(mut card) = request else {
        return Err((&rule::SYSTEM_ERROR).into());
    };
    // The request and the answer call the validity by different names (section 1.5).
    if let Some(validity) = card.remove("date_information") {
        card.insert("valid_date_information".to_owned(), validity);
    }
    let added = json!({
        "openid": openid,
        "card_type": "NORMAL",
        "user_card_state": "EFFECTIVE",
        "create_time": now,
        "modify_time": now,
    });
    if let Value::Object(added) = added {
        card.extend(added);
    }
    Ok(Value::Object(card))
}

/// What each type of validity needs; what it does not need is let through (section 1.5).
fn check_validity(validity: &Validity) -> Result<(), Refusal> {
    match validity.r#type.as_str() {
        "FIX_TIME_RANGE" => {
            let begin = moment(validity.available_begin_time.as_deref(), "available_begin_time")?;
            let end = moment(validity.available_end_time.as_deref(), "available_end_time")?;
            if end <= begin {
                let issue = Issue::new("结束时间必须晚于开始时间", "must be after available_begin_time");
                return Err(Refusal::at(
                    &rule::VALIDITY,
                    "/date_information/available_end_time",
                    issue,
                ));
            }
        }
        "FIX_TERM" if validity.available_day_after_receive.is_none_or(|days| days == 0) => {
            return Err(needed("available_day_after_receive"));
        }
        _ => {}
    }
    Ok(())
}

fn moment(text: Option<&str>, name: &str) -> Result<OffsetDateTime, Refusal> {
    let text = text.ok_or_else(|| needed(name))?;
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| (&rule::SYSTEM_ERROR).into())
}

fn needed(name: &str) -> Refusal {
    let issue = Issue::new(
        "该有效期类型必须填写此字段",
        "is required for this type of validity",
    );
    Refusal::at(&rule::VALIDITY, format!("/date_information/{name}"), issue)
}

const PHONE: &str = "/phone_number";
