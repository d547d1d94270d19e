//! Ways through a document that may be wrong: nothing here fails, so that every finding is found in one run.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml_ng::Value;

use crate::codegen::model::Node;

/// Every operation: its path, its method and its place.
pub(super) fn operations<'a>(root: &Node<'a>) -> Vec<(&'a str, &'a str, Node<'a>)> {
    let mut operations = Vec::new();
    for (path, item) in members(root.find("paths")) {
        for (method, operation) in members(Some(item)) {
            if METHODS.contains(&method) {
                operations.push((path, method, operation));
            }
        }
    }
    operations
}

/// The members of an object, or none.
pub(super) fn members<'a>(node: Option<Node<'a>>) -> Vec<(&'a str, Node<'a>)> {
    node.and_then(|node| node.members().ok()).unwrap_or_default()
}

/// The elements of a list, or none.
pub(super) fn items<'a>(node: Option<Node<'a>>) -> Vec<Node<'a>> {
    node.and_then(|node| node.items().ok()).unwrap_or_default()
}

/// A member that is a text.
pub(super) fn text<'a>(node: &Node<'a>, key: &str) -> Option<&'a str> {
    node.find(key)?.value.as_str()
}

/// What a pointer such as `#/components/schemas/BrandId` leads to.
pub(super) fn follow<'a>(root: &Node<'a>, reference: &str) -> Option<Node<'a>> {
    let mut node = root.clone();
    for key in reference.strip_prefix("#/")?.split('/') {
        node = node.find(&key.replace("~1", "/").replace("~0", "~"))?;
    }
    Some(node)
}

/// The last word of a pointer.
pub(super) fn name_of(pointer: &str) -> &str {
    pointer.rsplit('/').next().unwrap_or(pointer)
}

/// The place itself, or what its `$ref` leads to.
pub(super) fn resolve<'a>(root: &Node<'a>, node: &Node<'a>) -> Option<Node<'a>> {
    match text(node, "$ref") {
        Some(reference) => follow(root, reference),
        None => Some(node.clone()),
    }
}

/// Calls `visit` for a place and everything below it, but not for what an example holds.
pub(super) fn visit<'a>(node: &Node<'a>, visit_place: &mut impl FnMut(&Node<'a>)) {
    visit_place(node);
    match node.value {
        Value::Mapping(_) => {
            for (key, child) in members(Some(node.clone())) {
                if !matches!(key, "example" | "examples") {
                    visit(&child, visit_place);
                }
            }
        }
        Value::Sequence(_) => items(Some(node.clone()))
            .iter()
            .for_each(|child| visit(child, visit_place)),
        _ => {}
    }
}

/// Every reference below a place, with where it stands.
pub(super) fn references<'a>(node: &Node<'a>) -> Vec<(Node<'a>, &'a str)> {
    let mut found = Vec::new();
    visit(node, &mut |node| {
        if let Some(reference) = text(node, "$ref") {
            found.push((node.clone(), reference));
        }
    });
    found
}

/// Everything in the components that a place leads to, by pointer.
pub(super) fn reached(root: &Node<'_>, from: &Node<'_>) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut todo = vec![from.clone()];
    while let Some(node) = todo.pop() {
        for (_, reference) in references(&node) {
            if reached.insert(reference.to_owned()) {
                todo.extend(follow(root, reference));
            }
        }
    }
    reached
}

/// Which way the values of a schema go.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Directions {
    /// From the merchant to the platform.
    pub(super) request: bool,
    /// From the platform to the merchant, in an answer or in a notification.
    pub(super) answer: bool,
}

impl Directions {
    pub(super) fn any(self) -> bool {
        self.request || self.answer
    }
}

/// The directions of every schema that is used, by pointer.
pub(super) fn directions(root: &Node<'_>) -> BTreeMap<String, Directions> {
    let mut directions: BTreeMap<String, Directions> = BTreeMap::new();
    let mut sent = Vec::new();
    let mut told = Vec::new();
    for (_, _, operation) in operations(root) {
        sent.extend(operation.find("parameters"));
        sent.extend(operation.find("requestBody"));
        told.extend(operation.find("responses"));
    }
    told.extend(
        ["x-notification-envelope", "x-notifications"]
            .iter()
            .filter_map(|key| root.find(key)),
    );
    for node in sent {
        for name in reached(root, &node) {
            directions.entry(name).or_default().request = true;
        }
    }
    for node in told {
        for name in reached(root, &node) {
            directions.entry(name).or_default().answer = true;
        }
    }
    directions
}

const METHODS: &[&str] = &[
    "delete", "get", "head", "options", "patch", "post", "put", "trace",
];
