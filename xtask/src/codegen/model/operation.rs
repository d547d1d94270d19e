//! Reads operations, their parameters and bodies, and notifications.

use heck::{ToSnakeCase, ToUpperCamelCase};

use super::{
    Body, Node, Notification, Operation, Property, Shape, SpecError,
    schema::{KEYS, limits},
};

impl Operation {
    pub(super) fn read(
        root: &Node<'_>,
        path: &str,
        method: &str,
        node: &Node<'_>,
    ) -> Result<Self, SpecError> {
        if !METHODS.contains(&method) {
            return Err(node.error(format!(
                "`{method}` is not supported under a path; only operations are"
            )));
        }
        node.only(OPERATION_KEYS)?;
        let id = node.member("operationId")?.text()?;
        if id.to_snake_case() != id {
            return Err(node.error(format!("the operation id `{id}` is not in snake case")));
        }
        let tags = node.member("tags")?.texts()?;
        let [tag] = tags.as_slice() else {
            return Err(node.error("an operation has exactly one tag"));
        };
        let parameters = Parameters::read(root, path, node)?;
        let request = match node.find("requestBody") {
            Some(body) => Some(Body::read(&body)?),
            None => None,
        };
        Ok(Self {
            id: id.to_owned(),
            method: method.to_uppercase(),
            path: path.to_owned(),
            tag: (*tag).to_owned(),
            summary: node.member("summary")?.text()?.to_owned(),
            doc: node.member("description")?.text()?.to_owned(),
            source: match node.find("externalDocs") {
                Some(docs) => Some(docs.member("url")?.text()?.to_owned()),
                None => None,
            },
            deprecated: node.flag_of("deprecated")?.unwrap_or(false),
            rate_limit: node.number_of("x-rate-limit")?.ok_or_else(|| {
                node.error("needs `x-rate-limit`, calls a second; 5 when none is documented")
            })?,
            repeatable: node.flag_of("x-repeatable")?.ok_or_else(|| {
                node.error(
                    "needs `x-repeatable`: may the identical call be sent again when the outcome is unknown",
                )
            })?,
            path_parameters: parameters.path,
            query: parameters.query,
            request,
            response: response(node)?,
            takes_serial: parameters.serial,
        })
    }
}

/// The body of the one status that means success; `None` is 204.
fn response(node: &Node<'_>) -> Result<Option<Body>, SpecError> {
    let responses = node.member("responses")?;
    let mut success = Vec::new();
    for (status, response) in responses.members()? {
        match status {
            "200" => success.push(Some(Body::read(&response)?)),
            "204" if response.find("content").is_some() => {
                return Err(response.error("204 has no content"));
            }
            "204" => success.push(None),
            "4XX" | "5XX" => {}
            _ => return Err(response.error("only 200 or 204, 4XX and 5XX are supported")),
        }
    }
    match <[_; 1]>::try_from(success) {
        Ok([body]) => Ok(body),
        Err(_) => Err(responses.error("needs either 200 or 204")),
    }
}

/// The parameters of one operation by place.
struct Parameters {
    path: Vec<Property>,
    query: Vec<Property>,
    serial: bool,
}

impl Parameters {
    fn read(root: &Node<'_>, path: &str, operation: &Node<'_>) -> Result<Self, SpecError> {
        let mut parameters = Self {
            path: Vec::new(),
            query: Vec::new(),
            serial: false,
        };
        let nodes = match operation.find("parameters") {
            Some(list) => list.items()?,
            None => Vec::new(),
        };
        for node in nodes {
            let node = node.resolve(root, "parameters")?;
            node.only(PARAMETER_KEYS)?;
            let name = node.member("name")?.text()?;
            match node.member("in")?.text()? {
                "header" if name.eq_ignore_ascii_case(SERIAL_HEADER) => parameters.serial = true,
                "header" => {
                    return Err(node.error(format!("the only header of an operation is `{SERIAL_HEADER}`")));
                }
                "path" => parameters.path.push(parameter(name, &node)?),
                "query" => parameters.query.push(parameter(name, &node)?),
                other => return Err(node.error(format!("a parameter in `{other}` is not supported"))),
            }
        }
        parameters.order_by(path, operation)?;
        Ok(parameters)
    }

