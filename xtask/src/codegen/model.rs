//! The part of OpenAPI that our document uses, as types. Refuses what the generators would get wrong.
//!
//! Must never know an operation or a field by name: what is special about a field stands in the document.

use std::{collections::BTreeMap, fmt};

use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_yaml_ng::{Mapping, Value};

/// A document that was read and found usable.
pub(crate) struct Model {
    pub(crate) schemas: BTreeMap<String, Schema>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) tags: Vec<Tag>,
}

/// A named schema: one concept.
pub(crate) struct Schema {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) kind: Kind,
    /// `x-plain-type`: the name of the plain twin, when it is not the schema's own.
    pub(crate) plain_name: Option<String>,
}

pub(crate) enum Kind {
    /// A bounded text.
    Text {
        min: Option<u64>,
        max: u64,
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

pub(crate) struct Property {
    pub(crate) wire: String,
    pub(crate) doc: String,
    pub(crate) required: bool,
    pub(crate) shape: Shape,
}

/// The type of a property.
pub(crate) enum Shape {
    /// A named schema.
    Named(String),
    /// A ciphertext and the secret type of its plaintext (`x-plaintext`).
    Secret { side: Side, plaintext: String },
    /// A list.
    List(Box<Self>),
    /// A whole number, by its Rust type.
    Integer(&'static str),
    /// Any JSON.
    Any,
}

pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) tag: String,
    pub(crate) summary: String,
    pub(crate) doc: String,
    pub(crate) source: Option<String>,
    /// `x-rate-limit`: calls a second and merchant id.
    pub(crate) rate_limit: u64,
    pub(crate) request: Option<String>,
    pub(crate) response: Option<String>,
    pub(crate) takes_serial: bool,
}

pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) doc: String,
}

/// Where the document is unusable, and why.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct SpecError {
    pub(crate) at: String,
    pub(crate) what: String,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.what)
    }
}

impl std::error::Error for SpecError {}

impl Model {
    pub(crate) fn read(document: &Value) -> Result<Self, SpecError> {
        let root = Node {
            value: document,
            at: "#".to_owned(),
        };
        let mut schemas = BTreeMap::new();
        for (name, schema) in root.member("components")?.member("schemas")?.members()? {
            schemas.insert(name.to_owned(), Schema::read(name, &schema)?);
        }
        let mut operations = Vec::new();
        for (path, item) in root.member("paths")?.members()? {
            for (method, operation) in item.members()? {
                operations.push(Operation::read(path, method, &operation)?);
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
            tags,
        };
        model.check_references()?;
        Ok(model)
    }

    pub(crate) fn schema(&self, name: &str) -> &Schema {
        // `check_references` has seen every name.
        &self.schemas[name]
    }

    /// Whether a ciphertext for `side` is reachable from the named schema.
    pub(crate) fn holds_secret(&self, name: &str, side: Side) -> bool {
        match &self.schema(name).kind {
            Kind::Ciphertext(found) => *found == side,
            Kind::Object { properties } => properties.iter().any(|p| self.shape_holds_secret(&p.shape, side)),
            Kind::Text { .. } | Kind::Time | Kind::OpenEnum { .. } => false,
        }
    }

    pub(crate) fn shape_holds_secret(&self, shape: &Shape, side: Side) -> bool {
        match shape {
            Shape::Secret { side: found, .. } => *found == side,
            Shape::Named(name) => self.holds_secret(name, side),
            Shape::List(item) => self.shape_holds_secret(item, side),
            Shape::Integer(_) | Shape::Any => false,
        }
    }

    fn check_references(&self) -> Result<(), SpecError> {
        let exists = |name: &str, at: &str| {
            if self.schemas.contains_key(name) {
                return Ok(());
            }
            Err(SpecError {
                at: at.to_owned(),
                what: format!("refers to the schema `{name}`, which does not exist"),
            })
        };
        for schema in self.schemas.values() {
            let at = format!("#/components/schemas/{}", schema.name);
            if let Kind::Object { properties } = &schema.kind {
                for property in properties {
                    let mut shape = &property.shape;
                    while let Shape::List(item) = shape {
                        shape = item;
                    }
                    if let Shape::Named(name) = shape {
                        exists(name, &format!("{at}/properties/{}", property.wire))?;
                    }
                }
            }
        }
        for schema in self.schemas.values() {
            if self.holds_secret(&schema.name, Side::Merchant)
                && self.holds_secret(&schema.name, Side::Platform)
            {
                return Err(SpecError {
                    at: format!("#/components/schemas/{}", schema.name),
                    what: "mixes ciphertexts for the platform and for the merchant".to_owned(),
                });
            }
        }
        for operation in &self.operations {
            let at = format!("operation {}", operation.id);
            for name in operation.request.iter().chain(&operation.response) {
                exists(name, &at)?;
            }
            if !self.tags.iter().any(|tag| tag.name == operation.tag) {
                return Err(SpecError {
                    at,
                    what: format!("the tag `{}` is not described", operation.tag),
                });
            }
            let seals = operation
                .request
                .as_ref()
                .is_some_and(|name| self.holds_secret(name, Side::Platform));
            if seals && !operation.takes_serial {
                return Err(SpecError {
                    at,
                    what: "seals fields, so it must take the parameter `WechatpaySerial`".to_owned(),
                });
            }
        }
        Ok(())
    }
}

impl Schema {
    fn read(name: &str, node: &Node<'_>) -> Result<Self, SpecError> {
        let kind = match (node.text_of("type")?, node.text_of("format")?) {
            (Some("string"), Some("wechatpay-time")) => Kind::Time,
            (Some("string"), Some("wechatpay-platform-ciphertext")) => Kind::Ciphertext(Side::Platform),
            (Some("string"), Some("wechatpay-merchant-ciphertext")) => Kind::Ciphertext(Side::Merchant),
            (Some("string"), Some(other)) => return Err(node.error(format!("unknown format `{other}`"))),
            (Some("string"), None) if node.find("enum").is_some() => Self::open_enum(node)?,
            (Some("string"), None) => Kind::Text {
                min: node.number_of("minLength")?,
                max: node.number_of("maxLength")?.ok_or_else(|| {
                    node.error("a string needs a `maxLength`; say 1024 when none is documented")
                })?,
                pattern: node.text_of("pattern")?.map(str::to_owned),
            },
            (Some("object"), _) => Self::object(node)?,
            (other, _) => {
                return Err(node.error(format!("a named schema of type {other:?} is not supported")));
            }
        };
        Ok(Self {
            name: name.to_owned(),
            doc: node.member("description")?.text()?.to_owned(),
            kind,
            plain_name: node.text_of("x-plain-type")?.map(str::to_owned),
        })
    }

