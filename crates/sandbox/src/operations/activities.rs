//! Activities that give coupons (品牌会员发券活动): created, changed, ended, and looked up.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::{
    operations::{Call, Outcome, Scene, page::Page, request_numbers::RequestNumbers, validity::moment},
    refusal::{Issue, Location, Refusal},
    rule,
};

/// Every activity, in the order of creation.
#[derive(Default)]
pub(crate) struct Activities {
    all: Vec<Activity>,
    /// The place in `all` by activity id.
    by_id: HashMap<String, usize>,
    /// The place in `all` by request number.
    requests: RequestNumbers<usize>,
}

struct Activity {
    brand_id: String,
    card_id: String,
    begins_at: OffsetDateTime,
    ends_at: OffsetDateTime,
    is_terminated: bool,
    /// As answers show it, but for the state, which follows from the time.
    document: Map<String, Value>,
}

impl Activity {
    fn state(&self, now: OffsetDateTime) -> &'static str {
        if self.is_terminated {
            "MEMBERSHIP_ACTIVITY_TERMINATED"
        } else if now < self.begins_at {
            "MEMBERSHIP_ACTIVITY_CREATED"
        } else if now < self.ends_at {
            "MEMBERSHIP_ACTIVITY_EFFECTIVE"
        } else {
            "MEMBERSHIP_ACTIVITY_EXPIRED"
        }
    }

    fn answer(&self, now: OffsetDateTime) -> Value {
        let mut document = self.document.clone();
        document.insert("activity_state".to_owned(), self.state(now).into());
        Value::Object(document)
    }

    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.document.insert(name.to_owned(), value.into());
    }
}

/// Begin and end of a request.
#[derive(Deserialize)]
struct Times {
    begin_time: String,
    end_time: String,
}

impl Times {
    fn checked(&self) -> Result<(OffsetDateTime, OffsetDateTime), Refusal> {
        let (begin, end) = (moment(&self.begin_time)?, moment(&self.end_time)?);
        if end <= begin {
            let issue = Issue::new("结束时间必须晚于开始时间", "must be after begin_time");
            return Err(Refusal::at(&rule::ACTIVITY_TIME, "/end_time", issue));
        }
        Ok((begin, end))
    }
}

/// `POST /membership-activities`.
pub(crate) fn create(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    #[derive(Deserialize)]
    struct Request {
        out_request_no: String,
        brand_id: String,
        card_id: String,
        apply_total: u64,
    }
    let request: Request = call.read()?;
    let times: Times = call.read()?;
    scene.check_brand(&request.brand_id)?;
    scene.effective_template(&request.card_id, &request.brand_id)?;
    let now = scene.clock.date_time();
    let activities = &mut scene.state.activities;
    let content = call.body.document;
    let (brand_id, number) = (&request.brand_id, &request.out_request_no);
    let earlier = activities.requests.earlier(brand_id, number, &content)?;
    if let Some(activity) = earlier.and_then(|at| activities.all.get(*at)) {
        return Ok(Outcome::plain(activity.answer(now)));
    }
    let (begins_at, ends_at) = times.checked()?;
    let Value::Object(document) = content.clone() else {
        return Err((&rule::SYSTEM_ERROR).into());
    };
    let mut activity = Activity {
        brand_id: request.brand_id.clone(),
        card_id: request.card_id,
        begins_at,
        ends_at,
        is_terminated: false,
        document,
    };
    let activity_id = scene.tokens.digits(10);
    activity.set("activity_id", activity_id.as_str());
    activity.set("apply_available", request.apply_total);
    activity.set("create_time", scene.clock.rfc_3339());
    activity.set("modify_time", scene.clock.rfc_3339());
    let answer = activity.answer(now);
    let at = activities.all.len();
    activities.all.push(activity);
    activities.by_id.insert(activity_id, at);
    activities.requests.note(brand_id, number, content, at);
    Ok(Outcome::plain(answer))
}

/// `GET /membership-activities`.
pub(crate) fn list(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    let brand_id = call.text("brand_id")?;
    scene.check_brand(brand_id)?;
    let (card_id, state) = (
        call.optional_text("card_id"),
        call.optional_text("activity_state"),
    );
    let page = Page::of(&call)?;
    let now = scene.clock.date_time();
    let activities = scene.state.activities.all.iter().filter(|activity| {
        activity.brand_id == brand_id
            && card_id.is_none_or(|card_id| activity.card_id == card_id)
            && state.is_none_or(|state| activity.state(now) == state)
    });
    let (activities, total) = page.of_list(activities);
    let data = activities
        .into_iter()
        .map(|activity| activity.answer(now))
        .collect();
    Ok(Outcome::plain(page.answer(data, total)))
}

/// `GET /membership-activities/{activity_id}`.
pub(crate) fn find(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    let now = scene.clock.date_time();
    let activity = named(&call, scene, call.text("brand_id")?)?;
    Ok(Outcome::plain(activity.answer(now)))
}

/// `PATCH /membership-activities/{activity_id}`.
pub(crate) fn update(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    let times: Times = call.read()?;
    let (now, time) = (scene.clock.date_time(), scene.clock.rfc_3339());
    let activity = named(&call, scene, call.member("brand_id")?)?;
    if activity.is_terminated || activity.ends_at <= now {
        return Err((&rule::ACTIVITY_ENDED).into());
    }
    (activity.begins_at, activity.ends_at) = times.checked()?;
    for (name, value) in call.body.document.as_object().into_iter().flatten() {
        activity.set(name, value.clone());
    }
    activity.set("modify_time", time);
    Ok(Outcome::plain(activity.answer(now)))
}

/// `POST /membership-activities/{activity_id}/terminate`; one that is ended already is answered as it is.
pub(crate) fn terminate(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    let (now, time) = (scene.clock.date_time(), scene.clock.rfc_3339());
    let activity = named(&call, scene, call.member("brand_id")?)?;
    if !activity.is_terminated {
        if activity.ends_at <= now {
            return Err((&rule::ACTIVITY_ENDED).into());
        }
        activity.is_terminated = true;
        activity.set("modify_time", time);
    }
    Ok(Outcome::plain(activity.answer(now)))
}

/// The activity that the path names, if it is the brand's and the brand is the caller's.
fn named<'a>(call: &Call, scene: &'a mut Scene<'_>, brand_id: &str) -> Result<&'a mut Activity, Refusal> {
    scene.check_brand(brand_id)?;
    let activities = &mut scene.state.activities;
    let at = activities.by_id.get(call.text("activity_id")?).copied();
    let activity = at.and_then(|at| activities.all.get_mut(at));
    let activity = activity.filter(|activity| activity.brand_id == brand_id);
    activity.ok_or_else(|| {
        let issue = Issue::new("该品牌没有此活动", "names no activity of this brand");
        Refusal::within(Location::Url, &rule::ACTIVITY_NOT_FOUND, "activity_id", issue)
    })
}
