//! Clients that mean harm or are broken: whatever they do is refused or bounded. Time is stopped, so that no test waits.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};
use wxmember_sandbox::{DeliveryState, Sandbox, Sending};

use crate::client::{PATH, builder, import, sandbox};

async fn connect(sandbox: &Sandbox) -> TcpStream {
    connect_to(&sandbox.base_url()).await
}

async fn connect_to(url: &str) -> TcpStream {
    TcpStream::connect(url.strip_prefix("http://").unwrap())
        .await
        .unwrap()
}

/// What comes until the other side closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is an end as well.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}

fn head(more: &str) -> String {
    format!("POST {PATH} HTTP/1.1\r\nHost: a\r\nUser-Agent: a\r\nAccept: a\r\n{more}\r\n\r\n")
}

#[tokio::test]
async fn a_body_of_100_mb_is_refused_before_it_comes() {
    let sandbox = sandbox().await;
    let mut stream = connect(&sandbox).await;
    let head = head("Connection: close\r\nContent-Length: 104857600");
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(sandbox.journal()[0].rule, Some("BODY_TOO_LARGE"));
}

/// Also from who does not wait for the answer, and keeps on sending.
#[tokio::test]
async fn a_body_of_100_mb_is_not_read_to_its_end() {
    let sandbox = sandbox().await;
    let mut stream = connect(&sandbox).await;
    let head = head("Content-Length: 104857600");
    stream.write_all(head.as_bytes()).await.unwrap();
    let block = vec![b' '; 1 << 20];
    let mut sent = 0;
    while sent < 100 && stream.write_all(&block).await.is_ok() {
        sent += 1;
    }
    assert!(sent < 100, "everything was read");
    assert_eq!(sandbox.journal()[0].rule, Some("BODY_TOO_LARGE"));
    assert_eq!(import(&sandbox, "1", "13800138000").await.unwrap().status, 200);
}

/// What `curl` and other programs send that mean something else, or nothing.
#[tokio::test]
async fn garbage_is_refused_and_the_next_one_is_served() {
    let sandbox = sandbox().await;
    let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(1 << 20));
    let headers = "X: y\r\n".repeat(10_000);
    let many = format!("GET / HTTP/1.1\r\n{headers}\r\n");
    let bare = format!("POST {PATH} HTTP/1.1\r\n\r\n");
    let old = format!("POST {PATH} HTTP/1.0\r\n\r\n");
    let noise: Vec<u8> = (0..100_000_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    for (what, bytes, statuses) in [
        // A head without any header, and one of 1996, are requests: they lack what every request needs.
        ("no header", bare.as_bytes(), &["400"][..]),
        ("HTTP/1.0", old.as_bytes(), &["400"]),
        ("an empty line", b"\r\n\r\n\r\n", &["", "400"]),
        ("no method", b"/ HTTP/1.1\r\n\r\n", &["400"]),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &["", "400"]),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", &["400"]),
        ("zeros", &[0; 4096], &["400"]),
        ("noise", &noise, &["", "400"]),
        ("a head without an end", endless.as_bytes(), &["", "431"]),
        ("ten thousand headers", many.as_bytes(), &["", "431"]),
        (
            "two lengths",
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
            &["400"],
        ),
        (
            "a negative length",
            b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            &["400"],
        ),
    ] {
        let mut stream = connect(&sandbox).await;
        // It may be refused before all is written.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let answer = rest(&mut stream).await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(statuses.contains(&status), "{what}: {answer:?}");
    }
    assert_eq!(import(&sandbox, "1", "13800138000").await.unwrap().status, 200);
    assert_eq!(sandbox.members().len(), 1);
}

