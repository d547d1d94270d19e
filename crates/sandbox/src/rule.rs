//! The rules of the sandbox as data: what is refused, with which status, code and message, and why we think so.
//!
//! A refusal is made from a [`Rule`] and from nothing else, so no check can exist without its source.
//! Sources are our notes on the protocol, by section; "P" rules were seen on other paths of the gateway.

use std::{collections::BTreeSet, fmt};

use serde_json::{Value, json};

use crate::{
    check::Check,
    policy::{Policy, policies},
};

mod evidence;
mod pages;
mod reach;

pub use self::{
    evidence::Evidence,
    pages::{Page, pages},
};

/// How sure a rule is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Sureness {
    /// Stated on an official documentation page.
    Documented,
    /// Done so by an official SDK.
    OfficialSdk,
    /// Stated by a community source that follows the official pages.
    Community,
    /// Observed on the live gateway by a third party, on other paths than ours.
    Probed,
    /// Inferred by us; the sandbox's own default.
    Inferred,
}

impl Sureness {
    /// Every kind, from the surest on.
    pub const ALL: &'static [Self] = &[
        Self::Documented,
        Self::OfficialSdk,
        Self::Community,
        Self::Probed,
        Self::Inferred,
    ];

    /// One letter, as the tables use it.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Documented => 'D',
            Self::OfficialSdk => 'S',
            Self::Community => 'C',
            Self::Probed => 'P',
            Self::Inferred => 'I',
        }
    }

    /// What stands behind a rule of this kind, as a fragment of a sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Documented => "stated on an official documentation page",
            Self::OfficialSdk => "done so by an official SDK",
            Self::Community => "stated by a community source that follows the official pages",
            Self::Probed => "observed on the live gateway by a third party, on other paths",
            Self::Inferred => "inferred; the sandbox's own default",
        }
    }

    /// The same in Chinese.
    #[must_use]
    pub const fn meaning_zh(self) -> &'static str {
        match self {
            Self::Documented => "官方文档页面写明",
            Self::OfficialSdk => "官方SDK如此处理",
            Self::Community => "与官方页面一致的社区资料写明",
            Self::Probed => "第三方在真实网关的其他路径上观察到",
            Self::Inferred => "推断；沙箱自己的默认做法",
        }
    }
}

impl fmt::Display for Sureness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.letter())
    }
}

/// One thing that the sandbox refuses.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Rule {
    /// A stable name, for tables and tests.
    pub id: &'static str,
    /// The check that the rule belongs to.
    pub check: Check,
    /// The HTTP status of the refusal.
    pub status: u16,
    /// The error code; empty where the gateway answers without a body.
    pub code: &'static str,
    /// The message in Chinese, the default. An answer without a body does not carry it.
    pub zh: &'static str,
    /// The message in English, for an `Accept-Language` that starts with `en`.
    pub en: &'static str,
    /// How sure it is that the gateway does so.
    pub sureness: Sureness,
    /// What stands behind it.
    pub source: &'static str,
}

/// Every rule, in the order in which a request meets them.
#[must_use]
pub fn rules() -> &'static [&'static Rule] {
    RULES
}

impl Rule {
    /// The public pages of the sections that [`source`](Self::source) names; [`sureness`](Self::sureness) says whether they
    /// say as much as the rule does.
    pub fn pages(&self) -> impl Iterator<Item = &'static Page> {
        pages::of_source(self.source)
    }

    /// Whether a message holds this rule's own sentence, in either language.
    pub(crate) fn is_said_in(&self, message: &str) -> bool {
        message.contains(self.zh) || message.contains(self.en)
    }

    /// What the fixtures of this crate say of it: for each one, whether it confirms or contradicts the rule.
    pub fn evidence(&self) -> impl Iterator<Item = &'static Evidence> {
        evidence::of_rule(self.id)
    }

    pub(crate) fn as_json(&self) -> Value {
        json!({
            "id": self.id,
            "check": self.check.id(),
            "checks": {"zh": self.check.zh(), "en": self.check.en()},
            "status": self.status,
            "code": self.code,
            "message": {"zh": self.zh, "en": self.en},
            "sureness": self.sureness.letter().to_string(),
            "sureness_means": self.sureness.meaning(),
            "sureness_means_zh": self.sureness.meaning_zh(),
            "source": self.source,
            "pages": self.pages().map(|page| page.url).collect::<BTreeSet<_>>(),
            "evidence": self.evidence().map(Evidence::as_json).collect::<Vec<_>>(),
        })
    }
}

