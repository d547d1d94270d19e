//! What each fault does, in a sentence for people, in both languages.

use super::{
    Fault,
    rate::{FaultRateError, all, named},
};

/// A kind of fault.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// As it is typed.
    pub(crate) name: &'static str,
    /// Where it has seconds, they are 0.
    pub(crate) fault: Fault,
    pub(crate) zh: &'static str,
    pub(crate) en: &'static str,
}

impl Kind {
    /// Whether it is off by some seconds, which must be said.
    pub(crate) fn takes_seconds(&self) -> bool {
        matches!(
            named(self.name, None),
            Err(FaultRateError::SecondsMissing { .. })
        )
    }
}

/// Every kind, by name.
pub(crate) fn kinds() -> impl Iterator<Item = Kind> {
    all().map(|(name, fault)| {
        let sentence = SENTENCES.iter().find(|(known, ..)| *known == name);
        let (_, zh, en) = sentence.copied().unwrap_or((name, "", ""));
        Kind { name, fault, zh, en }
    })
}

const SENTENCES: &[(&str, &str, &str)] = &[
    ("accepted", "202，空的应答体，有签名：已收到，未处理", "202 with an empty, signed body: received, not processed"),
    ("bad-gateway", "502，代理返回的HTML页面", "502 with a page of HTML, as a proxy sends it"),
    ("cut-body", "200，应答体比Content-Length短", "200 whose body stops short of its Content-Length"),
    ("empty-error", "500，空的应答体", "500 with an empty body"),
    ("empty-not-found", "404，空的应答体", "404 with an empty body"),
    ("error-not-utf8", "400，错误信息为GBK编码", "400 whose message is in GBK, not UTF-8"),
    ("huge-answer", "200，正确的应答后跟2 MiB空白", "200 with the right document and 2 MiB of blanks behind it"),
    ("huge-error", "500，错误信息有2 MiB", "500 with a message of 2 MiB"),
    ("lost-answer", "已处理并保存，但连接在应答前断开", "processed and stored, and the connection closes without an answer"),
    ("lost-request", "连接断开，请求未处理", "the connection closes, and nothing is processed"),
    ("no-nonce", "200，签名正确，但缺少Wechatpay-Nonce", "200, rightly signed, without Wechatpay-Nonce"),
    ("rate-limited", "429，无Retry-After", "429 without Retry-After"),
    ("rate-limited-for", "429，Retry-After为所给秒数", "429 with Retry-After in the seconds given"),
    ("service-unavailable", "503，服务不可用", "503, the service is not available"),
    ("shifted-clock", "200，签名正确，但时间戳偏移所给秒数", "200, rightly signed, at a time that is off by the seconds given"),
    ("signature-probe", "200，签名为探测值WECHATPAY/SIGNTEST/…，是合法的base64", "200 whose signature is a probe, WECHATPAY/SIGNTEST/…, in valid base64"),
    ("signature-probe-not-base64", "200，签名为探测值，不是base64", "200 whose signature is a probe that is not base64"),
    ("stalled", "已处理并保存，但不应答，连接保持打开", "processed and stored; nothing is sent, and the connection stays open"),
    ("system-error", "500，系统异常", "500, a system error"),
    ("truncated-error", "500，错误的JSON只有前一半", "500 with the first half of an error's JSON"),
    ("truncated-json", "200，JSON只有一半，对这一半签名正确", "200 with half a JSON document, rightly signed as it is"),
    ("unknown-serial", "200，签名正确，但Wechatpay-Serial是不存在的密钥", "200, rightly signed, under the id of a key that nobody has"),
    ("unsigned", "200，没有任何签名头", "200 without any header of the signature"),
    ("wrong-date", "401，时钟错误，Date偏移所给秒数", "401 about the clock, with a Date that is off by the seconds given"),
    ("wrong-document", "200，签名正确，但JSON不是约定的内容", "200, rightly signed, with JSON that is not the promised document"),
    ("wrong-signature", "200，签名格式正确，但签的是其他内容", "200 with a well-formed signature of something else"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_sentence_in_both_languages_and_no_sentence_is_left_over() {
        for kind in kinds() {
            assert!(!kind.zh.is_empty() && !kind.en.is_empty(), "{}", kind.name);
        }
        assert_eq!(kinds().count(), SENTENCES.len());
    }

    #[test]
    fn those_that_are_off_by_some_seconds_say_so() {
        let with_seconds: Vec<_> = kinds().filter(Kind::takes_seconds).map(|kind| kind.name).collect();
        assert!(with_seconds.contains(&"shifted-clock") && !with_seconds.contains(&"unsigned"));
    }
}
