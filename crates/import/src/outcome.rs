//! What a refusal means, as data.
//!
//! The platform gives one `code` to many refusals and tells them apart by a message, which is not stable. So the
//! meanings stand in tables, one for each route and one for all, and a refusal that no line knows is what it looks like:
//! the row is refused.

use crate::{
    gateway::{Hint, Stop},
    job::Route,
};

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
pub(crate) fn meaning(route: Route, status: u16, code: &str, message: &str, after_unknown: bool) -> Meaning {
    let own = match route {
        Route::ImportByPhone => BY_PHONE,
        Route::ImportByOpenid => BY_OPENID,
        Route::PhoneMembercard => PHONE_MEMBERCARD,
    };
    let line = own.iter().chain(ALL).find(|line| {
        line.status.is_none_or(|wanted| wanted == status)
            && line.code.is_none_or(|wanted| wanted == code)
            && message.contains(line.message)
            && (after_unknown || line.verdict != Verdict::PresentAfterUnknown)
    });
    let stop = |hint: &str| {
        Meaning::Stop(Stop {
            code: code.to_owned(),
            message: message.to_owned(),
            hint: Some(Hint::First(hint.to_owned())),
        })
    };
    match line.map(|line| line.verdict) {
        None | Some(Verdict::Refused) => Meaning::Refused,
        Some(Verdict::Present | Verdict::PresentAfterUnknown) => Meaning::Present,
        Some(Verdict::NotOpen) => stop(not_open(route)),
        Some(Verdict::Stop(hint)) => stop(hint),
    }
}

/// What to do about a route that this merchant may not use. Protocol section 0.1.
pub(crate) fn not_open(route: Route) -> &'static str {
    match route {
        Route::ImportByPhone => {
            "import by phone is not open to every merchant yet: ask WeChat Pay for it, or take a route that works today, \
             `--via import-by-openid` or `--via phone-membercard`"
        }
        Route::ImportByOpenid => {
            "WeChat Pay opens member cards on request: ask for this merchant id and this brand"
        }
        Route::PhoneMembercard => {
            "this merchant may not import members of the older card (会员卡): ask WeChat Pay for the permission"
        }
    }
}

/// Whether a stop would stop every job of the merchant id too.
pub(crate) fn is_of_all_jobs(stop: &Stop) -> bool {
    ["SIGN_ERROR", "SIGN_FAILED"].contains(&stop.code.as_str())
}

