//! The gateway to WeChat Pay itself, through the SDK: the one place where a member becomes a request and an error
//! becomes an answer of the engine.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use wxmember::{
    BrandId, CardId, Client, Delivery, Error, ErrorCode, ErrorKind, ImportByOpenid, ImportByPhone,
    ImportPhoneMembercard, ImportedMembercard, Reply, RetryPolicy, Seal, SealReason, Sealed, UserCard,
    UserCardCode,
};

use crate::{
    gateway::{Answer, Gateway, Hint, SealRefusal, SealedRequest, Stop},
    job::Route,
    member::Member,
    outcome,
};

mod request;
pub(crate) mod stored;

/// Sends members by every [`Route`], signed, verified and sealed by the SDK.
#[derive(Clone, Debug)]
pub struct WechatGateway {
    client: Client,
}

impl WechatGateway {
    /// Takes a configured client. It is made to repeat nothing: the run marks every attempt in the ledger.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client: client.with_retry(RetryPolicy::never()),
        }
    }
}

impl Gateway for WechatGateway {
    async fn prepare(&self) -> Result<(), Stop> {
        if self.client.sealing_key_id().is_some() {
            return Ok(());
        }
        self.client.refresh_certificates().await.map_err(|error| Stop {
            code: "NO_PLATFORM_KEY".to_owned(),
            message: reason(&error),
            hint: Some(Hint::First(
                "a merchant in public-key mode has no platform certificates: set `platform_key` and `platform_key_id`; \
                 `wxmember doctor --online` says more"
                    .to_owned(),
            )),
        })
    }

    fn seal(&self, route: Route, member: &Member) -> Result<SealedRequest, SealRefusal> {
        match route {
            Route::ImportByPhone => {
                let sealed = self.sealed(&request::by_phone(member)?)?;
                stored(&sealed, &sealed)
            }
            Route::ImportByOpenid => {
                let sealed = self.sealed(&request::by_openid(member)?)?;
                stored(&sealed, &sealed)
            }
            Route::PhoneMembercard => {
                let (card_id, request) = request::membercard(member)?;
                let sealed = self.sealed(&request)?;
                stored(
                    &sealed,
                    &StoredMembercard {
                        card_id: &card_id,
                        request: &sealed,
                    },
                )
            }
        }
    }

    async fn send(&self, route: Route, request: &SealedRequest) -> Answer {
        match route {
            Route::ImportByPhone => match read::<Stored<AskedCard>, Sealed<ImportByPhone>>(request) {
                Ok((asked, sealed)) => {
                    let reply = self.client.user_cards().import_by_phone_sealed(&sealed).await;
                    answered(route, reply, |card| asked.request.is(card))
                }
                Err(damaged) => damaged,
            },
            Route::ImportByOpenid => match read::<Stored<AskedCard>, Sealed<ImportByOpenid>>(request) {
                Ok((asked, sealed)) => {
                    let reply = self.client.user_cards().import_by_openid_sealed(&sealed).await;
                    answered(route, reply, |card| asked.request.is(card))
                }
                Err(damaged) => damaged,
            },
            Route::PhoneMembercard => match read::<Stored<Stored<AskedCode>>, OlderRequest>(request) {
                Ok((asked, StoredMembercard { card_id, request })) => {
                    let older = self.client.membercard_open();
                    let reply = older.import_phone_membercard_sealed(&card_id, &request).await;
                    answered(route, reply, |card| asked.request.request.is(card))
                }
                Err(damaged) => damaged,
            },
        }
    }
}

impl WechatGateway {
    fn sealed<T: Seal>(&self, request: &T) -> Result<Sealed<T>, SealRefusal> {
        self.client.seal(request).map_err(|error| SealRefusal {
            field: error.field().to_owned(),
            reason: error.reason().to_string(),
            // A key that is missing and the backend's trouble are not the row's.
            is_row: matches!(
                error.reason(),
                SealReason::FourByteCharacter
                    | SealReason::Crypto(
                        wxmember_crypto::SealError::Empty | wxmember_crypto::SealError::TooLong { .. }
                    )
            ),
        })
    }
}

/// The older card is named by the path, so it is stored beside the request.
#[derive(Deserialize, Serialize)]
struct StoredMembercard<C, R> {
    card_id: C,
    request: R,
}

type OlderRequest = StoredMembercard<CardId, Sealed<ImportPhoneMembercard>>;

fn stored<T: Seal>(sealed: &Sealed<T>, content: &impl Serialize) -> Result<SealedRequest, SealRefusal> {
    // Two ciphertexts and what is around them; grown by doubling it would be copied several times.
    let mut body = Vec::with_capacity(2048);
    serde_json::to_writer(&mut body, content).map_err(|error| SealRefusal {
        field: String::new(),
        reason: error.to_string(),
        is_row: false,
    })?;
    let key_id = sealed.key_id();
    Ok(SealedRequest::new(stored::pack(body, key_id), key_id.clone()))
}

/// What a stored request asks for, and what is sent.
fn read<A: DeserializeOwned, T: DeserializeOwned>(request: &SealedRequest) -> Result<(A, T), Answer> {
    let json = stored::unpack(request.body(), request.platform_key_id()).ok_or_else(damaged)?;
    let read = |json| Ok((serde_json::from_slice(json)?, serde_json::from_slice(json)?));
    read(&json).map_err(|_: serde_json::Error| damaged())
}

