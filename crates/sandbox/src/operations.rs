//! What the operations do: one module a family, and the list of them all.
//!
//! What comes in here has been authenticated, held against the document and opened; what goes out is sealed and signed
//! by the gateway. Must never know HTTP. A refusal leaves the state as it was.

use std::{collections::BTreeMap, fmt};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use wxmember_crypto::{FormValue, PhoneNumber};

use crate::{
    clock::Clock,
    member::{Card, Stage, mainland_number, store::Members},
    operations::{
        activities::Activities,
        cards::{Template, Templates},
        membercard_open::Membercards,
        tokens::IssuedTokens,
        user_feeds::UserFeeds,
        user_points::UserPoints,
    },
    policy::Policies,
    random::Tokens,
    refusal::{Issue, Location, Refusal},
    registry::{Caller, Registry},
    rule,
};

mod activities;
mod cards;
mod certificates;
pub(crate) mod membercard_open;
mod page;
mod request_numbers;
mod tokens;
pub(crate) mod user_cards;
mod user_feeds;
pub(crate) mod user_points;
mod validity;

/// One operation. A refusal must leave the state as it was.
pub(crate) type Play = fn(Call, &mut Scene<'_>) -> Result<Outcome, Refusal>;

/// What the sandbox plays under an operation id; other operations of the document are unknown paths to it.
pub(crate) fn play_of(operation: &str) -> Option<Play> {
    let play: Play = match operation {
        "create_card" => cards::create,
        "list_cards" => cards::list,
        "find_card" => cards::find,
        "update_card" => cards::update,
        "delete_card" => cards::delete,
        "invalidate_card" => cards::invalidate,
        "list_user_cards" => user_cards::list,
        "find_user_card" => user_cards::find,
        "update_user_card" => user_cards::update,
        "invalidate_user_card" => user_cards::invalidate,
        "confirm_user_card" => user_cards::confirm,
        "import_by_openid" => user_cards::import::by_openid,
        "import_by_phone" => user_cards::import::by_phone,
        "create_pre_auth_token" => tokens::pre_auth,
        "create_pay_view_token" => tokens::pay_view,
        "push_user_feed" => user_feeds::push,
        "sync_user_points" => user_points::sync,
        "confirm_coupon_exchange" => user_points::confirm_exchange,
        "create_activity" => activities::create,
        "list_activities" => activities::list,
        "find_activity" => activities::find,
        "update_activity" => activities::update,
        "terminate_activity" => activities::terminate,
        LIST_CERTIFICATES => certificates::list,
        "import_phone_membercard" => membercard_open::import,
        "import_phonenumber_member" => membercard_open::remind,
        "search_phonenumber_member" => membercard_open::search,
        _ => return None,
    };
    Some(play)
}

/// What a call says.
pub(crate) struct Call {
    /// The parameters of path and query by name; sealed ones are not among them.
    pub(crate) parameters: Map<String, Value>,
    /// The sealed parameters, opened.
    pub(crate) personal: BTreeMap<String, FormValue>,
    /// The body, opened; null where the operation has none.
    pub(crate) body: Card,
}

/// The document has checked what is asked for here, so that a failure means that it and the code have come apart.
impl Call {
    /// The members of the body that somebody looks at.
    fn read<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        T::deserialize(&self.body.document).map_err(|_| (&rule::SYSTEM_ERROR).into())
    }

    /// A text of the body.
    fn member(&self, name: &str) -> Result<&str, Refusal> {
        let member = self.body.document.get(name).and_then(Value::as_str);
        member.ok_or_else(|| (&rule::SYSTEM_ERROR).into())
    }

    /// A parameter that is a text and required.
    fn text(&self, name: &str) -> Result<&str, Refusal> {
        self.optional_text(name)
            .ok_or_else(|| (&rule::SYSTEM_ERROR).into())
    }

    fn optional_text(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).and_then(Value::as_str)
    }

    /// A parameter that is a number and required.
    fn number(&self, name: &str) -> Result<u64, Refusal> {
        let number = self.parameters.get(name).and_then(Value::as_u64);
        number.ok_or_else(|| (&rule::SYSTEM_ERROR).into())
    }
}

/// What the platform remembers. `Debug` shows how many members there are and nothing else, for what merchants write
/// about them is theirs.
pub(crate) struct State {
    pub(crate) members: Members,
    pub(crate) templates: Templates,
    pub(crate) tokens: IssuedTokens,
    pub(crate) feeds: UserFeeds,
    pub(crate) points: UserPoints,
    pub(crate) activities: Activities,
    pub(crate) membercards: Membercards,
}

