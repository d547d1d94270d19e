//! What holds between the parts of a document: names that exist, secrets that go one way, names that are free.

use std::collections::BTreeSet;

use heck::ToUpperCamelCase;

use super::{Kind, Model, Operation, Property, Shape, Side, SpecError};

impl Model {
    pub(super) fn check(&self) -> Result<(), SpecError> {
        self.check_schemas()?;
        let mut ids = BTreeSet::new();
        for operation in &self.operations {
            let at = format!("operation {}", operation.id);
            if !ids.insert(&operation.id) {
                return error(&at, "there are two operations of this name");
            }
            self.check_operation(operation, &at)?;
        }
        for event in &self.notifications {
            let at = format!("#/x-notifications/{}", event.event_type);
            self.exists(&event.schema, &at)?;
            if self.holds_secret(&event.schema, Side::Platform) {
                return error(&at, "a notification holds ciphertexts for the platform");
            }
        }
        Ok(())
    }

    fn exists(&self, name: &str, at: &str) -> Result<(), SpecError> {
        if self.schemas.contains_key(name) {
            return Ok(());
        }
        error(
            at,
            &format!("refers to the schema `{name}`, which does not exist"),
        )
    }

    fn check_schemas(&self) -> Result<(), SpecError> {
        for schema in self.schemas.values() {
            if let Kind::Object { properties } = &schema.kind {
                for property in properties {
                    if let Some(name) = property.shape.name() {
                        let at = format!(
                            "#/components/schemas/{}/properties/{}",
                            schema.name, property.wire
                        );
                        self.exists(name, &at)?;
                    }
                }
            }
        }
        for schema in self.schemas.values() {
            if self.contains_itself(&schema.name, &mut Vec::new()) {
                return error(
                    &format!("#/components/schemas/{}", schema.name),
                    "contains itself",
                );
            }
        }
        let mut names: BTreeSet<String> = BTreeSet::new();
        for schema in self.schemas.values() {
            let at = format!("#/components/schemas/{}", schema.name);
            if self.holds_secret(&schema.name, Side::Merchant)
                && self.holds_secret(&schema.name, Side::Platform)
            {
                return error(&at, "mixes ciphertexts for the platform and for the merchant");
            }
            let plain = schema.plain_name.as_ref().unwrap_or(&schema.name);
            if !names.insert(plain.clone()) {
                return error(&at, &format!("two types of the SDK would be called `{plain}`"));
            }
        }
        for operation in self.operations.iter().filter(|o| !o.query.is_empty()) {
            let name = format!("{}Query", operation.id.to_upper_camel_case());
            if !names.insert(name.clone()) {
                let at = format!("operation {}", operation.id);
                return error(&at, &format!("two types of the SDK would be called `{name}`"));
            }
        }
        Ok(())
    }

    fn contains_itself<'a>(&'a self, name: &'a str, above: &mut Vec<&'a str>) -> bool {
        if above.contains(&name) {
            return true;
        }
        let Kind::Object { properties } = &self.schema(name).kind else {
            return false;
        };
        above.push(name);
        let found = properties
            .iter()
            .filter_map(|property| property.shape.name())
            .any(|name| self.contains_itself(name, above));
        above.pop();
        found
    }

    fn check_operation(&self, operation: &Operation, at: &str) -> Result<(), SpecError> {
        for body in operation.request.iter().chain(&operation.response) {
            self.exists(&body.schema, at)?;
            if !matches!(self.schema(&body.schema).kind, Kind::Object { .. }) {
                return error(at, &format!("the body `{}` is no object", body.schema));
            }
        }
        for parameter in &operation.path_parameters {
            self.check_parameter(parameter, at)?;
            if matches!(parameter.shape, Shape::Secret { .. }) {
                return error(at, "a ciphertext cannot stand in a path");
            }
        }
        for parameter in &operation.query {
            self.check_parameter(parameter, at)?;
        }
        if !self.tags.iter().any(|tag| tag.name == operation.tag) {
            return error(at, &format!("the tag `{}` is not described", operation.tag));
        }
        let seals_body = operation
            .request
            .as_ref()
            .is_some_and(|body| self.holds_secret(&body.schema, Side::Platform));
        let seals_query = self.any_secret(&operation.query, Side::Platform);
        if seals_body && seals_query {
            return error(at, "seals both its query and its body, which is not supported");
        }
        if (seals_body || seals_query) && !operation.takes_serial {
            return error(
                at,
                "seals fields, so it must take the parameter `WechatpaySerial`",
            );
        }
        let wrong_way = operation
            .request
            .as_ref()
            .is_some_and(|body| self.holds_secret(&body.schema, Side::Merchant))
            || self.any_secret(&operation.query, Side::Merchant);
        if wrong_way {
            return error(at, "the request holds ciphertexts for the merchant");
        }
        if operation
            .response
            .as_ref()
            .is_some_and(|body| self.holds_secret(&body.schema, Side::Platform))
        {
            return error(at, "the answer holds ciphertexts for the platform");
        }
        Ok(())
    }

    fn check_parameter(&self, parameter: &Property, at: &str) -> Result<(), SpecError> {
        let Some(name) = parameter.shape.name() else {
            return Ok(());
        };
        self.exists(name, at)?;
        if matches!(self.schema(name).kind, Kind::Object { .. }) {
            return error(at, &format!("the parameter `{}` is an object", parameter.wire));
        }
        Ok(())
    }
}

fn error(at: &str, what: &str) -> Result<(), SpecError> {
    Err(SpecError {
        at: at.to_owned(),
        what: what.to_owned(),
    })
}
