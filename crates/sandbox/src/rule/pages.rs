//! The public pages behind the section numbers that a rule's source names, so that a reader can go and look.

/// A section of our notes, and the public page that says most about it: an official one, unless
/// [`about`](Self::about) says otherwise.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Page {
    /// The number, as [`Rule::source`](crate::Rule::source) names it.
    pub section: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// The same in Chinese.
    pub about_zh: &'static str,
    /// The page.
    pub url: &'static str,
}

/// Every page that some source names.
#[must_use]
pub const fn pages() -> &'static [Page] {
    PAGES
}

/// The pages of the sections that a source names.
pub(super) fn of_source(source: &str) -> impl Iterator<Item = &'static Page> {
    let names = |section: &str| words(source).any(|word| word == section);
    PAGES.iter().filter(move |page| names(page.section))
}

fn words(source: &str) -> impl Iterator<Item = &str> {
    source.split([' ', ',', ':', ';'])
}

const fn page(section: &'static str, about: &'static str, about_zh: &'static str, url: &'static str) -> Page {
    Page {
        section,
        about,
        about_zh,
        url,
    }
}

const IMPORT: &str = "https://pay.weixin.qq.com/doc/v3/partner/4015336982";
const SIGNING: &str = "https://pay.weixin.qq.com/wiki/doc/api_external/ch/wechatpay/wechatpay4_0.shtml";
const STATUSES: &str = "https://pay.weixin.qq.com/wiki/doc/apiv3/Share/error_code.shtml";

const PAGES: &[Page] = &[
    page("1.1", "import by phone", "根据手机号导入", IMPORT),
    page("1.2", "its headers", "其请求头", IMPORT),
    page(
        "1.3",
        "its body, and the rules for every body",
        "其请求体，以及所有请求体的通用规则",
        "https://pay.weixin.qq.com/docs/merchant/development/interface-rules/basic-rules.html",
    ),
    page("1.4", "its enumerations", "其枚举值", IMPORT),
    page(
        "1.5",
        "its validity and pick-up time",
        "其有效期与领取时间",
        IMPORT,
    ),
    page(
        "2.1",
        "the operations of the family",
        "整组接口",
        "https://pay.weixin.qq.com/doc/v3/partner/4015274639",
    ),
    page(
        "2.3",
        "confirming an exchange of points",
        "确认积分兑券",
        "https://pay.weixin.qq.com/doc/v3/partner/4015897268",
    ),
    page("3.1", "the message to sign", "待签名串", SIGNING),
    page("3.2", "the header Authorization", "请求头 Authorization", SIGNING),
    page("3.3", "the nonce", "随机串", SIGNING),
    page(
        "3.4",
        "the clock; official text as an answer in the community quotes it",
        "时钟；由社区回答引用的官方文字",
        "https://developers.weixin.qq.com/community/pay/doc/0006649bba0d40c2cac8d083d51c00",
    ),
    page(
        "3.5",
        "the headers User-Agent and Accept",
        "请求头 User-Agent 和 Accept",
        "https://pay.weixin.qq.com/doc/v3/merchant/4012081709",
    ),
    page(
        "4.3",
        "answers without a signature",
        "没有签名的应答",
        "https://pay.weixin.qq.com/doc/v3/partner/4013059030",
    ),
    page(
        "4.5",
        "platform certificates and the public key",
        "平台证书与微信支付公钥",
        "https://pay.weixin.qq.com/doc/v3/partner/4013038589",
    ),
    page(
        "5",
        "sealing of personal fields",
        "敏感信息加密",
        "https://pay.weixin.qq.com/docs/partner/development/interface-rules/sensitive-data-encryption.html",
    ),
    page(
        "6.1",
        "notifications",
        "回调通知",
        "https://pay.weixin.qq.com/doc/v3/partner/4015283692",
    ),
    page(
        "6.3",
        "the exchange of points, as it is notified",
        "积分兑券的回调通知",
        "https://pay.weixin.qq.com/doc/v3/partner/4015878622",
    ),
    page("7.1", "the shape of errors", "错误的格式", STATUSES),
    page("7.2", "statuses and codes", "状态码与错误码", STATUSES),
    page(
        "7.3",
        "errors of the older membership card",
        "旧版会员卡的错误码",
        "https://pay.weixin.qq.com/docs/merchant/apis/membership-card/member-card-base/deposit-custom-code.html",
    ),
    page(
        "7.4",
        "codes of cards, which are unique in a template",
        "会员卡 code，在模板内唯一",
        "https://pay.weixin.qq.com/doc/v3/partner/4015336981",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;

    #[test]
    fn every_page_stands_behind_some_rule() {
        for page in pages() {
            let mut sources = rules().iter().map(|rule| rule.source);
            assert!(
                sources.any(|source| of_source(source).any(|other| other == page)),
                "{page:?}"
            );
        }
    }

    #[test]
    fn every_section_that_a_rule_names_has_a_page() {
        let is_digit = |text: &str| text.len() == 1 && text.bytes().all(|byte| byte.is_ascii_digit());
        let mut sections = 0;
        for rule in rules() {
            for (index, word) in words(rule.source).enumerate() {
                let is_section = match word.split_once('.') {
                    Some((chapter, section)) => is_digit(chapter) && is_digit(section),
                    // A number within the text counts something.
                    None => is_digit(word) && index == 0,
                };
                if is_section {
                    assert!(
                        PAGES.iter().any(|page| page.section == word),
                        "{}: {word}",
                        rule.id
                    );
                    sections += 1;
                }
            }
        }
        assert!(sections > rules().len() / 2, "{sections}");
        assert!(PAGES.is_sorted_by_key(|page| page.section));
    }

    #[test]
    fn a_documented_rule_has_a_page() {
        for rule in rules() {
            let has_page = of_source(rule.source).next().is_some();
            assert!(
                has_page || rule.sureness != crate::Sureness::Documented,
                "{}",
                rule.id
            );
        }
    }
}