/// Every rule as one JSON object, for programs: `{"count", "rules": […], "policies": […]}`, as `GET /rules` of the control address has it.
#[must_use]
pub fn rules_as_json() -> Value {
    let rules: Vec<_> = rules().iter().map(|rule| rule.as_json()).collect();
    let policies: Vec<_> = policies().iter().map(Policy::as_json).collect();
    json!({"count": rules.len(), "rules": rules, "policies": policies})
}

macro_rules! rules {
    ($($name:ident [$check:ident]: $status:literal $code:literal, $zh:literal, $en:literal, $sureness:ident, $source:literal;)*) => {
        $(pub(crate) static $name: Rule = Rule {
            id: stringify!($name),
            check: Check::$check,
            status: $status,
            code: $code,
            zh: $zh,
            en: $en,
            sureness: Sureness::$sureness,
            source: $source,
        };)*

        static RULES: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    // The gateway, before any authentication.
    UNKNOWN_PATH [Route]: 404 "", "没有此接口", "no operation has this path",
        Probed, "4.3, 7.2: an unknown path has an empty body";
    WRONG_METHOD [Route]: 405 "", "该路径不支持此方法", "the path has no operation with this method",
        Probed, "4.3, 7.2: a wrong method has an empty body";
    NEGATIVE_TEST [ClientHeaders]: 400 "INVALID_REQUEST", "Http头Wechatpay-Negative-Test不是沙箱的故障名",
        "the HTTP header Wechatpay-Negative-Test names no fault of the sandbox", Inferred,
        "the sandbox's own header, after the one of the v2 sandbox; the platform does not know it";
    CLIENT_HEADERS [ClientHeaders]: 400 "INVALID_REQUEST", "Http头缺少Accept或User-Agent",
        "the HTTP header Accept or User-Agent is missing", Probed, "3.5: 400 before any authentication on two other families";
    BODY_TOO_LARGE [BodyReceived]: 413 "INVALID_REQUEST", "请求体过大", "the request body is too large",
        Inferred, "no limit is stated; the sandbox takes 1 MiB";
    BODY_INCOMPLETE [BodyReceived]: 400 "INVALID_REQUEST", "请求体不完整", "the request body ended early",
        Inferred, "the sandbox's own wording";

    // Authentication.
    AUTHORIZATION_MISSING [Authorization]: 401 "SIGN_ERROR", "Http头缺少Authorization", "the HTTP header Authorization is missing",
        Inferred, "7.2 for status and code; the wording is ours";
    AUTHORIZATION_SCHEME [Authorization]: 401 "SIGN_ERROR", "Http头Authorization认证类型不正确",
        "the HTTP header Authorization has another scheme than WECHATPAY2-SHA256-RSA2048",
        Inferred, "3.2 for the scheme, 7.2 for status and code; the wording is ours";
    AUTHORIZATION_MALFORMED [Authorization]: 401 "SIGN_ERROR", "Http头Authorization格式错误", "the HTTP header Authorization is malformed",
        Inferred, "3.2 for the format, 7.2 for status and code; the wording is ours";
    MERCHANT_UNKNOWN [Merchant]: 401 "SIGN_ERROR", "商户号不存在", "the merchant id in Authorization is unknown",
        Inferred, "7.2 for status and code; the wording is ours";
    MERCHANT_SERIAL [MerchantSerial]: 401 "SIGN_ERROR", "商户证书序列号有误",
        "serial_no in Authorization is not the serial number of this merchant's certificate",
        Inferred, "3.2 for its meaning, 7.2 for status and code; the wording is ours";
    MERCHANT_EXPIRED [MerchantSerial]: 401 "SIGN_ERROR", "商户证书已过期或尚未生效",
        "the merchant's certificate has expired, or is not valid yet",
        Inferred, "3.2: certificates are good for five years; the refusal and its wording are ours";
    CLOCK_WINDOW [Clock]: 401 "SIGN_ERROR", "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟",
        "timestamp in Authorization is more than 5 minutes off",
        Probed, "3.4: checked before the signature";
    SIGNATURE [Signature]: 401 "SIGN_ERROR", "错误的签名，验签失败", "the signature does not verify",
        Inferred, "3.1 for the message, 7.2 for status and code; the wording is ours";
    NONCE_REPLAYED [Nonce]: 401 "SIGN_ERROR", "Http头Authorization中的nonce_str重复",
        "nonce_str in Authorization was used before",
        Inferred, "3.3: whether the gateway refuses a repeated nonce is unknown; the sandbox does";
    RATE_LIMITED [Quota]: 429 "RATELIMIT_EXCEEDED", "请求频率超限，请降低请求接口频率", "too many requests; slow down",
        Documented, "1.1, 2.1, 7.2: counted per merchant and operation; only with a quota set";

    // The request itself.
    PLATFORM_SERIAL_MISSING [PlatformSerial]: 400 "PARAM_ERROR", "HTTP header缺少微信支付平台证书序列号(Wechatpay-Serial)",
        "the HTTP header Wechatpay-Serial is missing", Community, "5: message in a report to an official SDK";
    PLATFORM_SERIAL_UNKNOWN [PlatformSerial]: 400 "PARAM_ERROR", "平台证书序列号Wechatpay-Serial错误",
        "the HTTP header Wechatpay-Serial names no key of the platform", Community,
        "5; a retired or expired certificate counts as unknown, and `GET /v3/certificates` takes any (inferred)";
    CONTENT_TYPE [ContentType]: 400 "INVALID_REQUEST", "Http头Content-Type必须为application/json",
        "the HTTP header Content-Type must be application/json", Inferred, "1.2 requires it; status and wording are ours";
    PATH_PARAMETER [Parameters]: 400 "PARAM_ERROR", "参数错误", "a parameter of the path is wrong", Documented,
        "7.1 for the shape, location `url`; the OpenAPI document for what is right";
    QUERY_PARAMETER [Parameters]: 400 "PARAM_ERROR", "参数错误", "a parameter of the query is wrong", Documented,
        "7.1 for the shape, location `query`; the OpenAPI document for what is right. Unknown and double names are refused, and `+` is a blank (inferred)";
    BODY_UNEXPECTED [Body]: 400 "INVALID_REQUEST", "该接口不接受请求体", "this operation takes no body",
        Inferred, "3.1: operations without a body are signed over an empty one; the refusal is ours";
    BODY_NOT_UTF8 [Body]: 400 "PARAM_ERROR", "请求体必须为UTF-8编码", "the body is not UTF-8", Documented,
        "1.3, general body rules; the wording is ours";
    FOUR_BYTE_CHARACTER [Body]: 400 "PARAM_ERROR", "请求体仅支持1到3字节的UTF-8字符", "the body holds a character of four bytes of UTF-8",
        Documented, "1.3, general body rules; the wording is ours";
    BODY_NOT_JSON [Body]: 400 "PARAM_ERROR", "请求体不是合法的JSON", "the body is not JSON", Documented,
        "1.3, general body rules; the wording is ours";
    DUPLICATE_MEMBER [Body]: 400 "PARAM_ERROR", "请求体字段重复", "a member of the body is given twice", Inferred,
        "1.3 says that the order of names is free, and nothing of two that are the same; the refusal is ours";
    NULL_VALUE [Body]: 400 "PARAM_ERROR", "参数值不能为null", "null is not allowed; leave the member out", Documented,
        "1.3, general body rules; the wording is ours";
    BODY_SCHEMA [Schema]: 400 "PARAM_ERROR", "参数错误", "a parameter is wrong", Documented,
        "1.3 to 1.5 through the OpenAPI document; 7.1 for the shape. Unknown members and unknown enum values are refused (inferred)";

    // What was sealed.
    OPENING [SealedFields]: 400 "PARAM_ERROR", "平台私钥解密失败", "a field does not open with the platform's private key",
        Documented, "5: wrong key, padding or serial";
    PLAINTEXT [SealedFields]: 400 "PARAM_ERROR", "加密字段内容错误", "the content of an encrypted field is wrong",
        Inferred, "1.3: the rules for the body are applied to what is sealed in it; 5 for the 214 bytes";
    PHONE_NUMBER [Business]: 400 "PARAM_ERROR", "手机号格式错误", "the phone number is not a mainland mobile number",
        Inferred, "1.3: an older page says mainland numbers only; the format, with or without +86, is not stated";

    // The business.
    BRAND [Business]: 403 "NO_AUTH", "商户暂无权限使用此功能", "the merchant has no permission for this brand",
        Inferred, "7.3: code and message of the older family; 1.1 says that brands are granted";
    CARD [Business]: 400 "INVALID_REQUEST", "会员卡ID无效", "card_id names no card template",
        Inferred, "7.3: code and message of the older family";
    VALIDITY [Business]: 400 "PARAM_ERROR", "会员卡有效期错误", "the validity contradicts its type",
        Inferred, "1.5: what each type needs; surplus members are let through";
    CARD_INVALIDATED [Business]: 400 "INVALID_REQUEST", "会员卡模板已作废", "the card template was invalidated",
        Inferred, "2.1: its cards can no longer be given out; status, code and wording are ours";
    VALIDITY_TYPE [Business]: 400 "PARAM_ERROR", "会员卡有效期类型与模板不一致", "the validity has another type than the template's",
        Community, "1.5: stated for an import; only with `ValidityType::SameAsTemplate`";
    REQUEST_NUMBER_TAKEN [Business]: 400 "ALREADY_EXISTS", "商户请求单号已被使用，且请求内容不一致",
        "the request number was used for another content",
        Inferred, "7.2: code of product coupons; the same content gets the first answer again (inferred)";
    CODE_TAKEN [Business]: 400 "ALREADY_EXISTS", "用户会员卡code已存在", "user_card_code belongs to another member",
        Inferred, "7.4: a code is unique within a template; the code follows a sibling's list";
    CODE_TAKEN_AS_INVALID [Business]: 400 "INVALID_REQUEST", "用户会员卡code已存在", "user_card_code belongs to another member",
        Inferred, "7.4: the other reading; only with `TakenCode::InvalidRequest`";
    SECOND_CARD [Business]: 400 "INVALID_REQUEST", "会员已经领取过该卡", "the member already has this card",
        Inferred, "7.3: code and message of the older family";
    REPEATED_MEMBER [Business]: 400 "ALREADY_EXISTS", "会员已经领取过该卡", "the member was already imported",
        Inferred, "7.4: the other reading; only with `RepeatedMember::AlreadyExists`";
    NO_PAYMENT [Business]: 400 "INVALID_REQUEST", "该会员1年内未在本商家有微信支付交易，无法导入",
        "the member has not paid this merchant by WeChat Pay within a year",
        Inferred, "7.3: code and message of the older family; only with `UnpaidMember::Refuse`";

    // Card templates.
    CARD_NOT_FOUND [Business]: 404 "RESOURCE_NOT_EXISTS", "会员卡模板不存在", "the card template does not exist",
        Inferred, "7.2 for status and code; the wording is ours";
    CARD_TYPE [Business]: 400 "PARAM_ERROR", "暂不支持该会员卡类型", "templates of this type cannot be created today",
        Documented, "1.4: refused, says the twin's page; status, code and wording are ours";

    // User cards.
    USER_CARD_NOT_FOUND [Business]: 404 "RESOURCE_NOT_EXISTS", "用户会员卡不存在", "the user card does not exist",
        Inferred, "7.2 for status and code; the wording is ours. Brand, template and openid must be the card's own";
    USER_CARD_INVALIDATED [Business]: 400 "INVALID_REQUEST", "用户会员卡已作废", "the user card was invalidated",
        Inferred, "2.1: irreversible; status, code and wording are ours";
    USER_CARD_OPENED [Business]: 400 "INVALID_REQUEST", "用户会员卡已开通，不能再置为开卡失败",
        "the user card is open, so it cannot fail to open",
        Inferred, "6.1 for what confirming is for; the refusal is ours";

    // Points.
    REJECT_REASON [Business]: 400 "PARAM_ERROR", "拒绝兑券时必须填写原因", "an exchange is refused without a reason",
        Inferred, "2.3: the reason belongs to a refusal; that it is required is ours";
    EXCHANGE_NOT_FOUND [Business]: 404 "RESOURCE_NOT_EXISTS", "积分兑券记录不存在", "no such exchange was asked for",
        Inferred, "6.3: record_id comes with a notification; status, code and wording are ours";
    EXCHANGE_SETTLED [Business]: 400 "INVALID_REQUEST", "积分兑券结果已同步，不能更改", "the exchange was settled otherwise before",
        Inferred, "the same decision gets the same answer; another one is refused";

    // Activities.
    ACTIVITY_NOT_FOUND [Business]: 404 "RESOURCE_NOT_EXISTS", "活动不存在", "the activity does not exist",
        Inferred, "7.2 for status and code; the wording is ours";
    ACTIVITY_TIME [Business]: 400 "PARAM_ERROR", "活动时间错误", "the activity ends before it begins",
        Inferred, "2.1; the refusal is ours";
    ACTIVITY_ENDED [Business]: 400 "INVALID_REQUEST", "活动已结束", "the activity has ended",
        Inferred, "2.1; the refusal is ours. Ending an activity twice is no mistake";

    // The older card.
    REMINDED_NOT_FOUND [Business]: 404 "RESOURCE_NOT_EXISTS", "未查询到该手机号的导入记录", "no member with this phone number was imported",
        Inferred, "7.3: the search is for members who were imported before; the refusal is ours";

    // Certificates.
    NO_CERTIFICATES [Business]: 404 "RESOURCE_NOT_EXISTS", "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥",
        "the merchant has no platform certificate and uses the public key",
        Community, "4.5: one of two codes that are reported; the wording is ours";
    NO_CERTIFICATES_AS_NOT_FOUND [Business]: 404 "NOT_FOUND", "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥",
        "the merchant has no platform certificate and uses the public key",
        OfficialSdk, "4.5: the other code, which an SDK expects; only with `NoCertificates::NotFound`";

    // The platform's own failures; they are made on request only, or when the sandbox itself is broken.
    SYSTEM_ERROR [Platform]: 500 "SYSTEM_ERROR", "系统异常，请稍后重试", "system error; try again later",
        Documented, "7.2";
    SERVICE_UNAVAILABLE [Platform]: 503 "SERVICE_UNAVAILABLE", "服务不可用，请稍后重试", "the service is not available; try again later",
        Documented, "7.2";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_stand_in_the_order_of_the_checks() {
        let checks: Vec<_> = rules().iter().map(|rule| rule.check).collect();
        assert!(checks.is_sorted(), "{checks:?}");
        let of_some_rule: BTreeSet<_> = checks.into_iter().collect();
        assert!(of_some_rule.iter().eq(Check::ALL.iter()));
    }

    #[test]
    fn every_rule_says_where_it_comes_from_and_has_its_own_name() {
        let names: BTreeSet<_> = rules().iter().map(|rule| rule.id).collect();
        assert_eq!(names.len(), rules().len());
        for rule in rules() {
            assert!(!rule.source.is_empty(), "{}", rule.id);
            assert!((400..=599).contains(&rule.status), "{}", rule.id);
            assert!(!rule.zh.is_empty() && !rule.en.is_empty(), "{}", rule.id);
        }
    }
}
