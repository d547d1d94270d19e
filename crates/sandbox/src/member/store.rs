//! Every card of every template, with the ways to find one. Phone numbers are looked up by a keyed hash.
//!
//! Ten thousand members are to fit in some tens of MiB, so cards are kept packed and every text once.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    ops::Bound,
    sync::Arc,
};

use time::OffsetDateTime;
use wxmember_crypto::{Fingerprint, KeyedHash, PhoneNumber};

use crate::{
    member::{
        Member, Stage,
        packed::{Packed, Packer},
        state_at,
    },
    policy::{Policies, RepeatedMember, SecondCard, TakenCode},
    rule::{self, Rule},
};

/// Template and code.
type Key = (Arc<str>, Arc<str>);

pub(crate) struct Members {
    by_code: BTreeMap<Key, Packed>,
    /// The cards of an openid, sorted.
    by_openid: HashMap<Box<str>, Vec<Key>>,
    /// The code of the newest card by template and phone number.
    by_phone: HashMap<(Arc<str>, Fingerprint), Arc<str>>,
    templates: HashSet<Arc<str>>,
    phone_hash: KeyedHash,
    packer: Packer,
}

impl Members {
    pub(crate) fn new(hash_key: [u8; 32]) -> Self {
        Self {
            by_code: BTreeMap::new(),
            by_openid: HashMap::new(),
            by_phone: HashMap::new(),
            templates: HashSet::new(),
            phone_hash: KeyedHash::new(hash_key),
            packer: Packer::default(),
        }
    }

