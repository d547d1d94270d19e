//! A verified answer.

use std::ops::Deref;

/// What an operation answered, verified, with what identifies the exchange.
///
/// Dereferences to the answer itself.
#[derive(Clone, Debug)]
pub struct Reply<T> {
    value: T,
    status: u16,
    request_id: Option<String>,
}

impl<T> Reply<T> {
    pub(crate) fn new(value: T, status: u16, request_id: Option<String>) -> Self {
        Self {
            value,
            status,
            request_id,
        }
    }

    /// The answer without its circumstances.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The HTTP status, always 2xx.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The `Request-ID`, to quote to WeChat Pay's support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl<T> Deref for Reply<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
