//! What the unit tests share: an identity with public test keys. Compiled for tests only.

use crate::identity::{Identity, IdentityParts};

pub(crate) fn parts() -> IdentityParts {
    IdentityParts {
        mchid: "1900000109".to_owned(),
        merchant_key_pem: include_str!("../../../tests/vectors/test_merchant_key.pem").to_owned(),
        merchant_certificate_pem: include_str!("../../../tests/vectors/test_merchant_cert.pem").to_owned(),
        platform_key_id: "PUB_KEY_ID_0119000001092026113000000000000001".to_owned(),
        platform_private_key_pem: include_str!("../../../tests/vectors/test_wechatpay_pubmode_key.pem")
            .to_owned(),
        apiv3_key: "TestOnlyApiV3Key0123456789abcdef".to_owned(),
        brand_id: "1004".to_owned(),
        card_id: "pbLatjvWOibDc5-TBnbUk1pD12o0".to_owned(),
    }
}

pub(crate) fn identity() -> Identity {
    Identity::from_parts(parts()).unwrap()
}