#[tokio::test]
async fn a_body_of_unknown_length_is_read_up_to_the_limit() {
    let sandbox = sandbox().await;
    let mut stream = connect(&sandbox).await;
    let head = head("Connection: close\r\nTransfer-Encoding: chunked");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut chunk = b"10000\r\n".to_vec();
    chunk.resize(chunk.len() + 0x10000, b' ');
    chunk.extend_from_slice(b"\r\n");
    // 100 MB, if it were taken.
    let mut sent = 0;
    while sent < 1600 && stream.write_all(&chunk).await.is_ok() {
        sent += 1;
    }
    assert!(sent < 1600, "everything was read");
    assert_eq!(sandbox.journal()[0].rule, Some("BODY_TOO_LARGE"));
}

#[tokio::test(start_paused = true)]
async fn a_head_or_a_body_that_does_not_end_is_cut_off_in_time() {
    let sandbox = sandbox().await;
    for (request, seconds) in [
        // Nothing, half a head, and half a body.
        (String::new(), 75),
        ("POST / HTTP/1.1\r\nHost: a\r\nX: ".to_owned(), 75),
        (head("Content-Length: 5") + "{", 30),
    ] {
        let started = Instant::now();
        let mut stream = connect(&sandbox).await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408 "),
            "{answer}"
        );
        let took = started.elapsed();
        assert!(took <= Duration::from_secs(seconds + 1), "{request:?}: {took:?}");
    }
    assert_eq!(import(&sandbox, "1", "13800138000").await.unwrap().status, 200);
}

#[tokio::test]
async fn a_connection_beyond_the_limit_takes_the_place_of_the_one_idle_longest() {
    let sandbox = builder().with_connections(4).start().await.unwrap();
    let mut first = connect(&sandbox).await;
    let mut half_a_head = connect(&sandbox).await;
    half_a_head
        .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nX: ")
        .await
        .unwrap();
    let mut served = connect(&sandbox).await;
    let request = format!("GET {PATH} HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut others = Vec::new();
    for round in 0..50 {
        others.push(connect(&sandbox).await);
        // Who talks is not idle, and keeps its connection whatever the others do.
        served.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        served.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 405", "{round}");
        let mut rest = vec![0; 4096];
        let _ = served.read(&mut rest).await.unwrap();
    }
    assert_eq!(rest(&mut first).await, "");
    assert_eq!(rest(&mut half_a_head).await, "");
    for other in &mut others[..40] {
        assert_eq!(rest(other).await, "");
    }
    // And whoever comes is served at once.
    assert_eq!(import(&sandbox, "1", "13800138000").await.unwrap().status, 200);
}

#[tokio::test]
async fn hundreds_of_idle_connections_keep_nobody_out() {
    let sandbox = builder().with_connections(64).start().await.unwrap();
    let mut idle = Vec::new();
    for _ in 0..300 {
        idle.push(connect(&sandbox).await);
    }
    assert_eq!(import(&sandbox, "1", "13800138000").await.unwrap().status, 200);
    drop(idle);
    sandbox.shutdown().await;
}

/// A command takes its time, here because the one who is told of an event does.
#[tokio::test]
async fn a_command_at_work_keeps_its_connection() {
    let sandbox = builder().with_connections(2).start().await.unwrap();
    let merchant = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", merchant.local_addr().unwrap());
    sandbox.send_notification("A.B", &serde_json::json!({}), &Sending::to(url));
    let (mut told, _) = merchant.accept().await.unwrap();

    let mut command = connect_to(&sandbox.control_url()).await;
    let request = "POST /notifications/deliver HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    command.write_all(request.as_bytes()).await.unwrap();
    let mut looking = connect_to(&sandbox.control_url()).await;
    for _ in 0..50 {
        let request = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
        looking.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 4096];
        assert!(looking.read(&mut answer).await.unwrap() > 0);
    }
    let mut others = Vec::new();
    for _ in 0..50 {
        others.push(connect_to(&sandbox.control_url()).await);
    }
    assert_eq!(rest(&mut looking).await, "");

    let mut notification = [0; 4096];
    assert!(told.read(&mut notification).await.unwrap() > 0);
    told.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await
        .unwrap();
    let answer = rest(&mut command).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
    assert_eq!(sandbox.deliveries()[0].state, DeliveryState::Taken);
}
