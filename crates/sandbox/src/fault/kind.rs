//! The kinds of faults as data: names, parameters, and a sentence in both languages.
//!
//! One list makes the table and the matches, so a [`Fault`] that is not in it does not compile.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Fault, rule::FaultRuleError};

/// One kind of fault, for tables and pages.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FaultKind {
    /// The name, as it is typed: `lost-answer`.
    pub name: &'static str,
    /// A fault of this kind, with usual parameters.
    pub example: Fault,
    /// What has to be said beside the name; a kind has one parameter at most.
    pub parameters: &'static [FaultParameter],
    /// What happens, in one English sentence.
    pub en: &'static str,
    /// What happens, in one Chinese sentence.
    pub zh: &'static str,
}

/// A whole number that belongs to a kind of fault.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FaultParameter {
    /// The name, as it is typed: `seconds`.
    pub name: &'static str,
    /// The least value that is taken as text.
    pub minimum: i64,
    /// The greatest one.
    pub maximum: i64,
    /// A usual value.
    pub example: i64,
    /// What it is, as a fragment of an English sentence.
    pub en: &'static str,
    /// The same in Chinese.
    pub zh: &'static str,
}

/// Every kind of fault, by name.
#[must_use]
pub const fn fault_kinds() -> &'static [FaultKind] {
    KINDS
}

impl FaultKind {
    /// Whether the request takes effect although the answer fails, as [`Fault::commits`].
    #[must_use]
    pub const fn commits(&self) -> bool {
        self.example.commits()
    }

    fn as_json(&self) -> Value {
        let parameters = self.parameters.iter().map(|parameter| {
            json!({
                "name": parameter.name,
                "minimum": parameter.minimum,
                "maximum": parameter.maximum,
                "example": parameter.example,
                "en": parameter.en,
                "zh": parameter.zh,
            })
        });
        json!({
            "name": self.name,
            "commits": self.commits(),
            "parameters": parameters.collect::<Vec<_>>(),
            "en": self.en,
            "zh": self.zh,
        })
    }
}

/// Every kind, as `GET /fault-kinds` has them.
pub(crate) fn kinds_as_json() -> Value {
    KINDS.iter().map(FaultKind::as_json).collect()
}

/// The fault of a name; `parameters` are those that were given with it.
pub(crate) fn named(name: &str, parameters: &[(&'static str, i64)]) -> Result<Fault, FaultRuleError> {
    let kind = KINDS.iter().find(|kind| kind.name == name);
    let kind = kind.ok_or(FaultRuleError::UnknownFault)?;
    let mut fault = kind.example;
    for taken in kind.parameters {
        let given = parameters.iter().find(|(name, _)| *name == taken.name);
        let (_, value) = given.ok_or(FaultRuleError::ParameterMissing {
            fault: kind.name,
            parameter: taken.name,
        })?;
        let in_range = (taken.minimum..=taken.maximum).contains(value);
        let with_value = in_range.then(|| fault.with_value(*value)).flatten();
        fault = with_value.ok_or(FaultRuleError::Number { option: taken.name })?;
    }
    let is_taken = |name: &str| kind.parameters.iter().any(|taken| taken.name == name);
    match parameters.iter().find(|(name, _)| !is_taken(name)) {
        Some((parameter, _)) => Err(FaultRuleError::ParameterNotTaken {
            fault: kind.name,
            parameter,
        }),
        None => Ok(fault),
    }
}

/// All names, for whoever typed another one.
pub(super) fn names() -> String {
    let mut text = String::new();
    for (index, kind) in KINDS.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        // Writing to a text cannot fail.
        let _ = write!(text, "{comma}`{}`", kind.name);
    }
    text
}

macro_rules! kinds {
    ($($name:literal $effect:ident $variant:ident
        $({ $parameter:ident: $type:ty = $example:literal in $minimum:literal..=$maximum:literal, $what:literal, $what_zh:literal })?
        : $en:literal, $zh:literal;)*) => {
        const KINDS: &[FaultKind] = &[$(FaultKind {
            name: $name,
            example: Fault::$variant $({ $parameter: $example })?,
            parameters: &[$(FaultParameter {
                name: stringify!($parameter),
                minimum: $minimum,
                maximum: $maximum,
                example: $example,
                en: $what,
                zh: $what_zh,
            })?],
            en: $en,
            zh: $zh,
        }),*];

        impl Fault {
            /// The name, as it is typed: `lost-answer`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)*
                }
            }

            /// Whether the request takes effect although the answer fails.
            ///
            /// Of these, the ones that spoil a body leave an answer without one, 204, to the faults behind them, and wait
            /// for another; [`ReplayedAnswer`](Self::ReplayedAnswer) waits likewise for one that names a user card.
            #[must_use]
            pub const fn commits(self) -> bool {
                match self {
                    $(Self::$variant { .. } => $effect,)*
                }
            }

            /// The parameter with its value, if it has one.
            pub(crate) fn parameter(self) -> Option<(&'static str, i64)> {
                match self {
                    $($(Self::$variant { $parameter } => Some((stringify!($parameter), $parameter.into())),)?)*
                    _ => None,
                }
            }

            fn with_value(self, value: i64) -> Option<Self> {
                match self {
                    $($(Self::$variant { .. } => {
                        <$type>::try_from(value).ok().map(|$parameter| Self::$variant { $parameter })
                    })?)*
                    _ => None,
                }
            }
        }
    };
}

