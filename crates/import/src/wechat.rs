//! The gateway to WeChat Pay itself, through the SDK: the one place where a member becomes a request and an error
//! becomes an answer of the engine.

use wxmember::{
    BrandId, CardColor, CardId, CardPictureUrl, Client, CommonField, CommonFieldName, CustomField,
    CustomFieldName, Delivery, Error, ErrorCode, ErrorKind, ImportByPhone, MemberLevel, RetryPolicy,
    SealReason, Sealed, TextError, Time, UserCardCode, UserInformation, Validity as WireValidity,
};

use crate::{
    gateway::{Answer, Gateway, SealRefusal, SealedRequest, Stop},
    member::{Member, Validity},
};

/// Sends members by `import-by-phone`, signed, verified and sealed by the SDK.
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
            hint: Some(
                "a merchant in public-key mode has no platform certificates: set `platform_key` and `platform_key_id`; \
                 `wxmember doctor --online` says more"
                    .to_owned(),
            ),
        })
    }

    fn seal(&self, member: &Member) -> Result<SealedRequest, SealRefusal> {
        let sealed = self.client.seal(&request(member)?).map_err(|error| SealRefusal {
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
        })?;
        let body = serde_json::to_vec(&sealed).map_err(|error| SealRefusal {
            field: String::new(),
            reason: error.to_string(),
            is_row: false,
        })?;
        Ok(SealedRequest::new(body, sealed.key_id().clone()))
    }

    async fn send(&self, request: &SealedRequest) -> Answer {
        let Ok(sealed) = serde_json::from_slice::<Sealed<ImportByPhone>>(request.body()) else {
            return Answer::StopRun(Stop {
                code: "LEDGER_DAMAGED".to_owned(),
                message: "a stored request cannot be read".to_owned(),
                hint: Some(
                    "restore the ledger from a copy, or start a new one with `--ledger FILE`".to_owned(),
                ),
            });
        };
        match self.client.user_cards().import_by_phone_sealed(&sealed).await {
            Ok(card) => Answer::Imported {
                request_id: card.request_id().map(str::to_owned),
            },
            Err(error) => answer(&error),
        }
    }
}

fn request(member: &Member) -> Result<ImportByPhone, SealRefusal> {
    let text = |field: &str| {
        let field = field.to_owned();
        move |error: TextError| SealRefusal {
            field,
            reason: error.kind().to_string(),
            is_row: true,
        }
    };
    let time = |field: &str, value: &str| {
        Time::new(value).map_err(|error| SealRefusal {
            field: field.to_owned(),
            reason: error.to_string(),
            is_row: true,
        })
    };
    let validity = |error: wxmember::InvalidValidity| SealRefusal {
        field: "/date_information".to_owned(),
        reason: error.to_string(),
        is_row: true,
    };
    let common = member.common_fields.iter().map(|(name, value)| {
        CommonField::builder()
            .name(CommonFieldName::from(name.wire_name()))
            .value(value.clone())
            .build()
    });
    let custom = member.custom_fields.iter().map(|(name, values)| {
        let name = CustomFieldName::new(name).map_err(text("/user_information/custom_field_list"))?;
        Ok(CustomField::builder()
            .name(name)
            .user_chosen_values(values.clone())
            .build())
    });
    let custom = custom.collect::<Result<Vec<_>, SealRefusal>>()?;
    let information = UserInformation::builder()
        .common_field_list(common.collect())
        .custom_field_list(custom)
        .build();
    let has_information =
        !(information.common_field_list.is_empty() && information.custom_field_list.is_empty());
    let level = member
        .level
        .as_deref()
        .map(MemberLevel::new)
        .transpose()
        .map_err(text("/level"))?;
    let color = member
        .card_color
        .as_deref()
        .map(CardColor::new)
        .transpose()
        .map_err(text("/card_color"))?;
    let picture = member
        .card_picture_url
        .as_deref()
        .map(CardPictureUrl::new)
        .transpose();
    let missing = |field: &str| SealRefusal {
        field: field.to_owned(),
        reason: "missing, but this route needs it".to_owned(),
        is_row: true,
    };
    let phone_number = member
        .phone_number
        .clone()
        .ok_or_else(|| missing("/phone_number"))?;
    let user_card_code = member
        .user_card_code
        .as_deref()
        .ok_or_else(|| missing("/user_card_code"))?;
    let pickup_time = member
        .pickup_time
        .as_deref()
        .ok_or_else(|| missing("/pickup_time"))?;
    Ok(ImportByPhone::builder()
        .brand_id(BrandId::new(&member.brand_id).map_err(text("/brand_id"))?)
        .card_id(CardId::new(&member.card_id).map_err(text("/card_id"))?)
        .phone_number(phone_number)
        .user_card_code(UserCardCode::new(user_card_code).map_err(text("/user_card_code"))?)
        .maybe_level(level)
        .maybe_card_color(color)
        .maybe_card_picture_url(picture.map_err(text("/card_picture_url"))?)
        .maybe_user_information(has_information.then_some(information))
        .date_information(
            match member
                .validity
                .as_ref()
                .ok_or_else(|| missing("/date_information"))?
            {
                Validity::Permanent => WireValidity::permanent(),
                Validity::FixTerm { days } => WireValidity::days(*days).map_err(validity)?,
                Validity::FixTimeRange { begin, end } => WireValidity::between(
                    time("/date_information/available_begin_time", begin)?,
                    time("/date_information/available_end_time", end)?,
                )
                .map_err(validity)?,
            },
        )
        .pickup_time(time("/pickup_time", pickup_time)?)
        .build())
}

/// What an error says of the outcome. Decided by kind, delivery and code.
fn answer(error: &Error) -> Answer {
    let request_id = error.request_id().map(str::to_owned);
    let stop = |code: &str, message: &str, hint: &str| {
        Answer::StopRun(Stop {
            code: code.to_owned(),
            message: message.to_owned(),
            hint: Some(hint.to_owned()),
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
            "import by phone is not opened for this merchant yet, or `base_url` is wrong; WeChat Pay opens the \
             operation on request",
        ),
        _ if error.is_outcome_unknown() => Answer::Unknown {
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
mod tests {
    use super::*;

    #[test]
    fn a_message_keeps_its_words_and_loses_long_numbers() {
        #[track_caller]
        fn check(message: &str, expect: &str) {
            assert_eq!(without_long_numbers(message), expect);
        }
        check("会员已经领取过该卡", "会员已经领取过该卡");
        check("phone 13800138000 is wrong", "phone *** is wrong");
        check("不得超过300秒 13800138000", "不得超过300秒 ***");
        check("１３８００１３８０００", "***");
        check("", "");
        assert_eq!(without_long_numbers(&"字".repeat(1000)).chars().count(), 200);
    }
}
