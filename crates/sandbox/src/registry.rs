//! Whom the sandbox knows: merchants by id, platform keys by id, card templates by id.
//!
//! One of each today, taken from one [`Identity`]; everything else asks here by name, so there can be more.

use std::collections::{HashMap, HashSet};

use wxmember_crypto::{
    Certificate, KeyId, PrivateKey,
    party::{Merchant, Platform},
};

use crate::identity::Identity;

#[derive(Debug)]
pub(crate) struct Registry {
    callers: HashMap<String, Caller>,
    platform_keys: HashMap<KeyId, PrivateKey<Platform>>,
    /// The brand by card template.
    templates: HashMap<String, String>,
}

/// A merchant that may call.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) mchid: String,
    certificates: Vec<Certificate<Merchant>>,
    brands: HashSet<String>,
}

impl Registry {
    pub(crate) fn new(identity: Identity) -> Self {
        let credentials = identity.credentials;
        let caller = Caller {
            mchid: credentials.mchid.clone(),
            certificates: vec![identity.merchant_certificate],
            brands: [credentials.brand_id.clone()].into(),
        };
        Self {
            callers: [(credentials.mchid, caller)].into(),
            platform_keys: [(identity.platform_key_id, identity.platform_key)].into(),
            templates: [(credentials.card_id, credentials.brand_id)].into(),
        }
    }

    pub(crate) fn caller(&self, mchid: &str) -> Option<&Caller> {
        self.callers.get(mchid)
    }

    pub(crate) fn platform_key(&self, id: &KeyId) -> Option<(&KeyId, &PrivateKey<Platform>)> {
        self.platform_keys.get_key_value(id)
    }

    /// Any platform key, for answers to requests that named none.
    pub(crate) fn some_platform_key(&self) -> Option<(&KeyId, &PrivateKey<Platform>)> {
        self.platform_keys.iter().min_by_key(|(id, _)| *id)
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

    pub(crate) fn may_act_for(&self, brand_id: &str) -> bool {
        self.brands.contains(brand_id)
    }
}
