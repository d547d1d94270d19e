//! The document as progenitor gets it: the same operations and types, without what it would turn into stricter types
//! than an answer can be held to.

use openapiv3::OpenAPI;
use serde_yaml_ng::{Mapping, Value};

use crate::codegen::model::Model;

/// A copy of the document for progenitor.
pub(super) fn for_progenitor(value: &Value, model: &Model) -> Result<OpenAPI, String> {
    let mut copy = value.clone();
    if let Some(paths) = copy.get_mut("paths").and_then(Value::as_mapping_mut) {
        for operation in paths.values_mut().filter_map(Value::as_mapping_mut) {
            for operation in operation.values_mut().filter_map(Value::as_mapping_mut) {
                let id = operation.get("operationId").and_then(Value::as_str);
                let seals = id.is_some_and(|id| {
                    let mut operations = model.operations.iter();
                    operations.any(|o| o.id == id && o.sealed_part(model).is_some())
                });
                header_as_text(operation, value, seals);
            }
        }
    }
    loosen(&mut copy);
    serde_yaml_ng::from_value(copy).map_err(|error| format!("the document is not OpenAPI 3.0: {error}"))
}

/// The header that names the platform's key: a plain text where the request is sealed, since its value comes from a
/// key and not from a caller; left out elsewhere, since the pipeline sends it with every request.
fn header_as_text(operation: &mut Mapping, document: &Value, seals: bool) {
    let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_sequence_mut) else {
        return;
    };
    parameters.retain_mut(|parameter| {
        let resolved = resolve(document, parameter);
        if resolved.get("in").and_then(Value::as_str) != Some("header") {
            return true;
        }
        let mut text = resolved.clone();
        if let Some(text) = text.as_mapping_mut() {
            text.insert(
                "schema".into(),
                Mapping::from_iter([("type".into(), "string".into())]).into(),
            );
            text.insert("required".into(), true.into());
        }
        *parameter = text;
        seals
    });
}

fn resolve<'a>(document: &'a Value, parameter: &'a Value) -> &'a Value {
    let name = parameter
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix("#/components/parameters/"));
    let found = name.and_then(|name| document.get("components")?.get("parameters")?.get(name));
    found.unwrap_or(parameter)
}

/// Drops limits that would become types: a minimum of 1 would be a `NonZero`, and an answer with a 0 unreadable.
fn loosen(value: &mut Value) {
    match value {
        Value::Mapping(members) => {
            let is_schema = members.get("type").is_some_and(Value::is_string);
            if is_schema {
                for key in ["minimum", "maximum", "minItems", "maxItems"] {
                    members.remove(key);
                }
            }
            members.values_mut().for_each(loosen);
        }
        Value::Sequence(items) => items.iter_mut().for_each(loosen),
        _ => {}
    }
}