    fn open_enum(node: &Node<'_>) -> Result<Kind, SpecError> {
        if node.find("x-open-enum").and_then(|open| open.value.as_bool()) != Some(true) {
            return Err(node.error("an enumeration needs `x-open-enum: true`: answers may hold new values"));
        }
        let values = node.member("enum")?.texts()?;
        let docs = node.member("x-enum-descriptions")?.texts()?;
        let names = match node.find("x-enum-names") {
            Some(names) => names.texts()?,
            None => values.clone(),
        };
        if docs.len() != values.len() || names.len() != values.len() {
            return Err(node.error("`enum`, `x-enum-names` and `x-enum-descriptions` differ in length"));
        }
        let variants = values.into_iter().zip(names).zip(docs);
        let variants = variants.map(|((wire, name), doc)| Variant {
            wire: wire.to_owned(),
            name: name.to_upper_camel_case(),
            doc: doc.to_owned(),
        });
        Ok(Kind::OpenEnum {
            variants: variants.collect(),
        })
    }

    fn object(node: &Node<'_>) -> Result<Kind, SpecError> {
        let required = match node.find("required") {
            Some(required) => required.texts()?,
            None => Vec::new(),
        };
        let mut properties = Vec::new();
        for (wire, property) in node.member("properties")?.members()? {
            properties.push(Property {
                wire: wire.to_owned(),
                doc: property.text_of("description")?.unwrap_or_default().to_owned(),
                required: required.contains(&wire),
                shape: Shape::read(&property)?,
            });
        }
        for name in required {
            if !properties.iter().any(|property| property.wire == name) {
                return Err(node.error(format!("`{name}` is required but not among the properties")));
            }
        }
        Ok(Kind::Object { properties })
    }
}

impl Property {
    /// The name of the field in Rust, as progenitor writes it.
    pub(crate) fn field(&self) -> String {
        match self.wire.to_snake_case().as_str() {
            "type" => "type_".to_owned(),
            name => name.to_owned(),
        }
    }
}

impl Shape {
    fn read(node: &Node<'_>) -> Result<Self, SpecError> {
        // `allOf` with one member is how OpenAPI 3.0 gives a reference a description of its own.
        let reference = match node.find("allOf") {
            Some(all_of) => match all_of.items()?.as_slice() {
                [only] => Some(only.reference()?),
                _ => return Err(all_of.error("`allOf` with more than one member is not supported")),
            },
            None if node.find("$ref").is_some() => Some(node.reference()?),
            None => None,
        };
        if let Some(name) = reference {
            let side = match name.as_str() {
                "PlatformCiphertext" => Side::Platform,
                "MerchantCiphertext" => Side::Merchant,
                _ => return Ok(Self::Named(name)),
            };
            let Some(plaintext) = node.text_of("x-plaintext")? else {
                return Err(
                    node.error("an encrypted field needs `x-plaintext`: `PhoneNumber` or `FormValue`")
                );
            };
            if !matches!(plaintext, "FormValue" | "PhoneNumber") {
                return Err(node.error(format!("unknown `x-plaintext: {plaintext}`")));
            }
            return Ok(Self::Secret {
                side,
                plaintext: plaintext.to_owned(),
            });
        }
        match (node.text_of("type")?, node.text_of("format")?) {
            (Some("array"), _) => Ok(Self::List(Box::new(Self::read(&node.member("items")?)?))),
            (Some("integer"), Some("uint32")) => Ok(Self::Integer("u32")),
            (Some("integer"), Some("int64")) => Ok(Self::Integer("i64")),
            (Some("string"), _) => {
                Err(node.error("give every string a named schema, so that it is one type everywhere"))
            }
            (None, _) => Ok(Self::Any),
            (Some(other), _) => Err(node.error(format!("a property of type `{other}` is not supported"))),
        }
    }
}

impl Operation {
    fn read(path: &str, method: &str, node: &Node<'_>) -> Result<Self, SpecError> {
        let json_schema = |content: &Node<'_>| {
            content
                .member("content")?
                .member("application/json")?
                .member("schema")?
                .reference()
        };
        let request = match node.find("requestBody") {
            Some(body) => Some(json_schema(&body)?),
            None => None,
        };
        let responses = node.member("responses")?;
        let response = match responses.find("200") {
            Some(ok) => Some(json_schema(&ok)?),
            None => None,
        };
        let takes_serial = match node.find("parameters") {
            Some(parameters) => parameters
                .items()?
                .iter()
                .any(|p| p.text_of("$ref").ok().flatten() == Some("#/components/parameters/WechatpaySerial")),
            None => false,
        };
        let tags = node.member("tags")?.texts()?;
        let [tag] = tags.as_slice() else {
            return Err(node.error("an operation has exactly one tag"));
        };
        Ok(Self {
            id: node.member("operationId")?.text()?.to_owned(),
            method: method.to_uppercase(),
            path: path.to_owned(),
            tag: (*tag).to_owned(),
            summary: node.member("summary")?.text()?.to_owned(),
            doc: node.member("description")?.text()?.to_owned(),
            source: match node.find("externalDocs") {
                Some(docs) => Some(docs.member("url")?.text()?.to_owned()),
                None => None,
            },
            rate_limit: node.number_of("x-rate-limit")?.ok_or_else(|| {
                node.error("needs `x-rate-limit`, calls a second; 5 when none is documented")
            })?,
            request,
            response,
            takes_serial,
        })
    }
}

