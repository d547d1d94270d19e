//! Notifications (回调通知) as the platform makes them: encrypted with the APIv3 key and signed. `outbox` sends them.
//!
//! Sections 6.2 and 6.3 of our notes. Nothing here may show a resource in `Debug` or in an error.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use thiserror::Error;
use wxmember_crypto::{Certificate, FormValue, KeyId, SealError, SignError, party::Merchant};

use crate::{
    gateway::Gateway,
    reply::{Flaw, JSON, Signer},
};

/// A notification as it would be posted to a merchant.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct SignedNotification {
    /// Names and values, as they would be sent.
    pub headers: Vec<(String, String)>,
    /// The envelope, JSON. The signature is over these bytes.
    pub body: Vec<u8>,
}

impl SignedNotification {
    /// The value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(own, value)| own.eq_ignore_ascii_case(name).then_some(value.as_str()))
    }
}

impl fmt::Debug for SignedNotification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedNotification({} bytes)", self.body.len())
    }
}

/// How a notification is made. The default is a right one: signed with the key that answers to requests without
/// `Wechatpay-Serial` are signed with, personal fields in plain.
#[derive(Clone, Debug, Default)]
pub struct NotificationOptions {
    id: Option<String>,
    personal_fields: PersonalFields,
    signature: NotificationSignature,
    signed_by: Option<KeyId>,
}

impl NotificationOptions {
    /// Sets the envelope's `id`, by which duplicates are known. Default: a new one.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(crate) fn signature(&self) -> NotificationSignature {
        self.signature
    }

    /// Sets how personal fields stand in the resource. Default: as they are given.
    #[must_use]
    pub fn with_personal_fields(mut self, personal_fields: PersonalFields) -> Self {
        self.personal_fields = personal_fields;
        self
    }

    /// Sets what is wrong with the signature. Default: nothing.
    #[must_use]
    pub fn with_signature(mut self, signature: NotificationSignature) -> Self {
        self.signature = signature;
        self
    }

    /// Signs with this platform key, by its public key id or its certificate's serial number.
    #[must_use]
    pub fn signed_by(mut self, key_id: &str) -> Self {
        self.signed_by = Some(KeyId::new(key_id));
        self
    }
}

/// How `phone_number` and the values of `user_information` stand in a notification; sources disagree.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum PersonalFields {
    /// As they are given. The default.
    #[default]
    Plain,
    /// Sealed with the merchant's API certificate.
    Sealed,
}

/// What is wrong with a notification's signature.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum NotificationSignature {
    /// None of the signature's headers.
    Missing,
    /// A probe, `WECHATPAY/SIGNTEST/…`, in valid base64.
    Probe,
    /// A probe that is not base64.
    ProbeNotBase64,
    /// Nothing is wrong. The default.
    #[default]
    Right,
    /// Signed rightly, but at a time that is off by as many seconds.
    ShiftedClock {
        /// How far the timestamp is ahead; negative is behind.
        seconds: i64,
    },
    /// Signed rightly, under the id of a key that nobody has.
    UnknownSerial,
    /// A well-formed signature of something else.
    Wrong,
}

