//! One POST of a notification. Bounded in time, and in what it reads of the answer.

use std::time::Duration;

use http_body_util::Full;
use hyper::{Request, Uri, body::Bytes, client::conn::http1, header, http::uri::Scheme};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

use super::AttemptOutcome;
use crate::notification::SignedNotification;

/// Posts a notification and reads the status of the answer.
pub(super) async fn post(url: &str, notification: &SignedNotification) -> AttemptOutcome {
    if url
        .parse::<Uri>()
        .is_ok_and(|uri| uri.scheme() == Some(&Scheme::HTTPS))
    {
        return AttemptOutcome::NoTls;
    }
    let Some((address, host, request)) = request(url, notification) else {
        return AttemptOutcome::WrongUrl;
    };
    let connected = timeout(DEADLINE, TcpStream::connect(address)).await;
    let Ok(Ok(stream)) = connected else {
        return AttemptOutcome::NoConnection;
    };
    match timeout(DEADLINE, exchange(stream, host, request)).await {
        Ok(Some(status)) => AttemptOutcome::Answered { status },
        _ => AttemptOutcome::NoAnswer,
    }
}

async fn exchange(stream: TcpStream, host: String, mut request: Request<Full<Bytes>>) -> Option<u16> {
    request.headers_mut().insert(header::HOST, host.parse().ok()?);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await;
    // The body is not read: the status alone decides.
    connection.abort();
    Some(answer.ok()?.status().as_u16())
}

/// What to connect to, the header `Host`, and the request; `None` for an address that cannot be sent to.
fn request(url: &str, notification: &SignedNotification) -> Option<(String, String, Request<Full<Bytes>>)> {
    let uri: Uri = url.parse().ok()?;
    if uri.scheme() != Some(&Scheme::HTTP) {
        return None;
    }
    let host = uri.authority()?.as_str().to_owned();
    if host.contains('@') {
        return None;
    }
    let address = format!("{}:{}", uri.host()?, uri.port_u16().unwrap_or(80));
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut request = Request::post(target).header(header::USER_AGENT, "wxmember-sandbox");
    for (name, value) in &notification.headers {
        request = request.header(name, value);
    }
    let body = Full::new(Bytes::copy_from_slice(&notification.body));
    Some((address, host, request.body(body).ok()?))
}

/// The platform waits five seconds.
const DEADLINE: Duration = Duration::from_secs(5);
