//! What a document must keep to beyond what the generators can read.

use std::collections::{BTreeMap, BTreeSet};

use heck::ToSnakeCase;

use super::{
    examples::{self, Examples},
    parse, walk,
};
use crate::{
    codegen::{
        SPEC,
        model::{Model, Node},
    },
    outcome::{Failure, Outcome},
};

/// Something wrong with the document.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Finding {
    pub(super) at: String,
    pub(super) what: String,
    pub(super) fix: String,
}

/// Prints every finding.
pub(super) fn run(text: &str) -> Outcome {
    let document = parse(text, SPEC)?;
    let findings = findings(&Node::root(&document));
    if findings.is_empty() {
        return Ok(());
    }
    for Finding { at, what, fix } in &findings {
        eprintln!("{SPEC} {at}: {what}\n  hint: {fix}");
    }
    Err(Failure::failed(
        format!("{} findings in {SPEC}", findings.len()),
        "mend what is named above, then run `cargo xtask spec check`",
    ))
}

/// Everything that is wrong with a document, in its order as far as there is one.
pub(super) fn findings(root: &Node<'_>) -> Vec<Finding> {
    let mut report = Report { findings: Vec::new() };
    report.operations(root);
    report.bodies(root);
    report.references(root);
    report.strings(root);
    report.ciphertexts(root);
    report.examples(root);
    report.unused(root);
    // What the generators refuse and nothing above has named.
    if let Err(error) = Model::read(root.value)
        && report.findings.is_empty()
    {
        report.push(
            &error.at,
            error.what,
            "change the document; the generators cannot use it as it is",
        );
    }
    report.findings
}

struct Report {
    findings: Vec<Finding>,
}

impl Report {
    fn push(&mut self, at: &str, what: impl Into<String>, fix: impl Into<String>) {
        self.findings.push(Finding {
            at: at.to_owned(),
            what: what.into(),
            fix: fix.into(),
        });
    }

    fn operations(&mut self, root: &Node<'_>) {
        let tags: BTreeSet<_> = walk::items(root.find("tags"))
            .iter()
            .filter(|tag| walk::text(tag, "description").is_some_and(|text| !text.trim().is_empty()))
            .filter_map(|tag| walk::text(tag, "name"))
            .collect();
        let mut seen: BTreeMap<&str, String> = BTreeMap::new();
        for (_, _, operation) in walk::operations(root) {
            let at = &operation.at;
            match walk::text(&operation, "operationId") {
                None => self.push(
                    at,
                    "has no `operationId`",
                    "name it in snake case, as its method will be called",
                ),
                Some(id) if id.to_snake_case() != id => self.push(
                    at,
                    format!("the operation id `{id}` is not in snake case"),
                    format!("call it `{}`", id.to_snake_case()),
                ),
                Some(id) => {
                    if let Some(first) = seen.insert(id, at.clone()) {
                        self.push(
                            at,
                            format!("the operation id `{id}` stands at {first} too"),
                            "give one of the two another id",
                        );
                    }
                }
            }
            let names: Vec<_> = walk::items(operation.find("tags"));
            match names.as_slice() {
                [tag] if tag.value.as_str().is_some_and(|tag| tags.contains(tag)) => {}
                [_] => self.push(
                    at,
                    "its tag has no description",
                    "describe the tag under `tags`, or use one that is described",
                ),
                _ => self.push(at, format!("has {} tags", names.len()), "give it exactly one tag"),
            }
            if operation
                .find("x-rate-limit")
                .and_then(|limit| limit.value.as_u64())
                .is_none_or(|limit| limit == 0)
            {
                self.push(
                    at,
                    "has no `x-rate-limit`",
                    "say how many calls a second; 5 when none is documented",
                );
            }
            if operation
                .find("x-repeatable")
                .and_then(|flag| flag.value.as_bool())
                .is_none()
            {
                self.push(
                    at,
                    "has no `x-repeatable`",
                    "say whether the identical call may be sent again when the outcome is unknown",
                );
            }
        }
    }

    /// Every body has an example.
    fn bodies(&mut self, root: &Node<'_>) {
        let mut bodies = Vec::new();
        for (_, _, operation) in walk::operations(root) {
            bodies.extend(operation.find("requestBody"));
            bodies.extend(
                walk::members(operation.find("responses"))
                    .into_iter()
                    .map(|(_, response)| response),
            );
        }
        let mut seen = BTreeSet::new();
        for body in bodies.iter().filter_map(|body| walk::resolve(root, body)) {
            for (_, content) in walk::members(body.find("content")) {
                let has_example = content.find("example").is_some() || content.find("examples").is_some();
                if !has_example && seen.insert(content.at.clone()) {
                    self.push(
                        &content.at,
                        "the body has no example",
                        "add `example`, from a documented one",
                    );
                }
            }
        }
        for (_, event) in walk::members(root.find("x-notifications")) {
            if event.find("example").is_none() {
                self.push(
                    &event.at,
                    "the notification has no example",
                    "add `example`, from a documented one",
                );
            }
        }
    }

