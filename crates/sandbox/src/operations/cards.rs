//! Card templates (会员卡模板): created, changed, invalidated for good, and looked up.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    operations::{
        Call, Outcome, Preloaded, Scene, page::Page, request_numbers::RequestNumbers, validity::Validity,
    },
    refusal::{Issue, Location, Refusal},
    rule,
};

/// Every template, in the order of creation.
#[derive(Default)]
pub(crate) struct Templates {
    all: Vec<Template>,
    /// The place in `all` by card id.
    by_id: HashMap<String, usize>,
    /// The card id by request number.
    requests: RequestNumbers<String>,
}

/// One template.
pub(crate) struct Template {
    pub(crate) brand_id: String,
    pub(crate) is_effective: bool,
    /// As answers show it.
    document: Map<String, Value>,
}

impl Template {
    fn text(&self, name: &str) -> &str {
        self.document
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    pub(crate) fn card_type(&self) -> &str {
        self.text("card_type")
    }

    /// Where notifications about its cards go; `None` for the address that stands for nobody's.
    pub(crate) fn notify_url(&self) -> Option<&str> {
        Some(self.text("notify_url")).filter(|url| !url.is_empty() && *url != NOWHERE)
    }

    pub(crate) fn appid(&self) -> &str {
        self.text("appid")
    }

    pub(crate) fn validity(&self) -> Option<Validity> {
        Validity::deserialize(self.validity_document()?).ok()
    }

    pub(crate) fn validity_document(&self) -> Option<&Value> {
        self.document.get("valid_date_information")
    }

    fn answer(&self) -> Value {
        Value::Object(self.document.clone())
    }

    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.document.insert(name.to_owned(), value.into());
    }
}

impl Templates {
    /// A template that is there from the start, valid for any kind of member.
    pub(crate) fn preload(&mut self, template: &Preloaded, now: &str) {
        let Preloaded {
            card_id,
            brand_id,
            notify_url,
        } = template;
        let document = json!({
            "card_id": card_id,
            "brand_id": brand_id,
            "appid": "wxea9c30890f48d5ae",
            "card_type": "NORMAL",
            "card_title": "测试卡",
            "card_color": "#FFFF00",
            "card_picture_url": "https://wxpaylogo.qpic.cn/wxpaylogo/xxxxx/0",
            "code_mode": "MERCHANT_ALLOCATE",
            "code_type": "BAR_CODE_AND_QR_CODE",
            "benefits": "会员折扣、专属价",
            "notify_url": notify_url.as_deref().unwrap_or(NOWHERE),
            "valid_date_information": {"type": "PERMANENT"},
            "user_information": {
                "common_field_list": ["USER_FORM_FLAG_SEX", "USER_FORM_FLAG_NAME"],
                "custom_field_list": [{"type": "CHECK_BOX", "name": "喜欢的运动", "values": ["篮球", "羽毛球"]}],
            },
            "state": EFFECTIVE,
            "create_time": now,
            "modify_time": now,
        });
        if let Value::Object(document) = document {
            self.add(card_id.clone(), brand_id.clone(), document);
        }
    }

    /// Every template as answers show it, in the order of creation.
    pub(crate) fn documents(&self) -> impl Iterator<Item = Value> {
        self.all.iter().map(Template::answer)
    }

    pub(crate) fn find(&self, card_id: &str) -> Option<&Template> {
        self.by_id.get(card_id).and_then(|at| self.all.get(*at))
    }

    fn add(&mut self, card_id: String, brand_id: String, document: Map<String, Value>) {
        self.by_id.insert(card_id, self.all.len());
        self.all.push(Template {
            brand_id,
            is_effective: true,
            document,
        });
    }
}

