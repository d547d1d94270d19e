//! Notifications (回调通知): what the platform posts to `notify_url`, verified over the raw body, opened, and typed.
//!
//! # Order
//!
//! Signature, resource, deduplication, then your code, then [`done`](Notifications::done) or
//! [`forget`](Notifications::forget), whose acknowledgement is the answer, all within 5 seconds. Nothing of a notification is
//! read before its signature over the raw bytes verified; keep the body as it came.
//!
//! # None is lost
//!
//! A notification is a duplicate only once it is done. One that comes while the first is still being handled is answered
//! with 500 ([`NotificationError::InProgress`]), so that the platform sends it again should the first fail. After 5 seconds
//! the platform hangs up, and most servers then drop the future that handles the request: give your code a task of its own
//! (`tokio::spawn`), as `route` (feature `axum`) does, so that it comes to its end.
//!
//! # Probes
//!
//! WeChat Pay now and then sends a signature that begins with `WECHATPAY/SIGNTEST/` and is wrong on purpose. It is refused
//! like any wrong signature and counted ([`Notifications::probes`]); the platform then sends the notification again.
//!
//! ```no_run
//! # async fn demo(client: wxmember::Client, request: http::Request<Vec<u8>>) -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use wxmember::{ApiV3Key, Event, notification::{Acknowledgement, Notification, RecentIds}};
//!
//! async fn handle(notification: &Notification) -> Result<(), std::io::Error> {
//!     if let Event::UserCardCreated(card) = notification.event() {
//!         println!("confirm {:?}", card.user_card_code);
//!     }
//!     Ok(())
//! }
//!
//! let key = ApiV3Key::new(&std::fs::read_to_string("apiv3_key.txt")?)?;
//! let notifications = client.notifications(key).with_deduplication(Arc::new(RecentIds::new(10_000)));
//! let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
//! let acknowledgement = match notifications.receive(header, request.body()).await {
//!     Ok(notification) if notification.is_duplicate() => Acknowledgement::success(),
//!     Ok(notification) => match handle(&notification).await {
//!         Ok(()) => notifications.done(&notification).await,
//!         Err(_) => notifications.forget(&notification).await,
//!     },
//!     Err(error) => error.acknowledgement(),
//! };
//! # let _ = acknowledgement;
//! # Ok(()) }
//! ```

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::Deserialize;
use thiserror::Error;
use tracing::Instrument;
use wxmember_crypto::{ApiV3Key, ResourceError};
use wxmember_signing::{SignatureHeaders, VerifyError, verify};

use crate::{
    Client, Event, Time,
    core::Core,
    observe,
    resource::Resource,
    seal::{FieldOpener, Plain},
};

mod acknowledgement;
#[cfg(feature = "axum")]
mod axum;
mod deduplication;

#[cfg(feature = "axum")]
pub use self::axum::route;
pub use self::{
    acknowledgement::Acknowledgement,
    deduplication::{Begin, Deduplication, RecentIds},
};

/// Receives notifications for one merchant. Cheap to clone.
///
/// Keys are those of the [`Client`] it was made from; the notification's `Wechatpay-Serial` chooses among them, so both
/// modes work while a merchant changes from one to the other.
///
/// ```
/// # fn demo(client: wxmember::Client, apiv3_key: wxmember::ApiV3Key) {
/// use std::sync::Arc;
/// use wxmember::notification::RecentIds;
/// let notifications = client.notifications(apiv3_key).with_deduplication(Arc::new(RecentIds::new(10_000)));
/// assert_eq!(notifications.probes(), 0);
/// # }
/// ```
#[derive(Clone)]
pub struct Notifications {
    core: Arc<Core>,
    key: ApiV3Key,
    deduplication: Option<Arc<dyn Deduplication>>,
    probes: Arc<AtomicU64>,
}