fn damaged() -> Answer {
    Answer::StopRun(Stop {
        code: "LEDGER_DAMAGED".to_owned(),
        message: "a stored request cannot be read".to_owned(),
        hint: Some(Hint::First(
            "restore the ledger from a copy, or start a new one with `--ledger FILE`".to_owned(),
        )),
    })
}

/// The part of what is stored that says what was asked for.
#[derive(Deserialize)]
struct Stored<T> {
    request: T,
}

/// What an answer must repeat to be one to this request: its signature says who answered, not to what.
#[derive(Deserialize)]
struct AskedCard {
    brand_id: BrandId,
    card_id: CardId,
    user_card_code: UserCardCode,
}

impl AskedCard {
    fn is(&self, card: &UserCard) -> bool {
        (&self.brand_id, &self.card_id, &self.user_card_code)
            == (&card.brand_id, &card.card_id, &card.user_card_code)
    }
}

/// The same of the older route, whose answer has nothing but a code. Without one in the request the platform gives it.
#[derive(Deserialize)]
struct AskedCode {
    code: Option<UserCardCode>,
}

impl AskedCode {
    fn is(&self, card: &ImportedMembercard) -> bool {
        self.code.as_ref().is_none_or(|code| *code == card.code)
    }
}

/// What comes of a reply, which must be about the card that was asked for.
fn answered<T>(route: Route, reply: Result<Reply<T>, Error>, is_asked: impl FnOnce(&T) -> bool) -> Answer {
    match reply {
        Ok(reply) if !is_asked(&reply) => Answer::Unknown {
            reason: "the answer is about another card than the one asked for".to_owned(),
            request_id: reply.request_id().map(str::to_owned),
        },
        Ok(reply) => Answer::Imported {
            request_id: reply.request_id().map(str::to_owned),
        },
        Err(error) => answer(route, &error),
    }
}

/// What an error says of the outcome. Decided by kind, delivery and code.
fn answer(route: Route, error: &Error) -> Answer {
    let request_id = error.request_id().map(str::to_owned);
    let stop = |code: &str, message: &str, hint: &str| {
        Answer::StopRun(Stop {
            code: code.to_owned(),
            message: message.to_owned(),
            hint: Some(Hint::First(hint.to_owned())),
        })
    };
    match (error.kind(), error.delivery()) {
        (ErrorKind::RateLimited, _) => Answer::RateLimited {
            retry_after: error.retry_after(),
        },
        (ErrorKind::Sign, _) => stop(
            "SIGN_FAILED",
            &reason(error),
            "check the merchant key and this host's randomness",
        ),
        (ErrorKind::Unauthorized, _) if error.clock_offset().is_some_and(is_notable) => {
            let offset = error.clock_offset().unwrap_or_default();
            stop(
                error.code().map_or("SIGN_ERROR", ErrorCode::as_str),
                &without_long_numbers(error.message().unwrap_or_default()),
                &format!(
                    "this machine's clock is {} s {} the platform's; set it, best by NTP",
                    offset.unsigned_abs(),
                    if offset > 0 { "behind" } else { "ahead of" }
                ),
            )
        }
        (_, Delivery::NotSent) => Answer::NotSent {
            reason: reason(error),
        },
        // An unknown path has an empty body: the operation is not there for this merchant.
        (ErrorKind::NotFound, _) if error.code().is_none() => stop(
            "NOT_FOUND",
            "404 without an explanation",
            &format!("{}; or `base_url` is wrong", outcome::not_open(route)),
        ),
        _ if error.is_outcome_unknown() => Answer::Unknown {
            reason: reason(error),
            request_id,
        },
        // Not the platform's words: a proxy, or a merchant who is shut out. It says nothing about the row. A 401 stops
        // the run in any case.
        (_, _) if error.code().is_none() && error.status() == Some(403) => stop(
            "FORBIDDEN",
            "403 without an explanation",
            "look for a proxy between this host and WeChat Pay, and whether the merchant is in good standing",
        ),
        _ if error.code().is_none() && error.status() != Some(401) => Answer::Unknown {
            reason: reason(error),
            request_id,
        },
        _ => Answer::Refused {
            status: error.status().unwrap_or_default(),
            code: error.code().map_or("UNKNOWN", ErrorCode::as_str).to_owned(),
            message: without_long_numbers(error.message().unwrap_or_default()),
            request_id,
        },
    }
}

/// Whether the clocks are so far apart that it is worth a word; a request takes some seconds itself.
fn is_notable(offset: i64) -> bool {
    offset.unsigned_abs() >= 60
}

/// An error and its causes in one line; the SDK keeps personal data out of them.
fn reason(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The platform's message without runs of seven digits or more: it may echo a phone number, and it goes into the
/// ledger and onto the terminal.
fn without_long_numbers(message: &str) -> String {
    let mut clean = String::with_capacity(message.len());
    let mut digits = String::new();
    for c in message.chars().take(MOST_MESSAGE).chain([' ']) {
        if c.is_numeric() {
            digits.push(c);
            continue;
        }
        clean.push_str(if digits.chars().count() >= 7 {
            "***"
        } else {
            &digits
        });
        digits.clear();
        clean.push(c);
    }
    clean.truncate(clean.len() - 1);
    clean
}

/// Characters of a platform message that are kept.
const MOST_MESSAGE: usize = 200;

#[cfg(test)]
mod tests;