/// Whether a stop may be over after a while, without anybody's help.
pub(crate) fn is_passing(stop: &Stop) -> bool {
    ["PROBE_UNKNOWN", "RATE_LIMITED", "UNKNOWN_OUTCOMES", "UNREACHABLE"].contains(&stop.code.as_str())
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
    /// The merchant has no permission.
    NotOpen,
    /// The member has the card, whoever gave it.
    Present,
    /// The code is taken: by our own earlier attempt, if there was one whose outcome is unknown.
    PresentAfterUnknown,
    /// The row's fault, though a line below would say otherwise.
    Refused,
    Stop(&'static str),
}

const fn line(code: &'static str, message: &'static str, verdict: Verdict) -> Line {
    Line {
        status: None,
        code: Some(code),
        message,
        verdict,
    }
}

// The first line that fits counts, a route's own before those of all. Protocol sections 7.2 to 7.4. No list of the two
// member card routes is known; what is known of the older card is taken for all, since a message that never comes
// does no harm.

const BY_PHONE: &[Line] = &[];

const BY_OPENID: &[Line] = &[];

const PHONE_MEMBERCARD: &[Line] = &[
    // The same number for the same member gets the first answer again, so this is somebody else's number.
    line("ALREADY_EXISTS", "商户请求单号", Verdict::Refused),
    line(
        "INVALID_REQUEST",
        "该会员1年内未在本商家有微信支付交易",
        Verdict::Refused,
    ),
];

const ALL: &[Line] = &[
    Line {
        status: Some(401),
        code: None,
        message: "",
        verdict: Verdict::Stop(
            "check the merchant id, the merchant key and its serial, and this host's clock",
        ),
    },
    line("NO_AUTH", "", Verdict::NotOpen),
    line("INVALID_REQUEST", "会员已经领取过该卡", Verdict::Present),
    line("ALREADY_EXISTS", "会员已经领取过该卡", Verdict::Present),
    line(
        "INVALID_REQUEST",
        "会员卡ID无效",
        Verdict::Stop("check `card_id`"),
    ),
    line(
        "INVALID_REQUEST",
        "会员卡的创建商户号不等于调用方商户号",
        Verdict::Stop("the card belongs to another merchant id: check `card_id` and `mchid`"),
    ),
    line(
        "INVALID_REQUEST",
        "请先升级会员卡才能使用此功能",
        Verdict::Stop("upgrade the card template first"),
    ),
    line(
        "INVALID_REQUEST",
        "会员卡模板已作废",
        Verdict::Stop("the card template was invalidated: check `card_id`"),
    ),
    // Every row is sealed with one key, so what the platform says of the key it would say of every row.
    line(
        "PARAM_ERROR",
        "Wechatpay-Serial",
        Verdict::Stop(
            "the platform does not know the key that rows are sealed with: check `platform_key_id`",
        ),
    ),
    line(
        "PARAM_ERROR",
        "平台私钥解密失败",
        Verdict::Stop("`platform_key` and `platform_key_id` do not belong together: take both from one page"),
    ),
    line("ALREADY_EXISTS", "", Verdict::PresentAfterUnknown),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// What a refusal comes to by each route, in the order of [`Route::ALL`], first and after an unknown outcome.
    #[track_caller]
    fn check(status: u16, code: &str, message: &str, expect: [&str; 3], after_unknown: [&str; 3]) {
        let found = |after| {
            Route::ALL.map(|route| match meaning(route, status, code, message, after) {
                Meaning::Present => "present",
                Meaning::Refused => "refused",
                Meaning::Stop(stop) if stop.code == code && stop.hint.is_some() => "stop",
                Meaning::Stop(_) => "a stop that says too little",
            })
        };
        assert_eq!(found(false), expect, "{status} {code} {message}");
        assert_eq!(
            found(true),
            after_unknown,
            "{status} {code} {message} after an unknown outcome"
        );
    }

    #[test]
    fn every_refusal_has_its_meaning_by_each_route() {
        let (present, refused, stop) = (["present"; 3], ["refused"; 3], ["stop"; 3]);
        check(401, "SIGN_ERROR", "签名错误", stop, stop);
        check(403, "NO_AUTH", "商户暂无权限使用此功能", stop, stop);
        check(400, "INVALID_REQUEST", "会员卡ID无效", stop, stop);
        check(400, "INVALID_REQUEST", "请先升级会员卡才能使用此功能", stop, stop);
        check(
            400,
            "INVALID_REQUEST",
            "会员卡的创建商户号不等于调用方商户号",
            stop,
            stop,
        );
        check(
            400,
            "PARAM_ERROR",
            "平台证书序列号Wechatpay-Serial错误",
            stop,
            stop,
        );
        check(400, "PARAM_ERROR", "平台私钥解密失败", stop, stop);
        check(400, "PARAM_ERROR", "", refused, refused);
        check(400, "INVALID_REQUEST", "something new", refused, refused);
        check(404, "RESOURCE_NOT_EXISTS", "", refused, refused);
        let never_paid = "该会员1年内未在本商家有微信支付交易，无法导入";
        check(400, "INVALID_REQUEST", never_paid, refused, refused);
        let has_it = "该会员无法导入：会员已经领取过该卡。";
        check(400, "INVALID_REQUEST", has_it, present, present);
        check(400, "ALREADY_EXISTS", has_it, present, present);
        // A taken code is ours only after an unknown outcome; a taken request number never is.
        check(400, "ALREADY_EXISTS", "用户会员卡code已存在", refused, present);
        let taken = "商户请求单号已被使用，且请求内容不一致";
        check(
            400,
            "ALREADY_EXISTS",
            taken,
            refused,
            ["present", "present", "refused"],
        );
    }

    #[test]
    fn a_route_that_is_not_open_names_those_that_are() {
        let hint = not_open(Route::ImportByPhone);
        for route in [Route::ImportByOpenid, Route::PhoneMembercard] {
            assert!(hint.contains(&format!("`--via {route}`")), "{hint}");
        }
    }
}
