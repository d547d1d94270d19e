//! The control API as another language would use it: plain HTTP over a socket, JSON as text, no type of ours.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
};

use serde_json::{Value, json};

use crate::interop::Program;

/// The address of a running sandbox's control API.
struct Address(String);

impl Address {
    fn of(folder: &Path) -> Self {
        let settings: Value =
            serde_json::from_str(&fs::read_to_string(folder.join("sandbox.json")).unwrap()).unwrap();
        Self(
            settings["control_url"]
                .as_str()
                .unwrap()
                .strip_prefix("http://")
                .unwrap()
                .to_owned(),
        )
    }

    fn call(&self, method: &str, target: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.0).unwrap();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.0,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    #[track_caller]
    fn good(&self, method: &str, target: &str, body: &Value) -> Value {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let (status, answer) = self.call(method, target, &body);
        assert!(status < 300, "{method} {target}: {status} {answer}");
        answer
    }

    #[track_caller]
    fn get(&self, target: &str) -> Value {
        self.good("GET", target, &Value::Null)
    }
}

#[test]
fn a_test_in_any_language_sets_the_scene_looks_and_asserts() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("d");
    let _sandbox = Program::start_with(home.path(), &folder, &["--policy", "second-card=allow"]);
    let control = Address::of(&folder);
    let document = control.get("/openapi.json");
    let paths = document["paths"].as_object().unwrap();
    for path in [
        "/health",
        "/state",
        "/members",
        "/journal",
        "/faults",
        "/clock",
        "/reset",
        "/notifications",
        "/policies",
        "/platform-certificates",
        "/expectations/assert",
        "/requests/{id}",
        "/rules",
        "/credentials",
    ] {
        assert!(paths.contains_key(path), "{path}");
    }
    assert_eq!(control.get("/health")["status"], "ok");
    let card_id = control.get("/state")["templates"][0]["card_id"].clone();

    let taken = control.good(
        "POST",
        "/people/take-card",
        &json!({"card_id": card_id, "phone_number": "13800138000"}),
    );
    assert_eq!(taken["phone_number"], "***");
    assert_eq!(
        control.get("/members?reveal=true")["members"][0]["phone_number"],
        "13800138000"
    );
    assert_eq!(
        control.good("POST", "/expectations/assert", &json!({"members": 1}))["holds"],
        true
    );
    let (status, problem) = control.call(
        "POST",
        "/expectations/assert",
        r#"{"operation": "import_by_phone", "count": 3}"#,
    );
    assert_eq!((status, &problem["difference"]), (409, &json!(-3)));

    control.good("POST", "/faults", &json!({"fault": "lost-answer", "answers": 2}));
    assert_eq!(control.get("/faults")["faults"][0]["answers"], 2);
    control.good("DELETE", "/faults", &Value::Null);
    assert_eq!(control.get("/faults")["faults"], json!([]));
    assert_eq!(
        control.good("PUT", "/clock", &json!({"shift_seconds": 600}))["shift_seconds"],
        600
    );
    assert_eq!(control.get("/policies")["policies"]["second-card"], "allow");
    assert_eq!(
        control.good("PUT", "/policies", &json!({"second-card": "refuse"}))["policies"]["second-card"],
        "refuse"
    );
    let rotated = control.good("POST", "/platform-certificates", &Value::Null);
    assert_eq!(
        control.get("/platform-certificates")["certificates"][0]["serial"],
        rotated["serial"]
    );
    assert_eq!(control.get("/journal")["last"], 0);
    control.good("POST", "/reset", &Value::Null);
    assert_eq!(control.get("/members")["total"], 0);
    let (status, problem) = control.call("PUT", "/clock", r#"{"shift": "MARKER"}"#);
    assert_eq!(status, 400);
    assert!(
        problem["error"]
            .as_str()
            .unwrap()
            .contains("`shift` is not known here"),
        "{problem}"
    );
}

#[test]
fn a_notification_is_sent_where_the_test_listens() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("d");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/notify", listener.local_addr().unwrap());
    let _sandbox = Program::start_with(home.path(), &folder, &["--notify-url", &url]);
    let control = Address::of(&folder);
    let card_id = control.get("/state")["templates"][0]["card_id"].clone();
    control.good(
        "POST",
        "/people/take-card",
        &json!({"card_id": card_id, "phone_number": "13800138000"}),
    );
    let (mut stream, _) = listener.accept().unwrap();
    let mut arrived = Vec::new();
    let mut piece = [0; 4096];
    while !String::from_utf8_lossy(&arrived).contains("BRAND_MEMBER_CARD_SP.USER_CARD.CREATE") {
        let count = stream.read(&mut piece).unwrap();
        assert_ne!(count, 0, "{}", String::from_utf8_lossy(&arrived));
        arrived.extend_from_slice(&piece[..count]);
    }
    stream
        .write_all(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
        .unwrap();
    let arrived = String::from_utf8_lossy(&arrived).to_ascii_lowercase();
    assert!(
        arrived.starts_with("post /notify ") && arrived.contains("wechatpay-signature:"),
        "{arrived}"
    );
    let (status, problem) = control.call(
        "POST",
        "/notifications",
        r#"{"url": "https://127.0.0.1/", "event_type": "X", "resource": {}}"#,
    );
    assert_eq!(status, 400);
    assert!(problem["error"].as_str().unwrap().contains("no TLS"), "{problem}");
}
