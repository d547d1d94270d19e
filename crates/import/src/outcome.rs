//! What a refusal means, as data.
//!
//! The platform gives one `code` to many refusals and tells them apart by a message, which is not stable. So the
//! meanings stand in one table, and a refusal that no line knows is what it looks like: the row is refused.

use crate::gateway::Stop;

/// What a refusal says about the row, or about the run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Meaning {
    /// The platform already has this member.
    Present,
    /// This row cannot be imported as it is.
    Refused,
    /// No row can be imported as things are.
    Stop(Stop),
}

/// Reads a refusal. `after_unknown` says that an earlier attempt for the same row may have taken effect.
pub(crate) fn meaning(status: u16, code: &str, message: &str, after_unknown: bool) -> Meaning {
    let line = TABLE.iter().find(|line| {
        line.status.is_none_or(|wanted| wanted == status)
            && line.code.is_none_or(|wanted| wanted == code)
            && message.contains(line.message)
            && (after_unknown || line.verdict != Verdict::PresentAfterUnknown)
    });
    match line.map(|line| line.verdict) {
        None => Meaning::Refused,
        Some(Verdict::Present | Verdict::PresentAfterUnknown) => Meaning::Present,
        Some(Verdict::Stop(hint)) => Meaning::Stop(Stop {
            code: code.to_owned(),
            message: message.to_owned(),
            hint: Some(hint.to_owned()),
        }),
    }
}

struct Line {
    status: Option<u16>,
    code: Option<&'static str>,
    /// A piece of the message; empty fits all.
    message: &'static str,
    verdict: Verdict,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Verdict {
    /// The member has the card, whoever gave it.
    Present,
    /// The code is taken: by our own earlier attempt, if there was one whose outcome is unknown.
    PresentAfterUnknown,
    Stop(&'static str),
}

/// The first line that fits counts. Protocol sections 7.2 to 7.4.
const TABLE: &[Line] = &[
    Line {
        status: Some(401),
        code: None,
        message: "",
        verdict: Verdict::Stop(
            "check the merchant id, the merchant key and its serial, and this host's clock",
        ),
    },
    Line {
        status: None,
        code: Some("NO_AUTH"),
        message: "",
        verdict: Verdict::Stop(
            "this merchant may not import members (yet): WeChat Pay opens the operation on request",
        ),
    },
    Line {
        status: None,
        code: Some("INVALID_REQUEST"),
        message: "会员已经领取过该卡",
        verdict: Verdict::Present,
    },
    Line {
        status: None,
        code: Some("INVALID_REQUEST"),
        message: "会员卡ID无效",
        verdict: Verdict::Stop("check `card_id`"),
    },
    Line {
        status: None,
        code: Some("INVALID_REQUEST"),
        message: "会员卡的创建商户号不等于调用方商户号",
        verdict: Verdict::Stop("the card belongs to another merchant id: check `card_id` and `mchid`"),
    },
    Line {
        status: None,
        code: Some("INVALID_REQUEST"),
        message: "请先升级会员卡才能使用此功能",
        verdict: Verdict::Stop("upgrade the card template first"),
    },
    // Every row is sealed with one key, so what the platform says of the key it would say of every row.
    Line {
        status: None,
        code: Some("PARAM_ERROR"),
        message: "Wechatpay-Serial",
        verdict: Verdict::Stop(
            "the platform does not know the key that rows are sealed with: check `platform_key_id`",
        ),
    },
    Line {
        status: None,
        code: Some("PARAM_ERROR"),
        message: "平台私钥解密失败",
        verdict: Verdict::Stop(
            "`platform_key` and `platform_key_id` do not belong together: take both from one page",
        ),
    },
    Line {
        status: None,
        code: Some("ALREADY_EXISTS"),
        message: "",
        verdict: Verdict::PresentAfterUnknown,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_messages_refuse_the_row() {
        assert_eq!(
            meaning(400, "INVALID_REQUEST", "something new", true),
            Meaning::Refused
        );
        assert_eq!(meaning(400, "PARAM_ERROR", "", false), Meaning::Refused);
    }

    #[test]
    fn a_member_who_has_the_card_is_present() {
        let message = "该会员无法导入：会员已经领取过该卡。";
        assert_eq!(meaning(400, "INVALID_REQUEST", message, false), Meaning::Present);
    }

    #[test]
    fn a_taken_code_is_ours_only_after_an_unknown_outcome() {
        assert_eq!(meaning(400, "ALREADY_EXISTS", "", true), Meaning::Present);
        assert_eq!(meaning(400, "ALREADY_EXISTS", "", false), Meaning::Refused);
    }

    #[test]
    fn what_hits_every_row_stops_the_run() {
        for (status, code, message) in [
            (401, "SIGN_ERROR", "签名错误"),
            (403, "NO_AUTH", "商户暂无权限使用此功能"),
            (400, "INVALID_REQUEST", "会员卡ID无效"),
            (400, "PARAM_ERROR", "平台证书序列号Wechatpay-Serial错误"),
            (400, "PARAM_ERROR", "平台私钥解密失败"),
        ] {
            assert!(
                matches!(meaning(status, code, message, false), Meaning::Stop(stop) if stop.hint.is_some())
            );
        }
    }
}
