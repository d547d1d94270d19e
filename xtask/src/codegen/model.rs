//! The part of OpenAPI that our document uses, as types. Refuses what the generators would get wrong.
//!
//! Must never know an operation or a field by name: what is special about a field stands in the document.

use std::collections::{BTreeMap, BTreeSet};

use heck::ToSnakeCase;
use serde_yaml_ng::Value;

mod node;
mod operation;
mod references;
mod schema;

pub(crate) use self::node::{Node, SpecError};

/// A document that was read and found usable.
pub(crate) struct Model {
    pub(crate) schemas: BTreeMap<String, Schema>,
    /// In the order of the document.
    pub(crate) operations: Vec<Operation>,
    pub(crate) notifications: Vec<Notification>,
    pub(crate) tags: Vec<Tag>,
}

/// A named schema: one concept.
pub(crate) struct Schema {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) kind: Kind,
    pub(crate) example: Option<Value>,
    /// `x-plain-type`: the name of the plain twin, when it is not the schema's own.
    pub(crate) plain_name: Option<String>,
}

pub(crate) enum Kind {
    /// A text, bounded unless `x-unbounded-because` says why not.
    Text {
        min: Option<u64>,
        max: Option<u64>,
        pattern: Option<String>,
    },
    /// A moment that keeps its text.
    Time,
    /// An enumeration that takes unknown values.
    OpenEnum { variants: Vec<Variant> },
    /// Sealed for one side.
    Ciphertext(Side),
    /// An object.
    Object { properties: Vec<Property> },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    Merchant,
    Platform,
}

pub(crate) struct Variant {
    pub(crate) wire: String,
    pub(crate) name: String,
    pub(crate) doc: String,
}

/// A member of an object, or a parameter of a path or of a query.
#[derive(Clone)]
pub(crate) struct Property {
    pub(crate) wire: String,
    pub(crate) doc: String,
    /// What a value must keep to that its type does not say, for people.
    pub(crate) limits: Option<String>,
    pub(crate) required: bool,
    pub(crate) shape: Shape,
    pub(crate) example: Option<Value>,
}

/// The type of a property.
#[derive(Clone)]
pub(crate) enum Shape {
    /// A named schema.
    Named(String),
    /// A ciphertext and the secret type of its plaintext (`x-plaintext`).
    Secret { side: Side, plaintext: String },
    /// A list.
    List(Box<Self>),
    /// A whole number, by its Rust type.
    Integer(&'static str),
    /// True or false.
    Boolean,
    /// Any JSON.
    Any,
}

pub(crate) struct Operation {
    pub(crate) id: String,
    /// In upper case.
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) tag: String,
    pub(crate) summary: String,
    pub(crate) doc: String,
    pub(crate) source: Option<String>,
    pub(crate) deprecated: bool,
    /// `x-rate-limit`: calls a second and merchant id.
    pub(crate) rate_limit: u64,
    /// `x-repeatable`: whether the identical call may be sent again when the outcome of the first is unknown.
    pub(crate) repeatable: bool,
    /// In the order of the path.
    pub(crate) path_parameters: Vec<Property>,
    /// In the order of the document.
    pub(crate) query: Vec<Property>,
    pub(crate) request: Option<Body>,
    /// `None` is 204.
    pub(crate) response: Option<Body>,
    /// Whether it refers to the header that names the platform's key.
    pub(crate) takes_serial: bool,
}

/// A JSON body.
pub(crate) struct Body {
    pub(crate) schema: String,
    pub(crate) example: Option<Value>,
}

/// An event that the platform tells, from `x-notifications`.
pub(crate) struct Notification {
    pub(crate) event_type: String,
    pub(crate) variant: String,
    pub(crate) doc: String,
    pub(crate) schema: String,
}

pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) doc: String,
}

impl Model {
    pub(crate) fn read(document: &Value) -> Result<Self, SpecError> {
        let root = Node::root(document);
        let mut schemas = BTreeMap::new();
        for (name, schema) in root.member("components")?.member("schemas")?.members()? {
            schemas.insert(name.to_owned(), Schema::read(name, &schema)?);
        }
        let mut operations = Vec::new();
        for (path, item) in root.member("paths")?.members()? {
            for (method, operation) in item.members()? {
                operations.push(Operation::read(&root, path, method, &operation)?);
            }
        }
        let mut notifications = Vec::new();
        if let Some(events) = root.find("x-notifications") {
            for (event_type, event) in events.members()? {
                notifications.push(Notification::read(event_type, &event)?);
            }
        }
        let mut tags = Vec::new();
        for tag in root.member("tags")?.items()? {
            tags.push(Tag {
                name: tag.member("name")?.text()?.to_owned(),
                doc: tag.member("description")?.text()?.to_owned(),
            });
        }
        let model = Self {
            schemas,
            operations,
            notifications,
            tags,
        };
        model.check()?;
        Ok(model)
    }

    pub(crate) fn schema(&self, name: &str) -> &Schema {
        // `check` has seen every name.
        &self.schemas[name]
    }

    /// Whether a ciphertext for `side` is reachable from the named schema.
    pub(crate) fn holds_secret(&self, name: &str, side: Side) -> bool {
        match &self.schema(name).kind {
            Kind::Ciphertext(found) => *found == side,
            Kind::Object { properties } => self.any_secret(properties, side),
            Kind::Text { .. } | Kind::Time | Kind::OpenEnum { .. } => false,
        }
    }