impl Client {
    /// Receives notifications, opened with the APIv3 key (APIv3密钥). Without one the platform sends none.
    #[must_use]
    pub fn notifications(&self, key: ApiV3Key) -> Notifications {
        Notifications {
            core: self.core().clone(),
            key,
            deduplication: None,
            probes: Arc::default(),
        }
    }
}

impl Notifications {
    /// Asks this before a notification is handed out; one that is done already is [marked](Notification::is_duplicate).
    ///
    /// The platform may send a notification several times. From now on say [`done`](Self::done) or [`forget`](Self::forget)
    /// of each that [`receive`](Self::receive) hands out and that is no duplicate. [`RecentIds`] remembers within the process;
    /// implement the trait over your database to remember longer.
    #[must_use]
    pub fn with_deduplication(mut self, deduplication: Arc<dyn Deduplication>) -> Self {
        self.deduplication = Some(deduplication);
        self
    }

    /// Verifies, opens and reads a notification. `header` looks up a header by name; `body` is as it came.
    ///
    /// With a [`Deduplication`] it counts as being handled from here to [`done`](Self::done) or [`forget`](Self::forget).
    ///
    /// # Errors
    ///
    /// [`NotificationError`]; answer with its [`acknowledgement`](NotificationError::acknowledgement).
    ///
    /// # Examples
    ///
    /// See the [module](self).
    pub async fn receive<'a>(
        &self,
        header: impl Fn(&'static str) -> Option<&'a str>,
        body: &[u8],
    ) -> Result<Notification, NotificationError> {
        let span = observe::notification();
        let received = self.take(header, body).instrument(span.clone()).await;
        observe::notified(&span, &received);
        received
    }

    async fn take<'a>(
        &self,
        header: impl Fn(&'static str) -> Option<&'a str>,
        body: &[u8],
    ) -> Result<Notification, NotificationError> {
        if body.len() > LARGEST {
            return Err(NotificationError::TooLarge { limit: LARGEST });
        }
        // A process may do nothing but receive; its certificates come of age all the same.
        self.core.renew_when_due();
        let headers = SignatureHeaders::collect(header);
        let now = self.core.clock.now();
        let mut verified = verify(&headers, body, now, &*self.core.keys.snapshot());
        if let Err(VerifyError::UnknownKey { key }) = &verified
            && self.core.learn_key(key).await
        {
            verified = verify(&headers, body, now, &*self.core.keys.snapshot());
        }
        verified.map_err(|reason| {
            if matches!(reason, VerifyError::Probe { .. }) {
                self.probes.fetch_add(1, Ordering::Relaxed);
            }
            NotificationError::Unverified(reason)
        })?;
        let envelope: Envelope = serde_json::from_slice(body).map_err(unreadable)?;
        let opened = envelope.resource.open(&self.key);
        let opened = opened.map_err(NotificationError::Resource)?;
        let opener = FieldOpener::new(self.core.merchant.clone(), Plain::Accept);
        let event = Event::from_resource(&envelope.event_type, &opened, &opener).map_err(unreadable)?;
        let is_duplicate = match &self.deduplication {
            // Nothing may wait after this: a future that is dropped there would leave the id running.
            Some(deduplication) => match deduplication.begin(&envelope.id).await {
                Begin::New => false,
                Begin::Running => return Err(NotificationError::InProgress),
                Begin::Done => true,
            },
            None => false,
        };
        Ok(Notification {
            id: envelope.id,
            create_time: envelope.create_time,
            event_type: envelope.event_type,
            summary: envelope.summary,
            event,
            is_duplicate,
        })
    }

    /// Says that a notification is dealt with, so that it is a duplicate when it comes again. Gives the answer: success.
    pub async fn done(&self, notification: &Notification) -> Acknowledgement {
        if let Some(deduplication) = &self.deduplication {
            deduplication.done(&notification.id).await;
        }
        Acknowledgement::success()
    }

