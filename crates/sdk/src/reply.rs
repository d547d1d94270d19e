//! A verified answer with the circumstances of its exchange.

use std::ops::Deref;

use wxmember_client::raw;

/// What an operation answered, verified, with what identifies the exchange.
///
/// Dereferences to the answer itself.
///
/// Verified means that the platform gave this answer within the last 300 seconds, not that it gave it to this request: the
/// signature covers a time, a nonce and the body, and nothing that was sent. A proxy or a cache that hands out somebody
/// else's answer is noticed only by comparing `card_id` and `user_card_code` with what was asked for.
///
/// ```no_run
/// # async fn demo(client: wxmember::Client, member: wxmember::ImportByPhone) -> Result<(), wxmember::Error> {
/// let card = client.user_cards().import_by_phone(&member).await?;
/// if (&card.card_id, &card.user_card_code) != (&member.card_id, &member.user_card_code) {
///     println!("about another card: whether this one was imported is unknown");
/// }
/// println!("{} after {} attempts, request {:?}", card.user_card_code, card.attempts(), card.request_id());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Reply<T> {
    value: T,
    status: u16,
    request_id: Option<String>,
    attempts: u32,
}

impl<T> Reply<T> {
    pub(crate) fn of<R>(answer: raw::ResponseValue<R>, attempts: u32, value: impl FnOnce(R) -> T) -> Self {
        let request_id = answer
            .headers()
            .get("request-id")
            .and_then(|id| id.to_str().ok())
            .map(str::to_owned);
        Self {
            status: answer.status().as_u16(),
            value: value(answer.into_inner()),
            request_id,
            attempts,
        }
    }

    /// The answer without its circumstances.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The HTTP status, always 2xx.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The `Request-ID`, to quote to WeChat Pay's support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// How many attempts the call took.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

impl<T> Deref for Reply<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
