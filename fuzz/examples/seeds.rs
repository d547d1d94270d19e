//! Writes the inputs that the targets begin with, made from the vectors and examples of the repository:
//! `cargo run --manifest-path fuzz/Cargo.toml --example seeds`.

use std::{fs, path::Path};

use serde_json::Value;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = root.join("corpus");
    let repository = root.join("..");
    let read = |path: &str| fs::read(repository.join(path)).expect("a file of the repository");
    let seeds = [
        ("keys", keys(&repository)),
        ("answer", answers(&read("tests/vectors/vectors.json"))),
        ("notification", notifications(&read("tests/vectors/vectors.json"))),
        (
            "authorization",
            authorizations(&read("tests/vectors/vectors.json")),
        ),
        ("ledger", ledgers()),
        ("list", lists(&read)),
        ("spreadsheet", spreadsheets(&read)),
        ("recording", recordings(&repository)),
    ];
    for (target, inputs) in seeds {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder).expect("a folder");
        let mut bytes = 0;
        for (name, input) in &inputs {
            bytes += input.len();
            fs::write(folder.join(format!("seed-{name}")), input).expect("a seed is written");
        }
        eprintln!("{target}: {} inputs, {bytes} bytes", inputs.len());
    }
}

type Seeds = Vec<(String, Vec<u8>)>;

fn keys(repository: &Path) -> Seeds {
    let mut seeds = Seeds::new();
    let folder = repository.join("tests/vectors/protected");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    for path in files {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let passphrase = match name.ends_with(".p12") {
            _ if name.contains("han") => "口令",
            true => "1900000109",
            false => "test-passphrase",
        };
        let content = fs::read(&path).expect("a file");
        match name.rsplit('.').next() {
            Some("pem") if !name.contains("costly") => {
                let text = String::from_utf8_lossy(&content).into_owned();
                seeds.push((
                    format!("text-{name}"),
                    [&[255], passphrase.as_bytes(), b"\n", &content].concat(),
                ));
                let label = ["ENCRYPTED PRIVATE KEY", "PRIVATE KEY", "RSA PRIVATE KEY"]
                    .iter()
                    .position(|label| text.starts_with(&format!("-----BEGIN {label}-----")));
                if let (Some(label), Some(der)) = (label, der_of(&text)) {
                    seeds.push((
                        format!("der-{name}"),
                        [&[label as u8], passphrase.as_bytes(), b"\n", &der].concat(),
                    ));
                }
            }
            Some("p12") if !name.contains("costly") => {
                seeds.push((
                    name.clone(),
                    [&[255], passphrase.as_bytes(), b"\n", &content].concat(),
                ));
            }
            _ => {}
        }
    }
    for (label, file) in [
        (1, "test_merchant_key.pem"),
        (3, "test_wechatpay_pubmode_pub_key.pem"),
        (5, "test_merchant_cert.pem"),
        (5, "test_wechatpay_certmode_cert.pem"),
    ] {
        let text = fs::read_to_string(repository.join("tests/vectors").join(file)).expect("a vector");
        seeds.push((format!("text-{file}"), [b"\xff\n", text.as_bytes()].concat()));
        seeds.push((
            format!("der-{file}"),
            [&[label, b'\n'], &der_of(&text).expect("a block")[..]].concat(),
        ));
    }
    seeds
}

/// The bytes of the first block.
fn der_of(pem: &str) -> Option<Vec<u8>> {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (_, rest) = rest.split_once("-----\n")?;
    let (text, _) = rest.split_once("-----END")?;
    BASE64_STANDARD.decode(text.replace('\n', "")).ok()
}

