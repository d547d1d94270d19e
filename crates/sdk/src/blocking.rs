//! Calls without async, on a runtime of their own (feature `blocking`).
//!
//! Every style of the async client is here under the same names. Made inside async code a call blocks one of the runtime's
//! threads until its answer is there; use `tokio::task::spawn_blocking` around it, or the async client.
//!
//! ```no_run
//! # fn demo(client: wxmember::Client) -> Result<(), Box<dyn std::error::Error>> {
//! let client = wxmember::blocking::Client::new(client)?;
//! let cards = client
//!     .chain("v3/brand/partner/card-member/cards")
//!     .query("brand_id", "1004")
//!     .get()?;
//! println!("{}", cards.value()?);
//! # Ok(()) }
//! ```

use std::{fmt, io, ops::Index, sync::Arc};

use elsa::sync::FrozenMap;
use serde::Serialize;
use tokio::runtime::Runtime;
use wxmember_crypto::KeyId;

use crate::{Answer, Error, Reply, RetryPolicy};

#[rustfmt::skip]
mod generated;

pub use self::generated::*;

/// A client whose calls block the thread until the answer is there. Cheap to clone, safe to share between threads.
#[derive(Clone)]
pub struct Client {
    inner: crate::Client,
    runtime: Arc<Background>,
    endpoints: Arc<FrozenMap<Box<str>, Box<Endpoint>>>,
}

/// The runtime; it is let go without waiting, so that a client may be dropped anywhere.
struct Background(Option<Runtime>);

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Client {
    /// Takes a client and starts a thread for its connections.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn new(client: crate::Client) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("wxmember-blocking")
            .enable_all()
            .build()?;
        Ok(Self {
            inner: client,
            runtime: Arc::new(Background(Some(runtime))),
            endpoints: Arc::default(),
        })
    }

    /// The client that makes the calls.
    #[must_use]
    pub fn inner(&self) -> &crate::Client {
        &self.inner
    }

    /// The same client with another way of repeating calls, as [`Client::with_retry`](crate::Client::with_retry); both
    /// share keys, connections and the thread.
    #[must_use]
    pub fn with_retry(&self, policy: RetryPolicy) -> Self {
        Self {
            inner: self.inner.with_retry(policy),
            runtime: self.runtime.clone(),
            endpoints: Arc::default(),
        }
    }

    /// Starts a call of any path, as [`Client::chain`](crate::Client::chain).
    pub fn chain(&self, path: &str) -> Chain {
        Chain {
            chain: self.inner.chain(path),
            runtime: self.runtime.clone(),
        }
    }

    /// Downloads the platform certificates, as [`Client::refresh_certificates`](crate::Client::refresh_certificates).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn refresh_certificates(&self) -> Result<(), Error> {
        self.wait(self.inner.refresh_certificates())
    }

    /// Waits for a call.
    pub(crate) fn wait<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.runtime.wait(call)
    }
}

impl Background {
    /// Waits on this thread; connections and timers live on the runtime's own, so a call cannot wait for itself wherever
    /// it is made.
    fn wait<T>(&self, call: impl Future<Output = T>) -> T {
        let _context = self.0.as_ref().map(Runtime::enter);
        pollster::block_on(call)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blocking::{:?}", self.inner)
    }
}

/// A call that is being put together, as [`crate::Chain`].
#[must_use = "nothing is sent before `get`, `post`, `patch`, `put` or `delete`"]
pub struct Chain {
    chain: crate::Chain,
    runtime: Arc<Background>,
}

impl Chain {
    /// As [`crate::Chain::param`].
    pub fn param(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.chain = self.chain.param(name, value);
        self
    }

    /// As [`crate::Chain::query`].
    pub fn query(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.chain = self.chain.query(name, value);
        self
    }

    /// As [`crate::Chain::seal`].
    pub fn seal(mut self, pointer: &str) -> Self {
        self.chain = self.chain.seal(pointer);
        self
    }

    /// As [`crate::Chain::seal_query`].
    pub fn seal_query(mut self, name: &str, plaintext: impl Into<String>) -> Self {
        self.chain = self.chain.seal_query(name, plaintext);
        self
    }

    /// As [`crate::Chain::sealed_with`].
    pub fn sealed_with(mut self, key: &KeyId) -> Self {
        self.chain = self.chain.sealed_with(key);
        self
    }

    /// As [`crate::Chain::repeatable`].
    pub fn repeatable(mut self) -> Self {
        self.chain = self.chain.repeatable();
        self
    }

    /// As [`crate::Chain::get`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn get(self) -> Result<Reply<Answer>, Error> {
        self.runtime.wait(self.chain.get())
    }

    /// As [`crate::Chain::post`].
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn post<B: Serialize + ?Sized>(self, body: &B) -> Result<Reply<Answer>, Error> {
        self.runtime.wait(self.chain.post(body))
    }

    /// As [`crate::Chain::post_empty`].
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn post_empty(self) -> Result<Reply<Answer>, Error> {
        self.runtime.wait(self.chain.post_empty())
    }

    /// As [`crate::Chain::patch`].
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn patch<B: Serialize + ?Sized>(self, body: &B) -> Result<Reply<Answer>, Error> {
        self.runtime.wait(self.chain.patch(body))
    }

    /// As [`crate::Chain::put`].
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn put<B: Serialize + ?Sized>(self, body: &B) -> Result<Reply<Answer>, Error> {
        self.runtime.wait(self.chain.put(body))
    }

    /// As [`crate::Chain::delete`].
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn delete(self) -> Result<Reply<Answer>, Error> {
        self.runtime.wait(self.chain.delete())
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blocking::{:?}", self.chain)
    }
}

/// A path of the API, as [`crate::Endpoint`].
pub struct Endpoint {
    client: crate::Client,
    runtime: Arc<Background>,
    path: Box<str>,
}

impl Index<&str> for Client {
    type Output = Endpoint;

    /// The endpoint of a path. It stays in memory as long as the client does.
    fn index(&self, path: &str) -> &Endpoint {
        if let Some(endpoint) = self.endpoints.get(path) {
            return endpoint;
        }
        let endpoint = Endpoint {
            client: self.inner.clone(),
            runtime: self.runtime.clone(),
            path: path.into(),
        };
        self.endpoints.insert(path.into(), Box::new(endpoint))
    }
}

impl Endpoint {
    /// The call as a chain, to give it parameters.
    pub fn chain(&self) -> Chain {
        Chain {
            chain: self.client.chain(&self.path),
            runtime: self.runtime.clone(),
        }
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
    /// As there.
    pub fn get(&self) -> Result<Reply<Answer>, Error> {
        self.chain().get()
    }

    /// As [`Chain::post`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn post<B: Serialize + ?Sized>(&self, body: &B) -> Result<Reply<Answer>, Error> {
        self.chain().post(body)
    }

    /// As [`Chain::patch`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn patch<B: Serialize + ?Sized>(&self, body: &B) -> Result<Reply<Answer>, Error> {
        self.chain().patch(body)
    }

    /// As [`Chain::put`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn put<B: Serialize + ?Sized>(&self, body: &B) -> Result<Reply<Answer>, Error> {
        self.chain().put(body)
    }

    /// As [`Chain::delete`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn delete(&self) -> Result<Reply<Answer>, Error> {
        self.chain().delete()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blocking::Endpoint({})", self.path)
    }
}