    pub(crate) fn any_secret(&self, properties: &[Property], side: Side) -> bool {
        properties
            .iter()
            .any(|property| self.shape_holds_secret(&property.shape, side))
    }

    pub(crate) fn shape_holds_secret(&self, shape: &Shape, side: Side) -> bool {
        match shape {
            Shape::Secret { side: found, .. } => *found == side,
            Shape::Named(name) => self.holds_secret(name, side),
            Shape::List(item) => self.shape_holds_secret(item, side),
            Shape::Integer(_) | Shape::Boolean | Shape::Any => false,
        }
    }

    /// Adds the places below `at` where the named schema holds what is sealed for the platform.
    fn sealed_in(&self, name: &str, at: &str, places: &mut Vec<String>) {
        let Kind::Object { properties } = &self.schema(name).kind else {
            return;
        };
        for property in properties {
            // A pointer writes these two characters in its own way (RFC 6901, section 3).
            let step = property.wire.replace('~', "~0").replace('/', "~1");
            let (mut at, mut shape) = (format!("{at}/{step}"), &property.shape);
            while let Shape::List(item) = shape {
                at.push_str("/*");
                shape = item;
            }
            match shape {
                Shape::Secret {
                    side: Side::Platform, ..
                } => places.push(at),
                Shape::Named(inner) if self.holds_secret(inner, Side::Platform) => {
                    self.sealed_in(inner, &at, places);
                }
                _ => {}
            }
        }
    }

    /// The side that the secrets of a schema are sealed for, if it has any.
    pub(crate) fn side_of(&self, name: &str) -> Option<Side> {
        [Side::Merchant, Side::Platform]
            .into_iter()
            .find(|&side| self.holds_secret(name, side))
    }

    /// The names of the schemas that an operation sends or answers, or that a notification holds.
    pub(crate) fn reachable(&self) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut todo: Vec<&str> = Vec::new();
        for operation in &self.operations {
            let bodies = operation.request.iter().chain(&operation.response);
            todo.extend(bodies.map(|body| body.schema.as_str()));
            let parameters = operation.path_parameters.iter().chain(&operation.query);
            todo.extend(parameters.filter_map(|parameter| parameter.shape.name()));
        }
        todo.extend(self.notifications.iter().map(|event| event.schema.as_str()));
        while let Some(name) = todo.pop() {
            if reached.insert(name)
                && let Kind::Object { properties } = &self.schema(name).kind
            {
                todo.extend(properties.iter().filter_map(|property| property.shape.name()));
            }
        }
        reached
    }

    /// The objects that hold no secret and therefore are the same type for the raw client and for the SDK.
    pub(crate) fn shared_objects(&self) -> Vec<&Schema> {
        let reachable = self.reachable();
        self.schemas
            .values()
            .filter(|schema| matches!(schema.kind, Kind::Object { .. }))
            .filter(|schema| reachable.contains(schema.name.as_str()))
            .filter(|schema| self.side_of(&schema.name).is_none())
            .collect()
    }
}

impl Operation {
    /// Where the secrets of its request stand, if there are any.
    pub(crate) fn sealed_part(&self, model: &Model) -> Option<SealedPart> {
        if model.any_secret(&self.query, Side::Platform) {
            return Some(SealedPart::Query);
        }
        let request = self.request.as_ref()?;
        model
            .holds_secret(&request.schema, Side::Platform)
            .then_some(SealedPart::Body)
    }

    /// The places of its body that are sealed, as JSON Pointers in which `*` stands for every element of a list.
    pub(crate) fn sealed_fields(&self, model: &Model) -> Vec<String> {
        let mut places = Vec::new();
        if let Some(request) = &self.request {
            model.sealed_in(&request.schema, "", &mut places);
        }
        places
    }

    /// The query parameters that are sealed, by name.
    pub(crate) fn sealed_query(&self) -> Vec<&str> {
        let sealed = self.query.iter().filter(|parameter| {
            matches!(
                parameter.shape,
                Shape::Secret {
                    side: Side::Platform,
                    ..
                }
            )
        });
        sealed.map(|parameter| parameter.wire.as_str()).collect()
    }

    /// The query in the order in which the raw client takes it.
    pub(crate) fn sorted_query(&self) -> Vec<&Property> {
        let mut query: Vec<_> = self.query.iter().collect();
        query.sort_by(|a, b| a.wire.cmp(&b.wire));
        query
    }
}

/// The part of a request that is sealed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SealedPart {
    Body,
    Query,
}

impl Property {
    /// The name of the field in Rust, as progenitor writes it.
    pub(crate) fn field(&self) -> String {
        let name = self.wire.to_snake_case();
        if KEYWORDS.contains(&name.as_str()) {
            name + "_"
        } else {
            name
        }
    }

    /// Whether its Rust type is an `Option`; an absent list is an empty one.
    pub(crate) fn is_option(&self) -> bool {
        !self.required && !matches!(self.shape, Shape::List(_))
    }
}

impl Shape {
    /// The named schema of it or of its elements.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::List(item) => item.name(),
            Self::Secret { .. } | Self::Integer(_) | Self::Boolean | Self::Any => None,
        }
    }
}

/// Words of Rust that a field of an API may well be called.
const KEYWORDS: &[&str] = &[
    "as", "async", "box", "enum", "final", "for", "if", "impl", "in", "loop", "match", "mod", "move", "priv",
    "pub", "ref", "static", "super", "trait", "true", "try", "type", "use", "where", "while", "yield",
];
