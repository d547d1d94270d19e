//! Reads schemas: scalars, enumerations, ciphertexts, objects and the shapes of their members.

use heck::ToUpperCamelCase;

use super::{Kind, Node, Property, Schema, Shape, Side, SpecError, Variant};

impl Schema {
    pub(super) fn read(name: &str, node: &Node<'_>) -> Result<Self, SpecError> {
        if name.to_upper_camel_case() != name {
            return Err(node.error(format!(
                "a schema is named in upper camel case: `{}`",
                name.to_upper_camel_case()
            )));
        }
        node.only(KEYS)?;
        let kind = match (node.text_of("type")?, node.text_of("format")?) {
            (Some("string"), Some("wechatpay-time")) => Kind::Time,
            (Some("string"), Some("wechatpay-platform-ciphertext")) => Kind::Ciphertext(Side::Platform),
            (Some("string"), Some("wechatpay-merchant-ciphertext")) => Kind::Ciphertext(Side::Merchant),
            (Some("string"), Some(other)) => return Err(node.error(format!("unknown format `{other}`"))),
            (Some("string"), None) if node.find("enum").is_some() => open_enum(node)?,
            (Some("string"), None) => text(node)?,
            (Some("object"), _) => object(node)?,
            (other, _) => {
                return Err(node.error(format!("a named schema of type {other:?} is not supported")));
            }
        };
        Ok(Self {
            name: name.to_owned(),
            doc: node.member("description")?.text()?.to_owned(),
            kind,
            example: node.find("example").map(|example| example.value.clone()),
            plain_name: node.text_of("x-plain-type")?.map(str::to_owned),
        })
    }
}

fn text(node: &Node<'_>) -> Result<Kind, SpecError> {
    let max = node.number_of("maxLength")?;
    if max.is_none() && node.text_of("x-unbounded-because")?.is_none() {
        return Err(node.error(
            "a string needs a `maxLength`; when none is documented, choose one and say so in `x-unbounded-because`",
        ));
    }
    Ok(Kind::Text {
        min: node.number_of("minLength")?,
        max,
        pattern: node.text_of("pattern")?.map(str::to_owned),
    })
}

fn open_enum(node: &Node<'_>) -> Result<Kind, SpecError> {
    if node.flag_of("x-open-enum")? != Some(true) {
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
    let mut variants: Vec<Variant> = Vec::new();
    for ((wire, name), doc) in values.into_iter().zip(names).zip(docs) {
        let name = name.to_upper_camel_case();
        if name == "Other" || variants.iter().any(|variant| variant.name == name) {
            return Err(node.error(format!(
                "`{wire}` would be the variant `{name}`, which is taken; give `x-enum-names`"
            )));
        }
        variants.push(Variant {
            wire: wire.to_owned(),
            name,
            doc: doc.to_owned(),
        });
    }
    Ok(Kind::OpenEnum { variants })
}

fn object(node: &Node<'_>) -> Result<Kind, SpecError> {
    let required = match node.find("required") {
        Some(required) => required.texts()?,
        None => Vec::new(),
    };
    let mut properties = Vec::new();
    for (wire, property) in node.member("properties")?.members()? {
        property.only(KEYS)?;
        properties.push(Property {
            wire: wire.to_owned(),
            doc: property.text_of("description")?.unwrap_or_default().to_owned(),
            limits: limits(&property)?,
            required: required.contains(&wire),
            shape: Shape::read(&property)?,
            example: property.find("example").map(|example| example.value.clone()),
        });
    }
    for name in required {
        if !properties.iter().any(|property| property.wire == name) {
            return Err(node.error(format!("`{name}` is required but not among the properties")));
        }
    }
    Ok(Kind::Object { properties })
}

impl Shape {
    pub(super) fn read(node: &Node<'_>) -> Result<Self, SpecError> {
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
            return Self::named(node, name);
        }
        match (node.text_of("type")?, node.text_of("format")?) {
            (Some("array"), _) => {
                let items = node.member("items")?;
                items.only(KEYS)?;
                match Self::read(&items)? {
                    Self::List(_) => Err(items.error("a list of lists is not supported")),
                    item => Ok(Self::List(Box::new(item))),
                }
            }
            (Some("boolean"), None) => Ok(Self::Boolean),
            (Some("integer"), Some("uint32")) => Ok(Self::Integer("u32")),
            (Some("integer"), Some("uint64")) => Ok(Self::Integer("u64")),
            (Some("integer"), Some("int64")) => Ok(Self::Integer("i64")),
            (Some("integer"), _) => {
                Err(node.error("an integer needs `format: uint32`, `format: uint64` or `format: int64`"))
            }
            (Some("string"), _) => {
                Err(node.error("give every string a named schema, so that it is one type everywhere"))
            }
            (None, _) => Ok(Self::Any),
            (Some(other), _) => Err(node.error(format!("a property of type `{other}` is not supported"))),
        }
    }

    fn named(node: &Node<'_>, name: String) -> Result<Self, SpecError> {
        let side = match name.as_str() {
            "PlatformCiphertext" => Side::Platform,
            "MerchantCiphertext" => Side::Merchant,
            _ => return Ok(Self::Named(name)),
        };
        let Some(plaintext) = node.text_of("x-plaintext")? else {
            return Err(node.error("an encrypted field needs `x-plaintext`: `PhoneNumber` or `FormValue`"));
        };
        if !matches!(plaintext, "FormValue" | "PhoneNumber") {
            return Err(node.error(format!("unknown `x-plaintext: {plaintext}`")));
        }
        Ok(Self::Secret {
            side,
            plaintext: plaintext.to_owned(),
        })
    }
}

/// What `minimum`, `maximum`, `minItems` and `maxItems` say, in words.
pub(super) fn limits(node: &Node<'_>) -> Result<Option<String>, SpecError> {
    let range = |min: Option<u64>, max: Option<u64>| match (min, max) {
        (None | Some(0), None) => None,
        (Some(min), None) => Some(format!("At least {min}")),
        (None, Some(max)) => Some(format!("At most {max}")),
        (Some(min), Some(max)) => Some(format!("{min} to {max}")),
    };
    let numbers = range(node.number_of("minimum")?, node.number_of("maximum")?);
    let elements = range(node.number_of("minItems")?, node.number_of("maxItems")?);
    Ok(match (numbers, elements) {
        (Some(numbers), _) => Some(format!("{numbers}.")),
        (None, Some(elements)) => Some(format!("{elements} elements.")),
        (None, None) => None,
    })
}

/// What may stand in a schema.
pub(super) const KEYS: &[&str] = &[
    "$ref",
    "allOf",
    "deprecated",
    "description",
    "enum",
    "example",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "properties",
    "required",
    "type",
    "x-enum-descriptions",
    "x-enum-names",
    "x-open-enum",
    "x-plain-type",
    "x-plaintext",
    "x-unbounded-because",
];