/// A place in the document.
struct Node<'a> {
    value: &'a Value,
    at: String,
}

impl<'a> Node<'a> {
    fn error(&self, what: impl Into<String>) -> SpecError {
        SpecError {
            at: self.at.clone(),
            what: what.into(),
        }
    }

    fn mapping(&self) -> Result<&'a Mapping, SpecError> {
        self.value
            .as_mapping()
            .ok_or_else(|| self.error("must be an object"))
    }

    fn find(&self, key: &str) -> Option<Self> {
        let value = self.value.as_mapping()?.get(key)?;
        Some(Self {
            value,
            at: format!("{}/{}", self.at, key.replace('/', "~1")),
        })
    }

    fn member(&self, key: &str) -> Result<Self, SpecError> {
        self.find(key)
            .ok_or_else(|| self.error(format!("`{key}` is missing")))
    }

    fn members(&self) -> Result<Vec<(&'a str, Self)>, SpecError> {
        self.mapping()?
            .iter()
            .map(|(key, value)| {
                let key = key
                    .as_str()
                    .ok_or_else(|| self.error("has a key that is no text"))?;
                Ok((
                    key,
                    Self {
                        value,
                        at: format!("{}/{}", self.at, key.replace('/', "~1")),
                    },
                ))
            })
            .collect()
    }

    fn items(&self) -> Result<Vec<Self>, SpecError> {
        let items = self
            .value
            .as_sequence()
            .ok_or_else(|| self.error("must be a list"))?;
        Ok(items
            .iter()
            .enumerate()
            .map(|(i, value)| Self {
                value,
                at: format!("{}/{i}", self.at),
            })
            .collect())
    }

    fn text(&self) -> Result<&'a str, SpecError> {
        self.value.as_str().ok_or_else(|| self.error("must be a text"))
    }

    fn texts(&self) -> Result<Vec<&'a str>, SpecError> {
        self.items()?.iter().map(Self::text).collect()
    }

    fn text_of(&self, key: &str) -> Result<Option<&'a str>, SpecError> {
        self.find(key).map(|node| node.text()).transpose()
    }

    fn number_of(&self, key: &str) -> Result<Option<u64>, SpecError> {
        self.find(key)
            .map(|node| {
                node.value
                    .as_u64()
                    .ok_or_else(|| node.error("must be a whole number, 0 or more"))
            })
            .transpose()
    }

    fn reference(&self) -> Result<String, SpecError> {
        let reference = self.member("$ref")?.text()?;
        match reference.strip_prefix("#/components/schemas/") {
            Some(name) => Ok(name.to_owned()),
            None => Err(self.error(format!(
                "refers to `{reference}`, expected `#/components/schemas/…`"
            ))),
        }
    }
}
