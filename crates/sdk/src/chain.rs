//! The generic style: any path of APIv3 on the same pipeline, with parameters, query and sealed fields.
//!
//! Path and query are percent-encoded here, once, and signed as they are sent.

use std::{
    fmt::{self, Display, Write},
    sync::Arc,
};

use bytes::Bytes;
use http::Method;
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;
use wxmember_crypto::{FormValue, KeyId, PlatformKey};

use crate::{
    Answer, Client, Delivery, Error, ErrorKind, Operation, Reply, RetryPolicy, SealError,
    attempt::{self, Call},
    core::Core,
    generated::OPERATIONS,
    seal::Sealer,
};

/// A call that is being put together. It is sent by its last method: [`get`](Self::get), [`post`](Self::post) and so on.
///
/// ```no_run
/// # async fn demo(client: wxmember::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let card = client
///     .chain("v3/brand/partner/card-member/user-cards/{user_card_code}")
///     .param("user_card_code", "478515832665")
///     .query("brand_id", "1004")
///     .query("card_id", "pbLatjvWOibDc5-TBnbUk1pD12o0")
///     .query("openid", "obLatjnx9gnqzS4myYGmLZ7LgLBA")
///     .get()
///     .await?;
/// println!("{}", card.value()?["user_card_state"]);
/// # Ok(()) }
/// ```
#[must_use = "nothing is sent before `get`, `post`, `patch`, `put` or `delete`"]
pub struct Chain {
    core: Arc<Core>,
    retry: RetryPolicy,
    path: String,
    params: Vec<(String, String)>,
    query: Vec<(String, String)>,
    sealed: Vec<String>,
    repeatable: bool,
}

impl Client {
    /// Starts a call of any path, such as `v3/brand/partner/card-member/cards/{card_id}`, with or without a slash at the
    /// front. It must not hold a query: [`query`](Chain::query) encodes it.
    pub fn chain(&self, path: &str) -> Chain {
        Chain::new(self.core().clone(), *self.retry(), path)
    }
}

impl Chain {
    pub(crate) fn new(core: Arc<Core>, retry: RetryPolicy, path: &str) -> Self {
        Self {
            core,
            retry,
            path: path.to_owned(),
            params: Vec::new(),
            query: Vec::new(),
            sealed: Vec::new(),
            repeatable: false,
        }
    }

    /// Fills in `{name}` of the path, percent-encoded.
    pub fn param(mut self, name: &str, value: impl Display) -> Self {
        self.params.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds to the query, percent-encoded, in the order of the calls.
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// Seals the text at a JSON Pointer of the body before it is sent, with the platform key that `Wechatpay-Serial` names.
    ///
    /// A `*` stands for every element of a list: `/user_information/common_field_list/*/value`. Every place must be there.
    pub fn seal(mut self, pointer: &str) -> Self {
        self.sealed.push(pointer.to_owned());
        self
    }

    /// Says that the identical call may be made again when its outcome is unknown.
    ///
    /// Operations of the API document know it by themselves, and a GET always may.
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Sends it with GET.
    ///
    /// # Errors
    ///
    /// [`Error`](struct@Error): its `kind` says what happened, its `delivery` whether the platform may have acted on it;
    /// [`ErrorKind::Request`] when path, parameters or pointers do not fit together.
    pub async fn get(self) -> Result<Reply<Answer>, Error> {
        self.send(Method::GET, None).await
    }

    /// Sends a JSON body with POST.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and [`ErrorKind::Seal`] for a field that cannot be sealed.
    pub async fn post<B: Serialize + ?Sized>(self, body: &B) -> Result<Reply<Answer>, Error> {
        self.send_json(Method::POST, body).await
    }

    /// Sends POST without a body.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn post_empty(self) -> Result<Reply<Answer>, Error> {
        self.send(Method::POST, None).await
    }

    /// Sends a JSON body with PATCH.
    ///
    /// # Errors
    ///
    /// As [`post`](Self::post).
    pub async fn patch<B: Serialize + ?Sized>(self, body: &B) -> Result<Reply<Answer>, Error> {
        self.send_json(Method::PATCH, body).await
    }

    /// Sends a JSON body with PUT.
    ///
    /// # Errors
    ///
    /// As [`post`](Self::post).
    pub async fn put<B: Serialize + ?Sized>(self, body: &B) -> Result<Reply<Answer>, Error> {
        self.send_json(Method::PUT, body).await
    }

