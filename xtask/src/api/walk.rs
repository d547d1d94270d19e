//! From the root of a crate through every public signature, over rustdoc's JSON.
//!
//! Knows of the format (57 in Rust 1.95) only what it needs: which numbers are items below an item, and that whatever has
//! `path`, `id` and `args` names a type or a trait. So a new kind of type cannot hide a name from it. Must never judge; that is
//! done by [`allowed`](super::allowed).

use std::collections::{BTreeMap, HashSet, VecDeque};

use serde_json::Value;

/// The JSON of crates, by the name of the crate.
#[derive(Debug, Default)]
pub(super) struct Crates(BTreeMap<String, Documented>);

#[derive(Debug)]
struct Documented {
    json: Value,
    /// The crate's own items by their full path.
    by_path: BTreeMap<String, String>,
}

impl Crates {
    /// Adds the JSON of a crate.
    pub(super) fn insert(&mut self, name: &str, json: Value) {
        let paths = json["paths"].as_object();
        let by_path = paths
            .into_iter()
            .flatten()
            .filter(|(_, summary)| summary["crate_id"] == 0)
            .filter_map(|(id, summary)| Some((full_path(summary)?, id.clone())))
            .collect();
        self.0.insert(name.to_owned(), Documented { json, by_path });
    }
}

/// A type or trait of another crate, and where it was met first.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Finding {
    /// The item in whose signature it stands, by the path that users know.
    pub(super) item: String,
    /// Its full path, where it is defined.
    pub(super) of: String,
    /// It is of a crate of ours, and the crate that is walked re-exports it nowhere.
    pub(super) is_unnamed: bool,
}

/// Every type and trait of another crate in the interface of `name`, sorted by path.
pub(super) fn walk(crates: &Crates, name: &str) -> Vec<Finding> {
    let mut walk = Walk {
        crates,
        root: name,
        seen: HashSet::new(),
        queue: VecDeque::new(),
        used: BTreeMap::new(),
        named: HashSet::new(),
    };
    if let Some(documented) = crates.0.get(name) {
        walk.enqueue(name, id_text(&documented.json["root"]), name.to_owned());
    }
    while let Some(step) = walk.queue.pop_front() {
        walk.visit(&step);
    }
    let is_unnamed = |of: &str, in_root: bool| {
        let ours = of
            .split("::")
            .next()
            .is_some_and(|first| crates.0.contains_key(first));
        in_root && ours && !walk.named.contains(of) && !walk.named.iter().any(|module| is_inside(of, module))
    };
    walk.used
        .iter()
        .map(|(of, place)| Finding {
            item: place.item.clone(),
            of: of.clone(),
            is_unnamed: is_unnamed(of, place.is_in_root),
        })
        .collect()
}

struct Walk<'a> {
    crates: &'a Crates,
    root: &'a str,
    seen: HashSet<(String, String)>,
    queue: VecDeque<Step>,
    used: BTreeMap<String, Place>,
    /// Full paths of what the root crate re-exports of other crates.
    named: HashSet<String>,
}

/// An item to look at.
struct Step {
    of: String,
    id: String,
    /// Its path as users know it.
    label: String,
}

/// Where a type was met.
struct Place {
    item: String,
    is_in_root: bool,
}

