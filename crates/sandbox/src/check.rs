//! The checks that a request goes through, in order: the rungs of the ladder that explains a refusal.
//!
//! Every [`Rule`](crate::Rule) belongs to one of them. The gateway must keep this order, or explanations would lie.

/// One check of the gateway. They compare by the order in which a request meets them.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Check {
    /// Path and method lead to an operation.
    Route,
    /// `User-Agent` and `Accept` are there.
    ClientHeaders,
    /// The body came whole and is not too large.
    BodyReceived,
    /// `Authorization` is there and can be read.
    Authorization,
    /// The merchant is known.
    Merchant,
    /// The certificate that `serial_no` names is the merchant's.
    MerchantSerial,
    /// The timestamp is inside the window.
    Clock,
    /// The signature verifies.
    Signature,
    /// The nonce is new.
    Nonce,
    /// The quota has room.
    Quota,
    /// `Wechatpay-Serial` names a key of the platform.
    PlatformSerial,
    /// `Content-Type` is JSON.
    ContentType,
    /// The parameters of path and query fit the API document.
    Parameters,
    /// The body is JSON as the platform takes it.
    Body,
    /// The body fits the API document.
    Schema,
    /// Every sealed field opens and holds something allowed.
    SealedFields,
    /// The business allows it.
    Business,
    /// The platform itself works.
    Platform,
}

impl Check {
    /// Every check, in order.
    pub const ALL: &'static [Self] = &[
        Self::Route,
        Self::ClientHeaders,
        Self::BodyReceived,
        Self::Authorization,
        Self::Merchant,
        Self::MerchantSerial,
        Self::Clock,
        Self::Signature,
        Self::Nonce,
        Self::Quota,
        Self::PlatformSerial,
        Self::ContentType,
        Self::Parameters,
        Self::Body,
        Self::Schema,
        Self::SealedFields,
        Self::Business,
        Self::Platform,
    ];

    /// A stable name, as JSON has it.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.texts().0
    }

    /// What is checked, in Chinese.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        self.texts().1
    }

    /// What is checked, in English.
    #[must_use]
    pub const fn en(self) -> &'static str {
        self.texts().2
    }

    const fn texts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Route => ("route", "路径与方法", "path and method lead to an operation"),
            Self::ClientHeaders => (
                "client_headers",
                "请求头User-Agent与Accept",
                "the headers User-Agent and Accept are there",
            ),
            Self::BodyReceived => (
                "body_received",
                "请求体完整",
                "the body came whole and is not too large",
            ),
            Self::Authorization => (
                "authorization",
                "请求头Authorization的格式",
                "the header Authorization is there and can be read",
            ),
            Self::Merchant => ("merchant", "商户号", "the merchant id is known"),
            Self::MerchantSerial => (
                "merchant_serial",
                "商户API证书序列号",
                "serial_no names a certificate of this merchant",
            ),
            Self::Clock => (
                "clock",
                "时间戳在5分钟以内",
                "the timestamp is at most 5 minutes off",
            ),
            Self::Signature => (
                "signature",
                "签名",
                "the signature verifies over the message that the gateway builds",
            ),
            Self::Nonce => ("nonce", "随机串未重复", "the nonce was not used before"),
            Self::Quota => (
                "quota",
                "频率限制",
                "the quota of merchant and operation has room",
            ),
            Self::PlatformSerial => (
                "platform_serial",
                "请求头Wechatpay-Serial",
                "the header Wechatpay-Serial names a key of the platform",
            ),
            Self::ContentType => (
                "content_type",
                "请求头Content-Type",
                "the header Content-Type is application/json",
            ),
            Self::Parameters => (
                "parameters",
                "路径与查询参数",
                "the parameters of path and query fit the API document",
            ),
            Self::Body => (
                "body",
                "请求体编码与JSON格式",
                "the body is JSON in UTF-8 of one to three bytes, without nulls",
            ),
            Self::Schema => ("schema", "请求体符合接口定义", "the body fits the API document"),
            Self::SealedFields => (
                "sealed_fields",
                "加密字段可解密",
                "every sealed field opens and holds what it may hold",
            ),
            Self::Business => ("business", "业务规则", "the business allows it"),
            Self::Platform => ("platform", "平台自身", "the platform itself works"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_check_has_a_name_of_its_own_and_stands_once_in_the_list() {
        let ids: BTreeSet<_> = Check::ALL.iter().map(|check| check.id()).collect();
        assert_eq!(ids.len(), Check::ALL.len());
        assert!(Check::ALL.is_sorted());
    }
}
