//! One member as the platform wants it, in plain text inside secret types.
//!
//! Lives from the moment a row was validated until it is sealed. Never stored, never logged.

use std::fmt;

use wxmember_crypto::{FormValue, PhoneNumber};

/// One member to import, checked and normalised.
///
/// `Debug` shows nothing of the person.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Member {
    /// The brand that owns the card (品牌ID).
    pub brand_id: String,
    /// The card template (会员卡模板ID).
    pub card_id: String,
    /// The phone number: eleven digits of a mainland mobile number, without `+86`. Missing only where the route knows
    /// members by openid.
    pub phone_number: Option<PhoneNumber>,
    /// The member as one AppID sees them (用户标识), 1 to 128 characters; only where the route knows members by it.
    pub openid: Option<String>,
    /// The member's number on the card (会员卡code): 1 to 32 printable ASCII characters, unique in a template. Missing
    /// only where the route lets the platform choose it.
    pub user_card_code: Option<String>,
    /// The number of the request (商家请求单号): 1 to 32 digits, English letters and `|_*-`, unique for a
    /// merchant. Only for a route that has one; a row that brings none gets one when it is loaded.
    pub request_no: Option<String>,
    /// The member's level (等级): at most 10 characters, shown to the user.
    pub level: Option<String>,
    /// The card's colour (卡背景颜色): `#RRGGBB`.
    pub card_color: Option<String>,
    /// The card's picture (卡图片): a URL of the image upload API, at most 256 characters.
    pub card_picture_url: Option<String>,
    /// What the member filled in on the form; empty values are left out.
    pub common_fields: Vec<(CommonField, FormValue)>,
    /// The template's own questions and the answers chosen.
    pub custom_fields: Vec<(String, Vec<FormValue>)>,
    /// How long the card is valid (会员卡有效期). Missing only where the route takes none.
    pub validity: Option<Validity>,
    /// When the member took the card (领取时间), RFC 3339 with an offset. Missing only where the route takes none.
    pub pickup_time: Option<String>,
}

/// A question every card template may ask.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum CommonField {
    /// Sex (性别); the plaintext is `男` or `女`.
    Sex,
    /// Name (姓名).
    Name,
    /// Birthday (生日); the plaintext is `YYYY-MM-DD`.
    Birthday,
    /// Postal address (地址).
    Address,
    /// E-mail address (邮箱).
    Email,
    /// City (城市).
    City,
}

impl CommonField {
    /// The name on the wire, such as `USER_FORM_FLAG_SEX`.
    #[must_use]
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::Sex => "USER_FORM_FLAG_SEX",
            Self::Name => "USER_FORM_FLAG_NAME",
            Self::Birthday => "USER_FORM_FLAG_BIRTHDAY",
            Self::Address => "USER_FORM_FLAG_ADDRESS",
            Self::Email => "USER_FORM_FLAG_EMAIL",
            Self::City => "USER_FORM_FLAG_CITY",
        }
    }
}

/// How long a card is valid. It must be of the type the card template has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Validity {
    /// Between two moments, RFC 3339 with an offset; `end` is after `begin`.
    FixTimeRange {
        /// The first moment.
        begin: String,
        /// The last moment.
        end: String,
    },
    /// A number of natural days after the card was taken, 1 to 10,958.
    FixTerm {
        /// The days.
        days: u32,
    },
    /// Forever.
    Permanent,
}

impl Validity {
    /// The name on the wire, such as `FIX_TIME_RANGE`.
    #[must_use]
    pub fn wire_name(&self) -> &'static str {
        match self {
            Self::FixTimeRange { .. } => "FIX_TIME_RANGE",
            Self::FixTerm { .. } => "FIX_TERM",
            Self::Permanent => "PERMANENT",
        }
    }
}

/// The text that identifies a validity in a fingerprint; no personal data is in it.
impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wire_name())?;
        match self {
            Self::FixTimeRange { begin, end } => write!(f, " {begin} {end}"),
            Self::FixTerm { days } => write!(f, " {days}"),
            Self::Permanent => Ok(()),
        }
    }
}
