//! What is known of an operation without calling it.

/// An operation of the API, as the document describes it.
///
/// ```
/// use wxmember::{OPERATIONS, UserCards};
/// assert_eq!(UserCards::IMPORT_BY_PHONE.rate_limit(), 5);
/// assert!(OPERATIONS.iter().all(|operation| operation.path().starts_with("/v3/")));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Operation {
    id: &'static str,
    method: &'static str,
    path: &'static str,
    rate_limit: u32,
    repeatable: bool,
    sealed_fields: &'static [&'static str],
    sealed_query: &'static [&'static str],
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
            sealed_fields: &[],
            sealed_query: &[],
        }
    }

    /// The same with what its request seals.
    pub(crate) const fn with_sealed(
        mut self,
        fields: &'static [&'static str],
        query: &'static [&'static str],
    ) -> Self {
        self.sealed_fields = fields;
        self.sealed_query = query;
        self
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

    /// The places of the request body that go sealed, as JSON Pointers in which `*` stands for every element of a list.
    ///
    /// ```
    /// let places = wxmember::MembercardOpen::IMPORT_PHONE_MEMBERCARD.sealed_fields();
    /// assert_eq!(places, ["/encrypted_phone_number"]);
    /// ```
    #[must_use]
    pub const fn sealed_fields(&self) -> &'static [&'static str] {
        self.sealed_fields
    }

    /// The names of the query parameters that go sealed.
    #[must_use]
    pub const fn sealed_query(&self) -> &'static [&'static str] {
        self.sealed_query
    }

    /// Whether it stands in the document, so that its path is known.
    pub(crate) fn is_documented(&self) -> bool {
        !self.path.is_empty()
    }

    /// Whether a path, as it is sent, is one of this operation: literal segments agree, parameters are not empty.
    pub(crate) fn has_path(&self, path: &str) -> bool {
        let mut given = path.split('/');
        let fits = self.path.split('/').all(|segment| match given.next() {
            Some(text) if segment.starts_with('{') => !text.is_empty(),
            text => text == Some(segment),
        });
        fits && given.next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_its_template_only() {
        let operation = Operation::new("find", "GET", "/v3/cards/{card_id}/state", 5, true);
        for (path, fits) in [
            ("/v3/cards/17/state", true),
            ("/v3/cards/a%2Fb/state", true),
            ("/v3/cards//state", false),
            ("/v3/state", false),
            ("/v3/cards/17", false),
            ("/v3/cards/17/state/x", false),
            ("/v3/users/17/state", false),
        ] {
            assert_eq!(operation.has_path(path), fits, "{path}");
        }
    }
}