/// `POST /cards`.
pub(crate) fn create(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    #[derive(Deserialize)]
    struct Request {
        out_request_no: String,
        brand_id: String,
        card_type: String,
        valid_date_information: Validity,
    }
    let request: Request = call.read()?;
    scene.check_brand(&request.brand_id)?;
    let templates = &mut scene.state.templates;
    let content = call.body.document;
    let earlier = templates
        .requests
        .earlier(&request.brand_id, &request.out_request_no, &content)?;
    if let Some(template) = earlier.and_then(|card_id| templates.find(card_id)) {
        return Ok(Outcome::plain(template.answer()));
    }
    if request.card_type != "NORMAL" {
        let issue = Issue::new("目前仅支持NORMAL", "must be NORMAL today");
        return Err(Refusal::at(&rule::CARD_TYPE, "/card_type", issue));
    }
    request.valid_date_information.check("/valid_date_information")?;
    let Value::Object(mut document) = content.clone() else {
        return Err((&rule::SYSTEM_ERROR).into());
    };
    let now = scene.clock.rfc_3339();
    let mut card_id = format!("p{}", scene.tokens.token());
    card_id.truncate(28);
    for (name, value) in [
        ("card_id", card_id.as_str()),
        ("state", EFFECTIVE),
        ("create_time", &now),
        ("modify_time", &now),
    ] {
        document.insert(name.to_owned(), value.into());
    }
    let answer = Value::Object(document.clone());
    templates.add(card_id.clone(), request.brand_id.clone(), document);
    templates
        .requests
        .note(&request.brand_id, &request.out_request_no, content, card_id);
    Ok(Outcome::plain(answer))
}

/// `GET /cards`.
pub(crate) fn list(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    let brand_id = call.text("brand_id")?;
    scene.check_brand(brand_id)?;
    let state = call.optional_text("state");
    let page = Page::of(&call)?;
    let templates = scene.state.templates.all.iter().filter(|template| {
        template.brand_id == brand_id && state.is_none_or(|state| template.text("state") == state)
    });
    let (data, total) = page.of_list(templates);
    let data = data.into_iter().map(Template::answer).collect();
    Ok(Outcome::plain(page.answer(data, total)))
}

/// `GET /cards/{card_id}`.
pub(crate) fn find(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    let template = named(scene, call.text("card_id")?, call.text("brand_id")?)?;
    Ok(Outcome::plain(template.answer()))
}

/// `PATCH /cards/{card_id}`: what is given replaces what was there, whole member by whole member.
pub(crate) fn update(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    #[derive(Deserialize)]
    struct Request {
        brand_id: String,
        valid_date_information: Option<Validity>,
    }
    let request: Request = call.read()?;
    let now = scene.clock.rfc_3339();
    let template = named(scene, call.text("card_id")?, &request.brand_id)?;
    if !template.is_effective {
        return Err((&rule::CARD_INVALIDATED).into());
    }
    if let Some(validity) = &request.valid_date_information {
        validity.check("/valid_date_information")?;
    }
    for (name, value) in call.body.document.as_object().into_iter().flatten() {
        template.set(name, value.clone());
    }
    template.set("modify_time", now);
    Ok(Outcome::plain(template.answer()))
}

/// `DELETE /cards/{card_id}`, the older form of the next one.
pub(crate) fn delete(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    let brand_id = call.text("brand_id")?.to_owned();
    invalidated(&call, &brand_id, scene)
}

/// `POST /cards/{card_id}/invalidate`.
pub(crate) fn invalidate(call: Call, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    let brand_id = call.member("brand_id")?.to_owned();
    invalidated(&call, &brand_id, scene)
}

/// Invalidates a template; one that is invalid already is answered as it is.
fn invalidated(call: &Call, brand_id: &str, scene: &mut Scene<'_>) -> Result<Outcome, Refusal> {
    let now = scene.clock.rfc_3339();
    let template = named(scene, call.text("card_id")?, brand_id)?;
    if template.is_effective {
        template.is_effective = false;
        template.set("state", INVALID);
        template.set("modify_time", now);
    }
    Ok(Outcome::plain(template.answer()))
}

/// The template that the path names, if it is the brand's and the brand is the caller's.
fn named<'a>(scene: &'a mut Scene<'_>, card_id: &str, brand_id: &str) -> Result<&'a mut Template, Refusal> {
    scene.check_brand(brand_id)?;
    let templates = &mut scene.state.templates;
    let at = templates.by_id.get(card_id).copied();
    let template = at.and_then(|at| templates.all.get_mut(at));
    let template = template.filter(|template| template.brand_id == brand_id);
    template.ok_or_else(|| {
        let issue = Issue::new("该品牌没有此会员卡模板", "names no template of this brand");
        Refusal::within(Location::Url, &rule::CARD_NOT_FOUND, "card_id", issue)
    })
}

/// An address that is reserved for examples: nobody is there.
const NOWHERE: &str = "https://notify.example/wxpay";
const EFFECTIVE: &str = "CARD_EFFECTIVE";
const INVALID: &str = "CARD_INVALID";
