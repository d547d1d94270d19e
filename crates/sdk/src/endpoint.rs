//! The indexed style: `client["v3/…"].post(&json)`.
//!
//! An index must hand out a reference, so every path that was asked for stays in the client as long as the client lives. Use
//! templates (`{user_card_code}`) for what varies.

use std::{fmt, ops::Index, sync::Arc};

use elsa::sync::FrozenMap;
use serde::Serialize;
use wxmember_crypto::KeyId;

use crate::{Answer, Chain, Client, Error, Reply, RetryPolicy, core::Core};

/// A path of the API, ready to be called.
///
/// ```no_run
/// # async fn demo(client: wxmember::Client) -> Result<(), wxmember::Error> {
/// let answer = client["v3/brand/partner/card-member/cards"]
///     .query("brand_id", "1004")
///     .get()
///     .await?;
/// # Ok(()) }
/// ```
pub struct Endpoint {
    core: Arc<Core>,
    retry: RetryPolicy,
    path: Box<str>,
}

/// Every endpoint that was indexed.
pub(crate) struct Endpoints {
    core: Arc<Core>,
    retry: RetryPolicy,
    by_path: FrozenMap<Box<str>, Box<Endpoint>>,
}

impl Endpoints {
    pub(crate) fn new(core: Arc<Core>, retry: RetryPolicy) -> Self {
        Self {
            core,
            retry,
            by_path: FrozenMap::new(),
        }
    }

    pub(crate) fn at(&self, path: &str) -> &Endpoint {
        if let Some(endpoint) = self.by_path.get(path) {
            return endpoint;
        }
        let endpoint = Endpoint {
            core: self.core.clone(),
            retry: self.retry,
            path: path.into(),
        };
        self.by_path.insert(path.into(), Box::new(endpoint))
    }
}

impl Index<&str> for Client {
    type Output = Endpoint;

    /// The endpoint of a path, as [`chain`](Client::chain) takes it. It stays in memory as long as the client does.
    fn index(&self, path: &str) -> &Endpoint {
        self.endpoints.at(path)
    }
}

impl Endpoint {
    /// The call as a chain, to give it parameters.
    pub fn chain(&self) -> Chain {
        Chain::new(self.core.clone(), self.retry, &self.path)
    }

    /// As [`Chain::param`].
    pub fn param(&self, name: &str, value: impl fmt::Display) -> Chain {
        self.chain().param(name, value)
    }

    /// As [`Chain::query`].
    pub fn query(&self, name: &str, value: impl fmt::Display) -> Chain {
        self.chain().query(name, value)
    }

    /// As [`Chain::seal`].
    pub fn seal(&self, pointer: &str) -> Chain {
        self.chain().seal(pointer)
    }

    /// As [`Chain::seal_query`].
    pub fn seal_query(&self, name: &str, plaintext: impl Into<String>) -> Chain {
        self.chain().seal_query(name, plaintext)
    }

    /// As [`Chain::sealed_with`].
    pub fn sealed_with(&self, key: &KeyId) -> Chain {
        self.chain().sealed_with(key)
    }

    /// As [`Chain::get`].
    ///
    /// # Errors
    ///
    /// As [`Chain::get`].
    pub async fn get(&self) -> Result<Reply<Answer>, Error> {
        self.chain().get().await
    }

    /// As [`Chain::post`].
    ///
    /// # Errors
    ///
    /// As [`Chain::post`].
    pub async fn post<B: Serialize + ?Sized>(&self, body: &B) -> Result<Reply<Answer>, Error> {
        self.chain().post(body).await
    }

    /// As [`Chain::patch`].
    ///
    /// # Errors
    ///
    /// As [`Chain::post`].
    pub async fn patch<B: Serialize + ?Sized>(&self, body: &B) -> Result<Reply<Answer>, Error> {
        self.chain().patch(body).await
    }

    /// As [`Chain::put`].
    ///
    /// # Errors
    ///
    /// As [`Chain::post`].
    pub async fn put<B: Serialize + ?Sized>(&self, body: &B) -> Result<Reply<Answer>, Error> {
        self.chain().put(body).await
    }

    /// As [`Chain::delete`].
    ///
    /// # Errors
    ///
    /// As [`Chain::get`].
    pub async fn delete(&self) -> Result<Reply<Answer>, Error> {
        self.chain().delete().await
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.path)
    }
}
