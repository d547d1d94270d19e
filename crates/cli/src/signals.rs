//! Ctrl-c: the first one lets work in flight finish, the second one ends at once.

use tokio_util::sync::CancellationToken;

use crate::print::tell;

/// A token that the first signal cancels. `what` says on stderr what happens then.
pub(crate) fn cancel_on_signal(what: impl Into<String>) -> CancellationToken {
    let what = what.into();
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        next_signal().await;
        tell!("{what}");
        cancelled.cancel();
        next_signal().await;
        #[expect(
            clippy::exit,
            reason = "the user asked twice; the ledger is written before and after each request"
        )]
        std::process::exit(i32::from(crate::exit::RESUMABLE));
    });
    token
}

#[cfg(unix)]
async fn next_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
async fn next_signal() {
    drop(tokio::signal::ctrl_c().await);
}
