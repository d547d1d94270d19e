//! Where fields stand: paths through a schema, and the places of a body that they lead to.

use std::{collections::BTreeSet, fmt};

use serde_json::Value;

/// A path through a schema; `*` is every element of an array.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FieldPath(Vec<Step>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Step {
    Each,
    Member(String),
}

impl FieldPath {
    /// The places of `body` that the path leads to, as JSON Pointers.
    pub(crate) fn places(&self, body: &Value) -> Vec<String> {
        let mut places = vec![(String::new(), body)];
        for step in &self.0 {
            places = places
                .into_iter()
                .flat_map(|(pointer, value)| match step {
                    Step::Each => {
                        let elements = value.as_array().into_iter().flatten().enumerate();
                        elements
                            .map(|(index, element)| (format!("{pointer}/{index}"), element))
                            .collect::<Vec<_>>()
                    }
                    Step::Member(name) => {
                        let member = value.get(name).map(|member| (pointer_to(&pointer, name), member));
                        member.into_iter().collect()
                    }
                })
                .collect();
        }
        places.into_iter().map(|(pointer, _)| pointer).collect()
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| match step {
            Step::Each => f.write_str("/*"),
            Step::Member(name) => write!(f, "/{name}"),
        })
    }
}

/// The paths of an inlined schema that end at a format, in the order of the schema.
pub(crate) fn with_format(schema: &Value, format: &str) -> Vec<FieldPath> {
    let mut found = Vec::new();
    walk(schema, format, &mut Vec::new(), &mut found);
    found
}

fn walk(schema: &Value, format: &str, path: &mut Vec<Step>, found: &mut Vec<FieldPath>) {
    if schema["format"] == format {
        found.push(FieldPath(path.clone()));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        path.push(Step::Member(name.clone()));
        walk(property, format, path, found);
        path.pop();
    }
    if let Some(items) = schema.get("items") {
        path.push(Step::Each);
        walk(items, format, path, found);
        path.pop();
    }
}

/// The places of the values of an inlined schema that have another format, or none.
pub(crate) fn other_than(schema: &Value, format: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    leaves(schema, format, String::new(), &mut found);
    found
}

fn leaves(schema: &Value, format: &str, place: String, found: &mut BTreeSet<String>) {
    let properties = schema["properties"].as_object();
    for (name, property) in properties.into_iter().flatten() {
        leaves(property, format, format!("{place}/{name}"), found);
    }
    if let Some(items) = schema.get("items") {
        leaves(items, format, format!("{place}/*"), found);
    } else if properties.is_none() && schema["format"] != format {
        found.insert(place);
    }
}

/// The JSON Pointer to a member, escaped as RFC 6901 says.
pub(crate) fn pointer_to(parent: &str, member: &str) -> String {
    format!("{parent}/{}", member.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_found_at_every_depth() {
        let schema = json!({"properties": {
            "list": {"items": {"properties": {"values": {"items": {"format": "f"}}}}},
            "one": {"format": "f"},
            "other": {"format": "g"},
        }});
        let paths = with_format(&schema, "f");
        let body = json!({"one": "a", "other": "b", "list": [{"values": ["c", "d"]}, {}, {"values": ["e"]}]});
        let places: Vec<_> = paths.iter().flat_map(|path| path.places(&body)).collect();
        assert_eq!(
            places,
            ["/list/0/values/0", "/list/0/values/1", "/list/2/values/0", "/one"]
        );
        assert_eq!(paths[0].places(&json!({"list": 1})), Vec::<String>::new());
    }

    #[test]
    fn pointers_are_escaped() {
        assert_eq!(pointer_to("/a", "b/c~d"), "/a/b~1c~0d");
    }
}