impl Walk<'_> {
    fn enqueue(&mut self, of: &str, id: String, label: String) {
        if self.seen.insert((of.to_owned(), id.clone())) {
            let of = of.to_owned();
            self.queue.push_back(Step { of, id, label });
        }
    }

    fn visit(&mut self, step: &Step) {
        let Some(documented) = self.crates.0.get(&step.of) else {
            return;
        };
        let item = &documented.json["index"][&step.id];
        let Some((kind, inner)) = item["inner"].as_object().and_then(|inner| inner.iter().next()) else {
            return;
        };
        match kind.as_str() {
            "use" => self.visit_use(step, inner),
            "impl" if is_made_by_the_compiler(inner) => {}
            _ => {
                let mut names = Vec::new();
                collect(inner, &mut names);
                for id in names {
                    self.refer(step, &id, None);
                }
                for id in children(inner) {
                    let child = &documented.json["index"][&id];
                    // An impl has no name; what stands in it belongs to its type.
                    let label = match child["name"].as_str() {
                        Some(name) => format!("{}::{name}", step.label),
                        None => step.label.clone(),
                    };
                    self.enqueue(&step.of, id, label);
                }
            }
        }
    }

    /// A re-export: of an item of this crate, or of another's.
    fn visit_use(&mut self, step: &Step, inner: &Value) {
        let name = inner["name"].as_str().unwrap_or_default();
        let label = if inner["is_glob"] == true {
            step.label.clone()
        } else {
            // The label of a `use` is its parent's, since it has no name of its own.
            format!("{}::{name}", step.label)
        };
        if !inner["id"].is_null() {
            self.refer(step, &id_text(&inner["id"]), Some(label));
        }
    }

    /// Follows a name. `label` is given when it is re-exported under that label.
    fn refer(&mut self, step: &Step, id: &str, label: Option<String>) {
        let Some(documented) = self.crates.0.get(&step.of) else {
            return;
        };
        let summary = &documented.json["paths"][id];
        if documented.json["index"].get(id).is_some() {
            let label = label
                .or_else(|| full_path(summary))
                .unwrap_or_else(|| step.label.clone());
            return self.enqueue(&step.of, id.to_owned(), label);
        }
        let Some(of) = full_path(summary) else { return };
        if summary["crate_id"] == 0 {
            // Not in the index: hidden from the documentation.
            return;
        }
        let is_in_root = step.of == self.root;
        if is_in_root && label.is_some() {
            self.named.insert(of.clone());
        }
        let item = label.unwrap_or_else(|| step.label.clone());
        let place = self.used.entry(of.clone()).or_insert_with(|| Place {
            item: item.clone(),
            is_in_root,
        });
        place.is_in_root |= is_in_root;
        let owner = of.split("::").next().unwrap_or_default().to_owned();
        if let Some(theirs) = self.crates.0.get(&owner)
            && let Some(id) = theirs.by_path.get(&of)
        {
            self.enqueue(&owner, id.clone(), item);
        }
    }
}

/// Blanket and automatic impls say nothing of ours.
fn is_made_by_the_compiler(inner: &Value) -> bool {
    inner["is_synthetic"] == true || !inner["blanket_impl"].is_null()
}

/// The items below an item: all that stand in lists of ids, wherever the kind of item keeps them.
fn children(inner: &Value) -> Vec<String> {
    let lists = [
        &inner["items"],
        &inner["impls"],
        &inner["variants"],
        &inner["implementations"],
        &inner["kind"]["plain"]["fields"],
        &inner["kind"]["struct"]["fields"],
        &inner["kind"]["tuple"],
        &inner["fields"],
    ];
    let ids = lists.into_iter().filter_map(Value::as_array).flatten();
    ids.filter(|id| id.is_u64()).map(id_text).collect()
}

/// The ids of all types and traits that a signature names.
fn collect(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            let is_name = object.contains_key("path") && object.contains_key("args");
            if let (true, Some(id)) = (is_name, object.get("id")) {
                names.push(id_text(id));
            }
            object.values().for_each(|value| collect(value, names));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, names)),
        _ => {}
    }
}

fn full_path(summary: &Value) -> Option<String> {
    let segments: Option<Vec<_>> = summary["path"].as_array()?.iter().map(Value::as_str).collect();
    Some(segments?.join("::"))
}

fn id_text(id: &Value) -> String {
    id.to_string()
}

fn is_inside(path: &str, module: &str) -> bool {
    path.strip_prefix(module)
        .is_some_and(|rest| rest.starts_with("::"))
}
