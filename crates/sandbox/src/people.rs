//! What people do on their phones, and the notifications that the merchant gets of it.

use std::{convert::Infallible, sync::Arc};

use serde_json::{Value, json};
use wxmember_crypto::Plaintext;

use crate::{
    gateway::Gateway,
    lock::locked,
    member::{Member, Stage},
    operations::{user_cards, user_points},
    outbox::Sending,
    rule::{self, Rule},
};

impl Gateway {
    /// A member takes a card in the joining component.
    pub(crate) fn take_card(&self, card_id: &str, phone: &str) -> Result<Arc<Member>, &'static Rule> {
        let member = self.on_scene(|scene| user_cards::take(scene, card_id, phone))?;
        self.notify(card_id, "USER_CARD.CREATE", self.card_of(&member));
        Ok(member)
    }

    /// A member deletes a card.
    pub(crate) fn delete_card(&self, card_id: &str, code: &str) -> Result<Arc<Member>, &'static Rule> {
        let now = self.clock.rfc_3339();
        let changed = locked(&self.state).members.change(card_id, code, |member| {
            member.set_stage(Stage::Invalid);
            member.card.document["invalid_time"] = now.clone().into();
            member.card.document["modify_time"] = now.into();
        });
        let member = changed.ok_or(&rule::USER_CARD_NOT_FOUND)?;
        self.notify(card_id, "USER_CARD.DELETE", self.card_of(&member));
        Ok(member)
    }

    /// A member asks to exchange points.
    pub(crate) fn ask_for_exchange(
        &self,
        card_id: &str,
        code: &str,
        points: u64,
    ) -> Result<Value, &'static Rule> {
        let asked = self.on_scene(|scene| user_points::ask_for_exchange(scene, card_id, code, points))?;
        self.notify(card_id, "POINT_EXCHANGE_COUPON", asked.clone());
        Ok(asked)
    }

    /// A member looks at the points, so that the platform asks the merchant for the balance.
    pub(crate) fn look_at_points(&self, card_id: &str, code: &str) -> Result<Value, &'static Rule> {
        let member = locked(&self.state).members.find(card_id, code);
        let member = member.ok_or(&rule::USER_CARD_NOT_FOUND)?;
        let asked = json!({
            "brand_id": member.card.document["brand_id"],
            "card_id": card_id,
            "openid": member.openid,
            "user_card_code": code,
        });
        self.notify(card_id, "SYNC_USER_POINT", asked.clone());
        Ok(asked)
    }

    /// Sends a notification if the template, or the one who started the sandbox, says where to.
    fn notify(&self, card_id: &str, event: &str, resource: Value) {
        let of_template = || {
            let state = locked(&self.state);
            let template = state.templates.find(card_id);
            template
                .and_then(|template| template.notify_url())
                .map(str::to_owned)
        };
        if let Some(url) = self.notify_url.clone().or_else(of_template) {
            let event_type = format!("BRAND_MEMBER_CARD_SP.{event}");
            self.outbox.push(self, &event_type, resource, &Sending::to(url));
        }
    }

    /// A card as a notification shows it, personal fields in plain.
    fn card_of(&self, member: &Member) -> Value {
        let plain = |value: &wxmember_crypto::FormValue| Ok::<_, Infallible>(value.expose().to_owned());
        let card = member.shown(self.clock.date_time()).filled(plain);
        card.unwrap_or_else(|never| match never {})
    }
}
