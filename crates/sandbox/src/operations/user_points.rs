//! Points of members (用户积分): the balance as the merchant reports it, and the exchange of points for coupons.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    operations::{Call, Outcome, Scene, request_numbers::RequestNumbers},
    refusal::{Issue, Refusal},
    rule,
};

/// Balances and exchanges.
#[derive(Default)]
pub(crate) struct UserPoints {
    /// By template and code.
    balances: HashMap<(String, String), u64>,
    requests: RequestNumbers<()>,
    /// By record id.
    exchanges: HashMap<String, Exchange>,
}

/// An exchange that a member asked for.
struct Exchange {
    /// The members of the notification that the merchant repeats.
    asked: Value,
    /// What the merchant said, and what that was answered.
    settled: Option<(Value, Value)>,
}

impl UserPoints {
    pub(crate) fn balance(&self, card_id: &str, user_card_code: &str) -> Option<u64> {
        let key = (card_id.to_owned(), user_card_code.to_owned());
        self.balances.get(&key).copied()
    }
}

/// `POST /user-points/sync`: the whole balance, no difference.
pub(crate) fn sync(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    #[derive(Deserialize)]
    struct Request {
        out_request_no: String,
        brand_id: String,
        card_id: String,
        openid: String,
        user_card_code: String,
        point_balance: u64,
    }
    let request: Request = call.read()?;
    scene.check_holder(
        &request.brand_id,
        &request.card_id,
        &request.user_card_code,
        &request.openid,
    )?;
    let points = &mut scene.state.points;
    let (brand_id, number) = (&request.brand_id, &request.out_request_no);
    let content = call.body.document;
    // A late repeat of an older report must not undo a newer one.
    if points.requests.earlier(brand_id, number, &content)?.is_none() {
        points.requests.note(brand_id, number, content.clone(), ());
        let key = (request.card_id, request.user_card_code);
        points.balances.insert(key, request.point_balance);
    }
    Ok(Outcome::plain(content))
}

/// `POST /user-points/exchange-coupon/confirm`; the same decision again gets the same answer.
pub(crate) fn confirm_exchange(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    #[derive(Deserialize)]
    struct Request {
        record_id: String,
        brand_id: String,
        result: String,
        reject_reason: Option<String>,
    }
    let request: Request = call.read()?;
    scene.check_brand(&request.brand_id)?;
    let is_allowed = request.result == "POINT_EXCHANGE_COUPON_ALLOW";
    if !is_allowed && request.reject_reason.is_none() {
        let issue = Issue::new("拒绝兑券时必须填写", "is required when the exchange is refused");
        return Err(Refusal::at(&rule::REJECT_REASON, "/reject_reason", issue));
    }
    let exchanges = &mut scene.state.points.exchanges;
    let exchange = exchanges
        .get_mut(&request.record_id)
        .ok_or(&rule::EXCHANGE_NOT_FOUND)?;
    let decision = call.body.document;
    let repeats = |name: &&str| decision[*name] == exchange.asked[*name];
    if !REPEATED.iter().all(repeats) {
        return Err((&rule::EXCHANGE_NOT_FOUND).into());
    }
    match &exchange.settled {
        Some((earlier, answer)) if *earlier == decision => return Ok(Outcome::plain(answer.clone())),
        Some(_) => return Err((&rule::EXCHANGE_SETTLED).into()),
        None => {}
    }
    let mut answer = json!({});
    for name in REPEATED.iter().chain(&COUPON) {
        answer[*name] = exchange.asked[*name].clone();
    }
    if is_allowed {
        answer["state"] = "POINT_EXCHANGE_COUPON_SUCCESS".into();
        answer["coupon_code"] = scene.tokens.digits(12).into();
    } else {
        answer["state"] = "POINT_EXCHANGE_COUPON_FAIL".into();
        answer["reject_reason"] = request.reject_reason.into();
    }
    exchange.settled = Some((decision, answer.clone()));
    Ok(Outcome::plain(answer))
}

/// A member asks to exchange points; returns what the notification says.
pub(crate) fn ask_for_exchange(
    scene: &mut Scene<'_>,
    card_id: &str,
    user_card_code: &str,
    points: u64,
) -> Result<Value, Refusal> {
    let member = scene.state.members.find(card_id, user_card_code);
    let member = member.ok_or(&rule::USER_CARD_NOT_FOUND)?;
    let template = scene.state.templates.find(card_id).ok_or(&rule::CARD)?;
    let record_id = scene.tokens.token().to_ascii_lowercase();
    let asked = json!({
        "record_id": record_id,
        "brand_id": template.brand_id,
        "card_id": card_id,
        "appid": template.appid(),
        "openid": member.openid,
        "user_card_code": user_card_code,
        "exchange_coupon_template_id": "0Flpo7FqTQ",
        "deduct_points": points,
        "product_coupon_id": "200000001",
        "product_coupon_stock_type": "PRODUCT_COUPON_STOCK_TYPE_BUSI_FAVOR",
        "stock_id": "100232301",
    });
    let exchange = Exchange {
        asked: asked.clone(),
        settled: None,
    };
    scene.state.points.exchanges.insert(record_id, exchange);
    Ok(asked)
}

/// What a decision repeats of the notification; other values are another exchange's.
const REPEATED: [&str; 6] = [
    "record_id",
    "exchange_coupon_template_id",
    "brand_id",
    "card_id",
    "openid",
    "user_card_code",
];

/// What the answer repeats of the notification besides.
const COUPON: [&str; 3] = ["product_coupon_id", "product_coupon_stock_type", "stock_id"];
