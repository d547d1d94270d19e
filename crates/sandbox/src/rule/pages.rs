//! The public pages behind the section numbers that a rule's source names, so that a reader can go and look.

/// A section of our notes, and the official page that it follows.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Page {
    /// The number, as [`Rule::source`](crate::Rule::source) names it.
    pub section: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// The official page.
    pub url: &'static str,
}

/// Every page that some source names.
#[must_use]
pub const fn pages() -> &'static [Page] {
    PAGES
}

/// The pages of the sections that a source names.
pub(super) fn of_source(source: &str) -> impl Iterator<Item = &'static Page> {
    let names = |section: &str| {
        let mut words = source.split([' ', ',', ':', ';']);
        words.any(|word| word == section)
    };
    PAGES.iter().filter(move |page| names(page.section))
}

const fn page(section: &'static str, about: &'static str, url: &'static str) -> Page {
    Page { section, about, url }
}

const IMPORT: &str = "https://pay.weixin.qq.com/doc/v3/partner/4015336982";
const STATUSES: &str = "https://pay.weixin.qq.com/wiki/doc/apiv3/Share/error_code.shtml";

const PAGES: &[Page] = &[
    page("1.1", "import by phone", IMPORT),
    page("1.2", "its headers", IMPORT),
    page(
        "1.3",
        "its body, and the rules for every body",
        "https://pay.weixin.qq.com/docs/merchant/development/interface-rules/basic-rules.html",
    ),
    page("1.4", "its enumerations", IMPORT),
    page("1.5", "its validity and pick-up time", IMPORT),
    page(
        "2.1",
        "the operations of the family",
        "https://pay.weixin.qq.com/doc/v3/partner/4015274639",
    ),
    page(
        "2.3",
        "confirming an exchange of points",
        "https://pay.weixin.qq.com/doc/v3/partner/4015897268",
    ),
    page(
        "3.1",
        "the message to sign",
        "https://pay.weixin.qq.com/wiki/doc/api_external/ch/wechatpay/wechatpay4_0.shtml",
    ),
    page(
        "3.2",
        "the header Authorization",
        "https://pay.weixin.qq.com/wiki/doc/api_external/ch/wechatpay/wechatpay4_0.shtml",
    ),
    page(
        "4.5",
        "platform certificates and the public key",
        "https://pay.weixin.qq.com/doc/v3/partner/4013038589",
    ),
    page(
        "5",
        "sealing of personal fields",
        "https://pay.weixin.qq.com/docs/partner/development/interface-rules/sensitive-data-encryption.html",
    ),
    page(
        "6.1",
        "notifications",
        "https://pay.weixin.qq.com/doc/v3/partner/4015283692",
    ),
    page(
        "6.3",
        "the exchange of points, as it is notified",
        "https://pay.weixin.qq.com/doc/v3/partner/4015878622",
    ),
    page("7.1", "the shape of errors", STATUSES),
    page("7.2", "statuses and codes", STATUSES),
    page(
        "7.3",
        "errors of the older membership card",
        "https://pay.weixin.qq.com/docs/merchant/apis/membership-card/member-card-base/deposit-custom-code.html",
    ),
    page(
        "7.4",
        "codes of cards, which are unique in a template",
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
