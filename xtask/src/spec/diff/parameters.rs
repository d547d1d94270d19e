//! Changes of the parameters of one operation, which are the arguments of its method.

use std::collections::BTreeMap;

use super::{Both, Change, breaking, change, compatible, schemas};
use crate::{
    codegen::model::Node,
    spec::walk::{self, Directions},
};

pub(super) fn compare(
    both: &Both<'_>,
    id: &str,
    before: &Node<'_>,
    after: &Node<'_>,
    changes: &mut Vec<Change>,
) {
    let (old, new) = (of(&both.old, before), of(&both.new, after));
    let had_query = old.keys().any(|key| key.place == "query");
    for (key, parameter) in &old {
        if !new.contains_key(key) {
            let what = format!("the {key} of `{id}` is removed");
            changes.push(change(&parameter.at, what, key.is_argument(), &[key.name, id]));
        }
    }
    for (key, parameter) in &new {
        let names = &[key.name, id];
        let Some(earlier) = old.get(key) else {
            changes.push(added(id, key, parameter, had_query));
            continue;
        };
        if is_required(earlier) != is_required(parameter) {
            let becomes = is_required(parameter);
            let kind = if becomes { "required" } else { "optional" };
            let what = format!("the {key} of `{id}` becomes {kind}");
            changes.push(change(&parameter.at, what, becomes && key.is_argument(), names));
        }
        let sent = Directions {
            request: true,
            answer: false,
        };
        if let (Some(earlier), Some(schema)) = (earlier.find("schema"), parameter.find("schema")) {
            schemas::compare_places(&earlier, &schema, sent, names, changes);
        }
        for word in ["deprecated", "description", "example"] {
            if earlier.value_of(word) != parameter.value_of(word) {
                let what = format!("`{word}` of the {key} of `{id}` changed");
                changes.push(compatible(&parameter.at, what, names));
            }
        }
    }
}

fn added(id: &str, key: &Key<'_>, parameter: &Node<'_>, had_query: bool) -> Change {
    let names = &[key.name, id];
    if key.place == "query" && !is_required(parameter) && !had_query {
        let what = format!("the {key} gives the method `{id}` its first query, which is an argument more");
        return breaking(&parameter.at, what, names);
    }
    let required = is_required(parameter);
    let kind = if required { "required" } else { "optional" };
    let what = format!("the {key} of `{id}` is added, {kind}");
    change(&parameter.at, what, required && key.is_argument(), names)
}

/// Which parameter it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Key<'a> {
    place: &'a str,
    name: &'a str,
}

impl Key<'_> {
    /// A header is written by the SDK and is no argument of a method.
    fn is_argument(self) -> bool {
        self.place != "header"
    }
}

impl std::fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} parameter `{}`", self.place, self.name)
    }
}

fn of<'a>(root: &Node<'a>, operation: &Node<'a>) -> BTreeMap<Key<'a>, Node<'a>> {
    walk::items(operation.find("parameters"))
        .iter()
        .filter_map(|parameter| walk::resolve(root, parameter))
        .filter_map(|parameter| {
            let key = Key {
                place: walk::text(&parameter, "in")?,
                name: walk::text(&parameter, "name")?,
            };
            Some((key, parameter))
        })
        .collect()
}

fn is_required(parameter: &Node<'_>) -> bool {
    parameter
        .value_of("required")
        .is_some_and(|required| required.as_bool() == Some(true))
}
