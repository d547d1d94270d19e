//! What is known of an operation without calling it.

/// An operation of the API, as the document describes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Operation {
    id: &'static str,
    method: &'static str,
    path: &'static str,
    rate_limit: u32,
    repeatable: bool,
}

impl Operation {
    pub(crate) const fn new(
        id: &'static str,
        method: &'static str,
        path: &'static str,
        rate_limit: u32,
        repeatable: bool,
    ) -> Self {
        Self {
            id,
            method,
            path,
            rate_limit,
            repeatable,
        }
    }

    /// The operation id, for example `import_by_phone`.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// The method in upper case.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        self.method
    }

    /// The path template.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// Calls a second that one merchant id may make, all processes and hosts together.
    #[must_use]
    pub const fn rate_limit(&self) -> u32 {
        self.rate_limit
    }

    /// Whether the same call may be made again when nobody knows if the first one took effect.
    #[must_use]
    pub const fn is_repeatable(&self) -> bool {
        self.repeatable
    }
}
