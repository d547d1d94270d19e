//! Recorded truth: the fixtures of this crate are replayed, and what a platform answers, recorded and scrubbed, replays
//! without a difference. The platform recorded here is the sandbox itself; no fixture may be called real for that.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};
use wxmember_sandbox::{
    Sandbox,
    fixture::{Fixture, Origin},
    replay::{Replayed, Verdict, Weight, replay_with},
    scrub::{Unknown, scrub},
};

use crate::client::{Received, Request, body, identity, sandbox};

mod lacking;

const FAMILY: &str = "/v3/brand/partner/card-member";
const PHONE: &str = "13800138000";

/// The committed fixtures by name.
fn fixtures() -> Vec<(String, Fixture)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .retain(|path| path.extension().is_some_and(|end| end == "json") && !path.ends_with("evidence.json"));
    let read = |path: &Path| Fixture::from_json(&fs::read_to_string(path).unwrap());
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    paths
        .iter()
        .map(|path| {
            (
                name(path),
                read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
            )
        })
        .collect()
}

#[tokio::test]
async fn every_fixture_is_clean_and_holds_and_the_rules_know_of_it() {
    let mut evidence = BTreeMap::<String, Vec<Value>>::new();
    let fixtures = fixtures();
    assert!(fixtures.len() >= 3);
    for (name, fixture) in fixtures {
        assert_eq!(fixture.findings(), Vec::<String>::new(), "{name}");
        // Nobody may call an example recorded.
        assert_eq!(
            name.starts_with("documented-"),
            fixture.origin() == Origin::Documentation,
            "{name}"
        );
        let replayed = replay_with(&fixture, identity()).await.unwrap();
        // A page and the sandbox agree, or one of them is misread. What was recorded may well contradict a rule: that is
        // what it is for, and the comparison with the written evidence keeps it seen.
        let is_recorded = fixture.origin() == Origin::Recorded;
        assert!(is_recorded || replayed.holds(), "{name}: {replayed:#?}");
        let mut exchanges = replayed.exchanges.iter();
        let is_judged = exchanges.any(|exchange| exchange.verdict != Verdict::NotJudged);
        assert!(is_judged, "{name}: it shows nothing");
        for exchange in &replayed.exchanges {
            let rule = exchange
                .rule
                .filter(|_| matches!(exchange.verdict, Verdict::Confirms | Verdict::Contradicts));
            if let Some(rule) = rule {
                let word = json!({"fixture": name, "origin": fixture.origin().word(), "verdict": exchange.verdict.word()});
                evidence.entry(rule.id.to_owned()).or_default().push(word);
            }
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/evidence.json");
    let written: BTreeMap<String, Vec<Value>> =
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let expected = serde_json::to_string_pretty(&evidence).unwrap();
    assert_eq!(written, evidence, "`fixtures/evidence.json` must be\n{expected}");
}

/// One exchange as a merchant's recorder would write it.
fn recorded(request: &Request, answer: &Received) -> Value {
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| json!([name, value]))
        .collect();
    json!({
        "request": {"method": request.method, "url": format!("https://api.mch.weixin.qq.com{}", request.target),
            "headers": headers, "body": String::from_utf8_lossy(&request.body)},
        "response": {"status": answer.status, "headers": answer.headers().map(|(name, value)| json!([name, value])).collect::<Vec<_>>(),
            "body": String::from_utf8_lossy(&answer.body)},
    })
}

/// Sends requests, and records them.
#[derive(Default)]
struct Recorder(Vec<Value>);

impl Recorder {
    async fn send(&mut self, sandbox: &Sandbox, request: &Request) -> Received {
        let answer = request.answer(sandbox).await;
        self.0.push(recorded(request, &answer));
        answer
    }

    fn scrubbed(&self) -> Fixture {
        let scrubbed = scrub(&json!(self.0).to_string(), Unknown::Refuse).unwrap();
        assert_eq!(scrubbed.fixture.findings(), Vec::<String>::new());
        scrubbed.fixture
    }

    /// Scrubbed, written, read and replayed.
    async fn replayed(&self) -> Replayed {
        let text = self.scrubbed().to_json();
        for marker in [PHONE, "1900000109", "pbLatjvWOibDc5", "NONCE", "478515"] {
            assert!(!text.contains(marker), "{marker}: {text}");
        }
        let fixture = Fixture::from_json(&text).unwrap();
        replay_with(&fixture, identity()).await.unwrap()
    }
}

fn verdicts(replayed: &Replayed) -> Vec<(Verdict, Option<&str>)> {
    let exchanges = replayed.exchanges.iter();
    exchanges
        .map(|exchange| (exchange.verdict, exchange.rule.map(|rule| rule.id)))
        .collect()
}

#[tokio::test]
async fn what_was_recorded_replays_without_a_difference() {
    let sandbox = sandbox().await;
    let mut recorder = Recorder::default();
    let imported = body(&sandbox, "478515832665", PHONE);
    let first = recorder
        .send(&sandbox, &Request::new(&sandbox, &imported))
        .await
        .json();
    let openid = first["openid"].as_str().unwrap();
    let card = format!("brand_id=1004&card_id=pbLatjvWOibDc5-TBnbUk1pD12o0&openid={openid}");
    let found = format!("{FAMILY}/user-cards/478515832665?{card}");
    recorder.send(&sandbox, &Request::get(&sandbox, &found)).await;
    let listed = format!("{FAMILY}/user-cards?brand_id=1004&openid={openid}&offset=0&limit=20");
    recorder.send(&sandbox, &Request::get(&sandbox, &listed)).await;
    // The same ciphertext again, under another code.
    let mut second = imported.clone();
    second["user_card_code"] = "478515832666".into();
    recorder.send(&sandbox, &Request::new(&sandbox, &second)).await;
    let mut wrong = imported;
    wrong["level"] = 1.into();
    recorder.send(&sandbox, &Request::new(&sandbox, &wrong)).await;
    let absent = format!("{FAMILY}/user-cards/478515839999?{card}");
    recorder.send(&sandbox, &Request::get(&sandbox, &absent)).await;
    let mut bare = Request::get(&sandbox, &found);
    bare.set("User-Agent", None);
    recorder.send(&sandbox, &bare).await;
    let mut unsigned = Request::get(&sandbox, &found);
    unsigned.set("Authorization", None);
    recorder.send(&sandbox, &unsigned).await;

    let replayed = recorder.replayed().await;
    assert!(replayed.holds(), "{replayed:#?}");
    assert_eq!(
        verdicts(&replayed),
        [
            (Verdict::Accepted, None),
            (Verdict::Accepted, None),
            (Verdict::Accepted, None),
            (Verdict::Confirms, Some("SECOND_CARD")),
            (Verdict::Confirms, Some("BODY_SCHEMA")),
            (Verdict::Confirms, Some("USER_CARD_NOT_FOUND")),
            (Verdict::Confirms, Some("CLIENT_HEADERS")),
            (Verdict::Confirms, Some("AUTHORIZATION_MISSING")),
        ]
    );
}

#[tokio::test]
async fn a_card_that_was_there_before_is_given() {
    let sandbox = sandbox().await;
    let made = crate::client::import(&sandbox, "478515832665", PHONE)
        .await
        .unwrap()
        .json();
    let openid = made["openid"].as_str().unwrap();
    let target = format!(
        "{FAMILY}/user-cards/478515832665?brand_id=1004&card_id=pbLatjvWOibDc5-TBnbUk1pD12o0&openid={openid}"
    );
    let mut recorder = Recorder::default();
    recorder.send(&sandbox, &Request::get(&sandbox, &target)).await;
    let replayed = recorder.replayed().await;
    assert_eq!(verdicts(&replayed), [(Verdict::Accepted, None)]);
    // What was known of the member is not in the recording, so that its personal fields are missing.
    let at: Vec<_> = replayed.exchanges[0]
        .differences
        .iter()
        .map(|difference| difference.at.as_str())
        .collect();
    assert!(
        !at.contains(&"status") && !at.contains(&"/user_card_code") && at.contains(&"/user_information"),
        "{at:?}"
    );
}

#[tokio::test]
async fn evidence_against_a_rule_names_it() {
    let sandbox = sandbox().await;
    let mut recorder = Recorder::default();
    let first = body(&sandbox, "478515832665", PHONE);
    recorder.send(&sandbox, &Request::new(&sandbox, &first)).await;
    let mut second = first.clone();
    second["user_card_code"] = "478515832666".into();
    recorder.send(&sandbox, &Request::new(&sandbox, &second)).await;
    let good = serde_json::to_value(recorder.scrubbed()).unwrap();
    let replayed = async |change: fn(&mut Value)| {
        let mut changed = good.clone();
        change(&mut changed);
        let fixture = Fixture::from_json(&changed.to_string()).unwrap();
        replay_with(&fixture, identity()).await.unwrap()
    };
    let at = |replayed: &Replayed, index: usize| -> Vec<String> {
        let differences = replayed.exchanges[index].differences.iter();
        differences
            .filter(|difference| difference.weight == Weight::Difference)
            .map(|difference| difference.at.clone())
            .collect()
    };
    // The platform took a second card.
    let other = replayed(|fixture| fixture["exchanges"][1]["response"]["status"] = 200.into()).await;
    assert_eq!(verdicts(&other)[1], (Verdict::Contradicts, Some("SECOND_CARD")));
    assert_eq!(at(&other, 1), ["status"]);
    // It refused it under another code.
    let other =
        replayed(|fixture| fixture["exchanges"][1]["response"]["body"]["code"] = "ALREADY_EXISTS".into())
            .await;
    assert_eq!(verdicts(&other)[1], (Verdict::Contradicts, Some("SECOND_CARD")));
    assert_eq!(at(&other, 1), ["code"]);
    // It refused what the sandbox takes, under the policy that is given.
    let other = replayed(|fixture| fixture["given"]["policies"] = json!({"second-card": "allow"})).await;
    assert_eq!(verdicts(&other)[1], (Verdict::NotRefused, None));
    // It said so in other words, on which nobody may rely.
    let other =
        replayed(|fixture| fixture["exchanges"][1]["response"]["body"]["message"] = "会员已有该卡".into())
            .await;
    assert!(
        other.holds() && other.exchanges[1].differences[0].weight == Weight::Note,
        "{other:#?}"
    );
    // The shape of an answer, and its headers.
    let other = replayed(|fixture| {
        let answer = &mut fixture["exchanges"][0]["response"];
        answer["body"]["phone_number"] = "<personal#90>".into();
        answer["body"]["user_card_state"] = "UNACTIVATED".into();
        answer["body"]["card_id"] = answer["body"]["user_card_code"].clone();
        answer["body"]["attach"] = "<text:8#91>".into();
        answer["body"]["level"] = 0.into();
        answer["headers"]["wechatpay-serial"] = "<certificate>".into();
        answer["headers"]["retry-after"] = "3".into();
    });
    let other = other.await;
    assert_eq!(
        at(&other, 0),
        [
            "header retry-after",
            "header wechatpay-serial",
            "/attach",
            "/card_id",
            "/level",
            "/phone_number",
            "/user_card_state"
        ]
    );
    // A quota proves nothing.
    let other = replayed(|fixture| fixture["exchanges"][1]["response"]["status"] = 429.into()).await;
    assert_eq!(verdicts(&other)[1].0, Verdict::NotJudged);
}

#[tokio::test]
async fn what_was_wrong_with_a_request_can_be_said() {
    let sandbox = sandbox().await;
    let mut recorder = Recorder::default();
    recorder
        .send(
            &sandbox,
            &Request::new(&sandbox, body(&sandbox, "478515832665", PHONE)),
        )
        .await;
    let good = serde_json::to_value(recorder.scrubbed()).unwrap();
    for (spoilt, status, code, rule) in [
        ("ciphertext", 400, "PARAM_ERROR", "OPENING"),
        ("merchant_id", 401, "SIGN_ERROR", "MERCHANT_UNKNOWN"),
        ("merchant_serial", 401, "SIGN_ERROR", "MERCHANT_SERIAL"),
        ("nonce", 401, "SIGN_ERROR", "NONCE_REPLAYED"),
        ("platform_serial", 400, "PARAM_ERROR", "PLATFORM_SERIAL_UNKNOWN"),
        ("signature", 401, "SIGN_ERROR", "SIGNATURE"),
        ("timestamp", 401, "SIGN_ERROR", "CLOCK_WINDOW"),
    ] {
        let mut changed = good.clone();
        changed["exchanges"][0]["request"]["spoilt"] = spoilt.into();
        changed["exchanges"][0]["response"] = json!({"status": status, "body": {"code": code}});
        let fixture = Fixture::from_json(&changed.to_string()).unwrap();
        let replayed = replay_with(&fixture, identity()).await.unwrap();
        assert_eq!(verdicts(&replayed), [(Verdict::Confirms, Some(rule))], "{spoilt}");
    }
    // Without that word nobody knows.
    let mut changed = good;
    changed["exchanges"][0]["response"] = json!({"status": 401, "body": {"code": "SIGN_ERROR"}});
    let fixture = Fixture::from_json(&changed.to_string()).unwrap();
    let replayed = replay_with(&fixture, identity()).await.unwrap();
    assert_eq!(verdicts(&replayed)[0].0, Verdict::NotJudged);
}

#[tokio::test]
async fn what_is_no_fixture_is_refused_without_its_values() {
    for text in [
        "",
        "{}",
        r#"{"format": "MARKER"}"#,
        r#"{"format":"wxmember-fixture/1","origin":"recorded","exchanges":[],"MARKER":1}"#,
    ] {
        let error = Fixture::from_json(text).unwrap_err().to_string();
        assert!(error.contains("line") && !error.contains("MARKER"), "{error}");
    }
    let documented = r#"{"format":"wxmember-fixture/1","origin":"documentation","exchanges":[]}"#;
    assert!(
        Fixture::from_json(documented)
            .unwrap_err()
            .to_string()
            .contains("`source`")
    );
    let policy = r#"{"format":"wxmember-fixture/1","origin":"recorded","given":{"policies":{"MARKER":"x"}},"exchanges":[]}"#;
    assert!(!format!("{:?}", Fixture::from_json(policy).unwrap_err()).contains("MARKER"));
    let unknown = r#"{"format":"wxmember-fixture/1","origin":"recorded","exchanges":[{"operation":"x","request":{},"response":{"status":200}}]}"#;
    let fixture = Fixture::from_json(unknown).unwrap();
    assert_eq!(fixture.findings(), ["/exchanges/0/operation"]);
    let error = replay_with(&fixture, identity()).await.unwrap_err();
    assert_eq!(error.to_string(), "exchange 1 cannot be built: no such operation");
}