    /// Puts the parameters of the path in its order, and refuses a path that does not fit them.
    fn order_by(&mut self, path: &str, operation: &Node<'_>) -> Result<(), SpecError> {
        let names: Vec<_> = path
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}'))
            .map(|(name, _)| name)
            .collect();
        for parameter in &self.path {
            if !parameter.required {
                return Err(operation.error(format!(
                    "the path parameter `{}` must be `required: true`",
                    parameter.wire
                )));
            }
        }
        let place = |parameter: &Property| names.iter().position(|name| *name == parameter.wire);
        let agree =
            names.len() == self.path.len() && self.path.iter().all(|parameter| place(parameter).is_some());
        if !agree {
            return Err(operation.error("the parameters in `path` are not those of the path's template"));
        }
        self.path.sort_by_key(place);
        Ok(())
    }
}

fn parameter(wire: &str, node: &Node<'_>) -> Result<Property, SpecError> {
    if RESERVED.contains(&wire) {
        return Err(node.error(format!("a parameter cannot be called `{wire}`")));
    }
    let schema = node.member("schema")?;
    schema.only(KEYS)?;
    let shape = Shape::read(&schema)?;
    if matches!(shape, Shape::List(_) | Shape::Any) {
        return Err(schema.error("a parameter is a scalar: a named text, an integer or a boolean"));
    }
    let doc = match node.text_of("description")? {
        Some(doc) => doc,
        None => schema.text_of("description")?.unwrap_or_default(),
    };
    let example = node.find("example").or_else(|| schema.find("example"));
    Ok(Property {
        wire: wire.to_owned(),
        doc: doc.to_owned(),
        limits: limits(&schema)?,
        required: node.flag_of("required")?.unwrap_or(false),
        shape,
        example: example.map(|example| example.value.clone()),
    })
}

impl Body {
    fn read(node: &Node<'_>) -> Result<Self, SpecError> {
        let content = node.member("content")?;
        content.only(&["application/json"])?;
        let json = content.member("application/json")?;
        json.only(&["example", "examples", "schema"])?;
        let example = match (json.find("example"), json.find("examples")) {
            (Some(example), _) => Some(example.value.clone()),
            (None, Some(examples)) => match examples.members()?.first() {
                Some((_, first)) => Some(first.member("value")?.value.clone()),
                None => None,
            },
            (None, None) => None,
        };
        Ok(Self {
            schema: json.member("schema")?.reference()?,
            example,
        })
    }
}

impl Notification {
    pub(super) fn read(event_type: &str, node: &Node<'_>) -> Result<Self, SpecError> {
        node.only(&["description", "example", "externalDocs", "schema", "variant"])?;
        let variant = node.member("variant")?.text()?;
        if variant.to_upper_camel_case() != variant || variant == "Other" {
            return Err(node.error(format!("`{variant}` cannot name a variant of the events")));
        }
        Ok(Self {
            event_type: event_type.to_owned(),
            variant: variant.to_owned(),
            doc: node.member("description")?.text()?.to_owned(),
            schema: node.member("schema")?.reference()?,
        })
    }
}

/// The one header that an operation may name: it says which platform key sealed the request.
const SERIAL_HEADER: &str = "Wechatpay-Serial";

const METHODS: &[&str] = &["delete", "get", "patch", "post", "put"];

const OPERATION_KEYS: &[&str] = &[
    "deprecated",
    "description",
    "externalDocs",
    "operationId",
    "parameters",
    "requestBody",
    "responses",
    "summary",
    "tags",
    "x-rate-limit",
    "x-repeatable",
];

const PARAMETER_KEYS: &[&str] = &[
    "deprecated",
    "description",
    "example",
    "in",
    "name",
    "required",
    "schema",
];

/// Names that the generated methods use for their own variables.
const RESERVED: &[&str] = &["body", "query", "raw", "request", "serial"];
