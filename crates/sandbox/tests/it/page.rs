//! The page and its stream of events, over sockets and without a browser. A browser drives the page in the project's
//! end-to-end tests.

use std::time::Duration;

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};
use wxmember_sandbox::Sandbox;

use crate::client::{Request, control, import, sandbox};

/// Longer than anything takes; nothing waits for it to pass.
const LONGEST: Duration = Duration::from_secs(30);

/// How many a reader sleeps through.
const REQUESTS: u64 = 5000;

/// A stream that is read line by line.
struct Stream {
    reader: BufReader<TcpStream>,
    head: String,
}

impl Stream {
    /// Opens one with more lines in its head.
    async fn open(sandbox: &Sandbox, target: &str, more: &str) -> Self {
        let url = sandbox.control_url();
        let stream = TcpStream::connect(url.strip_prefix("http://").unwrap())
            .await
            .unwrap();
        let mut reader = BufReader::new(stream);
        let head = format!("GET {target} HTTP/1.1\r\nHost: sandbox\r\n{more}\r\n");
        reader.write_all(head.as_bytes()).await.unwrap();
        let mut stream = Self {
            reader,
            head: String::new(),
        };
        let mut line = stream.line().await;
        while line.as_deref() != Some("") {
            stream.head.push_str(&line.expect("a head"));
            stream.head.push('\n');
            line = stream.line().await;
        }
        stream
    }

    /// The next line; `None` at the end.
    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = timeout(LONGEST, self.reader.read_line(&mut line));
        let length = read.await.expect("a line in time").unwrap();
        (length > 0).then(|| line.trim_end().to_owned())
    }

    /// The next event of a name, and the id before it; whatever else comes is passed over. `None` at the end.
    async fn event(&mut self, name: &str) -> Option<(Option<u64>, Value)> {
        let (mut id, mut is_wanted) = (None, false);
        loop {
            let line = self.line().await?;
            match line.split_once(": ") {
                Some(("id", text)) => id = Some(text.parse().unwrap()),
                Some(("event", text)) => is_wanted = text == name,
                Some(("data", text)) if is_wanted => return Some((id, serde_json::from_str(text).unwrap())),
                Some(("data", _)) => (id, is_wanted) = (None, false),
                _ => {}
            }
        }
    }

    async fn number(&mut self) -> u64 {
        let (id, entry) = self.event("request").await.expect("a request");
        assert_eq!(entry["number"], id.unwrap());
        id.unwrap()
    }
}

