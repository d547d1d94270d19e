//! Misbehaviour on request: what the platform, or the network before it, does to the next answers.
//!
//! A fault never changes a rule: a request that would be refused is refused, unless the fault comes before every check.

mod file;
mod kind;
mod queue;
mod rule;

pub use self::{
    file::FaultsFileError,
    kind::{FaultKind, FaultParameter, fault_kinds},
    rule::{FaultRule, FaultRuleError},
};
pub(crate) use self::{
    file::read as read_file,
    kind::kinds_as_json,
    queue::{Faults, Listed},
    rule::{When, Written},
};

/// What goes wrong with an answer. [`fault_kinds`] lists them with the names by which they are asked for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// 202 with an empty, signed body: received, not processed. Nothing is stored.
    Accepted,
    /// 502 with a page of HTML, as a proxy before the platform sends. Nothing is stored.
    BadGateway,
    /// 200, processed and stored; the body stops short of its `Content-Length`.
    CutBody,
    /// 500 with an empty body. Nothing is stored.
    EmptyError,
    /// 404 with an empty body. Nothing is stored.
    EmptyNotFound,
    /// 400 whose JSON is in GBK and says so: its message is not UTF-8. Nothing is stored.
    ErrorNotUtf8,
    /// 200, processed and stored; the document is signed rightly and followed by 2 MiB of blanks.
    HugeAnswer,
    /// 500 in the real shape, with a message of 2 MiB. Nothing is stored.
    HugeError,
    /// Processed and stored; the connection is closed without an answer.
    LostAnswer,
    /// The connection is closed without an answer. Nothing is stored.
    LostRequest,
    /// 200, processed and stored; signed rightly, but `Wechatpay-Nonce` is left out.
    NoNonce,
    /// 429 in the real shape, without `Retry-After`. Nothing is stored.
    RateLimited,
    /// 429 in the real shape, with `Retry-After` in seconds. Nothing is stored.
    RateLimitedFor {
        /// The value of `Retry-After`.
        seconds: u32,
    },
    /// 200, processed and stored; a good answer about another user card, as a cache between merchant and platform might hand
    /// out, but signed anew, so that no time gives it away: the last one of the same operation to the same merchant about another card,
    /// or else the right one under another code and openid, one character away.
    ///
    /// Operations whose answer names no one user card let it pass, lists among them.
    ReplayedAnswer,
    /// Processed and stored; the connection is reset (RST) without an answer.
    ResetAnswer,
    /// The connection is reset (RST) without an answer. Nothing is stored.
    ResetRequest,
    /// 200, processed and stored; signed with a platform key that is new with this answer, in the mode that the request
    /// names, and that signs from now on. The older keys still open what is sealed for them.
    ///
    /// In platform-certificate mode `GET /v3/certificates` has the new one; in public-key mode the merchant needs
    /// [`Sandbox::platform_public_key`](crate::Sandbox::platform_public_key) or the control address. A folder is not
    /// written: the next start has the older keys. Of the keys that this fault has made, each mode keeps the newest 16;
    /// an older one neither opens nor verifies anything any more.
    RotatedKey,
    /// 503 in the real shape. Nothing is stored.
    ServiceUnavailable,
    /// 200, processed and stored; signed rightly, but at a time that is off by as many seconds.
    ShiftedClock {
        /// How far the answer's timestamp is ahead; negative is behind.
        seconds: i64,
    },
    /// 200, processed and stored; the signature is a probe, `WECHATPAY/SIGNTEST/…`, in valid base64.
    SignatureProbe,
    /// 200, processed and stored; the signature is a probe that is not base64.
    SignatureProbeNotBase64,
    /// 200, processed, stored and signed rightly; the body comes at so many bytes a second. After 60 seconds it breaks
    /// off, as [`CutBody`](Self::CutBody).
    SlowBody {
        /// The pace; 0 counts as 1.
        bytes_per_second: u32,
    },
    /// Processed and stored; nothing is sent, and the connection stays open until the client leaves, the sandbox stops,
    /// or 60 seconds have passed.
    Stalled,
    /// 500 in the real shape. Nothing is stored.
    SystemError,
    /// 500 with the first half of an error's JSON. Nothing is stored.
    TruncatedError,
    /// 200, processed and stored; half a JSON document, signed rightly as it is.
    TruncatedJson,
    /// 200, processed and stored; signed rightly, under the id of a key that nobody has.
    UnknownSerial,
    /// 200, processed and stored; none of the signature's headers.
    Unsigned,
    /// 401 `SIGN_ERROR` about the clock, with a `Date` that is off by as many seconds. Nothing is stored.
    ///
    /// It lies about one answer; [`Clock::set_shift`](crate::Clock::set_shift) moves the platform's clock in earnest.
    WrongDate {
        /// How far `Date` is ahead; negative is behind.
        seconds: i64,
    },
    /// 200, processed and stored; well-formed JSON that is not the promised document, signed rightly.
    WrongDocument,
    /// 200, processed and stored; a well-formed signature of something else.
    WrongSignature,
}

impl Fault {
    /// Whether it spoils a good answer with such a content.
    pub(crate) fn spoils(self, content: Content) -> bool {
        self.commits() && self.finds_something_in(content)
    }

    /// Whether such a content has what it spoils. One that spoils a body leaves an answer without one, 204, alone, and
    /// one that spoils whom an answer is about leaves alone what is about nobody.
    pub(crate) const fn finds_something_in(self, content: Content) -> bool {
        match self {
            Self::CutBody
            | Self::HugeAnswer
            | Self::SlowBody { .. }
            | Self::TruncatedJson
            | Self::WrongDocument => !matches!(content, Content::None),
            Self::ReplayedAnswer => matches!(content, Content::Card),
            _ => true,
        }
    }
}

/// What a good answer carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Content {
    /// A document that names one user card.
    Card,
    /// Another document.
    Document,
    /// Nothing, as with 204.
    None,
}
