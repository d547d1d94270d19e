//! Changes of operations and their bodies, and of notifications.

use std::collections::BTreeMap;

use super::{Both, Change, breaking, change, compatible, parameters};
use crate::{codegen::model::Node, spec::walk};

pub(super) fn compare(both: &Both<'_>, changes: &mut Vec<Change>) {
    let (old, new) = (by_id(&both.old), by_id(&both.new));
    for (id, before) in &old {
        if let Some(after) = new.get(id) {
            compare_one(both, id, before, after, changes);
            continue;
        }
        let successor = new
            .iter()
            .find(|(new_id, after)| !old.contains_key(*new_id) && after.at_same_place(before));
        let what = match successor {
            Some((new_id, _)) => format!("the operation `{id}` is now called `{new_id}`"),
            None => format!("the operation `{id}` is removed"),
        };
        changes.push(breaking(&before.node.at, what, &[id]));
    }
    for (id, after) in new.iter().filter(|(id, _)| !old.contains_key(*id)) {
        let what = format!("the operation `{id}` is added");
        changes.push(compatible(&after.node.at, what, &[id]));
    }
    notifications(both, changes);
}

struct Operation<'a> {
    path: &'a str,
    method: &'a str,
    node: Node<'a>,
}

impl Operation<'_> {
    fn at_same_place(&self, other: &Operation<'_>) -> bool {
        (self.path, self.method) == (other.path, other.method)
    }
}

fn by_id<'a>(root: &Node<'a>) -> BTreeMap<&'a str, Operation<'a>> {
    walk::operations(root)
        .into_iter()
        .filter_map(|(path, method, node)| {
            let id = walk::text(&node, "operationId")?;
            Some((id, Operation { path, method, node }))
        })
        .collect()
}

fn compare_one(
    both: &Both<'_>,
    id: &str,
    before: &Operation<'_>,
    after: &Operation<'_>,
    changes: &mut Vec<Change>,
) {
    if !before.at_same_place(after) {
        let (method, path) = (before.method.to_uppercase(), before.path);
        changes.push(breaking(
            &after.node.at,
            format!("`{id}` was `{method} {path}`"),
            &[id],
        ));
    }
    for (key, node) in walk::members(Some(after.node.clone())) {
        match key {
            "parameters" | "requestBody" | "responses" => {}
            _ if before.node.value_of(key) == Some(node.value) => {}
            // The tag is the group in which a program finds the method.
            "tags" => changes.push(breaking(&node.at, format!("`{id}` changed its tag"), &[id])),
            _ => changes.push(compatible(&node.at, format!("`{key}` of `{id}` changed"), &[id])),
        }
    }
    for (key, node) in walk::members(Some(before.node.clone())) {
        if after.node.find(key).is_none() && !matches!(key, "parameters" | "requestBody" | "responses") {
            changes.push(compatible(
                &node.at,
                format!("`{key}` of `{id}` is removed"),
                &[id],
            ));
        }
    }
    parameters::compare(both, id, &before.node, &after.node, changes);
    bodies(id, &before.node, &after.node, changes);
}

fn bodies(id: &str, before: &Node<'_>, after: &Node<'_>, changes: &mut Vec<Change>) {
    let at = &after.at;
    let (sent, sends) = (request(before), request(after));
    if sent != sends {
        let shown = |schema: Option<String>| schema.map_or("absent".to_owned(), |name| format!("`{name}`"));
        let what = format!("the body of `{id}` was {}, is {}", shown(sent), shown(sends));
        changes.push(breaking(&format!("{at}/requestBody"), what, &[id]));
        return;
    }
    let (answered, answers) = (answers(before), answers(after));
    if answered != answers {
        let what = format!("`{id}` answered {answered}, answers {answers}");
        changes.push(breaking(&format!("{at}/responses"), what, &[id]));
        return;
    }
    // What is left: descriptions, headers, examples, errors.
    for key in ["requestBody", "responses"] {
        if before.value_of(key) != after.value_of(key) {
            let what = format!("descriptions, headers or examples in `{key}` of `{id}` changed");
            changes.push(compatible(&format!("{at}/{key}"), what, &[id]));
        }
    }
}

fn request(operation: &Node<'_>) -> Option<String> {
    operation.find("requestBody").and_then(|body| schema_of(&body))
}

/// Every status that means success, with the schema of its body.
fn answers(operation: &Node<'_>) -> String {
    let answers: Vec<_> = walk::members(operation.find("responses"))
        .into_iter()
        .filter(|(status, _)| status.starts_with('2'))
        .map(|(status, response)| match schema_of(&response) {
            Some(schema) => format!("{status} with `{schema}`"),
            None => status.to_owned(),
        })
        .collect();
    answers.join(" or ")
}

fn schema_of(body: &Node<'_>) -> Option<String> {
    let content = walk::members(body.find("content")).into_iter().next()?.1;
    let reference = walk::text(&content.find("schema")?, "$ref")?;
    Some(walk::name_of(reference).to_owned())
}

fn notifications(both: &Both<'_>, changes: &mut Vec<Change>) {
    let (old, new) = (both.old.find("x-notifications"), both.new.find("x-notifications"));
    for (event_type, before) in walk::members(old.clone()) {
        let variant = walk::text(&before, "variant").unwrap_or(event_type);
        let Some(after) = new.as_ref().and_then(|new| new.find(event_type)) else {
            let what = format!("the notification `{event_type}` is removed");
            changes.push(breaking(&before.at, what, &[variant, event_type]));
            continue;
        };
        for key in ["variant", "schema", "description", "externalDocs", "example"] {
            if before.value_of(key) != after.value_of(key) {
                let what = format!("`{key}` of the notification `{event_type}` changed");
                let is_breaking = matches!(key, "variant" | "schema");
                changes.push(change(&after.at, what, is_breaking, &[variant, event_type]));
            }
        }
    }
    for (event_type, after) in walk::members(new) {
        if old.as_ref().is_none_or(|old| old.find(event_type).is_none()) {
            let what = format!("the notification `{event_type}` is added");
            changes.push(compatible(&after.at, what, &[event_type]));
        }
    }
}
