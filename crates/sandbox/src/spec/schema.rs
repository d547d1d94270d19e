//! From the document's schemas to plain JSON Schema: references inlined, annotations dropped, objects closed.
//!
//! What cannot be carried over exactly is an error, never a looser check.

use serde_json::{Map, Value};

use crate::spec::{SpecError, error_at};

/// Follows the references of one document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resolver<'a> {
    document: &'a Value,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(document: &'a Value) -> Self {
        Self { document }
    }

    /// The value itself, or what its `$ref` leads to.
    pub(crate) fn follow(self, value: &'a Value) -> Result<&'a Value, SpecError> {
        let mut value = value;
        for _ in 0..DEEPEST {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
                return Ok(value);
            };
            value = reference
                .strip_prefix('#')
                .and_then(|pointer| self.document.pointer(pointer))
                .ok_or_else(|| error_at(reference, "the reference leads nowhere"))?;
        }
        Err(error_at("$ref", "references lead to each other"))
    }

    /// A schema without references, as JSON Schema. Objects are closed: the sandbox is strict in what it takes and,
    /// in its tests, in what it gives.
    pub(crate) fn inline(self, schema: &Value) -> Result<Value, SpecError> {
        self.inline_at(schema, 0)
    }

    fn inline_at(self, schema: &Value, depth: usize) -> Result<Value, SpecError> {
        if depth > DEEPEST {
            return Err(error_at("a schema", "it contains itself"));
        }
        // A resolver of a shorter life, so that it may return the schema itself.
        let resolver: Resolver<'_> = self;
        let object = resolver
            .follow(schema)?
            .as_object()
            .ok_or_else(|| error_at("a schema", "not an object"))?;
        if let Some(parts) = object.get("allOf") {
            return self.inline_single(object, parts, depth);
        }
        let mut inlined = Map::new();
        for (key, value) in object {
            match key.as_str() {
                "properties" => {
                    let properties = value
                        .as_object()
                        .ok_or_else(|| error_at("properties", "not an object"))?;
                    let properties = properties
                        .iter()
                        .map(|(name, schema)| Ok((name.clone(), self.inline_at(schema, depth + 1)?)))
                        .collect::<Result<Map<_, _>, SpecError>>()?;
                    inlined.insert(key.clone(), properties.into());
                }
                "items" => {
                    inlined.insert(key.clone(), self.inline_at(value, depth + 1)?);
                }
                _ if is_annotation(key) => {}
                _ if PLAIN.contains(&key.as_str()) => {
                    inlined.insert(key.clone(), value.clone());
                }
                _ => return Err(error_at(key, "this keyword is not carried over")),
            }
        }
        if inlined.contains_key("properties") {
            inlined
                .entry("additionalProperties")
                .or_insert(Value::Bool(false));
        }
        Ok(inlined.into())
    }

    /// `allOf` with one part is how the document puts a description beside a reference; it stands for that part.
    fn inline_single(
        self,
        object: &Map<String, Value>,
        parts: &Value,
        depth: usize,
    ) -> Result<Value, SpecError> {
        let only_annotations = object.keys().all(|key| key == "allOf" || is_annotation(key));
        match parts.as_array().map(Vec::as_slice) {
            Some([part]) if only_annotations => self.inline_at(part, depth + 1),
            _ => Err(error_at(
                "allOf",
                "only one part with nothing but annotations beside it is carried over",
            )),
        }
    }
}

fn is_annotation(key: &str) -> bool {
    key.starts_with("x-") || ANNOTATIONS.contains(&key)
}

/// Keywords that check nothing. A default is filled in by nobody.
const ANNOTATIONS: &[&str] = &[
    "default",
    "deprecated",
    "description",
    "example",
    "externalDocs",
    "readOnly",
    "title",
    "writeOnly",
];

/// Keywords with the same meaning in JSON Schema draft 4, which hold no schemas.
const PLAIN: &[&str] = &[
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "required",
    "type",
    "uniqueItems",
];

/// More nesting than any body of the API has; a schema that contains itself is found by it.
const DEEPEST: usize = 32;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn inline(schemas: Value, schema: &Value) -> Result<Value, SpecError> {
        let document = json!({"schemas": schemas});
        Resolver::new(&document).inline(schema)
    }

    #[test]
    fn references_are_inlined_and_objects_closed() {
        let schemas = json!({
            "Id": {"type": "string", "maxLength": 4, "example": "a"},
            "Inner": {"type": "object", "properties": {"id": {"description": "x", "allOf": [{"$ref": "#/schemas/Id"}]}}},
        });
        let schema = json!({"type": "array", "x-y": 1, "items": {"$ref": "#/schemas/Inner"}});
        let expected = json!({"type": "array", "items": {"type": "object", "additionalProperties": false,
            "properties": {"id": {"type": "string", "maxLength": 4}}}});
        assert_eq!(inline(schemas, &schema).unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_carried_over_is_an_error() {
        for schema in [
            json!({"$ref": "#/schemas/Loop"}),
            json!({"$ref": "#/schemas/Self"}),
            json!({"$ref": "#/schemas/Nothing"}),
            json!({"$ref": "elsewhere.yaml"}),
            json!({"allOf": [{"type": "string"}, {"maxLength": 1}]}),
            json!({"allOf": [{"type": "string"}], "maxLength": 1}),
            json!({"type": "string", "nullable": true}),
            json!({"oneOf": []}),
            json!({"type": "object", "properties": 1}),
            json!(true),
        ] {
            let schemas = json!({
                "Loop": {"$ref": "#/schemas/Loop"},
                "Self": {"type": "array", "items": {"$ref": "#/schemas/Self"}},
            });
            assert!(inline(schemas, &schema).is_err(), "{schema}");
        }
    }
}
