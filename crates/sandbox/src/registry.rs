//! Whom the sandbox knows: merchants by id, and the platform's keys.
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
        }
    }

    pub(crate) fn caller(&self, mchid: &str) -> Option<&Caller> {
        self.callers.get(mchid)
    }

    /// Every merchant, in no order.
    pub(crate) fn merchants(&self) -> impl Iterator<Item = &Caller> {
        self.callers.values()
    }

    /// The one merchant, for what the platform does of its own accord.
    pub(crate) fn first_caller(&self) -> Option<&Caller> {
        self.callers.values().min_by_key(|caller| &caller.mchid)
    }
}

impl Caller {
    pub(crate) fn certificate(&self, serial: &KeyId) -> Option<&Certificate<Merchant>> {
        self.certificates
            .iter()
            .find(|certificate| certificate.serial() == serial)
    }

    /// The serial numbers of the merchant's certificates.
    pub(crate) fn serials(&self) -> impl Iterator<Item = &str> {
        self.certificates
            .iter()
            .map(|certificate| certificate.serial().as_str())
    }

    /// The certificate whose key seals what the platform sends of its own accord.
    pub(crate) fn newest_certificate(&self) -> Option<&Certificate<Merchant>> {
        self.certificates
            .iter()
            .max_by_key(|certificate| certificate.not_before())
    }

    /// The brands that the merchant may act for, sorted.
    pub(crate) fn brands(&self) -> Vec<&str> {
        let mut brands: Vec<_> = self.brands.iter().map(String::as_str).collect();
        brands.sort_unstable();
        brands
    }

    pub(crate) fn may_act_for(&self, brand_id: &str) -> bool {
        self.brands.contains(brand_id)
    }
}