    /// Says that a notification was not dealt with, so that it is new when it comes again. Gives the answer: a failure with
    /// status 500, after which the platform sends it again.
    pub async fn forget(&self, notification: &Notification) -> Acknowledgement {
        if let Some(deduplication) = &self.deduplication {
            deduplication.forget(&notification.id).await;
        }
        Acknowledgement::failure(500, "not dealt with")
    }

    /// How many signature probes were refused.
    #[must_use]
    pub fn probes(&self) -> u64 {
        self.probes.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Notifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Notifications({:?})", self.core.merchant)
    }
}

/// A notification that is the platform's.
#[derive(Clone, Debug)]
pub struct Notification {
    id: String,
    create_time: Option<Time>,
    event_type: String,
    summary: Option<String>,
    event: Event,
    is_duplicate: bool,
}

impl Notification {
    /// Its id, the same when it comes again.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When it was made.
    #[must_use]
    pub fn create_time(&self) -> Option<&Time> {
        self.create_time.as_ref()
    }

    /// Its type, such as `BRAND_MEMBER_CARD_SP.USER_CARD.CREATE`.
    #[must_use]
    pub fn event_type(&self) -> &str {
        &self.event_type
    }

    /// A remark for people.
    #[must_use]
    pub fn summary(&self) -> Option<&str> {
        self.summary.as_deref()
    }

    /// What happened.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// What happened, to keep.
    #[must_use]
    pub fn into_event(self) -> Event {
        self.event
    }

    /// Whether it came before and is done, as the [`Deduplication`] says: answer with success and do nothing.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        self.is_duplicate
    }
}

/// Why a notification is not taken. None of it shows what was sent.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum NotificationError {
    /// It is larger than any notification.
    #[error("the notification is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Its signature is not the platform's.
    #[error("the notification does not verify")]
    Unverified(#[source] VerifyError),
    /// It verified, and its JSON is not the expected one.
    #[error("the notification is not the expected JSON at line {line}, column {column}")]
    Unreadable {
        /// From 1; 0 when the place is not known.
        line: usize,
        /// From 1; 0 when the place is not known.
        column: usize,
    },
    /// It verified, and its resource does not open: most likely the APIv3 key is another one.
    #[error("the notification's resource does not open")]
    Resource(#[source] ResourceError),
    /// It verified, and the same notification is being handled at this moment: should that fail, it has to come again.
    #[error("the same notification is being handled")]
    InProgress,
}

impl NotificationError {
    /// What to answer: the platform then sends it again.
    #[must_use]
    pub fn acknowledgement(&self) -> Acknowledgement {
        match self {
            Self::TooLarge { .. } => Acknowledgement::failure(413, "too large"),
            Self::Unverified(_) => Acknowledgement::failure(401, "the signature does not verify"),
            Self::Unreadable { .. } => Acknowledgement::failure(500, "unreadable"),
            Self::Resource(_) => Acknowledgement::failure(500, "the resource does not open"),
            Self::InProgress => Acknowledgement::failure(500, "in progress"),
        }
    }

    /// A short name, for logs and metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::Unverified(VerifyError::Probe { .. }) => "probe",
            Self::Unverified(_) => "unverified",
            Self::Unreadable { .. } => "unreadable",
            Self::Resource(_) => "resource",
            Self::InProgress => "in_progress",
        }
    }

    /// Whether this is a signature probe of WeChat Pay, and no attack and no mistake.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        matches!(self, Self::Unverified(VerifyError::Probe { .. }))
    }
}

/// The JSON reader's message may quote the content, so only the place is kept.
fn unreadable(error: serde_json::Error) -> NotificationError {
    NotificationError::Unreadable {
        line: error.line(),
        column: error.column(),
    }
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    #[serde(default)]
    create_time: Option<Time>,
    event_type: String,
    #[serde(default)]
    summary: Option<String>,
    resource: Resource,
}

/// A card with every field at its limit has some 20 KiB.
const LARGEST: usize = 1024 * 1024;
