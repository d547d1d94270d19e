//! The client: typed operations in front, the raw client and its pipeline behind.

use std::{fmt, sync::Arc};

use wxmember_client::raw;

use crate::{
    Error, Merchant, Operation, Reply, Trust,
    config::{Builder, WantsMerchant},
    pipeline::SignedPipeline,
    seal::{Opener, Seal, SealError, Sealed, Unseal},
};

/// A client for one merchant. Cheap to clone, safe to share between tasks; it holds one connection pool.
#[derive(Clone)]
pub struct Client {
    raw: raw::Client,
    pipeline: Arc<SignedPipeline>,
}

impl Client {
    /// Starts to configure a client.
    #[must_use]
    pub fn builder() -> Builder<WantsMerchant> {
        Builder::new()
    }

    pub(crate) fn assemble(base_url: &str, http: reqwest::Client, pipeline: Arc<SignedPipeline>) -> Self {
        Self {
            raw: raw::Client::new_with_client(base_url, http, pipeline.clone()),
            pipeline,
        }
    }

    /// Seals every personal field of a request with the platform's current key. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`SealError`] names the field, as a JSON Pointer, and what is wrong with it.
    pub fn seal<T: Seal>(&self, request: &T) -> Result<Sealed<T>, SealError> {
        let (id, key) = self.trust().sealing_key();
        Sealed::new(request, id, key)
    }

    /// Who calls.
    #[must_use]
    pub fn merchant(&self) -> &Merchant {
        &self.pipeline.merchant
    }

    /// Whom this client believes.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.pipeline.trust
    }

    pub(crate) fn raw(&self) -> &raw::Client {
        &self.raw
    }

    /// Makes a call and turns its outcome into plain types.
    pub(crate) async fn call<T, E, F>(
        &self,
        operation: &Operation,
        attempt: impl Fn() -> F,
    ) -> Result<Reply<T>, Error>
    where
        T: Unseal,
        F: Future<Output = Result<raw::ResponseValue<T::Raw>, raw::Error<E>>>,
    {
        let answer = attempt()
            .await
            .map_err(|error| Error::from_raw(operation, error))?;
        let request_id = answer
            .headers()
            .get("request-id")
            .and_then(|id| id.to_str().ok())
            .map(str::to_owned);
        let status = answer.status().as_u16();
        let opener = Opener(self.pipeline.merchant.key().clone());
        Ok(Reply::new(
            T::from_raw(answer.into_inner(), &opener),
            status,
            request_id,
        ))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({:?})", self.pipeline.merchant)
    }
}
