//! The control address without sockets: every route and every answer is held against its document.

use std::{collections::BTreeSet, sync::LazyLock, time::Duration};

use axum::{
    body::{Body, to_bytes},
    http::Request as HttpRequest,
};
use jsonschema::Validator;
use tower::ServiceExt;

use super::*;
use crate::{
    fault::{Fault, FaultRule, fault_kinds},
    gateway, testing,
};

static SPEC: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(DOCUMENT).unwrap());

/// Without a stop signal, which is a stop for those who wait for one.
fn control() -> Control {
    let gateway = Arc::new(gateway::tests::gateway());
    let (_, stop) = tokio::sync::watch::channel(false);
    Control {
        live: Arc::new(Live::new(&gateway, stop)),
        gateway,
        folder: None,
        merchants: [testing::identity().credentials().clone()].into(),
    }
}

/// The routes that were called with an answer that is no problem.
struct Caller {
    control: Control,
    called: BTreeSet<(String, String)>,
}

impl Caller {
    fn new() -> Self {
        Self {
            control: control(),
            called: BTreeSet::new(),
        }
    }

    /// Calls a path and holds the answer against the document.
    async fn call(&mut self, method: &str, target: &str, body: Option<Value>) -> (u16, Value) {
        let body = body.map_or_else(String::new, |body| body.to_string());
        let request = HttpRequest::builder().method(method).uri(target);
        let request = request.body(Body::from(body)).unwrap();
        let answer = router(self.control.clone()).oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let kind = answer
            .headers()
            .get("content-type")
            .map(|kind| kind.to_str().unwrap().to_owned());
        let kind = kind.unwrap_or_default();
        let kind = kind.split(';').next().unwrap();
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let path = target.split('?').next().unwrap();
        let template = template_of(path);
        let operation = &SPEC["paths"][&template][method.to_ascii_lowercase()];
        let response = &operation["responses"][status.to_string()];
        assert!(
            response.is_object(),
            "{method} {target}: {status} is not in the document"
        );
        let schema = &response["content"][kind]["schema"];
        let text = Value::from(String::from_utf8(bytes.to_vec()).unwrap());
        let document = serde_json::from_slice(&bytes).unwrap_or(text);
        if schema.is_null() {
            assert!(bytes.is_empty(), "{method} {target}: {kind}");
        } else {
            let validator = validator_of(schema);
            let errors: Vec<_> = validator
                .iter_errors(&document)
                .map(|error| error.to_string())
                .collect();
            assert!(errors.is_empty(), "{method} {target}: {errors:?} in {document:#}");
        }
        if status < 400 {
            self.called.insert((method.to_ascii_lowercase(), template));
        }
        (status, document)
    }

    async fn good(&mut self, method: &str, target: &str, body: Option<Value>) -> Value {
        let (status, document) = self.call(method, target, body).await;
        assert!(status < 400, "{method} {target}: {document}");
        document
    }

    #[track_caller]
    fn problem(answer: &(u16, Value), status: u16, part: &str) {
        assert_eq!(answer.0, status, "{}", answer.1);
        let error = answer.1["error"].as_str().unwrap();
        assert!(error.contains(part), "{error}");
    }
}

/// The document's path that a path belongs to.
fn template_of(path: &str) -> String {
    let mut templates = SPEC["paths"].as_object().unwrap().keys();
    let fits = |template: &&String| {
        let (mut one, mut other) = (template.split('/'), path.split('/'));
        loop {
            match (one.next(), other.next()) {
                (None, None) => return true,
                (Some(template), Some(given)) if template == given || template.starts_with('{') => {}
                _ => return false,
            }
        }
    };
    templates
        .find(fits)
        .unwrap_or_else(|| panic!("{path} is not in the document"))
        .clone()
}

fn validator_of(schema: &Value) -> Validator {
    let mut whole = schema.clone();
    whole["components"] = SPEC["components"].clone();
    jsonschema::validator_for(&whole).unwrap()
}

#[test]
fn the_routes_are_those_of_the_document() {
    let routed: BTreeSet<_> = routes()
        .into_iter()
        .map(|(method, path, _)| (method, path))
        .collect();
    let paths = SPEC["paths"].as_object().unwrap();
    let documented: BTreeSet<_> = paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| (method.as_str(), path.as_str()))
        })
        .collect();
    assert_eq!(routed, documented);
}