#[tokio::test]
async fn the_page_is_served_with_a_strict_policy_in_both_languages() {
    let sandbox = sandbox().await;
    let page = control(&sandbox, "/").await;
    let text = String::from_utf8(page.body.clone()).unwrap();
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(
        text.contains("This is not WeChat Pay") && text.contains("lang=\"en\""),
        "{text}"
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self';"),
        "{policy}"
    );
    assert!(
        !policy.contains("unsafe") && policy.contains("require-trusted-types-for 'script'"),
        "{policy}"
    );
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("set-cookie"), None);

    let chinese = control(&sandbox, "/?lang=zh").await;
    assert!(
        String::from_utf8(chinese.body.clone())
            .unwrap()
            .contains("这不是微信支付")
    );
    let cookie = chinese.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("wxmember-sandbox-lang=zh; ") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    assert_eq!(control(&sandbox, "/?lang=fr").await.status, 400);

    let script = control(&sandbox, "/page/main.js").await;
    assert_eq!(
        script.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    assert_eq!(control(&sandbox, "/page/other.js").await.status, 404);
    // Also what is no file of the page is not guessed to be one.
    assert_eq!(
        control(&sandbox, "/members")
            .await
            .header("x-content-type-options"),
        Some("nosniff")
    );
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_request_is_told_of_as_it_comes_and_without_its_personal_values() {
    let sandbox = sandbox().await;
    let mut stream = Stream::open(&sandbox, "/events", "").await;
    assert!(stream.head.starts_with("HTTP/1.1 200"), "{}", stream.head);
    assert!(stream.head.contains("text/event-stream"), "{}", stream.head);
    let (id, hello) = stream.event("hello").await.unwrap();
    assert_eq!((id, &hello["since"]), (None, &Value::from(0)));

    import(&sandbox, "1", "13800138000").await.unwrap();
    let (id, entry) = stream.event("request").await.unwrap();
    assert_eq!(
        (id, &entry["operation"], &entry["status"]),
        (Some(1), &"import_by_phone".into(), &200.into())
    );
    let target = "/v3/brand/partner/card-member/user-cards?brand_id=1004&openid=o1&phone=13800138000";
    Request::get(&sandbox, target).answer(&sandbox).await;
    let (_, entry) = stream.event("request").await.unwrap();
    assert!(!entry.to_string().contains("13800138000"), "{entry}");
    let journal = control(&sandbox, "/journal?since=1").await.json();
    assert_eq!(entry, journal["requests"][0]);

    sandbox.reset();
    stream.event("reset").await.unwrap();
    import(&sandbox, "1", "13800138000").await.unwrap();
    assert_eq!(stream.number().await, 3);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_stream_goes_on_where_the_last_one_ended() {
    let sandbox = sandbox().await;
    for code in ["1", "2", "3"] {
        import(&sandbox, code, "13800138000").await.unwrap();
    }
    let mut first = Stream::open(&sandbox, "/events", "").await;
    assert_eq!((first.number().await, first.number().await), (1, 2));
    drop(first);
    let mut again = Stream::open(&sandbox, "/events", "Last-Event-ID: 2\r\n").await;
    assert_eq!(again.number().await, 3);
    // As a number in the target, which a header of the browser goes before.
    let mut again = Stream::open(&sandbox, "/events?since=2", "").await;
    assert_eq!(again.number().await, 3);
    let mut again = Stream::open(&sandbox, "/events?since=0", "Last-Event-ID: 1\r\n").await;
    assert_eq!(again.number().await, 2);
    // A number of an earlier start, and what is none.
    for id in ["700", "x", ""] {
        let mut anew = Stream::open(&sandbox, "/events", &format!("Last-Event-ID: {id}\r\n")).await;
        assert_eq!(anew.number().await, 1, "{id}");
    }
    sandbox.shutdown().await;
}

#[tokio::test]
async fn there_are_only_so_many_streams_and_a_place_is_given_back() {
    let sandbox = sandbox().await;
    let mut streams = Vec::new();
    for _ in 0..16 {
        let mut stream = Stream::open(&sandbox, "/events", "").await;
        stream.event("hello").await.expect("a stream");
        streams.push(stream);
    }
    let refused = control(&sandbox, "/events").await;
    assert_eq!(refused.status, 503);
    let error = refused.json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("16 streams"), "{error}");
    // The rest of the address does not mind.
    assert_eq!(control(&sandbox, "/health").await.status, 200);
    streams.pop();
    // The server hears of a closed connection in its own time.
    let opened = timeout(LONGEST, async {
        while Stream::open(&sandbox, "/events", "")
            .await
            .head
            .starts_with("HTTP/1.1 503")
        {
            tokio::task::yield_now().await;
        }
    });
    opened.await.expect("a place is given back");
    sandbox.shutdown().await;
}

#[tokio::test]
async fn streams_end_when_the_sandbox_stops_and_do_not_hold_it_up() {
    let sandbox = sandbox().await;
    let mut stream = Stream::open(&sandbox, "/events", "").await;
    stream.event("hello").await.unwrap();
    // Whoever waits for requests in flight waits for 5 seconds at most; this must not take them.
    timeout(Duration::from_secs(4), sandbox.shutdown())
        .await
        .expect("a stream holds the shutdown up");
    assert!(stream.event("request").await.is_none());

    // A sandbox that is dropped ends its streams as well.
    let sandbox = crate::client::sandbox().await;
    let mut stream = Stream::open(&sandbox, "/events", "").await;
    stream.event("hello").await.unwrap();
    drop(sandbox);
    assert!(stream.event("request").await.is_none());
}

#[tokio::test]
async fn a_reader_that_does_not_read_misses_what_the_journal_has_forgotten() {
    let sandbox = sandbox().await;
    let mut stream = Stream::open(&sandbox, "/events", "").await;
    stream.event("hello").await.unwrap();
    // Refused before any check that costs, over one connection; what is told of them, 12 MB, is more than the buffers
    // between here and there take.
    let request = format!("GET /{} HTTP/1.1\r\nHost: a\r\n", "x".repeat(2000));
    let url = sandbox.base_url();
    let connection = TcpStream::connect(url.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    let (mut answers, mut requests) = connection.into_split();
    let write = async {
        for _ in 1..REQUESTS {
            requests
                .write_all(format!("{request}\r\n").as_bytes())
                .await
                .unwrap();
        }
        let last = format!("{request}Connection: close\r\n\r\n");
        requests.write_all(last.as_bytes()).await.unwrap();
    };
    let mut sink = tokio::io::sink();
    tokio::join!(write, async {
        tokio::io::copy(&mut answers, &mut sink).await.unwrap()
    });
    let (mut last, mut gap) = (0, 0);
    while last < REQUESTS {
        let number = stream.number().await;
        assert!(number > last);
        gap = gap.max(number - last);
        last = number;
    }
    assert!(gap > 1, "nothing was passed over");
    sandbox.shutdown().await;
}