const STORED: bool = true;
const NOT_STORED: bool = false;

kinds! {
    "accepted" NOT_STORED Accepted:
        "Answers 202 with an empty, signed body: received, not processed.",
        "返回 202，应答体为空且签名正确：已受理，未处理。";
    "bad-gateway" NOT_STORED BadGateway:
        "Answers 502 with a page of HTML, as a proxy before the platform does.",
        "返回 502 和一个 HTML 页面，如同平台前置代理的应答。";
    "cut-body" STORED CutBody:
        "Processes the request; the answer's body stops short of its `Content-Length`.",
        "请求已处理；应答体未达到 `Content-Length` 就中断。";
    "empty-error" NOT_STORED EmptyError:
        "Answers 500 with an empty body.",
        "返回 500，应答体为空。";
    "empty-not-found" NOT_STORED EmptyNotFound:
        "Answers 404 with an empty body, as for a path that does not exist.",
        "返回 404，应答体为空，如同路径不存在。";
    "error-not-utf8" NOT_STORED ErrorNotUtf8:
        "Answers 400 whose JSON is in GBK and says so.",
        "返回 400，其 JSON 采用 GBK 编码并已注明。";
    "huge-answer" STORED HugeAnswer:
        "Processes the request; the answer is signed rightly and followed by 2 MiB of blanks.",
        "请求已处理；应答签名正确，但末尾多出 2 MiB 空格。";
    "huge-error" NOT_STORED HugeError:
        "Answers 500 in the real shape, with a message of 2 MiB.",
        "返回与平台格式一致的 500，其 message 长达 2 MiB。";
    "lost-answer" STORED LostAnswer:
        "Processes the request and closes the connection without an answer.",
        "请求已处理，但不应答就关闭连接。";
    "lost-request" NOT_STORED LostRequest:
        "Closes the connection without an answer; nothing is processed.",
        "不处理请求，也不应答，直接关闭连接。";
    "no-nonce" STORED NoNonce:
        "Processes the request; the answer is signed rightly, but `Wechatpay-Nonce` is left out.",
        "请求已处理；应答签名正确，但缺少 `Wechatpay-Nonce`。";
    "rate-limited" NOT_STORED RateLimited:
        "Answers 429 in the real shape, without `Retry-After`.",
        "返回与平台格式一致的 429，不带 `Retry-After`。";
    "rate-limited-for" NOT_STORED RateLimitedFor {
        seconds: u32 = 3 in 0..=86_400, "the value of `Retry-After`", "`Retry-After` 的值"
    }:
        "Answers 429 in the real shape, with `Retry-After` in seconds.",
        "返回与平台格式一致的 429，并带以秒为单位的 `Retry-After`。";
    "replayed-answer" STORED ReplayedAnswer:
        "Processes the request; the answer is a good one about another user card, signed rightly and now.",
        "请求已处理；应答本身正常，签名正确且为当前时间，但内容是另一张用户会员卡。";
    "reset-answer" STORED ResetAnswer:
        "Processes the request and resets the connection (RST) without an answer.",
        "请求已处理，但不应答就重置连接（RST）。";
    "reset-request" NOT_STORED ResetRequest:
        "Resets the connection (RST) without an answer; nothing is processed.",
        "不处理请求，也不应答，直接重置连接（RST）。";
    "rotated-key" STORED RotatedKey:
        "Processes the request and signs the answer with a new platform key, which signs from now on.",
        "请求已处理；平台密钥就此轮换，从本次应答起用新密钥签名。";
    "service-unavailable" NOT_STORED ServiceUnavailable:
        "Answers 503 in the real shape.",
        "返回与平台格式一致的 503。";
    "shifted-clock" STORED ShiftedClock {
        seconds: i64 = 600 in -1_000_000_000..=1_000_000_000,
        "how far the answer's time is ahead; negative is behind", "应答时间提前的秒数，负数为落后"
    }:
        "Processes the request; the answer is signed rightly, at a time that is off.",
        "请求已处理；应答签名正确，但时间戳有偏差。";
    "signature-probe" STORED SignatureProbe:
        "Processes the request; the signature is a probe, `WECHATPAY/SIGNTEST/…`, in valid base64.",
        "请求已处理；签名为探测流量 `WECHATPAY/SIGNTEST/…`，是合法的 base64。";
    "signature-probe-not-base64" STORED SignatureProbeNotBase64:
        "Processes the request; the signature is a probe, `WECHATPAY/SIGNTEST/…`, that is not base64.",
        "请求已处理；签名为探测流量 `WECHATPAY/SIGNTEST/…`，不是合法的 base64。";
    "slow-body" STORED SlowBody {
        bytes_per_second: u32 = 20 in 1..=1_000_000_000, "the pace, in bytes a second", "速率，字节每秒"
    }:
        "Processes the request; the answer's body is right, comes slowly, and breaks off after 60 seconds.",
        "请求已处理；应答体正确但传输缓慢，满 60 秒即中断。";
    "stalled" STORED Stalled:
        "Processes the request, sends nothing, and keeps the connection open for up to 60 seconds.",
        "请求已处理，但不发送任何内容，连接最长保持 60 秒。";
    "system-error" NOT_STORED SystemError:
        "Answers 500 in the real shape.",
        "返回与平台格式一致的 500。";
    "truncated-error" NOT_STORED TruncatedError:
        "Answers 500 with the first half of an error's JSON.",
        "返回 500，错误 JSON 只有前半部分。";
    "truncated-json" STORED TruncatedJson:
        "Processes the request; the answer is half a JSON document, signed rightly as it is.",
        "请求已处理；应答只有半份 JSON，签名与之相符。";
    "unknown-serial" STORED UnknownSerial:
        "Processes the request; the answer is signed rightly, under the id of a key that nobody has.",
        "请求已处理；应答签名正确，但 `Wechatpay-Serial` 是无人持有的密钥编号。";
    "unsigned" STORED Unsigned:
        "Processes the request; the answer has none of the signature's headers.",
        "请求已处理；应答不带任何签名头。";
    "wrong-date" NOT_STORED WrongDate {
        seconds: i64 = 600 in -1_000_000_000..=1_000_000_000,
        "how far `Date` is ahead; negative is behind", "`Date` 提前的秒数，负数为落后"
    }:
        "Answers 401 about the clock, with a `Date` that is off.",
        "返回关于时间的 401，且 `Date` 有偏差。";
    "wrong-document" STORED WrongDocument:
        "Processes the request; the answer is JSON of another shape than promised, signed rightly.",
        "请求已处理；应答是结构不符的 JSON，签名正确。";
    "wrong-signature" STORED WrongSignature:
        "Processes the request; the answer carries a well-formed signature of something else.",
        "请求已处理；应答带有格式正确、但属于其他内容的签名。";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_in_the_order_of_their_names_and_each_is_found_by_it() {
        assert!(KINDS.is_sorted_by(|one, next| one.name < next.name));
        for kind in KINDS {
            let parameter = kind.example.parameter();
            assert_eq!(kind.example.name(), kind.name);
            assert_eq!(
                named(kind.name, parameter.as_slice()),
                Ok(kind.example),
                "{}",
                kind.name
            );
            let taken = kind.parameters.first();
            assert_eq!(
                parameter,
                taken.map(|parameter| (parameter.name, parameter.example))
            );
            assert!(kind.en.ends_with('.') && kind.zh.ends_with('。'), "{}", kind.name);
        }
    }

    #[test]
    fn a_name_with_the_wrong_parameters_is_refused_with_the_reason() {
        let missing = FaultRuleError::ParameterMissing {
            fault: "slow-body",
            parameter: "bytes_per_second",
        };
        assert_eq!(named("slow-body", &[]), Err(missing));
        let number = FaultRuleError::Number {
            option: "bytes_per_second",
        };
        assert_eq!(named("slow-body", &[("bytes_per_second", 0)]), Err(number));
        let not_taken = FaultRuleError::ParameterNotTaken {
            fault: "unsigned",
            parameter: "seconds",
        };
        assert_eq!(named("unsigned", &[("seconds", 1)]), Err(not_taken));
        assert_eq!(named("unsinged", &[]), Err(FaultRuleError::UnknownFault));
    }
}