#[tokio::test]
async fn every_answer_is_as_the_document_says() {
    let mut caller = Caller::new();
    let card_id = "pbLatjvWOibDc5-TBnbUk1pD12o0";
    let phone = "13900139000";
    assert_eq!(caller.good("GET", "/health", None).await["members"], 0);
    let taken = json!({"card_id": card_id, "phone_number": phone});
    let card = caller
        .good("POST", "/people/take-card", Some(taken.clone()))
        .await;
    assert_eq!(card["phone_number"], "***");
    let again = caller
        .call("POST", "/people/take-card", Some(taken.clone()))
        .await;
    Caller::problem(&again, 409, "already has this card");
    assert_eq!(again.1["rule"], "SECOND_CARD");
    let code = &card["user_card_code"];
    let exchange = json!({"card_id": card_id, "user_card_code": code, "points": 5});
    caller
        .good("POST", "/people/ask-for-exchange", Some(exchange))
        .await;
    let opened = caller
        .good("POST", "/people/open-component", Some(json!({"token": "x"})))
        .await;
    assert_eq!(opened, json!({"opens": false}));
    let older = caller.good("POST", "/people/take-membercard", Some(taken)).await;
    assert_eq!(older, json!({"taken": false}));

    let masked = caller.good("GET", "/members?limit=5", None).await;
    assert_eq!(
        (&masked["total"], &masked["members"][0]["phone_number"]),
        (&json!(1), &json!("***"))
    );
    let revealed = caller.good("GET", "/members?reveal=true", None).await;
    assert_eq!(revealed["members"][0]["phone_number"], phone);
    assert_eq!(
        caller.good("GET", "/members?card_id=other", None).await["total"],
        0
    );
    assert_eq!(caller.good("GET", "/members?offset=1", None).await["count"], 0);
    let state = caller.good("GET", "/state", None).await;
    assert_eq!(state["members"]["by_state"], json!({"UNACTIVATED": 1}));
    assert_eq!(state["templates"][0]["card_id"], card_id);
    let masked = caller.good("GET", "/credentials", None).await;
    assert!(!masked.to_string().contains("PRIVATE KEY"));
    let revealed = caller.good("GET", "/credentials?reveal=true", None).await;
    assert_eq!(revealed["merchants"][0]["apiv3_key"], testing::parts().apiv3_key);
    let rules = caller.good("GET", "/rules", None).await;
    assert_eq!(rules["policies"].as_array().unwrap().len(), 6);
    let listed = caller.good("GET", "/policies", None).await;
    assert_eq!(listed["policies"]["second-card"], "refuse");
    let chosen = json!({"second_card": "allow", "taken-code": "invalid-request"});
    let changed = caller.good("PUT", "/policies", Some(chosen)).await;
    assert_eq!(changed["policies"]["second-card"], "allow");
    assert_eq!(changed["policies"]["repeated-member"], "return-existing");
    let half = json!({"second-card": "refuse", "taken-code": "MARKER"});
    Caller::problem(
        &caller.call("PUT", "/policies", Some(half)).await,
        400,
        "`already-exists`, `invalid-request`",
    );
    assert_eq!(caller.good("GET", "/policies", None).await, changed);
    caller.good("GET", "/openapi.json", None).await;
    caller.good("GET", "/api.json", None).await;
    caller.good("GET", "/?lang=zh", None).await;
    caller.good("GET", "/page/style.css", None).await;
    let other = caller.call("GET", "/page/..%2fcontrol.rs", None).await;
    Caller::problem(&other, 404, "no such file");

    let shift = json!({"shift_seconds": -600});
    let clock = caller.good("PUT", "/clock", Some(shift)).await;
    assert_eq!(clock["shift_seconds"], -600);
    assert_eq!(caller.good("GET", "/clock", None).await, clock);
    for seconds in [3_155_760_001_i64, -3_155_760_001, i64::MIN] {
        let far = json!({ "shift_seconds": seconds });
        Caller::problem(&caller.call("PUT", "/clock", Some(far)).await, 400, "100 years");
    }
    assert_eq!(caller.good("GET", "/clock", None).await, clock);
    for seconds in [3_155_760_000_i64, -3_155_760_000, -600] {
        let far = json!({ "shift_seconds": seconds });
        caller.good("PUT", "/clock", Some(far)).await;
    }
    let rotated = caller.good("POST", "/platform-certificates", None).await;
    let listed = caller.good("GET", "/platform-certificates", None).await;
    assert_eq!(listed["certificates"], json!([rotated]));
    let one = format!("/platform-certificates/{}", rotated["serial"].as_str().unwrap());
    caller.good("DELETE", &one, None).await;
    Caller::problem(
        &caller.call("DELETE", &one, None).await,
        404,
        "no such certificate",
    );

    let held = json!({"card_id": card_id, "user_card_code": code});
    caller
        .good("POST", "/people/look-at-points", Some(held.clone()))
        .await;
    let deleted = caller.good("POST", "/people/delete-card", Some(held)).await;
    assert_eq!(deleted["user_card_state"], "INVALID");
    notifications(&mut caller).await;
    faults(&mut caller).await;
    requests(&mut caller).await;
    public_keys(&mut caller).await;

    let quota = caller.good("GET", "/quota", None).await;
    assert_eq!(quota, json!({"quota": null, "buckets": []}));

    caller.good("POST", "/reset", None).await;
    let health = caller.good("GET", "/health", None).await;
    assert_eq!((&health["members"], &health["requests"]), (&json!(0), &json!(0)));
    assert_eq!(caller.good("GET", "/journal", None).await["requests"], json!([]));
    assert_eq!(
        caller.good("GET", "/state", None).await["templates"][0]["card_id"],
        card_id
    );

    let all: BTreeSet<_> = routes()
        .into_iter()
        .map(|(method, path, _)| (method.to_owned(), path.to_owned()))
        .collect();
    assert_eq!(caller.called, all);
}

