//! Whom the sandbox knows: merchants by id, and the platform's keys.
//!
//! They are taken from one [`Identity`]; everything else asks here by name.

use std::collections::{HashMap, HashSet};

use wxmember_crypto::{ApiV3Key, Certificate, KeyId, party::Merchant};

use crate::{
    identity::{Identity, PublicKeyMode},
    platform::PlatformKeys,
};

#[derive(Debug)]
pub(crate) struct Registry {
    callers: HashMap<String, Caller>,
    first: String,
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
    pub(crate) fn new(identity: Identity) -> Self {
        let has_public_key = identity.public_key_mode == PublicKeyMode::On;
        let first = identity.credentials().mchid.clone();
        let callers = identity.parties.into_iter().map(|party| {
            let mchid = party.credentials.mchid;
            let caller = Caller {
                mchid: mchid.clone(),
                apiv3_key: party.apiv3_key,
                certificates: party.certificates,
                brands: party.brands.into_iter().collect(),
            };
            (mchid, caller)
        });
        Self {
            callers: callers.collect(),
            first,
            platform: PlatformKeys::new(has_public_key.then_some(identity.platform), identity.certified),
        }
    }

    pub(crate) fn first_mchid(&self) -> &str {
        &self.first
    }

    pub(crate) fn caller(&self, mchid: &str) -> Option<&Caller> {
        self.callers.get(mchid)
    }

    /// Every merchant, in no order.
    pub(crate) fn merchants(&self) -> impl Iterator<Item = &Caller> {
        self.callers.values()
    }

    /// The first merchant, for what the platform does of its own accord.
    pub(crate) fn first_caller(&self) -> Option<&Caller> {
        self.caller(&self.first)
    }

    /// A merchant who may act for a brand: the first one, or else the one with the lowest id.
    pub(crate) fn caller_for(&self, brand_id: &str) -> Option<&Caller> {
        let acting = self
            .callers
            .values()
            .filter(|caller| caller.may_act_for(brand_id));
        acting.min_by_key(|caller| (caller.mchid != self.first, &caller.mchid))
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
