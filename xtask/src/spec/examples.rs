//! Whether the examples of the document are values of the schemas that they stand beside.

use base64::{Engine, prelude::BASE64_STANDARD};
use jsonschema::{Draft, ValidationOptions, Validator};
use serde_json::{Map, Value};

use super::walk;
use crate::codegen::model::Node;

/// Checks values against schemas of one document.
pub(super) struct Examples<'a> {
    root: &'a Node<'a>,
}

impl<'a> Examples<'a> {
    pub(super) fn new(root: &'a Node<'a>) -> Self {
        Self { root }
    }

    /// What is wrong with a value of a schema, each with its place in the value.
    pub(super) fn mistakes(&self, schema: &Node<'_>, value: &Node<'_>) -> Vec<(String, String)> {
        let whole = |what: String| vec![(String::new(), what)];
        let (Some(schema), Ok(value)) = (self.json_schema(schema), serde_json::to_value(value.value)) else {
            return whole("the schema or the example has no JSON form".to_owned());
        };
        match options().build(&schema) {
            Ok(validator) => mistakes(&validator, &value),
            Err(error) => whole(format!("the schema cannot be used: {}", error.masked())),
        }
    }

    /// The schema with the part of the components that it leads to.
    fn json_schema(&self, schema: &Node<'_>) -> Option<Value> {
        let mut schemas = Map::new();
        for pointer in walk::reached(self.root, schema) {
            let found = walk::follow(self.root, &pointer)?;
            let name = walk::name_of(&pointer).to_owned();
            schemas.insert(name, serde_json::to_value(found.value).ok()?);
        }
        let mut schema = serde_json::to_value(schema.value).ok()?;
        let components = serde_json::json!({ "schemas": schemas });
        schema
            .as_object_mut()?
            .insert("components".to_owned(), components);
        close(&mut schema);
        Some(schema)
    }
}

fn mistakes(validator: &Validator, value: &Value) -> Vec<(String, String)> {
    validator
        .iter_errors(value)
        .map(|error| (error.instance_path().to_string(), error.masked().to_string()))
        .collect()
}

fn options() -> ValidationOptions<'static> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_format("wechatpay-platform-ciphertext", is_ciphertext)
        .with_format("wechatpay-merchant-ciphertext", is_ciphertext)
        .with_format("wechatpay-time", is_time)
}

/// A real ciphertext: base64 of what a key of 2048 to 8192 bits makes. The raw client refuses anything else.
fn is_ciphertext(text: &str) -> bool {
    BASE64_STANDARD
        .decode(text)
        .is_ok_and(|bytes| matches!(bytes.len(), 256..=1024))
}

/// RFC 3339 with an offset, by shape.
fn is_time(text: &str) -> bool {
    let shape = text.replace(|c: char| c.is_ascii_digit(), "0");
    let Some(rest) = shape.strip_prefix("0000-00-00T00:00:00") else {
        return false;
    };
    let offset = match rest.strip_prefix(".0") {
        Some(rest) => rest.trim_start_matches('0'),
        None => rest,
    };
    matches!(offset, "Z" | "+00:00" | "-00:00")
}

/// Closes every object, so that a misspelt member of an example is found.
fn close(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if is_open_object(members) {
                members.insert("additionalProperties".to_owned(), false.into());
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn is_open_object(members: &Map<String, Value>) -> bool {
    members.get("type").and_then(Value::as_str) == Some("object")
        && members.get("properties").is_some_and(Value::is_object)
        && !members.contains_key("additionalProperties")
}

/// Every example in the document that stands beside a schema: its place, the schema and the value.
pub(super) fn all<'a>(root: &Node<'a>) -> Vec<(Node<'a>, Node<'a>)> {
    let mut pairs = Vec::new();
    walk::visit(root, &mut |node| {
        // A named scalar is its own schema; a body, a parameter and a notification have one.
        let schema = node.find("schema").or_else(|| {
            let typed = walk::text(node, "type").is_some();
            typed.then(|| node.clone())
        });
        let Some(schema) = schema else { return };
        if let Some(example) = node.find("example") {
            pairs.push((example, schema.clone()));
        }
        for (_, example) in walk::members(node.find("examples")) {
            if let Some(value) = example.find("value") {
                pairs.push((value, schema.clone()));
            }
        }
    });
    pairs
}
