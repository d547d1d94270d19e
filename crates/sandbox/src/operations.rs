//! What the operations do: one module a family, and the list of them all.
//!
//! What comes in here has been authenticated, held against the document and opened; what goes out is sealed and signed
//! by the gateway. Must never know HTTP.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use wxmember_crypto::FormValue;

use crate::{
    clock::Clock,
    import_by_phone,
    member::{Card, Members},
    policy::Policies,
    random::Tokens,
    refusal::Refusal,
    registry::{Caller, Registry},
};

mod certificates;

/// What a call says.
#[derive(Debug)]
pub(crate) struct Call {
    /// The parameters of path and query by name; sealed ones are not among them.
    pub(crate) parameters: Map<String, Value>,
    /// The sealed parameters, opened.
    pub(crate) personal: BTreeMap<String, FormValue>,
    /// The body, opened; null where the operation has none.
    pub(crate) body: Card,
}

/// Where a call takes place.
pub(crate) struct Scene<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) registry: &'a Registry,
    pub(crate) clock: &'a Clock,
    pub(crate) tokens: &'a Tokens,
    pub(crate) policies: Policies,
    pub(crate) state: &'a mut State,
}

/// What the platform remembers.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) members: Members,
}

/// What a call gets.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// 200.
    Document(Card),
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

/// One operation. A refusal must leave the state as it was.
pub(crate) type Play = fn(Call, &mut Scene<'_>) -> Result<Outcome, Refusal>;

/// What the sandbox plays under an operation id; other operations of the document are unknown paths to it.
pub(crate) fn play_of(operation: &str) -> Option<Play> {
    let play: Play = match operation {
        "import_by_phone" => import_by_phone::play,
        LIST_CERTIFICATES => certificates::list,
        _ => return None,
    };
    Some(play)
}

/// The one operation that a merchant without a valid platform key may call.
pub(crate) const LIST_CERTIFICATES: &str = "list_certificates";