/// The public key is rotated, the older one retired, and the one that signs stays.
async fn public_keys(caller: &mut Caller) {
    let keys = async |caller: &mut Caller| caller.good("GET", "/state", None).await["platform"].clone();
    let held = keys(caller).await;
    let old = held["public_key_id"].as_str().unwrap();
    let path = |id: &str| format!("/platform-public-key/{id}");
    let current = caller.call("DELETE", &path(old), None).await;
    Caller::problem(&current, 409, "rotate it first");
    let new = caller.good("POST", "/platform-public-key", None).await;
    assert!(new["pem"].as_str().unwrap().contains("BEGIN PUBLIC KEY"));
    let held = caller.good("GET", "/credentials", None).await;
    assert_eq!(held["merchants"][0]["platform_key_id"], new["id"]);
    assert_eq!(held["merchants"][0]["platform_key_pem"], new["pem"]);
    assert_eq!(keys(caller).await["usable_key_ids"][0], *old);
    caller.good("DELETE", &path(old), None).await;
    assert_eq!(keys(caller).await["usable_key_ids"][0], new["id"]);
    let gone = caller.call("DELETE", &path(old), None).await;
    Caller::problem(&gone, 404, "no such public key");
    let current = caller
        .call("DELETE", &path(new["id"].as_str().unwrap()), None)
        .await;
    Caller::problem(&current, 409, "signs now");
}

async fn notifications(caller: &mut Caller) {
    let new = |url: &str| json!({"url": url, "event_type": "BRAND_MEMBER_CARD_SP.USER_CARD.CREATE", "resource": {"phone_number": "MARKER"}});
    let sent = caller
        .good("POST", "/notifications", Some(new("http://user@127.0.0.1/")))
        .await;
    assert_eq!(sent["state"], "waiting");
    let delivered = caller.good("POST", "/notifications/deliver", None).await;
    assert_eq!(
        delivered["notifications"][0]["attempts"][0]["outcome"],
        "wrong_url"
    );
    assert_eq!(caller.good("GET", "/notifications", None).await, delivered);
    assert!(!delivered.to_string().contains("MARKER"));
    let wrong = caller
        .call("POST", "/notifications", Some(new("https://example.com")))
        .await;
    Caller::problem(&wrong, 400, "`http://`");
    for (name, value, part) in [
        ("signature", json!("shifted_clock"), "needs `seconds`"),
        ("seconds", json!(1), "belongs to"),
        ("signature", json!("other"), "wrong type"),
    ] {
        let mut body = new("http://127.0.0.1:1/");
        body[name] = value;
        Caller::problem(
            &caller.call("POST", "/notifications", Some(body)).await,
            400,
            part,
        );
    }
}

/// A fault can be added by what its kind says, whichever it is.
async fn kinds(caller: &mut Caller) {
    let kinds = caller.good("GET", "/fault-kinds", None).await;
    assert_eq!(kinds["header"], "Wechatpay-Negative-Test");
    let kinds = kinds["fault_kinds"].as_array().unwrap();
    assert_eq!(kinds.len(), fault_kinds().len());
    for kind in kinds {
        let mut fault = json!({"fault": kind["name"]});
        for parameter in kind["parameters"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            fault[name] = parameter["example"].clone();
        }
        let added = caller.good("POST", "/faults", Some(fault)).await;
        assert_eq!(added["commits"], kind["commits"]);
    }
    caller.good("DELETE", "/faults", None).await;
}