    /// Takes in a member, or finds the one that is there.
    pub(crate) fn import(&mut self, member: Member, policies: Policies) -> Result<Member, &'static Rule> {
        let key = self.key(&member.card_id, &member.user_card_code);
        if let Some(existing) = self.by_code.get_mut(&key) {
            return match (is_same_person(existing, &member), policies.repeated_member) {
                (true, RepeatedMember::ReturnExisting) => {
                    existing.repeats = existing.repeats.saturating_add(1);
                    Ok(existing.member(&key.0, &key.1))
                }
                (true, RepeatedMember::AlreadyExists) => Err(&rule::REPEATED_MEMBER),
                (false, _) => Err(match policies.taken_code {
                    TakenCode::AlreadyExists => &rule::CODE_TAKEN,
                    TakenCode::InvalidRequest => &rule::CODE_TAKEN_AS_INVALID,
                }),
            };
        }
        if policies.second_card == SecondCard::Refuse && self.has_card(&member) {
            return Err(&rule::SECOND_CARD);
        }
        self.templates.insert(Arc::clone(&key.0));
        self.note_phone(&key, member.phone_number.as_ref());
        match self.by_openid.get_mut(member.openid.as_str()) {
            Some(keys) => {
                let at = keys.partition_point(|other| *other < key);
                keys.insert(at, key.clone());
            }
            None => {
                self.by_openid
                    .insert(member.openid.as_str().into(), vec![key.clone()]);
            }
        }
        self.by_code.insert(key, self.packer.pack(&member));
        Ok(member)
    }

    /// Changes a card in one step; its template, code and openid stay.
    pub(crate) fn change(
        &mut self,
        card_id: &str,
        user_card_code: &str,
        change: impl FnOnce(&mut Member),
    ) -> Option<Arc<Member>> {
        let key = self.key(card_id, user_card_code);
        let packed = self.by_code.get_mut(&key)?;
        let old_phone = packed.phone_number.clone();
        let mut member = packed.member(card_id, user_card_code);
        change(&mut member);
        *packed = self.packer.pack(&member);
        if old_phone != member.phone_number {
            if let Some(old_phone) = &old_phone {
                let phone = self.phone_key(&key.0, old_phone);
                self.by_phone.remove(&phone);
            }
            self.note_phone(&key, member.phone_number.as_ref());
        }
        Some(Arc::new(member))
    }

    /// Whether the person has another card of the template that was not invalidated.
    pub(crate) fn has_card(&self, member: &Member) -> bool {
        let (template, _) = self.key(&member.card_id, "");
        let is_other = |code: &Arc<str>| {
            let key = (Arc::clone(&template), Arc::clone(code));
            let is_valid = |other: &Packed| other.stage != Stage::Invalid;
            **code != *member.user_card_code && self.by_code.get(&key).is_some_and(is_valid)
        };
        let by_phone = member.phone_number.as_ref().is_some_and(|phone| {
            let phone = self.phone_key(&template, phone);
            self.by_phone.get(&phone).is_some_and(is_other)
        });
        let mut of_openid = self.by_openid.get(member.openid.as_str()).into_iter().flatten();
        by_phone || of_openid.any(|(card_id, code)| *card_id == template && is_other(code))
    }

    /// A made-up openid that follows from the phone number and the sandbox's keys.
    pub(crate) fn openid_of(&self, phone: &PhoneNumber) -> String {
        let mut openid = format!("o{}", self.phone_hash.of("openid", phone));
        openid.truncate(28);
        openid
    }

    /// What stands for a phone number wherever it is compared.
    pub(crate) fn phone_hash(&self, phone: &PhoneNumber) -> Fingerprint {
        self.phone_hash.of("phone_number", phone)
    }

    /// The next members by template and code, [`BATCH`] at most, so that nobody waits long for whoever lists them all.
    ///
    /// Who comes or goes between two batches may be listed or not; everybody else is, once.
    pub(crate) fn batch(&self, listing: &mut Listing, limit: usize) -> Vec<Member> {
        let listed = self.listed(listing).skip(listing.offset).take(limit.min(BATCH));
        let batch: Vec<_> = listed
            .map(|(key, packed)| (key, packed.member(&key.0, &key.1)))
            .collect();
        if let Some((last, _)) = batch.last() {
            listing.after = Bound::Excluded(Key::clone(last));
        }
        listing.offset = 0;
        batch.into_iter().map(|(_, member)| member).collect()
    }

    /// How many members a listing still has, its offset left aside.
    pub(crate) fn count(&self, listing: &Listing) -> usize {
        match (&listing.card_id, &listing.after) {
            (None, Bound::Unbounded) => self.len(),
            _ => self.listed(listing).count(),
        }
    }

    fn listed<'a>(&'a self, listing: &Listing) -> impl Iterator<Item = (&'a Key, &'a Packed)> {
        let from = (listing.after.clone(), Bound::Unbounded);
        let is_listed = |key: &Key| listing.card_id.as_ref().is_none_or(|card_id| key.0 == *card_id);
        self.by_code
            .range::<Key, _>(from)
            .take_while(move |(key, _)| is_listed(key))
    }

    /// The state of each member at a time.
    pub(crate) fn states(&self, now: OffsetDateTime) -> impl Iterator<Item = &'static str> {
        self.by_code
            .values()
            .map(move |packed| state_at(packed.stage, packed.ends_at, now))
    }

    /// The cards of one openid, by template and code.
    pub(crate) fn of_openid(&self, openid: &str) -> impl Iterator<Item = Member> {
        let keys = self.by_openid.get(openid).into_iter().flatten();
        keys.filter_map(|key| Some(self.by_code.get(key)?.member(&key.0, &key.1)))
    }

    pub(crate) fn len(&self) -> usize {
        self.by_code.len()
    }

    pub(crate) fn find(&self, card_id: &str, user_card_code: &str) -> Option<Arc<Member>> {
        let packed = self.by_code.get(&self.key(card_id, user_card_code))?;
        Some(Arc::new(packed.member(card_id, user_card_code)))
    }

    /// With the template's id that is kept already, if there is one.
    fn key(&self, card_id: &str, user_card_code: &str) -> Key {
        let template = self.templates.get(card_id).cloned();
        (template.unwrap_or_else(|| card_id.into()), user_card_code.into())
    }

    fn note_phone(&mut self, key: &Key, phone: Option<&PhoneNumber>) {
        if let Some(phone) = phone {
            let phone = self.phone_key(&key.0, phone);
            self.by_phone.insert(phone, Arc::clone(&key.1));
        }
    }

    fn phone_key(&self, card_id: &Arc<str>, phone: &PhoneNumber) -> (Arc<str>, Fingerprint) {
        (Arc::clone(card_id), self.phone_hash(phone))
    }
}

/// How far somebody has come who lists members, by template and code.
#[derive(Debug)]
pub(crate) struct Listing {
    card_id: Option<Arc<str>>,
    after: Bound<Key>,
    /// How many to pass over before the next batch.
    offset: usize,
}

impl Listing {
    /// Of one template, or of all, from an offset on.
    pub(crate) fn new(card_id: Option<&str>, offset: usize) -> Self {
        let card_id = card_id.map(Arc::<str>::from);
        let first = card_id.clone().map(|card_id| (card_id, Arc::from("")));
        Self {
            after: first.map_or(Bound::Unbounded, Bound::Included),
            card_id,
            offset,
        }
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Members({})", self.len())
    }
}

/// By openid, or by phone number where both are known.
fn is_same_person(one: &Packed, other: &Member) -> bool {
    let same_phone = one.phone_number.is_some() && one.phone_number == other.phone_number;
    same_phone || *one.openid == *other.openid
}

/// How many members are unpacked at once: some milliseconds' worth.
pub(crate) const BATCH: usize = 256;

#[cfg(test)]
mod tests;
