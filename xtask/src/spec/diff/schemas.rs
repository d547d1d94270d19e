//! Changes of schemas, by the way that their values go: a narrower limit breaks who sends, a value that may be absent
//! breaks who reads.

use std::collections::BTreeMap;

use heck::ToUpperCamelCase;
use serde_yaml_ng::Value;

use super::{Both, Change, breaking, change, compatible};
use crate::{
    codegen::model::Node,
    spec::walk::{self, Directions},
};

pub(super) fn compare(both: &Both<'_>, changes: &mut Vec<Change>) {
    let (old, new) = (schemas(&both.old), schemas(&both.new));
    let (was, is) = (walk::directions(&both.old), walk::directions(&both.new));
    for (name, before) in &old {
        let [was, is] = [&was, &is].map(|directions| directions.get(&before.at).copied().unwrap_or_default());
        let Some(after) = new.get(name) else {
            let what = format!("the schema `{name}` is removed");
            changes.push(change(&before.at, what, was.any(), &[name]));
            continue;
        };
        // What nothing uses is judged as if it went both ways.
        let is_unused = !was.any() && !is.any();
        let directions = Directions {
            request: was.request || is.request || is_unused,
            answer: was.answer || is.answer || is_unused,
        };
        compare_places(before, after, directions, &[name], changes);
    }
    for (name, after) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
        let what = format!("the schema `{name}` is added");
        changes.push(compatible(&after.at, what, &[name]));
    }
}

fn schemas<'a>(root: &Node<'a>) -> BTreeMap<&'a str, Node<'a>> {
    let schemas = root
        .find("components")
        .and_then(|components| components.find("schemas"));
    walk::members(schemas).into_iter().collect()
}

/// Compares one schema, or the schema of one property; `names` begins with what it is called.
pub(super) fn compare_places(
    before: &Node<'_>,
    after: &Node<'_>,
    directions: Directions,
    names: &[&str],
    changes: &mut Vec<Change>,
) {
    let subject = names.join("` of `");
    let (was, is) = (target(before), target(after));
    if was != is {
        let kind = match [&was, &is].iter().any(|name| name.ends_with("Ciphertext")) {
            true => "encryption",
            false => "type",
        };
        let what = format!("the {kind} of `{subject}` was {was}, is {is}");
        push(changes, breaking(&after.at, what, names));
        return;
    }
    let mut keys: Vec<_> = walk::members(Some(after.clone()))
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    let removed = walk::members(Some(before.clone())).into_iter();
    keys.extend(
        removed
            .map(|(key, _)| key)
            .filter(|key| after.find(key).is_none()),
    );
    for key in keys {
        let (old, new) = (before.value_of(key), after.value_of(key));
        if old == new {
            continue;
        }
        match key {
            "type" | "format" | "$ref" | "allOf" => {}
            "properties" => properties(before, after, directions, names[0], changes),
            "required" => requiredness(before, after, directions, names[0], changes),
            "enum" => values(before, after, names[0], changes),
            "x-enum-names" | "x-enum-descriptions" => {
                if before.value_of("enum") == after.value_of("enum") {
                    words(before, after, key, names[0], changes);
                }
            }
            "items" => {
                if let (Some(old), Some(new)) = (before.find(key), after.find(key)) {
                    compare_places(&old, &new, directions, names, changes);
                }
            }
            "x-plaintext" | "x-plain-type" | "x-open-enum" => {
                let what = format!("`{key}` of `{subject}` changed, and with it a name in Rust");
                push(changes, breaking(&after.at, what, names));
            }
            _ if LIMITS.contains(&key) => {
                let is_breaking = directions.request && is_narrower(key, old, new);
                let what = format!("`{key}` of `{subject}` was {}, is {}", shown(old), shown(new));
                push(changes, change(&after.at, what, is_breaking, names));
            }
            _ => {
                let what = format!("`{key}` of `{subject}` changed");
                push(changes, compatible(&after.at, what, names));
            }
        }
    }
}

/// A parameter that several operations share is compared once for each of them.
fn push(changes: &mut Vec<Change>, change: Change) {
    let is_known = changes
        .iter()
        .any(|known| known.at == change.at && known.what == change.what);
    if !is_known {
        changes.push(change);
    }
}

/// What a value is: the schema that it refers to, or its type and format.
fn target(node: &Node<'_>) -> String {
    let reference = walk::text(node, "$ref").or_else(|| {
        let all_of = walk::items(node.find("allOf"));
        walk::text(all_of.first()?, "$ref")
    });
    if node.find("enum").is_some() {
        return "an enumeration".to_owned();
    }
    match (reference, walk::text(node, "type"), walk::text(node, "format")) {
        (Some(reference), ..) => walk::name_of(reference).to_owned(),
        (None, None, _) => "anything".to_owned(),
        (None, Some(ty), None) => ty.to_owned(),
        (None, Some(ty), Some(format)) => format!("{ty} {format}"),
    }
}

