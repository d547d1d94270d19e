//! What people do on their phones, so that operations have something to work on; and what the platform knows of it.
//! A template with an `http` address in `notify_url` gets the notification of it.

use std::sync::Arc;

use serde_json::Value;

use crate::{lock::locked, member::Member, operations::membercard_open, rule::Rule, sandbox::Sandbox};

impl Sandbox {
    /// A member takes a card in the joining component: the card waits, `UNACTIVATED`, for `confirm_user_card`.
    ///
    /// The phone number is a mainland one; the code and the openid are made up.
    ///
    /// # Errors
    ///
    /// The [`Rule`] that is broken: no such template, an invalidated one, or a member who has a card of it already.
    pub fn take_card(&self, card_id: &str, phone_number: &str) -> Result<Arc<Member>, &'static Rule> {
        self.gateway.take_card(card_id, phone_number)
    }

    /// A member asks to exchange points for a coupon; returns the resource of the notification that the merchant gets,
    /// for [`notification`](Self::notification) with `BRAND_MEMBER_CARD_SP.POINT_EXCHANGE_COUPON`.
    ///
    /// `confirm_coupon_exchange` knows the exchange by its `record_id` from now on.
    ///
    /// # Errors
    ///
    /// The [`Rule`] that is broken: there is no such card.
    pub fn ask_for_exchange(
        &self,
        card_id: &str,
        user_card_code: &str,
        points: u64,
    ) -> Result<Value, &'static Rule> {
        self.gateway.ask_for_exchange(card_id, user_card_code, points)
    }

    /// A member deletes a card: it is invalid from now on.
    ///
    /// # Errors
    ///
    /// The [`Rule`] that is broken: there is no such card.
    pub fn delete_card(&self, card_id: &str, user_card_code: &str) -> Result<Arc<Member>, &'static Rule> {
        self.gateway.delete_card(card_id, user_card_code)
    }

    /// A member looks at the points: the merchant is asked to report the balance. Returns the notification's resource.
    ///
    /// # Errors
    ///
    /// The [`Rule`] that is broken: there is no such card.
    pub fn look_at_points(&self, card_id: &str, user_card_code: &str) -> Result<Value, &'static Rule> {
        self.gateway.look_at_points(card_id, user_card_code)
    }

    /// A member opens the component that a token is for; `false` when the token is unknown, expired or used up.
    pub fn open_component(&self, token: &str) -> bool {
        let now = self.gateway.clock.date_time();
        locked(&self.gateway.state).tokens.open(token, now)
    }

    /// A member who was reminded takes the older card; `false` for one who was not, or who has it already.
    pub fn take_membercard(&self, card_id: &str, phone_number: &str) -> bool {
        let taken = self
            .gateway
            .on_scene(|scene| Ok(membercard_open::take(scene, card_id, phone_number)));
        taken.unwrap_or(false)
    }

    /// The point balance that was reported last for a card.
    #[must_use]
    pub fn point_balance(&self, card_id: &str, user_card_code: &str) -> Option<u64> {
        locked(&self.gateway.state)
            .points
            .balance(card_id, user_card_code)
    }

    /// Every user feed that was pushed, oldest first, repeats left out.
    #[must_use]
    pub fn user_feeds(&self) -> Vec<Value> {
        locked(&self.gateway.state).feeds.all.clone()
    }
}