    /// Sends it with DELETE.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn delete(self) -> Result<Reply<Answer>, Error> {
        self.send(Method::DELETE, None).await
    }

    async fn send_json<B: Serialize + ?Sized>(
        self,
        method: Method,
        body: &B,
    ) -> Result<Reply<Answer>, Error> {
        let body = serde_json::to_value(body)
            // The message of serde may hold a value.
            .map_err(|_| self.refused(&method, ChainError::Body))?;
        self.send(method, Some(body)).await
    }

    async fn send(self, method: Method, body: Option<Value>) -> Result<Reply<Answer>, Error> {
        let target = self.target().map_err(|error| self.refused(&method, error))?;
        let documented = self.documented(&method);
        let operation = documented.unwrap_or_else(|| undocumented(&method));
        let (serial, body) = match body {
            None if !self.sealed.is_empty() => return Err(self.refused(&method, ChainError::NothingToSeal)),
            None => (None, None),
            Some(body) if self.sealed.is_empty() => (None, Some(body)),
            Some(mut body) => {
                let (id, key) = self.core.key_for(&operation).await?;
                self.seal_fields(&mut body, &key).map_err(|error| {
                    Error::new(&operation, ErrorKind::Seal, Delivery::NotSent).caused_by(error)
                })?;
                (Some(id), Some(body))
            }
        };
        // Serialised once; these bytes are signed and sent.
        let body = body.map(|body| Bytes::from(body.to_string()));
        let call = Call {
            operation: &operation,
            is_repeatable: self.repeatable || method == Method::GET || operation.is_repeatable(),
        };
        let attempt = |raw: wxmember_client::raw::Client| {
            let (method, target, serial, body): (Method, &str, Option<&KeyId>, _) =
                (method.clone(), &target, serial.as_ref(), body.clone());
            async move { raw.exchange(method, target, serial, body).await }
        };
        let answered = attempt::run(&self.core, &self.retry, call, attempt).await?;
        let merchant = self.core.merchant.clone();
        Ok(Reply::of(answered.answer, answered.attempts, |body| {
            Answer::new(body, merchant)
        }))
    }

    /// Path and query as they go over the wire.
    fn target(&self) -> Result<String, ChainError> {
        let mut target = String::with_capacity(self.path.len() + 32);
        let mut used = 0;
        for segment in self.path.trim_start_matches('/').split('/') {
            target.push('/');
            match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => {
                    let value = self.params.iter().find(|(given, _)| given == name);
                    let (_, value) = value.ok_or_else(|| ChainError::MissingParam {
                        name: name.to_owned(),
                    })?;
                    if matches!(value.as_str(), "" | "." | "..") {
                        return Err(ChainError::ParamLeadsElsewhere {
                            name: name.to_owned(),
                        });
                    }
                    encode(&mut target, value);
                    used += 1;
                }
                None if is_plain_segment(segment) => target.push_str(segment),
                None => return Err(ChainError::Path),
            }
        }
        if used != self.params.len() {
            return Err(ChainError::UnusedParam);
        }
        for (index, (name, value)) in self.query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            encode(&mut target, name);
            target.push('=');
            encode(&mut target, value);
        }
        Ok(target)
    }

    fn documented(&self, method: &Method) -> Option<Operation> {
        let path = self.path.trim_start_matches('/');
        let is_this = |operation: &&Operation| {
            operation.method() == method.as_str() && same_template(&operation.path()[1..], path)
        };
        OPERATIONS.iter().find(is_this).copied()
    }

    fn seal_fields(&self, body: &mut Value, key: &PlatformKey) -> Result<(), SealError> {
        let sealer = Sealer { key };
        for pointer in &self.sealed {
            for place in places(body, pointer) {
                let refuse = || SealError::no_text(&place);
                let field = body.pointer_mut(&place).ok_or_else(refuse)?;
                let Value::String(text) = field else {
                    return Err(refuse());
                };
                let sealed = sealer.seal_at(&FormValue::new(std::mem::take(text)), || place.clone())?;
                *field = Value::String(sealed.as_str().to_owned());
            }
        }
        Ok(())
    }

    fn refused(&self, method: &Method, error: ChainError) -> Error {
        let operation = self.documented(method).unwrap_or_else(|| undocumented(method));
        Error::new(&operation, ErrorKind::Request, Delivery::NotSent).caused_by(error)
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chain({})", self.path)
    }
}

/// Why a generic call could not be put together.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum ChainError {
    /// The body is not JSON, for example for a map with keys that are no texts.
    #[error("the body cannot be written as JSON")]
    Body,
    /// A parameter of the path has no value.
    #[error("the path parameter `{name}` has no value; give it with `param`")]
    MissingParam {
        /// The name of the parameter.
        name: String,
    },
    /// There is nothing to seal in a call without a body.
    #[error("there are fields to seal and no body")]
    NothingToSeal,
    /// A parameter that is empty, `.` or `..` would lead to another path.
    #[error("the path parameter `{name}` is empty, `.` or `..`, which would lead to another path")]
    ParamLeadsElsewhere {
        /// The name of the parameter.
        name: String,
    },
    /// The path holds something that must be encoded, or a query.
    #[error(
        "the path must consist of letters, digits, `-._~`, slashes and `{{name}}`; give values with `param`, a query with `query`"
    )]
    Path,
    /// A value was given for a parameter that the path does not have.
    #[error("a value was given for a parameter that the path does not have")]
    UnusedParam,
}

fn undocumented(method: &Method) -> Operation {
    let repeatable = *method == Method::GET;
    Operation::new("chain", "", "", 5, repeatable)
}

/// Whether two templates are the same, whatever their parameters are called; `given` may have values in their place.
fn same_template(template: &str, given: &str) -> bool {
    let mut given = given.split('/');
    let same = template.split('/').all(|segment| match given.next() {
        Some(other) => segment == other || segment.starts_with('{') && !other.is_empty(),
        None => false,
    });
    same && given.next().is_none()
}

/// The places a pointer with `*` leads to. A place that is not there is kept, so that it is reported.
fn places(body: &Value, pointer: &str) -> Vec<String> {
    let mut places = vec![String::new()];
    for step in pointer
        .strip_prefix('/')
        .into_iter()
        .flat_map(|rest| rest.split('/'))
    {
        places = places
            .into_iter()
            .flat_map(|place| match body.pointer(&place) {
                Some(Value::Array(items)) if step == "*" => (0..items.len())
                    .map(|index| format!("{place}/{index}"))
                    .collect::<Vec<_>>(),
                _ => vec![format!("{place}/{step}")],
            })
            .collect();
    }
    places
}

/// Letters, digits and `-._~` need no encoding (RFC 3986, section 2.3); `.` and `..` alone would change the path.
fn is_plain_segment(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..") && segment.bytes().all(is_unreserved)
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn encode(target: &mut String, text: &str) {
    for byte in text.bytes() {
        if is_unreserved(byte) {
            target.push(char::from(byte));
        } else {
            let _ = write!(target, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests;
