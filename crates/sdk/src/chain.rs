//! The generic style: any path of APIv3 on the same pipeline, with parameters, query and sealed fields.
//!
//! Path and query are percent-encoded here, once, and signed as they are sent. Must never send a field in clear that the API
//! document seals, nor a ciphertext under a key that is only guessed.

use std::{
    collections::HashSet,
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

mod places;

use self::places::{is_ciphertext, personal, places};

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
    query: Vec<(String, Given)>,
    sealed: Vec<String>,
    sealed_with: Option<KeyId>,
    repeatable: bool,
}

/// The value of a query parameter.
enum Given {
    Ready(String),
    ToSeal(FormValue),
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
            sealed_with: None,
            repeatable: false,
        }
    }

    /// Fills in `{name}` of the path, percent-encoded.
    pub fn param(mut self, name: &str, value: impl Display) -> Self {
        self.params.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds to the query, percent-encoded, in the order of the calls.
    ///
    /// A parameter that the API document seals is refused in clear: give it with [`seal_query`](Self::seal_query).
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        self.query
            .push((name.to_owned(), Given::Ready(value.to_string())));
        self
    }

    /// Adds to the query what is sealed before it is sent, in the order of the calls, with the platform key that
    /// `Wechatpay-Serial` names.
    ///
    /// ```no_run
    /// # async fn demo(client: wxmember::Client) -> Result<(), wxmember::Error> {
    /// let answer = client
    ///     .chain("v3/marketing/membercard-open/phonenumber-member/search")
    ///     .query("card_id", "pbLatjvWOibDc5-TBnbUk1pD12o0")
    ///     .seal_query("encrypted_phone_number", "13800138000")
    ///     .get()
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn seal_query(mut self, name: &str, plaintext: impl Into<String>) -> Self {
        let plaintext = FormValue::new(plaintext);
        self.query.push((name.to_owned(), Given::ToSeal(plaintext)));
        self
    }

    /// Seals the text at a JSON Pointer of the body before it is sent, with the platform key that `Wechatpay-Serial` names.
    ///
    /// A `*` stands for every element of a list: `/user_information/common_field_list/*/value`. Every place must be there.
    ///
    /// An operation of the API document knows its [places](Operation::sealed_fields), and what stands there in clear is
    /// refused before anything is sent. Of a path that is not in the document nothing is known, so nothing is checked.
    pub fn seal(mut self, pointer: &str) -> Self {
        self.sealed.push(pointer.to_owned());
        self
    }

    /// Says which platform key the ciphertexts of body and query were sealed with, when they were sealed before; it is sent
    /// as `Wechatpay-Serial`. It does not go together with [`seal`](Self::seal) and [`seal_query`](Self::seal_query): a
    /// request has one key.
    ///
    /// ```no_run
    /// # async fn demo(client: wxmember::Client, member: wxmember::ImportByPhone) -> Result<(), Box<dyn std::error::Error>> {
    /// let sealed = client.seal(&member)?;
    /// let json = &serde_json::to_value(&sealed)?["request"];
    /// // Days later, when the platform seals with another key:
    /// let answer = client
    ///     .chain("v3/brand/partner/card-member/user-cards/import-by-phone")
    ///     .sealed_with(sealed.key_id())
    ///     .post(json)
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn sealed_with(mut self, key: &KeyId) -> Self {
        self.sealed_with = Some(key.clone());
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
    /// [`ErrorKind::Request`] when path, parameters, pointers or keys do not fit together; [`ErrorKind::Seal`] for what cannot
    /// be sealed, or is personal and in clear.
    pub async fn get(self) -> Result<Reply<Answer>, Error> {
        self.send(Method::GET, None).await
    }

    /// Sends a JSON body with POST.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
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
        let request = |error| self.refused(&method, error);
        let mut target = self.path_on_wire().map_err(request)?;
        let operation = self.documented(&method).unwrap_or_else(|| undocumented(&method));
        let seal =
            |error: SealError| Error::new(&operation, ErrorKind::Seal, Delivery::NotSent).caused_by(error);
        if body.is_none() && !self.sealed.is_empty() {
            return Err(request(ChainError::NothingToSeal));
        }
        self.check_sealed(&method, &target, body.as_ref())
            .map_err(|fault| match fault {
                Fault::Chain(error) => request(error),
                Fault::Seal(error) => seal(error),
            })?;
        let mut body = body;
        let (serial, key) = if self.seals() {
            let (id, key) = self.core.key_for(&operation).await?;
            (Some(id), Some(key))
        } else {
            (self.sealed_with.clone(), None)
        };
        if let (Some(body), Some(key)) = (&mut body, &key) {
            self.seal_fields(body, key).map_err(seal)?;
        }
        self.write_query(&mut target, key.as_ref()).map_err(seal)?;
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

    /// Whether something is still to be sealed.
    fn seals(&self) -> bool {
        let to_seal = |(_, given): &(String, Given)| matches!(given, Given::ToSeal(_));
        !self.sealed.is_empty() || self.query.iter().any(to_seal)
    }

    /// Refuses what is personal and would leave in clear, and ciphertexts whose key nobody named.
    fn check_sealed(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<(), Fault> {
        let is_named = self.sealed_with.is_some();
        if is_named && self.seals() {
            return Err(ChainError::TwoKeys.into());
        }
        let judge = |place: String, is_ciphertext: bool| match (is_ciphertext, is_named) {
            (true, true) => Ok(()),
            (true, false) => Err(Fault::from(ChainError::KeyUnknown { field: place })),
            (false, _) => Err(SealError::not_sealed(&place).into()),
        };
        // By the path as it is sent: a parameter may lead to another operation than the template does.
        let is_this =
            |operation: &&Operation| operation.method() == method.as_str() && operation.has_path(path);
        for operation in OPERATIONS.iter().filter(is_this) {
            if let Some(body) = body {
                let to_seal: HashSet<_> = self
                    .sealed
                    .iter()
                    .flat_map(|pointer| places(body, pointer))
                    .collect();
                let fields = operation.sealed_fields().iter();
                for personal in fields.flat_map(|pattern| personal(body, pattern)) {
                    if !to_seal.contains(&personal.place) {
                        judge(personal.place, personal.is_ciphertext)?;
                    }
                }
            }
            for (name, given) in &self.query {
                if let Given::Ready(text) = given
                    && operation.sealed_query().contains(&name.as_str())
                {
                    judge(format!("/{name}"), is_ciphertext(text))?;
                }
            }
        }
        Ok(())
    }

    /// The path as it goes over the wire.
    fn path_on_wire(&self) -> Result<String, ChainError> {
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
        Ok(target)
    }

    /// Adds the query as it goes over the wire.
    fn write_query(&self, target: &mut String, key: Option<&PlatformKey>) -> Result<(), SealError> {
        for (index, (name, given)) in self.query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            encode(target, name);
            target.push('=');
            match given {
                Given::Ready(text) => encode(target, text),
                Given::ToSeal(plaintext) => {
                    let sealer = Sealer {
                        key: key.ok_or_else(SealError::no_key)?,
                    };
                    let sealed = sealer.seal_at(plaintext, || format!("/{name}"))?;
                    encode(target, sealed.as_str());
                }
            }
        }
        Ok(())
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
    /// A field is a ciphertext already, and which key sealed it is not known; the key of now may be another.
    #[error("`{field}` was sealed before; say with which key by `sealed_with`")]
    KeyUnknown {
        /// The field, as a JSON Pointer.
        field: String,
    },
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
    /// Something is to be sealed with the key of now beside ciphertexts of a named key; a request has one key.
    #[error("`sealed_with` names the key of what was sealed before, so nothing can be sealed beside it")]
    TwoKeys,
    /// A value was given for a parameter that the path does not have.
    #[error("a value was given for a parameter that the path does not have")]
    UnusedParam,
}

/// What the check of personal fields finds.
#[derive(Debug)]
enum Fault {
    Chain(ChainError),
    Seal(SealError),
}

impl From<ChainError> for Fault {
    fn from(error: ChainError) -> Self {
        Self::Chain(error)
    }
}

impl From<SealError> for Fault {
    fn from(error: SealError) -> Self {
        Self::Seal(error)
    }
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
