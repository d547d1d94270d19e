//! What to answer a notification with.

/// Status and body for the platform.
///
/// Anything but success makes the platform send the notification again: every 60 seconds and at most 11 times, or by its
/// general schedule over a day; delivery is not guaranteed either way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Acknowledgement {
    status: u16,
    body: String,
}

impl Acknowledgement {
    /// 200 with `SUCCESS`: the notification is dealt with.
    #[must_use]
    pub fn success() -> Self {
        Self {
            status: 200,
            body: r#"{"code":"SUCCESS","message":"OK"}"#.to_owned(),
        }
    }

    /// A status of 400 or more with `FAIL` and a message for the platform's people; others become 500.
    ///
    /// ```
    /// use wxmember::notification::Acknowledgement;
    /// let later = Acknowledgement::failure(500, "the database is away");
    /// assert_eq!(later.body(), r#"{"code":"FAIL","message":"the database is away"}"#);
    /// ```
    #[must_use]
    pub fn failure(status: u16, message: &str) -> Self {
        Self {
            status: if (400..600).contains(&status) { status } else { 500 },
            body: serde_json::json!({ "code": "FAIL", "message": message }).to_string(),
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body; its type is `application/json`.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }
}