/// Why a notification cannot be made.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum NotificationError {
    /// The envelope could not be encrypted.
    #[error("the resource could not be encrypted")]
    Encrypt,
    /// There is no such platform key, or none that is valid now.
    #[error("the platform has no such key, or none that is valid now")]
    NoKey,
    /// A personal field is too long to be sealed.
    #[error("a personal field could not be sealed")]
    Seal(#[source] SealError),
    /// The envelope could not be signed.
    #[error("the envelope could not be signed")]
    Sign(#[source] SignError),
}

/// Makes a notification of an event.
pub(crate) fn make(
    gateway: &Gateway,
    event_type: &str,
    resource: &Value,
    options: &NotificationOptions,
) -> Result<SignedNotification, NotificationError> {
    let platform = &gateway.registry.platform;
    let pair = match &options.signed_by {
        Some(id) => platform.find(id),
        None => platform
            .choose(None, gateway.clock.unix_seconds())
            .map(|chosen| chosen.signs),
    };
    let pair = pair.ok_or(NotificationError::NoKey)?;
    let registry = &gateway.registry;
    let of_brand = |brand_id| registry.caller_for(brand_id);
    let caller = resource
        .get("brand_id")
        .and_then(Value::as_str)
        .and_then(of_brand);
    let caller = caller
        .or_else(|| registry.first_caller())
        .ok_or(NotificationError::NoKey)?;
    let mut resource = resource.clone();
    if options.personal_fields == PersonalFields::Sealed {
        let certificate = caller.newest_certificate().ok_or(NotificationError::NoKey)?;
        seal_personal_fields(&mut resource, certificate).map_err(NotificationError::Seal)?;
    }
    let original_type = original_type(event_type);
    let token = gateway.tokens.token().to_ascii_lowercase();
    let nonce = &token[..12];
    let ciphertext = (caller.apiv3_key)
        .seal(
            nonce.as_bytes(),
            original_type.as_bytes(),
            resource.to_string().as_bytes(),
        )
        .map_err(|_| NotificationError::Encrypt)?;
    let id = options.id.clone().unwrap_or_else(|| new_id(gateway));
    let body = json!({
        "id": id,
        "create_time": gateway.clock.rfc_3339(),
        "resource_type": "encrypt-resource",
        "event_type": event_type,
        "summary": "测试通知",
        "resource": {
            "original_type": original_type,
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": STANDARD.encode(ciphertext),
            "associated_data": original_type,
            "nonce": nonce,
        },
    });
    let body = body.to_string().into_bytes();
    let mut headers = vec![
        ("Content-Type".to_owned(), JSON.to_owned()),
        ("Request-ID".to_owned(), format!("08{}-0", gateway.tokens.token())),
    ];
    let flaw = match options.signature {
        NotificationSignature::Missing => return Ok(SignedNotification { headers, body }),
        NotificationSignature::Probe => Flaw::Probe,
        NotificationSignature::ProbeNotBase64 => Flaw::ProbeNotBase64,
        NotificationSignature::Right => Flaw::None,
        NotificationSignature::ShiftedClock { seconds } => Flaw::ShiftedClock { seconds },
        NotificationSignature::UnknownSerial => Flaw::UnknownSerial,
        NotificationSignature::Wrong => Flaw::WrongSignature,
    };
    let signer = Signer {
        pair: &pair,
        clock: &gateway.clock,
        tokens: &gateway.tokens,
    };
    let signed = signer.headers(&body, flaw).map_err(NotificationError::Sign)?;
    headers.extend(signed.map(|(name, value)| (name.to_owned(), value)));
    Ok(SignedNotification { headers, body })
}

/// An id for an envelope.
pub(crate) fn new_id(gateway: &Gateway) -> String {
    let text = gateway.tokens.token().to_ascii_lowercase();
    let parts = [
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..],
    ];
    parts.join("-")
}

/// What a resource of this event is called; it is the associated data as well (section 6.3).
fn original_type(event_type: &str) -> &'static str {
    if event_type.ends_with(".POINT_EXCHANGE_COUPON") {
        "point_coupon"
    } else if event_type.ends_with(".SYNC_USER_POINT") {
        "sync_user_point"
    } else {
        "user_card"
    }
}

fn seal_personal_fields(resource: &mut Value, certificate: &Certificate<Merchant>) -> Result<(), SealError> {
    let seal = |value: &mut Value| {
        if let Some(text) = value.as_str() {
            let sealed = certificate.public_key().seal(&FormValue::new(text))?;
            *value = sealed.as_str().into();
        }
        Ok(())
    };
    if let Some(phone) = resource.get_mut("phone_number") {
        seal(phone)?;
    }
    let mut list = |name: &str, member: &str| {
        let fields = resource.pointer_mut(&format!("/user_information/{name}"));
        let fields = fields.and_then(Value::as_array_mut).into_iter().flatten();
        fields
            .filter_map(|field| field.get_mut(member))
            .try_for_each(|value| match value {
                Value::Array(values) => values.iter_mut().try_for_each(seal),
                value => seal(value),
            })
    };
    list("common_field_list", "value")?;
    list("custom_field_list", "user_chosen_values")
}
