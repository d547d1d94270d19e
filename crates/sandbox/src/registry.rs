//! Whom the sandbox knows: merchants by id, the platform's keys, card templates by id.
//!
//! One merchant today, taken from one [`Identity`]; everything else asks here by name, so there can be more.

use std::collections::{HashMap, HashSet};

use wxmember_crypto::{ApiV3Key, Certificate, KeyId, party::Merchant};

use crate::{
    identity::{Identity, PublicKeyMode},
    platform::PlatformKeys,
};

#[derive(Debug)]
pub(crate) struct Registry {
    callers: HashMap<String, Caller>,
    pub(crate) platform: PlatformKeys,
    /// The brand by card template.
    templates: HashMap<String, String>,
}

/// A merchant that may call.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) mchid: String,
    pub(crate) apiv3_key: ApiV3Key,
    certificates: Vec<Certificate<Merchant>>,
    brands: HashSet<String>,
}

impl Registry {
    pub(crate) fn new(identity: Identity, public_key_mode: PublicKeyMode) -> Self {
        let public_key = (public_key_mode == PublicKeyMode::On).then_some(identity.platform);
        let credentials = identity.credentials;
        let caller = Caller {
            mchid: credentials.mchid.clone(),
            apiv3_key: identity.apiv3_key,
            certificates: vec![identity.merchant_certificate],
            brands: [credentials.brand_id.clone()].into(),
        };
        Self {
            callers: [(credentials.mchid, caller)].into(),
            platform: PlatformKeys::new(public_key, identity.certified),
            templates: [(credentials.card_id, credentials.brand_id)].into(),
        }
    }

    pub(crate) fn caller(&self, mchid: &str) -> Option<&Caller> {
        self.callers.get(mchid)
    }

    /// The one merchant, for what the platform does of its own accord.
    pub(crate) fn first_caller(&self) -> Option<&Caller> {
        self.callers.values().min_by_key(|caller| &caller.mchid)
    }

    /// Whether the template is there and belongs to the brand.
    pub(crate) fn is_template_of(&self, card_id: &str, brand_id: &str) -> bool {
        self.templates.get(card_id).is_some_and(|brand| brand == brand_id)
    }
}

impl Caller {
    pub(crate) fn certificate(&self, serial: &KeyId) -> Option<&Certificate<Merchant>> {
        self.certificates
            .iter()
            .find(|certificate| certificate.serial() == serial)
    }

    /// The certificate whose key seals what the platform sends of its own accord.
    pub(crate) fn newest_certificate(&self) -> Option<&Certificate<Merchant>> {
        self.certificates
            .iter()
            .max_by_key(|certificate| certificate.not_before())
    }

    pub(crate) fn may_act_for(&self, brand_id: &str) -> bool {
        self.brands.contains(brand_id)
    }
}