/// What the platform remembers at the start, and again after a reset.
#[derive(Clone)]
pub(crate) struct Start {
    pub(crate) hash_key: [u8; 32],
    pub(crate) templates: Vec<Preloaded>,
}

/// A template that is there from the start.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Preloaded {
    pub(crate) card_id: String,
    pub(crate) brand_id: String,
    /// Where notifications about its cards go.
    pub(crate) notify_url: Option<String>,
}

impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Start({} templates, …)", self.templates.len())
    }
}

impl State {
    /// Nothing but the templates that are there from the start.
    pub(crate) fn new(start: &Start, clock: &Clock) -> Self {
        let mut templates = Templates::default();
        for template in &start.templates {
            templates.preload(template, &clock.rfc_3339());
        }
        Self {
            members: Members::new(start.hash_key),
            templates,
            tokens: IssuedTokens::default(),
            feeds: UserFeeds::default(),
            points: UserPoints::default(),
            activities: Activities::default(),
            membercards: Membercards::default(),
        }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({} members, …)", self.members.len())
    }
}

/// Where a call takes place.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) registry: &'a Registry,
    pub(crate) clock: &'a Clock,
    pub(crate) tokens: &'a Tokens,
    pub(crate) policies: Policies,
    pub(crate) state: &'a mut State,
}

impl Scene<'_> {
    /// Whether the caller may act for a brand.
    fn check_brand(&self, brand_id: &str) -> Result<(), Refusal> {
        if self.caller.may_act_for(brand_id) {
            Ok(())
        } else {
            Err((&rule::BRAND).into())
        }
    }

    /// A template of a brand that can still be given out.
    fn effective_template(&self, card_id: &str, brand_id: &str) -> Result<&Template, Refusal> {
        let template = self.state.templates.find(card_id);
        match template.filter(|template| template.brand_id == brand_id) {
            None => Err((&rule::CARD).into()),
            Some(template) if !template.is_effective => Err((&rule::CARD_INVALIDATED).into()),
            Some(template) => Ok(template),
        }
    }

    /// The same, where the call names no brand: it must be one of the caller's.
    fn own_template(&self, card_id: &str) -> Result<&Template, Refusal> {
        let template = self.state.templates.find(card_id);
        let template = template.filter(|template| self.caller.may_act_for(&template.brand_id));
        self.effective_template(card_id, template.map_or("", |template| &template.brand_id))
    }

    /// Whether a body speaks of a card that is there and was not invalidated.
    fn check_holder(
        &self,
        brand_id: &str,
        card_id: &str,
        user_card_code: &str,
        openid: &str,
    ) -> Result<(), Refusal> {
        self.check_brand(brand_id)?;
        let template = self.state.templates.find(card_id);
        if template.is_none_or(|template| template.brand_id != brand_id) {
            return Err((&rule::CARD).into());
        }
        let member = self.state.members.find(card_id, user_card_code);
        match member.filter(|member| member.openid == openid) {
            None => Err((&rule::USER_CARD_NOT_FOUND).into()),
            Some(member) if member.stage == Stage::Invalid => Err((&rule::USER_CARD_INVALIDATED).into()),
            Some(_) => Ok(()),
        }
    }
}

/// What a call gets.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// 200.
    Document(Card),
    /// 204.
    Nothing,
}

impl Outcome {
    /// A document without personal fields.
    fn plain(document: Value) -> Self {
        Self::Document(Card {
            document,
            personal: BTreeMap::new(),
        })
    }
}

/// The phone number that was sealed at a place of the body, if one was.
fn phone_of(personal: &BTreeMap<String, FormValue>, pointer: &str) -> Result<Option<PhoneNumber>, Refusal> {
    let Some(text) = personal.get(pointer) else {
        return Ok(None);
    };
    let phone = mainland_number(text);
    phone
        .map(Some)
        .ok_or_else(|| phone_refusal(Location::Body, pointer))
}

fn phone_refusal(location: Location, field: &str) -> Refusal {
    let issue = Issue::new(
        "必须为1开头的11位中国大陆手机号，可带+86前缀",
        "must be a mainland mobile number: eleven digits from 13 to 19 on, +86 before it allowed",
    );
    Refusal::within(location, &rule::PHONE_NUMBER, field, issue)
}

/// The one operation that a merchant without a valid platform key may call.
pub(crate) const LIST_CERTIFICATES: &str = "list_certificates";

/// Where user cards and the requests about them have the phone number.
const PHONE: &str = "/phone_number";
