//! Where the gateway misbehaves: which fault a request asks for, an answer before every check, a key that is rotated.

use std::sync::Arc;

use axum::http::HeaderName;
use wxmember_crypto::KeyId;

use super::{Cause, Gateway, Head, PLATFORM_SERIAL};
use crate::{
    fault::{Fault, Written},
    misbehave,
    platform::{KeyPair, Maker},
    refusal::{Language, Refusal},
    reply::{Reply, Signer},
    rule,
};

/// Whether a request may name the fault of its own answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NegativeTest {
    /// It may not; the header is not looked at, as on the platform.
    Ignored,
    Obeyed,
}

impl Gateway {
    /// The fault that a request names for its own answer. Those that wait are left alone by such a request.
    pub(super) fn asked_for(&self, head: &Head) -> Result<Option<Fault>, Refusal> {
        let value = head.headers.get(NEGATIVE_TEST);
        match value.filter(|_| self.negative_test == NegativeTest::Obeyed) {
            Some(value) => {
                let fault = value.to_str().ok().and_then(|text| Written::fault_of(text).ok());
                fault.map(Some).ok_or_else(|| (&rule::NEGATIVE_TEST).into())
            }
            None => Ok(None),
        }
    }

    /// A new key in the mode of the one that would have signed; it takes some 50 ms of a core.
    pub(super) fn rotated(&self, instead_of: &KeyPair) -> Result<Arc<KeyPair>, Refusal> {
        let platform = &self.registry.platform;
        let pair = match instead_of.certificate {
            Some(_) => platform.rotate(&self.clock, Maker::Fault),
            None => platform.rotate_public_key(self.registry.first_mchid(), Maker::Fault),
        };
        pair.map_err(|_| (&rule::SYSTEM_ERROR).into())
    }

    /// An answer of the kind that comes before every check.
    pub(super) fn fail(&self, head: &Head, fault: Fault) -> Reply {
        let named = head.headers.get(PLATFORM_SERIAL);
        let named = named.and_then(|value| value.to_str().ok()).map(KeyId::new);
        let keys = self
            .registry
            .platform
            .choose(named.as_ref(), self.clock.unix_seconds());
        let signer = keys.as_ref().map(|keys| Signer {
            pair: &keys.signs,
            clock: &self.clock,
            tokens: &self.tokens,
        });
        let language = Language::of_request(&head.headers);
        let reply = misbehave::reply(fault, language, &self.clock, signer);
        let cause = Cause {
            refusal: None,
            fault: Some(fault),
        };
        self.finished(head, None, reply, cause)
    }
}

const NEGATIVE_TEST: HeaderName = HeaderName::from_static("wechatpay-negative-test");
