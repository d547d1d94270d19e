//! The answers of faults that come before every check: nothing has been read but the head, and nothing is stored.

use std::sync::LazyLock;

use axum::http::{HeaderValue, StatusCode, header};
use hyper::body::Bytes;

use crate::{
    clock::Clock,
    fault::Fault,
    refusal::{Language, Refusal},
    reply::{Answer, HUGE, JSON, Reply, Signer},
    rule::{self, Rule},
};

/// What a fault makes of a request. `signer` signs the one kind of answer that is signed.
pub(crate) fn reply(fault: Fault, language: Language, clock: &Clock, signer: Option<Signer<'_>>) -> Reply {
    let refused = |rule: &'static Rule| Answer::refusal(&Refusal::from(rule), language);
    let answer = match fault {
        Fault::Accepted => {
            let reply = signer.and_then(|signer| signer.reply(StatusCode::ACCEPTED, Bytes::new(), None).ok());
            return reply.unwrap_or(Reply::Closed);
        }
        Fault::BadGateway => Answer::plain(StatusCode::BAD_GATEWAY, "text/html", HTML_502),
        Fault::EmptyError => Answer::plain(StatusCode::INTERNAL_SERVER_ERROR, "", ""),
        Fault::EmptyNotFound => Answer::plain(StatusCode::NOT_FOUND, "", ""),
        Fault::ErrorNotUtf8 => Answer::plain(
            StatusCode::BAD_REQUEST,
            "application/json; charset=gbk",
            GBK_ERROR,
        ),
        Fault::HugeError => Answer::plain(StatusCode::INTERNAL_SERVER_ERROR, JSON, HUGE_ERROR.clone()),
        Fault::RateLimited => refused(&rule::RATE_LIMITED),
        Fault::RateLimitedFor { seconds } => {
            let mut answer = refused(&rule::RATE_LIMITED);
            answer
                .headers
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            answer
        }
        Fault::ServiceUnavailable => refused(&rule::SERVICE_UNAVAILABLE),
        Fault::SystemError => refused(&rule::SYSTEM_ERROR),
        Fault::TruncatedError => {
            let mut answer = refused(&rule::SYSTEM_ERROR);
            answer.body.truncate(answer.body.len() / 2);
            answer
        }
        Fault::WrongDate { seconds } => {
            let mut answer = refused(&rule::CLOCK_WINDOW);
            answer.put("date", &clock.http_date_shifted(seconds));
            answer
        }
        Fault::ResetRequest => return Reply::Reset,
        // `LostRequest`; no fault that commits comes here.
        _ => return Reply::Closed,
    };
    Reply::Answer(answer)
}

/// Made once and shared by all answers: whoever asks for it has proved nothing yet.
static HUGE_ERROR: LazyLock<Bytes> = LazyLock::new(|| {
    let mut body = br#"{"code":"SYSTEM_ERROR","message":""#.to_vec();
    body.resize(body.len() + HUGE, b'x');
    body.extend_from_slice(br#""}"#);
    body.into()
});

const HTML_502: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";

/// `{"code":"PARAM_ERROR","message":"参数错误"}` in GBK.
const GBK_ERROR: &[u8] = b"{\"code\":\"PARAM_ERROR\",\"message\":\"\xb2\xce\xca\xfd\xb4\xed\xce\xf3\"}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_huge_error_takes_no_memory_of_its_own() {
        let clock = Clock::manual(0);
        let body = || match reply(Fault::HugeError, Language::English, &clock, None) {
            Reply::Answer(answer) => answer.body,
            other => panic!("{other:?}"),
        };
        let (one, other) = (body(), body());
        assert!(one.len() > HUGE && one.as_ptr() == other.as_ptr());
    }
}
