//! What the program is given, all of it a marker, and where it may stand afterwards.

use serde_json::{Value, json};
use wxmember_tests::markers::Markers;

/// Files beside those of the program: what a user gave it.
pub(super) const GIVEN: [&str; 12] = [
    "d/apiclient_cert.pem",
    "d/apiclient_key.pem",
    "d/apiv3_key.txt",
    "d/card.json",
    "d/ledger_password.txt",
    "d/members.csv",
    "d/openids.csv",
    "d/passphrase.txt",
    "d/phone.txt",
    "d/pub_key.pem",
    "d/recording.json",
    "d/wxmember.toml",
];

/// What may stand where, since it is there for that; everything else holds nothing. A card code is not sealed on the wire
/// and not hidden from its merchant: it stands in ledgers, exports, and what is shown of a request when that is asked for.
pub(super) const HOLDS: &[(&str, &str)] = &[
    ("control/members", "code"),
    ("control/requests-1", "code"),
    ("d/export.csv", LIST),
    ("d/ledger.db", "code"),
    ("d/members.csv.refused.2.csv", LIST),
    ("d/members.csv.refused.3.csv", LIST),
    ("d/members.csv.refused.4.csv", LIST),
    ("d/members.csv.refused.csv", LIST),
    ("d/openid.db", "code, openid"),
    ("d/stdin.db", "code"),
    ("d/stdin.refused.csv", LIST),
    ("d/third.db", "code"),
    ("postgres/data", "code"),
    ("postgres/dump.sql", "code"),
    // What `--open /phone_number` was asked for.
    ("said/call-open.stdout", "code, phone number"),
    ("said/call-wrong.stderr", "code"),
    ("said/call.stderr", "code"),
    ("said/call.stdout", "code"),
    ("said/export-imported.stdout", "code"),
    ("said/export-refused.stdout", "code"),
    ("sandbox/apiclient_key.pem", "a key of the sandbox"),
    ("sandbox/apiv3_key.txt", "a key of the sandbox"),
    ("sandbox/sandbox.json", "a key of the sandbox"),
    ("sandbox/sandbox_platform_key.pem", "a key of the sandbox"),
    ("state/wxmember/sandbox.db", "code"),
    (
        "state/wxmember/sandbox.sandbox/apiclient_key.pem",
        "a key of the sandbox",
    ),
    (
        "state/wxmember/sandbox.sandbox/apiv3_key.txt",
        "a key of the sandbox",
    ),
    (
        "state/wxmember/sandbox.sandbox/sandbox.json",
        "a key of the sandbox",
    ),
    (
        "state/wxmember/sandbox.sandbox/sandbox_platform_key.pem",
        "a key of the sandbox",
    ),
];

/// A file of refused rows has the columns of the list, to be corrected.
pub(super) const LIST: &str = "address, birthday, city, code, e-mail, name, phone number, wrong value";

/// The rows: good ones, and for each check one that fails it.
pub(super) const MEMBERS: &str = "\
手机号,会员卡号,姓名,生日,地址,邮箱,城市,性别,领取时间
13987654117,MARKCODE01,标记姓名甲,1987-11-23,标记路七十七号甲,marker.a@zeichen-post.example,标记城市甲,男,2024-01-31
13987654227,MARKCODE02,标记姓名乙,1987-11-24,标记路七十七号乙,marker.b@zeichen-post.example,标记城市乙,女,2024-01-31
13987654337,MARKCODE03,标记姓名丙,1987-11-25,标记路七十七号丙,marker.c@zeichen-post.example,标记城市丙,男,2024-01-31
13987654447,MARKCODE04,标记姓名丁,1987-11-26,标记路七十七号丁,marker.d@zeichen-post.example,标记城市丁,女,2024-01-31
13987650000,MARKCODE05,标记姓名戊,1987-11-27,标记路七十七号戊,marker.e@zeichen-post.example,标记城市戊,男,2024-01-31
12987654667,MARKCODE06,标记姓名己,1987-11-28,标记路七十七号己,marker.f@zeichen-post.example,标记城市己,男,2024-01-31
13987654777,MARKCODE07,标记姓名庚😀,1987-11-29,标记路七十七号庚,marker.g@zeichen-post.example,标记城市庚,男,标记时间坏
13987654887,标记号码坏,标记姓名辛,1987-13-30,标记路七十七号辛,zeichen-post.example,标记城市辛,标记性别坏,2024-01-31
13987654117,MARKCODE09,标记姓名壬,1987-11-30,标记路七十七号壬,marker.i@zeichen-post.example,标记城市壬,男,2024-01-31
";

pub(super) const OPENIDS: &str = "\
openid,会员卡号,姓名,领取时间
oMARKER-1x-gqzS4myYGmLZ7,MARKCODE21,标记姓名癸,2024-01-31
oMARKER-2y-gqzS4myYGmLZ7,MARKCODE22,标记姓名子,2024-01-31
";

/// Where the sandbox writes its keys when it is a program of its own.
pub(super) const OWN_KEYS: &str = "sandbox";
pub(super) const CITY: &str = "/user_information/common_field_list/*/value";
pub(super) const LEDGER_PASSWORD: &str = "marker-ledger-password";
pub(super) const PASSPHRASE: &str = "test-passphrase";

/// Every marker, under the name of what it is.
pub(super) fn markers() -> Markers {
    let mut markers = Markers::default();
    for line in MEMBERS.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let kinds = [
            "phone number",
            "code",
            "name",
            "birthday",
            "address",
            "e-mail",
            "city",
        ];
        for (kind, value) in kinds.into_iter().zip(&cells) {
            markers.add(kind.to_owned(), *value);
        }
    }
    for value in ["标记时间坏", "标记性别坏"] {
        markers.add("wrong value".to_owned(), value);
    }
    for line in OPENIDS.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        markers.add("openid".to_owned(), cells[0]);
        markers.add("code".to_owned(), cells[1]);
        markers.add("name".to_owned(), cells[2]);
    }
    markers.add("passphrase".to_owned(), PASSPHRASE);
    markers.add("ledger password".to_owned(), LEDGER_PASSWORD);
    markers.with_keys()
}

/// A refused import as somebody recorded it, with a person in every place.
pub(super) fn recording() -> Value {
    let body = json!({
        "brand_id": "98765", "card_id": "pXyZ_Card-Id", "user_card_code": "MARKCODE01", "level": "标记姓名甲",
        "phone_number": "A".repeat(342) + "==", "date_information": {"type": "PERMANENT"},
        "pickup_time": "2024-02-29T08:00:00+08:00",
    });
    json!({
        "request": {
            "method": "POST",
            "url": "https://api.mch.weixin.qq.com/v3/brand/partner/card-member/user-cards/import-by-phone",
            "headers": {"Authorization": "WECHATPAY2-SHA256-RSA2048 mchid=\"13987654117\"", "Accept": "application/json",
                "User-Agent": "标记姓名甲", "Content-Type": "application/json", "Wechatpay-Serial": "PUB_KEY_ID_13987654117"},
            "body": body.to_string(),
        },
        "response": {"status": 400, "body": {"code": "PARAM_ERROR", "message": "平台私钥解密失败 标记姓名甲 13987654117"}},
    })
}
