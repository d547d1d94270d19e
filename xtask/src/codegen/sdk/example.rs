//! The example in each method's documentation, made from the document's own.

use std::collections::BTreeSet;

use quote::ToTokens;
use serde_yaml_ng::Value;

use super::{
    operation::{accessor, arguments},
    plain_name, properties,
    request::query_name,
};
use crate::codegen::model::{Kind, Model, Operation, Property, Schema, Shape};

/// The lines of an example that compiles, or nothing when the document has no values for it.
pub(super) fn lines(model: &Model, operation: &Operation) -> Option<Vec<String>> {
    let mut example = Example {
        model,
        uses: BTreeSet::new(),
    };
    let mut statements = String::new();
    for parameter in &operation.path_parameters {
        let value = example.parameter(parameter)?;
        let ty = super::plain_type(model, &parameter.shape).to_string();
        if parameter.shape.name().is_some() {
            example.uses.insert(ty.clone());
        }
        statements += &format!("let {}: {ty} = {value};\n", parameter.field());
    }
    if !operation.query.is_empty() {
        let name = query_name(operation).to_string();
        example.uses.insert(name.clone());
        let mut builder = format!("let query = {name}::builder()\n");
        for parameter in operation.query.iter().filter(|parameter| parameter.required) {
            builder += &format!("    .{}({})\n", parameter.field(), example.parameter(parameter)?);
        }
        statements += &(builder + "    .build();\n");
    }
    if let Some(body) = &operation.request {
        let schema = model.schema(&body.schema);
        let value = example.object(schema, body.example.as_ref()?, 0)?;
        statements += &format!("let request = {value};\n");
    }
    let names = arguments(model, operation, false)
        .into_iter()
        .map(|argument| {
            let by_value = !argument.ty.to_token_stream().to_string().starts_with('&');
            format!("{}{}", if by_value { "" } else { "&" }, argument.name)
        })
        .collect::<Vec<_>>()
        .join(", ");
    let call = format!(
        "client.{}().{}({names}).await?",
        accessor(&operation.tag),
        operation.id
    );
    let uses = match example.uses.len() {
        0 => String::new(),
        1 => format!("use wxmember::{};\n", example.uses.first()?),
        _ => format!(
            "use wxmember::{{{}}};\n",
            example.uses.into_iter().collect::<Vec<_>>().join(", ")
        ),
    };
    let mut lines = vec![
        " ```no_run".to_owned(),
        " # async fn demo(client: &wxmember::Client) -> Result<(), Box<dyn std::error::Error>> {".to_owned(),
    ];
    if operation.deprecated {
        lines.push(" # #![allow(deprecated)]".to_owned());
    }
    let shown = format!("{uses}{statements}let answer = {call};\nprintln!(\"{{:?}}\", answer.request_id());");
    lines.extend(shown.lines().map(|line| format!(" {line}")));
    lines.extend([" # Ok(())", " # }", " ```"].map(str::to_owned));
    Some(lines)
}

struct Example<'a> {
    model: &'a Model,
    /// The types that it names.
    uses: BTreeSet<String>,
}

impl Example<'_> {
    /// The value of a path or query parameter: its own example, its type's, or the least that is allowed.
    fn parameter(&mut self, parameter: &Property) -> Option<String> {
        if let Some(value) = &parameter.example {
            return self.value(&parameter.shape, value, 1);
        }
        match &parameter.shape {
            Shape::Named(name) => {
                let schema = self.model.schema(name);
                match (&schema.kind, &schema.example) {
                    (_, Some(value)) => self.value(&parameter.shape, value, 1),
                    (Kind::OpenEnum { variants }, None) => {
                        let first = Value::String(variants.first()?.wire.clone());
                        self.value(&parameter.shape, &first, 1)
                    }
                    _ => None,
                }
            }
            Shape::Integer(_) => Some("1".to_owned()),
            Shape::Boolean => Some("true".to_owned()),
            Shape::Secret { .. } => self.value(&parameter.shape, &Value::Null, 1),
            Shape::List(_) | Shape::Any => None,
        }
    }

    fn value(&mut self, shape: &Shape, value: &Value, depth: usize) -> Option<String> {
        match shape {
            Shape::Secret { plaintext, .. } => {
                self.uses.insert(plaintext.clone());
                // A ciphertext says nothing to a reader.
                let sample = if plaintext == "PhoneNumber" {
                    "13800138000"
                } else {
                    "示例"
                };
                Some(format!("{plaintext}::new({sample:?})"))
            }
            Shape::Named(name) => self.named(self.model.schema(name), value, depth),
            Shape::List(item) => {
                let items = value.as_sequence()?.iter();
                let items = items.map(|value| self.value(item, value, depth));
                Some(format!("vec![{}]", items.collect::<Option<Vec<_>>>()?.join(", ")))
            }
            Shape::Integer(_) => Some(value.as_i64()?.to_string()),
            Shape::Boolean => Some(value.as_bool()?.to_string()),
            Shape::Any => Some(format!(
                "serde_json::json!({})",
                serde_json::to_string(value).ok()?
            )),
        }
    }

    fn named(&mut self, schema: &Schema, value: &Value, depth: usize) -> Option<String> {
        match &schema.kind {
            Kind::Text { .. } | Kind::Time => Some(format!("{:?}.parse()?", value.as_str()?)),
            Kind::OpenEnum { variants } => {
                let text = value.as_str()?;
                let Some(variant) = variants.iter().find(|variant| variant.wire == text) else {
                    return Some(format!("{text:?}.into()"));
                };
                self.uses.insert(schema.name.clone());
                Some(format!("{}::{}", schema.name, variant.name))
            }
            Kind::Object { .. } => self.object(schema, value, depth),
            Kind::Ciphertext(_) => None,
        }
    }

    /// A builder with what is required; with everything in the example, when nothing is.
    fn object(&mut self, schema: &Schema, value: &Value, depth: usize) -> Option<String> {
        let properties = properties(schema);
        let any_required = properties.iter().any(|property| property.required);
        let name = plain_name(schema).to_string();
        self.uses.insert(name.clone());
        let indent = "    ".repeat(depth + 1);
        let mut builder = format!("{name}::builder()\n");
        for property in properties {
            if any_required && !property.required {
                continue;
            }
            let Some(value) = value.get(&property.wire) else {
                if property.required {
                    return None;
                }
                continue;
            };
            let value = self.value(&property.shape, value, depth + 1)?;
            builder += &format!("{indent}.{}({value})\n", property.field());
        }
        Some(format!("{builder}{indent}.build()"))
    }
}