fn properties(
    before: &Node<'_>,
    after: &Node<'_>,
    directions: Directions,
    schema: &str,
    changes: &mut Vec<Change>,
) {
    let (old, new) = (before.find("properties"), after.find("properties"));
    for (name, property) in walk::members(old.clone()) {
        let names = [name, schema];
        match new.as_ref().and_then(|new| new.find(name)) {
            Some(now) => compare_places(&property, &now, directions, &names, changes),
            None => {
                let what = format!("the property `{name}` of `{schema}` is removed");
                changes.push(breaking(&property.at, what, &names));
            }
        }
    }
    for (name, property) in walk::members(new) {
        if old.as_ref().is_none_or(|old| old.find(name).is_none()) {
            let is_required = required(after).contains(&name);
            let kind = if is_required { "required" } else { "optional" };
            let what = format!("the property `{name}` of `{schema}` is added, {kind}");
            let is_breaking = is_required && directions.request;
            changes.push(change(&property.at, what, is_breaking, &[name, schema]));
        }
    }
}

/// The properties that both have and that change whether they must be there.
fn requiredness(
    before: &Node<'_>,
    after: &Node<'_>,
    directions: Directions,
    schema: &str,
    changes: &mut Vec<Change>,
) {
    let (old, new) = (required(before), required(after));
    let place = |node: &Node<'_>, name: &str| Some(node.find("properties")?.find(name)?.at);
    for name in old.iter().filter(|name| !new.contains(name)) {
        if let Some(at) = place(after, name) {
            let what = format!("the property `{name}` of `{schema}` becomes optional");
            changes.push(change(&at, what, directions.answer, &[name, schema]));
        }
    }
    for name in new.iter().filter(|name| !old.contains(name)) {
        // For who reads an `Option` disappears, for who sends a value is missing.
        if let (Some(_), Some(at)) = (place(before, name), place(after, name)) {
            let what = format!("the property `{name}` of `{schema}` becomes required");
            changes.push(breaking(&at, what, &[name, schema]));
        }
    }
}

fn required<'a>(node: &Node<'a>) -> Vec<&'a str> {
    node.find("required")
        .and_then(|required| required.texts().ok())
        .unwrap_or_default()
}

fn values(before: &Node<'_>, after: &Node<'_>, schema: &str, changes: &mut Vec<Change>) {
    let (old, new) = (variants(before), variants(after));
    let at = format!("{}/enum", after.at);
    for (value, variant) in &old {
        match new.get(value) {
            None => {
                let what = format!("the value `{value}` of `{schema}` is removed");
                changes.push(breaking(&at, what, &[value, schema]));
            }
            Some(now) if now != variant => {
                let what = format!("the value `{value}` of `{schema}` was called `{variant}`, is `{now}`");
                changes.push(breaking(&at, what, &[variant, schema]));
            }
            Some(_) => {}
        }
    }
    for value in new.keys().filter(|value| !old.contains_key(*value)) {
        let what = format!("the value `{value}` of `{schema}` is added");
        changes.push(compatible(&at, what, &[value, schema]));
    }
}

/// What changed about values that are the same as before.
fn words(before: &Node<'_>, after: &Node<'_>, key: &str, schema: &str, changes: &mut Vec<Change>) {
    if key == "x-enum-names" {
        values(before, after, schema, changes);
    } else {
        let what = format!("`{key}` of `{schema}` changed");
        changes.push(compatible(&after.at, what, &[schema]));
    }
}

/// The values of an enumeration and their names in Rust.
fn variants<'a>(node: &Node<'a>) -> BTreeMap<&'a str, String> {
    let texts = |key| node.find(key).and_then(|list| list.texts().ok());
    let values = texts("enum").unwrap_or_default();
    let names = texts("x-enum-names").unwrap_or_else(|| values.clone());
    let names = names.into_iter().map(|name| name.to_upper_camel_case());
    values.into_iter().zip(names).collect()
}

/// Whether a limit allows less than before.
fn is_narrower(key: &str, old: Option<&Value>, new: Option<&Value>) -> bool {
    if key == "pattern" {
        return new.is_some();
    }
    let number = |value: Option<&Value>| value.and_then(Value::as_f64);
    match (number(old), number(new)) {
        (_, None) => false,
        (None, Some(new)) => key.starts_with("max") || new > 0.0,
        (Some(old), Some(new)) if key.starts_with("max") => new < old,
        (Some(old), Some(new)) => new > old,
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "absent".to_owned(),
        Some(Value::String(text)) => format!("`{text}`"),
        Some(value) => serde_json::to_string(value).unwrap_or_default(),
    }
}

const LIMITS: &[&str] = &[
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
];
