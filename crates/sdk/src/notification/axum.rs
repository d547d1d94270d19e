//! A route for axum that does everything between the socket and your code.
//!
//! It must never leave a notification half handled because a connection closed: hyper drops what it was doing for it.

use std::fmt::Display;

use ::axum::{
    Router,
    body::Bytes,
    extract::DefaultBodyLimit,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use tracing::Instrument;

use super::{Acknowledgement, LARGEST, Notification, Notifications};

/// A router with one path, such as `/wechatpay/notify`, that receives notifications and calls `handler` with each new one.
///
/// A duplicate is acknowledged and not handed to `handler`; one that comes while the first is still in `handler` is answered
/// with 500. When `handler` fails or panics, the platform is told so and sends the notification again.
///
/// After 5 seconds the platform hangs up and counts the notification as not delivered: put longer work into a queue.
/// `handler` runs in a task of its own and comes to its end all the same, so what it did is not done a second time when the
/// notification comes again. The deduplication has to remember it that long: [`RecentIds`](super::RecentIds) takes one that
/// runs for more than 60 seconds as given up. When the runtime ends, so do its tasks.
///
/// ```no_run
/// # async fn demo(client: wxmember::Client, key: wxmember::ApiV3Key) -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use wxmember::notification::{self, Notification, RecentIds};
///
/// let notifications = client.notifications(key).with_deduplication(Arc::new(RecentIds::new(10_000)));
/// let app = notification::route("/wechatpay/notify", notifications, |notification: Notification| async move {
///     println!("{}", notification.event_type());
///     Ok::<_, std::io::Error>(())
/// });
/// # let _: axum::Router = app;
/// # Ok(()) }
/// ```
pub fn route<H, F, E>(path: &str, notifications: Notifications, handler: H) -> Router
where
    H: Fn(Notification) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Display + Send + 'static,
{
    let receive = move |headers: HeaderMap, body: Bytes| {
        let (notifications, handler) = (notifications.clone(), handler.clone());
        async move {
            let header = |name: &'static str| headers.get(name).and_then(|value| value.to_str().ok());
            match notifications.receive(header, &body).await {
                Ok(notification) if notification.is_duplicate() => Acknowledgement::success(),
                Ok(notification) => {
                    let handled = handle(notifications, notification, handler).in_current_span();
                    // Only the wait for it ends with the connection.
                    let acknowledgement = tokio::spawn(handled).await;
                    acknowledgement.unwrap_or_else(|_| Acknowledgement::failure(500, "not dealt with"))
                }
                Err(error) => error.acknowledgement(),
            }
        }
    };
    Router::new()
        .route(path, post(receive))
        .layer(DefaultBodyLimit::max(LARGEST))
}

/// Calls `handler` and says how it ended, also when it panicked.
async fn handle<H, F, E>(
    notifications: Notifications,
    notification: Notification,
    handler: H,
) -> Acknowledgement
where
    H: Fn(Notification) -> F + Send + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Send + 'static,
{
    let given = notification.clone();
    // A second task, since a panic ends the task it is in. The call itself may panic, so it stands inside.
    let handled = tokio::spawn(async move { handler(given).await.is_ok() }.in_current_span());
    let reason = match handled.await {
        Ok(true) => return notifications.done(&notification).await,
        Ok(false) => "the handler failed",
        Err(_) => "the handler panicked",
    };
    // The error's text is the caller's and may hold anything, so it goes neither out nor into the log.
    tracing::warn!(
        id = notification.id(),
        reason,
        "the notification was not dealt with"
    );
    notifications.forget(&notification).await
}

impl IntoResponse for Acknowledgement {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let json = [(header::CONTENT_TYPE, "application/json")];
        (status, json, self.body().to_owned()).into_response()
    }
}