async fn faults(caller: &mut Caller) {
    kinds(caller).await;
    let next =
        json!({"fault": "rate-limited-for", "seconds": 3, "answers": 2, "operation": "import_by_phone"});
    let next = caller.good("POST", "/faults", Some(next)).await;
    let share = json!({"fault": "lost-answer", "share": "0.5%", "seed": 7, "burst": 3});
    let share = caller.good("POST", "/faults", Some(share)).await;
    assert_eq!((&next["seconds"], &share["share"]), (&json!(3), &json!("0.5%")));
    let time = json!({"fault": "slow-body", "bytes_per_second": 20, "for_seconds": 9});
    let time = caller.good("POST", "/faults", Some(time)).await;
    let listed = caller.good("GET", "/faults", None).await;
    assert_eq!(listed, json!({"faults": [next, share, time]}));
    caller
        .good("DELETE", &format!("/faults/{}", next["id"]), None)
        .await;
    let gone = caller
        .call("DELETE", &format!("/faults/{}", next["id"]), None)
        .await;
    Caller::problem(&gone, 404, "GET /faults");
    caller.good("DELETE", "/faults", None).await;
    assert!(caller.control.gateway.faults.list(Duration::ZERO).is_empty());
    for (wrong, part) in [
        (json!({"fault": "lost"}), "`lost-answer`"),
        (json!({"fault": "wrong-date"}), "seconds"),
        (
            json!({"fault": "lost-answer", "operation": "import"}),
            "import_by_phone",
        ),
        (json!({"fault": "lost-answer", "share": "1"}), "share"),
        (
            json!({"fault": "lost-answer", "share": "1%", "answers": 1}),
            "not several",
        ),
        (json!({"fault": "lost-answer", "answers": 0}), "`answers`"),
        (json!({"fault": "lost-answer", "for_seconds": 0}), "`for_seconds`"),
        (
            json!({"fault": "lost-answer", "answers": 2, "burst": 2}),
            "`burst`",
        ),
        (json!({"fault": "lost-answer", "seed": 1}), "`seed`"),
        (json!({"falt": "lost-answer"}), "`falt` is not known here (line 1"),
        (json!({}), "`fault` is missing"),
        (json!({"fault": 7}), "wrong type"),
        (json!([]), "line 1"),
    ] {
        Caller::problem(&caller.call("POST", "/faults", Some(wrong)).await, 400, part);
    }
}

