//! Request numbers (商户请求单号): the same number with the same content gets the first answer again, another content is
//! refused. Whether the gateway does so is not stated for this family.

use std::collections::HashMap;

use serde_json::Value;

use crate::rule::{self, Rule};

/// What was asked under each number, and what came of it.
pub(crate) struct RequestNumbers<T> {
    /// By owner, such as a brand, and number.
    seen: HashMap<(String, String), (Value, T)>,
}

impl<T> RequestNumbers<T> {
    /// What came of an earlier request under this number.
    pub(crate) fn earlier(
        &self,
        owner: &str,
        number: &str,
        content: &Value,
    ) -> Result<Option<&T>, &'static Rule> {
        match self.seen.get(&(owner.to_owned(), number.to_owned())) {
            None => Ok(None),
            Some((earlier, result)) if earlier == content => Ok(Some(result)),
            Some(_) => Err(&rule::REQUEST_NUMBER_TAKEN),
        }
    }

    /// Notes what came of a request. `content` must hold nothing personal.
    pub(crate) fn note(&mut self, owner: &str, number: &str, content: Value, result: T) {
        self.seen
            .insert((owner.to_owned(), number.to_owned()), (content, result));
    }
}

impl<T> Default for RequestNumbers<T> {
    fn default() -> Self {
        Self { seen: HashMap::new() }
    }
}