/// An answer's operation by the members that it has.
fn answers(vectors: &[u8]) -> Seeds {
    let vectors: Value = serde_json::from_slice(vectors).expect("JSON");
    let mut seeds = Seeds::new();
    let card = vectors["response_verification"][0]["body"]
        .as_str()
        .expect("a body");
    let card = tokens(card);
    let list = format!(r#"{{"data":[{card}],"total_count":1,"offset":0,"limit":20}}"#);
    let bodies: [(u8, &str, String); 12] = [
        (0, "card", card.clone()),
        (1, "found", card.clone()),
        (2, "list", list),
        (3, "templates", format!(r#"{{"data":[{TEMPLATE}],"total_count":1,"offset":0,"limit":20}}"#)),
        (4, "template", TEMPLATE.to_owned()),
        (5, "activities", r#"{"data":[],"total_count":0,"offset":0,"limit":20}"#.to_owned()),
        (6, "membercard", r#"{"card_id":"pbLatjvWOibDc5-TBnbUk1pD12o0","code":"478515832665"}"#.to_owned()),
        (7, "receipt", r#"{"receive_status":"RECEIVED"}"#.to_owned()),
        (8, "certificates", vectors["certificates_download"]["body"].as_str().expect("a body").to_owned()),
        (9, "points", r#"{"out_request_no":"100002322019090134234sfdf","brand_id":"1004","card_id":"pbLatjvWOibDc5-TBnbUk1pD12o0","openid":"obLatjnx9gnqzS4myYGmLZ7LgLBA","user_card_code":"478515832665","point_balance":1000}"#.to_owned()),
        (10, "feed", r#"{"brand_id":"1004","card_id":"pbLatjvWOibDc5-TBnbUk1pD12o0","user_card_code":"478515832665","openid":"obLatjnx9gnqzS4myYGmLZ7LgLBA","out_request_no":"1","cell":"15_1200_1"}"#.to_owned()),
        (11, "generic", r#"{"phone_number":"{FOR_MERCHANT}"}"#.to_owned()),
    ];
    for (operation, name, body) in &bodies {
        seeds.push((
            format!("signed-{name}"),
            [&[0, *operation], body.as_bytes()].concat(),
        ));
    }
    for (status, body) in [
        (
            10_u8,
            r#"{"code":"PARAM_ERROR","message":"MaRkEr-7f3a","detail":{"location":"body","field":"/phone_number","issue":"MaRkEr-7f3a"}}"#,
        ),
        (14, r#"{"code":"FREQUENCY_LIMIT_EXCEED"}"#),
        (15, "<html>"),
        (5, ""),
        (6, ""),
    ] {
        seeds.push((
            format!("status-{status}"),
            [&[4 * status, 0], body.as_bytes()].concat(),
        ));
    }
    seeds.push((
        "marked".to_owned(),
        b"\0\0{\"user_card_code\":\"MaRkEr-7f3a\",\"card_type\":7}".to_vec(),
    ));
    for (number, vector) in vectors["response_verification"]
        .as_array()
        .expect("a list")
        .iter()
        .enumerate()
    {
        let headers = vector["headers"].as_object().expect("headers");
        let own = ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Serial"];
        let mut text: String = own
            .iter()
            .filter_map(|name| Some(format!("{name}: {}\n", headers.get(*name)?.as_str()?)))
            .collect();
        if headers.contains_key("Wechatpay-Signature") {
            let probe = headers["Wechatpay-Signature"].as_str().expect("a text");
            let value = if probe.starts_with("WECHATPAY") {
                probe
            } else {
                "{SIGNATURE}"
            };
            text.push_str(&format!("Wechatpay-Signature: {value}\n"));
        }
        text.push_str("Request-ID: 08\n\n{\"data\":[],\"limit\":20,\"offset\":0,\"total_count\":0}");
        seeds.push((
            format!("headers-{number}"),
            [b"\x01\x02", text.as_bytes()].concat(),
        ));
    }
    let signature = wxmember_fuzz::stored_signature();
    let head = format!(
        "Wechatpay-Timestamp: 1796000000\r\nWechatpay-Nonce: nonce\r\nWechatpay-Serial: PUB_KEY_ID_0119000001092026113000000000000001\r\nWechatpay-Signature: {signature}\r\n"
    );
    for (name, bytes) in [
        ("length", format!("HTTP/1.1 200 OK\r\n{head}Content-Length: 11\r\n\r\n{{\"data\":[]}}")),
        ("chunked", format!("HTTP/1.1 200 OK\r\n{head}Transfer-Encoding: chunked\r\n\r\n4\r\n{{\"da\r\n7;a=b\r\nta\":[]}}\r\n0\r\nX: y\r\n\r\n")),
        ("until-close", format!("HTTP/1.0 200 OK\r\n{head}\r\n{{\"data\":[]}}")),
        ("informational", format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n{head}Content-Length: 11\r\n\r\n{{\"data\":[]}}")),
        ("redirect", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n".to_owned()),
        ("limited", "HTTP/1.1 429 X\r\nRetry-After: 7\r\nDate: Mon, 30 Nov 2026 00:53:20 GMT\r\nContent-Length: 2\r\n\r\n{}".to_owned()),
    ] {
        seeds.push((format!("raw-{name}"), [b"\x02\x00", bytes.as_bytes()].concat()));
    }
    seeds.push((
        "certificate".to_owned(),
        b"\x03\x005157F09EFDC096DE15EBE81A47057A72000C0DE5\n61f9c719728a\n{CERTIFICATE}".to_vec(),
    ));
    seeds
}

/// Ciphertexts are words in an input.
fn tokens(body: &str) -> String {
    let mut made = String::new();
    for (index, part) in body.split('"').enumerate() {
        if index > 0 {
            made.push('"');
        }
        made.push_str(if part.len() == 344 { "{FOR_MERCHANT}" } else { part });
    }
    made
}

const TEMPLATE: &str = r##"{"card_id":"pbLatjvWOibDc5-TBnbUk1pD12o0","brand_id":"1004","card_type":"NORMAL","card_title":"会员卡","state":"EFFECTIVE","card_color":"#FF0000","code_mode":"SYSTEM_ALLOCATE","create_time":"2026-11-30T00:00:00+08:00"}"##;

fn notifications(vectors: &[u8]) -> Seeds {
    let vectors: Value = serde_json::from_slice(vectors).expect("JSON");
    let mut seeds = Seeds::new();
    for (number, vector) in vectors["notifications"]
        .as_array()
        .expect("a list")
        .iter()
        .enumerate()
    {
        let resource = tokens(vector["resource_plaintext"].as_str().expect("a text"));
        let body: Value = serde_json::from_str(vector["body"].as_str().expect("a text")).expect("JSON");
        let event = body["event_type"].as_str().expect("a text");
        let known = [
            "USER_CARD.CREATE",
            "USER_CARD.DELETE",
            "POINT_EXCHANGE_COUPON",
            "SYNC_USER_POINT",
        ];
        let known = known.iter().position(|end| event.ends_with(end)).unwrap_or(5);
        seeds.push((
            format!("event-{number}"),
            [&[2, known as u8], event.as_bytes(), b"\n", resource.as_bytes()].concat(),
        ));
        if number == 3 || number == 4 {
            seeds.push((
                format!("envelope-{number}"),
                [b"\x01\x00", body.to_string().as_bytes()].concat(),
            ));
            let head = "Wechatpay-Timestamp: 1796000000\nWechatpay-Nonce: n\nWechatpay-Serial: PUB_KEY_ID_0119000001092026113000000000000001\nWechatpay-Signature: {SIGNATURE}\n\n";
            seeds.push((
                format!("headers-{number}"),
                [b"\x00\x00", head.as_bytes(), body.to_string().as_bytes()].concat(),
            ));
        }
    }
    let head = "Wechatpay-Timestamp: 1796000299\nWechatpay-Nonce: n\nWechatpay-Serial: 5157F09EFDC096DE15EBE81A47057A72000C0DE5\nWechatpay-Signature: {SIGNATURE}\n\n{}";
    seeds.push(("certified".to_owned(), [b"\x00\x00", head.as_bytes()].concat()));
    let head = "Wechatpay-Timestamp: 1796000000\nWechatpay-Nonce: n\nWechatpay-Serial: PUB_KEY_ID_0119000001092026113000000000000001\nWechatpay-Signature: WECHATPAY/SIGNTEST/abc\n\n{}";
    seeds.push(("probe".to_owned(), [b"\x00\x00", head.as_bytes()].concat()));
    seeds.push(("marked".to_owned(), b"\x02\x00\n{\"phone_number\":\"MaRkEr-7f3a\",\"user_information\":{\"common_field_list\":[{\"name\":\"USER_FORM_FLAG_NAME\",\"value\":\"MaRkEr-7f3a\"}]}}".to_vec()));
    seeds
}

fn authorizations(vectors: &[u8]) -> Seeds {
    let vectors: Value = serde_json::from_slice(vectors).expect("JSON");
    let mut seeds = Seeds::new();
    for (number, vector) in vectors["request_signing"]
        .as_array()
        .expect("a list")
        .iter()
        .enumerate()
    {
        let text = |name: &str| vector[name].as_str().unwrap_or_default().to_owned();
        let (header, signature) = (text("authorization"), text("signature"));
        let header = header.replace(&signature, "{SIGNATURE}");
        let body = sealed(&text("body"));
        let request = format!(
            "{} {}\nAccept: application/json\nUser-Agent: u\nContent-Type: application/json\nWechatpay-Serial: PUB_KEY_ID_0119000001092026113000000000000001\nAuthorization: {header}\n\n{body}",
            text("method"),
            text("canonical_url")
        );
        seeds.push((
            format!("vector-{number}"),
            [b"\x00\x00", request.as_bytes()].concat(),
        ));
    }
    let card = r#"{"brand_id":"1004","card_id":"pbLatjvWOibDc5-TBnbUk1pD12o0","phone_number":"{FOR_PLATFORM}","user_card_code":"478515832665","date_information":{"type":"PERMANENT"},"pickup_time":"2020-05-20T13:29:35+08:00","user_information":{"common_field_list":[{"name":"USER_FORM_FLAG_NAME","value":"{FOR_PLATFORM}"}],"custom_field_list":[{"name":"q","user_chosen_values":["{FOR_PLATFORM}"]}]}}"#;
    let openid = r#"{"brand_id":"1004","card_id":"pbLatjvWOibDc5-TBnbUk1pD12o0","openid":"obLatjnx9gnqzS4myYGmLZ7LgLBA","user_card_code":"478515832665","valid_date_information":{"type":"FIX_TERM","available_day_after_receive":30},"pickup_time":"2020-05-20T13:29:35+08:00"}"#;
    let points = r#"{"out_request_no":"1","brand_id":"1004","card_id":"pbLatjvWOibDc5-TBnbUk1pD12o0","openid":"obLatjnx9gnqzS4myYGmLZ7LgLBA","user_card_code":"478515832665","point_balance":1000}"#;
    for (operation, name, target, body) in [
        (0_u8, "phone", "", card),
        (1, "openid", "", openid),
        (
            2,
            "list",
            "?brand_id=1004&openid=obLatjnx9gnqzS4myYGmLZ7LgLBA&offset=0&limit=20",
            "",
        ),
        (
            3,
            "patch",
            "?card_id=pbLatjvWOibDc5-TBnbUk1pD12o0",
            r#"{"brand_id":"1004","openid":"obLatjnx9gnqzS4myYGmLZ7LgLBA","level":"gold"}"#,
        ),
        (6, "template", "", TEMPLATE),
        (8, "templates", "?brand_id=1004&offset=0&limit=20", ""),
        (9, "certificates", "?algorithm_type=RSA", ""),
        (
            10,
            "membercard",
            "",
            r#"{"encrypted_phone_number":"{FOR_PLATFORM}","out_request_no":"1"}"#,
        ),
        (
            11,
            "search",
            "?card_id=pbLatjvWOibDc5-TBnbUk1pD12o0&encrypted_phone_number={FOR_PLATFORM}",
            "",
        ),
        (12, "points", "", points),
        (
            13,
            "marked",
            "",
            r#"{"MaRkEr-7f3a":"MaRkEr-7f3a","brand_id":"MaRkEr-7f3a"}"#,
        ),
        (14, "reminded", "", REMINDED),
    ] {
        let request = format!("X {target}\n\n{body}");
        seeds.push((
            format!("signed-{name}"),
            [&[1, operation], request.as_bytes()].concat(),
        ));
    }
    let request = "X \nWechatpay-Negative-Test: shifted-clock,seconds=600\nAccept-Language: en\n\n";
    seeds.push(("negative-test".to_owned(), [&[1, 9], request.as_bytes()].concat()));
    seeds
}

const REMINDED: &str = r#"{"member_information":{"card_id":"pbLatjvWOibDc5-TBnbUk1pD12o0","code":"2","registration_time":"2015-05-20T13:29:35+08:00"},"encrypted_phone_number":"{FOR_PLATFORM}","outer_str":"till"}"#;

fn sealed(body: &str) -> String {
    tokens(body).replace("{FOR_MERCHANT}", "{FOR_PLATFORM}")
}

fn ledgers() -> Seeds {
    let mut seeds = Seeds::new();
    let request = r#"{"platform_key_id":"PUB_KEY_ID_0119000001092026113000000000000001","request":{"brand_id":"1004","card_id":"pbLatjvWOibDc5-TBnbUk1pD12o0","date_information":{"type":"PERMANENT"},"phone_number":"{FOR_PLATFORM}","pickup_time":"2022-09-18T00:00:00+08:00","user_card_code":"K8ACA-000000006"}}"#;
    seeds.push(("json".to_owned(), [b"\0\0", request.as_bytes()].concat()));
    let key_id = wxmember_crypto::KeyId::new("PUB_KEY_ID_0119000001092026113000000000000001");
    let whole = request.replace("{FOR_PLATFORM}", &"QUJD".repeat(86));
    let packed = wxmember_import::fuzzing::pack(whole.into_bytes(), &key_id);
    seeds.push(("packed".to_owned(), [b"\0\0", &packed[..]].concat()));
    let older = r#"{"card_id":"pbLatjvWOibDc5-TBnbUk1pD12o0","request":{"platform_key_id":"P","request":{"encrypted_phone_number":"{FOR_PLATFORM}","out_request_no":"1"}}}"#;
    seeds.push(("membercard".to_owned(), [b"\0\x02", older.as_bytes()].concat()));
    let elsewhere = older.replace("pbLatjvWOibDc5-TBnbUk1pD12o0", "..");
    seeds.push(("elsewhere".to_owned(), [b"\0\x02", elsewhere.as_bytes()].concat()));
    for (name, lines) in [
        (
            "states",
            "rows state 1 i 1\nrows lease_until 1 i 9223372036854775807\nrows owner 1 i -1\nrows attempts 2 i -5\nrows is_maybe_sent 3 i 1",
        ),
        (
            "times",
            "rows updated_at 1 i -9223372036854775808\nrows updated_at 8 i 9223372036854775807\njobs created_at 1 i -1\njobs updated_at 1 i 1",
        ),
        (
            "texts",
            "rows code 9 t MaRkEr\nrows message 9 t <script>\nrows user_card_code 9 t =1+1\njobs source_name 1 t ../x\njobs route 1 t import-by-openid\ncards base_url 1 t http://127.0.0.1:9/",
        ),
        (
            "bodies",
            "requests body 1 b {\nrequests platform_key_id 2 t PUB_KEY_ID_X\nrequests body 3 b \x01\x05\n",
        ),
        (
            "flags",
            "jobs is_loaded 1 i 0\njobs is_paused 1 i 1\njobs is_purged 1 i 7\njobs rows 1 i -1\njobs identity 1 b \nmeta value - b x",
        ),
        ("ids", "rows id 1 i 0\nrows card 1 i 77"),
        (
            "pace",
            "pace seen_at - i 9223372036854775807\npace next_at - i -9223372036854775808\npace rate_at - i -9223372036854775808",
        ),
        (
            "rate",
            "pace rate - r -1e308\npace rate_before - r inf\npace hold_until - i 9223372036854775807",
        ),
    ] {
        seeds.push((format!("values-{name}"), [b"\x01\0", lines.as_bytes()].concat()));
    }
    for (name, changes) in [
        ("header", &[0_u8, 0, 16, 1, 2, 0, 0, 0, 60, 3, 1, 0][..]),
        ("application", &[0, 0, 68, 3, 0, 0]),
        ("version", &[0, 0, 60, 3, 255, 0]),
        ("page", &[0, 16, 0, 15, 0, 1, 0, 32, 8, 15, 255, 0]),
        ("end", &[0, 0, 200, 0, 1, 1, 3]),
    ] {
        seeds.push((format!("pages-{name}"), [b"\x02\0", changes].concat()));
    }
    seeds
}

fn lists(read: &dyn Fn(&str) -> Vec<u8>) -> Seeds {
    let mut seeds = Seeds::new();
    let first = |bytes: &[u8], lines: usize| -> Vec<u8> {
        bytes
            .split_inclusive(|byte| *byte == b'\n')
            .take(lines)
            .flatten()
            .copied()
            .collect()
    };
    let with = |head: [u8; 3], assignments: &str, file: &[u8]| {
        [&head[..], assignments.as_bytes(), b"\n", file].concat()
    };
    let mistakes = read("examples/members-with-mistakes.csv");
    seeds.push(("mistakes".to_owned(), with([3, 255, 0], "", &mistakes)));
    seeds.push((
        "utf8".to_owned(),
        with([3, 255, 0], "", &first(&read("examples/members.csv"), 4)),
    ));
    seeds.push((
        "gbk".to_owned(),
        with([3, 255, 0], "", &first(&read("examples/members-gbk.csv"), 4)),
    ));
    seeds.push((
        "ndjson".to_owned(),
        with([3, 255, 3], "", &first(&read("examples/members.ndjson"), 3)),
    ));
    let plain = "手机号;卡号;入会时间\n19900010001;A1;2024-01-31\n\"1990001\n0002\";\"A\"\"2\";\n\n19900010001;A1;45000\n";
    seeds.push(("semicolons".to_owned(), with([3, 255, 2], "", plain.as_bytes())));
    seeds.push((
        "assigned".to_owned(),
        with(
            [15, 255, 0],
            "phone_number=a,user_card_code=#2,c=#3",
            b"a,b,c\n19900010001,K1,x|y\n",
        ),
    ));
    seeds.push((
        "marked".to_owned(),
        with(
            [6, 255, 0],
            "",
            "phone_number,code,name,time\n199,MaRkEr-7f3a,MaRkEr-7f3a,MaRkEr-7f3a\n".as_bytes(),
        ),
    ));
    let utf16: Vec<u8> = [0xFEFF_u16]
        .into_iter()
        .chain(plain.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    seeds.push(("utf16le".to_owned(), with([3, 255, 2], "", &utf16)));
    let utf16: Vec<u8> = [0xFEFF_u16]
        .into_iter()
        .chain(plain.encode_utf16())
        .flat_map(u16::to_be_bytes)
        .collect();
    seeds.push(("utf16be".to_owned(), with([3, 255, 2], "", &utf16)));
    seeds.push((
        "openid".to_owned(),
        with(
            [4, 255, 0],
            "",
            "openid,code,pickup_time,validity\nobLatjnx9gnqzS4myYGmLZ7LgLBA,A1,2024/1/31 8:05,永久\n"
                .as_bytes(),
        ),
    ));
    seeds.push((
        "membercard".to_owned(),
        with(
            [5, 255, 1],
            "",
            "phone\tcode\tout_request_no\n+86 199-0001-0001\tA1\tR1\n".as_bytes(),
        ),
    ));
    // gzip with one stored block, so that a fuzzer may change what is inside.
    let block = "手机号,卡号\n19900010001,A1\n".as_bytes();
    let length = u16::try_from(block.len()).expect("it is short");
    let gzip = [
        &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1][..],
        &length.to_le_bytes(),
        &(!length).to_le_bytes(),
        block,
        &[0; 8],
    ]
    .concat();
    seeds.push(("gzip".to_owned(), with([3, 255, 5], "", &gzip)));
    seeds
}

fn spreadsheets(read: &dyn Fn(&str) -> Vec<u8>) -> Seeds {
    let sheet = r#"<worksheet><dimension ref="A1:D3"/><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c><c r="D1" t="s"><v>3</v></c></row><row r="2"><c r="A2"><v>19900010001</v></c><c r="B2" t="inlineStr"><is><t>A1</t></is></c><c r="C2" s="1"><v>45322.5</v></c><c r="D2" t="str"><f>1+1</f><v>gold</v></c></row><row r="3"><c r="A3"><v>1.99E+10</v></c><c r="B3"><v>7</v></c><c r="C3" t="d"><v>2024-01-31T00:00:00</v></c><c r="D3" t="e"><v>#REF!</v></c></row><row r="4"><c r="A4" t="b"><v>1</v></c></row></sheetData></worksheet>"#;
    let workbook = r#"<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><workbookPr date1904="1"/><sheets><sheet name="会员" sheetId="1" r:id="rId1"/><sheet name="b" sheetId="2" state="hidden" r:id="rId1"/></sheets></workbook>"#;
    let ods = r#"<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet><table:table table:name="会员"><table:table-row><table:table-cell office:value-type="string"><text:p>手机号</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>会员卡号</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>领取时间</text:p></table:table-cell></table:table-row><table:table-row table:number-rows-repeated="2"><table:table-cell office:value-type="float" office:value="19900010001"><text:p>1</text:p></table:table-cell><table:table-cell office:value-type="string" table:number-columns-repeated="1"><text:p>A1</text:p></table:table-cell><table:table-cell office:value-type="date" office:date-value="2024-01-31"><text:p>x</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"#;
    vec![
        ("xlsx".to_owned(), [b"\x03\x00", sheet.as_bytes()].concat()),
        (
            "workbook".to_owned(),
            [
                b"\x03\x80--- xl/workbook.xml\n",
                workbook.as_bytes(),
                b"\n--- xl/worksheets/sheet1.xml\n",
                sheet.as_bytes(),
            ]
            .concat(),
        ),
        ("ods".to_owned(), [b"\x04\x00", ods.as_bytes()].concat()),
        (
            "raw-xls".to_owned(),
            [b"\x01\x00", &read("crates/import/fixtures/list.xls")[..]].concat(),
        ),
        (
            "raw-ods".to_owned(),
            [b"\x02\x00", &read("crates/import/fixtures/list.ods")[..]].concat(),
        ),
        (
            "raw-xlsx".to_owned(),
            [b"\x00\x00", &b"PK\x03\x04"[..], &[0; 40]].concat(),
        ),
    ]
}

fn recordings(repository: &Path) -> Seeds {
    let mut seeds = Seeds::new();
    let sandbox = repository.join("crates/sandbox");
    for name in [
        "documented-older-second-card",
        "documented-older-card-unknown",
        "documented-import-by-phone",
    ] {
        let text = fs::read(sandbox.join("fixtures").join(format!("{name}.json"))).expect("a fixture");
        seeds.push((name.to_owned(), [b"\x04\x00", &text[..]].concat()));
    }
    for (way, name) in [(6_u8, "identities.toml"), (7, "faults.toml")] {
        let text = fs::read(sandbox.join("src").join(name)).expect("an example");
        seeds.push((name.to_owned(), [&[way, 0], &text[..]].concat()));
    }
    let exchange = r#"{"request":{"method":"POST","url":"https://api.mch.weixin.qq.com/v3/brand/partner/card-member/user-cards/import-by-phone?x=1","headers":{"Authorization":"WECHATPAY2-SHA256-RSA2048 mchid=\"1900000109\",nonce_str=\"n\",timestamp=\"1796000000\",serial_no=\"4D\",signature=\"aa==\"","Accept":"application/json","Wechatpay-Serial":"PUB_KEY_ID_0119000001092026113000000000000001"},"body":{"brand_id":"1004","card_id":"MaRkEr-7f3a","phone_number":"{FOR_PLATFORM}","user_card_code":"MaRkEr-7f3a","date_information":{"type":"PERMANENT"},"pickup_time":"2020-05-20T13:29:35+08:00"}},"response":{"status":400,"headers":[{"name":"Request-ID","value":"08A3"}],"body":{"code":"PARAM_ERROR","message":"参数错误 MaRkEr-7f3a 13800138000","detail":{"location":"body","field":"/phone_number","issue":"x"}}}}"#;
    seeds.push(("json".to_owned(), [b"\x00\x00", exchange.as_bytes()].concat()));
    seeds.push((
        "ndjson".to_owned(),
        [b"\x00\x00", exchange.as_bytes(), b"\n\n", exchange.as_bytes()].concat(),
    ));
    let har = r#"{"log":{"version":"1.2","entries":[{"startedDateTime":"2026-11-30T08:53:20.123+08:00","request":{"method":"GET","url":"https://api.mch.weixin.qq.com/v3/certificates?algorithm_type=RSA","headers":[{"name":"Accept","value":"application/json"}]},"response":{"status":200,"headers":[{"name":"Wechatpay-Timestamp","value":"1796000000"},{"name":"Date","value":"Mon, 30 Nov 2026 00:53:20 GMT"}],"content":{"mimeType":"application/json","encoding":"base64","text":"eyJkYXRhIjpbXX0="}}},{"request":{"method":"GET","url":"https://example.com/"},"response":{"status":0}}]}}"#;
    seeds.push(("har".to_owned(), [b"\x01\x01", har.as_bytes()].concat()));
    let fixture = r#"{"format":"wxmember-fixture/1","origin":"recorded","given":{"templates":[{"brand_id":"<text:4#1>","card_id":"<text:28#2>"}],"members":[{"brand_id":"<text:4#1>","card_id":"<text:28#2>","user_card_code":"<digits:12#3>","openid":"<text:28#4>","phone_number":"<sealed#5>"}],"policies":{}},"exchanges":[{"operation":"find_user_card","at":"<time#1>","request":{"path":{"user_card_code":"<digits:12#3>"},"query":{"brand_id":"<text:4#1>","card_id":"<text:28#2>","openid":"<text:28#4>"},"headers":{"accept":"application/json","authorization":"WECHATPAY2-SHA256-RSA2048","user-agent":"<present>"},"spoilt":"nonce"},"response":{"status":401,"body":{"code":"SIGN_ERROR","message":"<text:4#9>"}}}]}"#;
    seeds.push(("fixture".to_owned(), [b"\x05\x00", fixture.as_bytes()].concat()));
    seeds
}