async fn requests(caller: &mut Caller) {
    let gateway = Arc::clone(&caller.control.gateway);
    let (head, body) = gateway::tests::vector();
    gateway.clock.set_shift(0).unwrap();
    gateway
        .faults
        .push(FaultRule::next(Fault::LostAnswer, 1), Duration::ZERO);
    for _ in 0..3 {
        assert!(gateway.greet(&head).is_none());
        gateway.answer(&head, body.as_bytes());
    }
    let journal = caller.good("GET", "/journal?since=1&limit=1", None).await;
    assert_eq!(
        (&journal["last"], &journal["requests"][0]["number"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(journal["requests"].as_array().unwrap().len(), 1);
    let events = caller.good("GET", "/events?since=1", None).await;
    let events: Vec<_> = events.as_str().unwrap().split("\n\n").collect();
    assert!(
        events[0].starts_with("retry: 1000\nevent: hello\ndata: {"),
        "{events:?}"
    );
    let expected = format!("id: 2\nevent: request\ndata: {}", journal["requests"][0]);
    assert_eq!((events[1], events.len()), (&*expected, 4));
    for number in 1..=3 {
        caller
            .good("GET", &format!("/requests/{number}?reveal=true"), None)
            .await;
    }
    Caller::problem(&caller.call("GET", "/requests/9", None).await, 404, "/journal");
    let wrong = caller.call("GET", "/journal?reveal=yes", None).await;
    Caller::problem(&wrong, 400, "`reveal`");
    Caller::problem(
        &caller.call("GET", "/journal?sinse=1", None).await,
        400,
        "limit, reveal, since",
    );
    Caller::problem(
        &caller.call("GET", "/journal?since=x", None).await,
        400,
        "`since`",
    );

    let of = |expected: Value| {
        let mut body = expected;
        body["operation"] = "import_by_phone".into();
        Some(body)
    };
    let path = "/expectations/assert";
    let held = caller.good("POST", path, of(json!({"count": 3}))).await;
    assert_eq!(held["by_status"], json!({"401": 2, "none": 1}));
    caller
        .good("POST", path, of(json!({"count": 2, "status": 401})))
        .await;
    caller
        .good("POST", path, of(json!({"at_least": 1, "at_most": 3})))
        .await;
    caller.good("POST", path, Some(json!({"members": 2}))).await;
    let missing = caller.call("POST", path, of(json!({"count": 5}))).await;
    Caller::problem(&missing, 409, "2 requests are missing");
    assert_eq!(
        (&missing.1["found"], &missing.1["difference"]),
        (&json!(3), &json!(-2))
    );
    let surplus = caller.call("POST", path, of(json!({"at_most": 1}))).await;
    Caller::problem(&surplus, 409, "2 requests are too many");
    for wrong in [
        json!({}),
        json!({"count": 1, "at_least": 1}),
        json!({"count": 1, "members": 1}),
    ] {
        assert_eq!(caller.call("POST", path, of(wrong)).await.0, 400);
    }
}

#[tokio::test]
async fn what_comes_in_is_bounded_and_whatever_is_wrong_is_said() {
    let answer = async |request: HttpRequest<Body>| {
        let answer = router(control()).oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice::<Value>(&body).unwrap())
    };
    let post = |body: Vec<u8>| {
        let request = HttpRequest::builder().method("POST").uri("/faults");
        request.body(Body::from(body)).unwrap()
    };
    Caller::problem(&answer(post(vec![b' '; 65_537])).await, 413, "64 KiB");
    for garbage in [&b""[..], b"\xff\xfe", b"{", b"[[[[", b"{\"fault\":\"x\"} {}"] {
        Caller::problem(&answer(post(garbage.to_vec())).await, 400, "GET /openapi.json");
    }
    let to = |method: &str, uri: &str| {
        let request = HttpRequest::builder().method(method).uri(uri);
        request.body(Body::empty()).unwrap()
    };
    Caller::problem(&answer(to("GET", "/other")).await, 404, "GET /openapi.json");
    Caller::problem(&answer(to("PATCH", "/faults")).await, 405, "GET /openapi.json");
    Caller::problem(
        &answer(to("GET", "/members?card_id=%zz")).await,
        400,
        "percent-encoded",
    );
}

#[tokio::test]
async fn a_page_of_another_origin_may_only_look() {
    let status = async |method: &str, path: &str, origin: &str| {
        let request = HttpRequest::builder()
            .method(method)
            .uri(path)
            .header("Host", "127.0.0.1:8766")
            .header("Origin", origin);
        let request = request.body(Body::empty()).unwrap();
        router(control())
            .oneshot(request)
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    for origin in ["https://example.com", "null", "http://127.0.0.1:1"] {
        assert_eq!(status("POST", "/reset", origin).await, 403, "{origin}");
        assert_eq!(status("DELETE", "/faults", origin).await, 403, "{origin}");
        assert_eq!(status("GET", "/health", origin).await, 200, "{origin}");
        assert_eq!(status("GET", "/events", origin).await, 403, "{origin}");
    }
    assert_eq!(status("POST", "/reset", "http://127.0.0.1:8766").await, 200);
}

/// A stranger's name that was made to lead here is the page's own origin to a browser, so reading is refused as well.
#[tokio::test]
async fn a_name_that_a_stranger_could_have_is_refused() {
    let control = control();
    let answer = async |method: &str, path: &str, host: &str| {
        let request = HttpRequest::builder()
            .method(method)
            .uri(path)
            .header("Host", host)
            .header("Origin", format!("http://{host}"));
        let request = request.body(Body::empty()).unwrap();
        let answer = router(control.clone()).oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), 4096).await.unwrap();
        (status, serde_json::from_slice::<Value>(&body).unwrap_or_default())
    };
    for host in [
        "evil.example:8766",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example:8766",
        "localhost.",
        "127.0.0.1:8766.evil.example",
        "[::1].evil.example",
        "[evil.example]",
        "127.1",
        "",
        ":8766",
    ] {
        for (method, path) in [
            ("GET", "/"),
            ("GET", "/members?reveal=true"),
            ("GET", "/events"),
            ("HEAD", "/state"),
            ("POST", "/reset"),
            ("DELETE", "/faults"),
            ("GET", "/unknown"),
        ] {
            let answer = answer(method, path, host).await;
            assert_eq!(answer.0, 403, "{method} {path} of {host:?}");
            if method != "HEAD" {
                Caller::problem(&answer, 403, "`Host`");
            }
        }
    }
    for host in [
        "127.0.0.1:8766",
        "192.168.1.7",
        "[::1]:8766",
        "[::1]",
        "localhost:8766",
        "sandbox:8766",
        "LOCALHOST",
    ] {
        assert_eq!(answer("GET", "/health", host).await.0, 200, "{host}");
        assert_eq!(answer("POST", "/reset", host).await.0, 200, "{host}");
    }
}
