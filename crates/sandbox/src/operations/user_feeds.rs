//! Events of a membership that happened outside WeChat Pay (用户动态).

use serde::Deserialize;
use serde_json::Value;

use crate::{
    operations::{Call, Outcome, Scene, request_numbers::RequestNumbers},
    refusal::Refusal,
};

/// Every feed, in the order in which they came.
#[derive(Default)]
pub(crate) struct UserFeeds {
    pub(crate) all: Vec<Value>,
    requests: RequestNumbers<()>,
}

/// `POST /user-feeds`.
pub(crate) fn push(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    #[derive(Deserialize)]
    struct Request {
        brand_id: String,
        card_id: String,
        user_card_code: String,
        openid: String,
        out_request_no: String,
    }
    let request: Request = call.read()?;
    let Request {
        brand_id,
        out_request_no,
        ..
    } = &request;
    scene.check_holder(
        brand_id,
        &request.card_id,
        &request.user_card_code,
        &request.openid,
    )?;
    let feeds = &mut scene.state.feeds;
    let content = call.body.document;
    if feeds
        .requests
        .earlier(brand_id, out_request_no, &content)?
        .is_none()
    {
        feeds.all.push(content.clone());
        feeds.requests.note(brand_id, out_request_no, content.clone(), ());
    }
    Ok(Outcome::plain(content))
}