    fn references(&mut self, root: &Node<'_>) {
        for (node, reference) in walk::references(root) {
            if walk::follow(root, reference).is_none() {
                self.push(
                    &node.at,
                    format!("refers to `{reference}`, which does not exist"),
                    "add it to the components, or mend the name",
                );
            }
        }
    }

    fn strings(&mut self, root: &Node<'_>) {
        let mut found = Vec::new();
        walk::visit(root, &mut |node| {
            let is_text = walk::text(node, "type") == Some("string") && node.at != "#";
            let is_bounded = ["maxLength", "enum", "x-unbounded-because"]
                .iter()
                .any(|key| node.find(key).is_some());
            if is_text && !is_bounded {
                found.push(node.at.clone());
            }
        });
        for at in found {
            self.push(
                &at,
                "the text has no `maxLength`",
                "add the documented one; when there is none, choose one and say so in `x-unbounded-because`",
            );
        }
    }

    /// A ciphertext has a direction: it is one of the two schemas, and stands where that side can open it.
    fn ciphertexts(&mut self, root: &Node<'_>) {
        let mut loose = Vec::new();
        walk::visit(root, &mut |node| {
            let Some(format) = walk::text(node, "format").filter(|format| format.ends_with("-ciphertext"))
            else {
                return;
            };
            let named = CIPHERTEXTS
                .iter()
                .find(|ciphertext| ciphertext.pointer == node.at);
            if named.is_none_or(|named| named.format != format) {
                loose.push(node.at.clone());
            }
        });
        for at in loose {
            self.push(
                &at,
                "a ciphertext of its own",
                "refer to `PlatformCiphertext` in a request and to `MerchantCiphertext` in an answer",
            );
        }
        let directions = walk::directions(root);
        for Ciphertext {
            pointer,
            wrong,
            other,
            ..
        } in CIPHERTEXTS
        {
            let wrong = directions.get(*pointer).copied().is_some_and(wrong);
            if wrong {
                for at in wrong_ways(root, pointer) {
                    self.push(
                        &at,
                        format!("`{}` goes the wrong way here", walk::name_of(pointer)),
                        format!("refer to `{other}`, or give requests and answers a schema each"),
                    );
                }
            }
        }
    }

    fn examples(&mut self, root: &Node<'_>) {
        let examples = Examples::new(root);
        for (example, schema) in examples::all(root) {
            for (place, what) in examples.mistakes(&schema, &example) {
                self.push(
                    &format!("{}{place}", example.at),
                    format!("the example is wrong: {what}"),
                    "mend the example, or the schema beside it",
                );
            }
        }
    }

    fn unused(&mut self, root: &Node<'_>) {
        let mut used = BTreeSet::new();
        for key in ["paths", "x-notification-envelope", "x-notifications"] {
            if let Some(node) = root.find(key) {
                used.extend(walk::reached(root, &node));
            }
        }
        for section in ["parameters", "responses", "headers", "schemas"] {
            let components = root
                .find("components")
                .and_then(|components| components.find(section));
            for (name, node) in walk::members(components) {
                if !used.contains(&node.at) {
                    self.push(
                        &node.at,
                        format!("nothing uses `{name}`"),
                        "remove it, or refer to it",
                    );
                }
            }
        }
    }
}

/// Where an operation or a notification takes a ciphertext that its receiver cannot open.
fn wrong_ways(root: &Node<'_>, pointer: &str) -> Vec<String> {
    let in_request = pointer != CIPHERTEXTS[0].pointer;
    let mut places = Vec::new();
    for (_, _, operation) in walk::operations(root) {
        let keys: &[&str] = if in_request {
            &["parameters", "requestBody"]
        } else {
            &["responses"]
        };
        places.extend(keys.iter().filter_map(|key| operation.find(key)));
    }
    if !in_request {
        places.extend(root.find("x-notifications"));
    }
    places
        .into_iter()
        .filter(|place| walk::reached(root, place).contains(pointer))
        .map(|place| place.at)
        .collect()
}

/// One of the two schemas that mark a field as encrypted.
struct Ciphertext {
    pointer: &'static str,
    format: &'static str,
    wrong: fn(walk::Directions) -> bool,
    other: &'static str,
}

const CIPHERTEXTS: &[Ciphertext] = &[
    Ciphertext {
        pointer: "#/components/schemas/PlatformCiphertext",
        format: "wechatpay-platform-ciphertext",
        wrong: |directions| directions.answer,
        other: "MerchantCiphertext",
    },
    Ciphertext {
        pointer: "#/components/schemas/MerchantCiphertext",
        format: "wechatpay-merchant-ciphertext",
        wrong: |directions| directions.request,
        other: "PlatformCiphertext",
    },
];

#[cfg(test)]
mod tests;
