//! The client: typed operations in front, the raw client and its pipeline behind.

use std::{fmt, sync::Arc};

use wxmember_client::raw;
use wxmember_crypto::KeyId;

use crate::{
    Delivery, Error, ErrorKind, Merchant, Operation, Reply, RetryPolicy,
    attempt::{self, Call},
    config::{Builder, WantsMerchant},
    core::Core,
    endpoint::Endpoints,
    seal::{FieldOpener, Plain, Seal, SealError, Sealed, Unseal},
};

/// A client for one merchant. Cheap to clone, safe to share between tasks; it holds one connection pool.
///
/// There are three ways to call, all on one pipeline: typed operations ([`user_cards`](Self::user_cards) and its
/// neighbours), any path by [`chain`](Self::chain), and any path by index, `client["v3/certificates"].get()`. Each has a
/// blocking form in `wxmember::blocking` (feature `blocking`).
///
/// ```no_run
/// # async fn demo(client: wxmember::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use wxmember::ListCardsQuery;
///
/// let query = ListCardsQuery::builder().brand_id("1004".parse()?).offset(0).limit(20).build();
/// let cards = client.cards().list_cards(&query).await?;
/// println!("{:?}", cards.request_id());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    core: Arc<Core>,
    retry: RetryPolicy,
    pub(crate) endpoints: Arc<Endpoints>,
}

impl Client {
    /// Starts to configure a client.
    #[must_use]
    pub fn builder() -> Builder<WantsMerchant> {
        Builder::new()
    }

    pub(crate) fn assemble(core: Arc<Core>, retry: RetryPolicy) -> Self {
        Self {
            endpoints: Arc::new(Endpoints::new(core.clone(), retry)),
            core,
            retry,
        }
    }

    /// The same client with another way of repeating calls; both share keys and connections.
    #[must_use]
    pub fn with_retry(&self, policy: RetryPolicy) -> Self {
        Self::assemble(self.core.clone(), policy)
    }

    /// Seals every personal field of a request with the platform's current key. Nothing is sent.
    ///
    /// When the keys are downloaded ([`Trust::downloaded_certificates`](crate::Trust::downloaded_certificates)) and none was
    /// yet, call [`refresh_certificates`](Self::refresh_certificates) first.
    ///
    /// # Errors
    ///
    /// [`SealError`] names the field, as a JSON Pointer, and what is wrong with it.
    pub fn seal<T: Seal>(&self, request: &T) -> Result<Sealed<T>, SealError> {
        Sealed::new(request, self.core.sealing_key())
    }

    /// Who calls.
    #[must_use]
    pub fn merchant(&self) -> &Merchant {
        &self.core.merchant
    }

    /// The id of the platform key that requests are sealed with now; `None` before one was downloaded.
    #[must_use]
    pub fn sealing_key_id(&self) -> Option<KeyId> {
        self.core.sealing_key_id()
    }

    /// Downloads the platform certificates now. Calls do it by themselves when it is due.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Keys`] when this client downloads none, or when the download failed, with its error as the source; the
    /// keys are then the old ones.
    pub async fn refresh_certificates(&self) -> Result<(), Error> {
        self.core.refresh_keys().await
    }

    /// How far the platform's clock was ahead of this machine's, in seconds, by the `Date` of its last refusal.
    ///
    /// Not signed, so a hint for people. Signatures are refused from 300 seconds on.
    #[must_use]
    pub fn clock_offset(&self) -> Option<i64> {
        self.core.offset.seconds()
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(crate) fn retry(&self) -> &RetryPolicy {
        &self.retry
    }

    /// Seals for a call, once there is a key to seal with.
    pub(crate) async fn sealed<T: Seal>(
        &self,
        operation: &Operation,
        request: &T,
    ) -> Result<Sealed<T>, Error> {
        let key = self.core.key_for(operation).await?;
        Sealed::new(request, Some(key))
            .map_err(|source| Error::new(operation, ErrorKind::Seal, Delivery::NotSent).caused_by(source))
    }

    /// Makes a call of the document and turns its answer into plain types.
    pub(crate) async fn call<T, E, F>(
        &self,
        operation: &Operation,
        attempt: impl Fn(raw::Client) -> F,
    ) -> Result<Reply<T>, Error>
    where
        T: Unseal,
        F: Future<Output = Result<raw::ResponseValue<T::Raw>, raw::Error<E>>>,
    {
        let call = Call {
            operation,
            is_repeatable: operation.is_repeatable(),
        };
        let answered = attempt::run(&self.core, &self.retry, call, attempt).await?;
        let opener = FieldOpener::new(self.core.merchant.clone(), Plain::Refuse);
        Ok(Reply::of(answered.answer, answered.attempts, |raw| {
            T::from_raw(raw, &opener)
        }))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({:?})", self.core.merchant)
    }
}
