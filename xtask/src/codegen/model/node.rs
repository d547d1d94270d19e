//! A place in the document, and what is wrong there.

use std::fmt;

use serde_yaml_ng::{Mapping, Value};

/// Where the document is unusable, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SpecError {
    pub(crate) at: String,
    pub(crate) what: String,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.what)
    }
}

impl std::error::Error for SpecError {}

/// A value of the document and its JSON Pointer.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    pub(crate) value: &'a Value,
    pub(crate) at: String,
}

impl<'a> Node<'a> {
    pub(crate) fn root(value: &'a Value) -> Self {
        Self {
            value,
            at: "#".to_owned(),
        }
    }

    pub(crate) fn error(&self, what: impl Into<String>) -> SpecError {
        SpecError {
            at: self.at.clone(),
            what: what.into(),
        }
    }

    fn mapping(&self) -> Result<&'a Mapping, SpecError> {
        self.value
            .as_mapping()
            .ok_or_else(|| self.error("must be an object"))
    }

    fn child(&self, key: &str, value: &'a Value) -> Self {
        Self {
            value,
            at: format!("{}/{}", self.at, key.replace('~', "~0").replace('/', "~1")),
        }
    }

    pub(crate) fn find(&self, key: &str) -> Option<Self> {
        let value = self.value.as_mapping()?.get(key)?;
        Some(self.child(key, value))
    }

    pub(crate) fn value_of(&self, key: &str) -> Option<&'a Value> {
        self.value.as_mapping()?.get(key)
    }

    pub(crate) fn member(&self, key: &str) -> Result<Self, SpecError> {
        self.find(key)
            .ok_or_else(|| self.error(format!("`{key}` is missing")))
    }

    pub(crate) fn members(&self) -> Result<Vec<(&'a str, Self)>, SpecError> {
        self.mapping()?
            .iter()
            .map(|(key, value)| {
                let key = key
                    .as_str()
                    .ok_or_else(|| self.error("has a key that is no text"))?;
                Ok((key, self.child(key, value)))
            })
            .collect()
    }

    pub(crate) fn items(&self) -> Result<Vec<Self>, SpecError> {
        let items = self
            .value
            .as_sequence()
            .ok_or_else(|| self.error("must be a list"))?;
        Ok(items
            .iter()
            .enumerate()
            .map(|(index, value)| self.child(&index.to_string(), value))
            .collect())
    }

    pub(crate) fn text(&self) -> Result<&'a str, SpecError> {
        self.value.as_str().ok_or_else(|| self.error("must be a text"))
    }

    pub(crate) fn texts(&self) -> Result<Vec<&'a str>, SpecError> {
        self.items()?.iter().map(Self::text).collect()
    }

    pub(crate) fn text_of(&self, key: &str) -> Result<Option<&'a str>, SpecError> {
        self.find(key).map(|node| node.text()).transpose()
    }

    pub(crate) fn number_of(&self, key: &str) -> Result<Option<u64>, SpecError> {
        self.find(key)
            .map(|node| {
                node.value
                    .as_u64()
                    .ok_or_else(|| node.error("must be a whole number, 0 or more"))
            })
            .transpose()
    }

    pub(crate) fn flag_of(&self, key: &str) -> Result<Option<bool>, SpecError> {
        self.find(key)
            .map(|node| {
                node.value
                    .as_bool()
                    .ok_or_else(|| node.error("must be true or false"))
            })
            .transpose()
    }

    /// Refuses keys that no generator would look at: what is silently left out is a mistake that nobody sees.
    pub(crate) fn only(&self, keys: &[&str]) -> Result<(), SpecError> {
        for (key, node) in self.members()? {
            if !keys.contains(&key) {
                return Err(node.error(format!("the key `{key}` is not supported here")));
            }
        }
        Ok(())
    }

    /// The name of the schema that this refers to.
    pub(crate) fn reference(&self) -> Result<String, SpecError> {
        let reference = self.member("$ref")?.text()?;
        match reference.strip_prefix("#/components/schemas/") {
            Some(name) => Ok(name.to_owned()),
            None => Err(self.error(format!(
                "refers to `{reference}`, expected `#/components/schemas/…`"
            ))),
        }
    }

    /// The place itself, or what its `$ref` into `section` of the components leads to.
    pub(crate) fn resolve(&self, root: &Self, section: &str) -> Result<Self, SpecError> {
        let Some(reference) = self.text_of("$ref")? else {
            return Ok(self.clone());
        };
        let prefix = format!("#/components/{section}/");
        let found = reference.strip_prefix(&prefix).and_then(|name| {
            let section = root.find("components")?.find(section)?;
            section.find(name)
        });
        found.ok_or_else(|| self.error(format!("refers to `{reference}`, which does not exist")))
    }
}
