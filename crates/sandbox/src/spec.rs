//! The API document as the sandbox reads it: which operations there are, what a body must look like, what is sealed.
//!
//! The document is read once, at the start. No endpoint is known here by name.

use std::{collections::BTreeSet, fmt, sync::LazyLock};

use axum::http::Method;
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value};
use thiserror::Error;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    fault::Content,
    refusal::Refusal,
    spec::{fields::FieldPath, parameters::Parameters, schema::Resolver},
};

pub(crate) mod fields;
pub(crate) mod parameters;
pub(crate) mod schema;

/// The API document that this crate was built with.
pub(crate) const DOCUMENT: &str = include_str!("openapi.json");

/// The document is not one that the sandbox can play.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("the API document cannot be played at {at}: {what}")]
pub struct SpecError {
    /// A path or schema of the document.
    pub(crate) at: String,
    /// What is wrong there.
    pub(crate) what: String,
}

/// The operations of the document.
#[derive(Debug)]
pub(crate) struct Spec {
    operations: Vec<Operation>,
}

/// One method of one path.
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    path: PathTemplate,
    /// Whether `Wechatpay-Serial` is required.
    pub(crate) needs_platform_serial: bool,
    pub(crate) parameters: Parameters,
    pub(crate) request: Option<Body>,
    /// The body of the answer 200.
    pub(crate) answer: Option<Body>,
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Operation({} {:?})", self.method, self.path.0)
    }
}

/// A JSON body: what it must look like, and which of its fields are sealed.
pub(crate) struct Body {
    pub(crate) validator: Validator,
    /// What the validator checks, without references.
    pub(crate) schema: Value,
    pub(crate) sealed: Vec<FieldPath>,
    /// The places of values that are not sealed, `*` for every element of an array.
    pub(crate) plain: BTreeSet<String>,
}

/// What a path and a method lead to.
#[derive(Debug)]
pub(crate) enum Route<'a> {
    Operation(&'a Operation),
    UnknownPath,
    WrongMethod,
}

impl Spec {
    /// The document that this crate was built with.
    pub(crate) fn embedded() -> Result<Self, SpecError> {
        let document: Value =
            serde_json::from_str(DOCUMENT).map_err(|error| error_at("openapi.json", error.to_string()))?;
        Self::from_document(&document)
    }

    /// The same, read once a process: for what looks at many recordings and serves no requests.
    pub(crate) fn shared() -> Result<&'static Self, SpecError> {
        static SHARED: LazyLock<Result<Spec, SpecError>> = LazyLock::new(Spec::embedded);
        SHARED.as_ref().map_err(Clone::clone)
    }

    pub(crate) fn from_document(document: &Value) -> Result<Self, SpecError> {
        let mut operations = Vec::new();
        let paths = document["paths"]
            .as_object()
            .ok_or_else(|| error_at("paths", "missing"))?;
        for (path, item) in paths {
            let methods = item.as_object().ok_or_else(|| error_at(path, "not an object"))?;
            for (method, operation) in methods {
                if let Some(method) = method_of_key(method) {
                    operations.push(Operation::read(document, path, method, item, operation)?);
                }
            }
        }
        // A path without parameters wins over one with.
        operations.sort_by_key(|operation| operation.path.parameters());
        Ok(Self { operations })
    }

    /// Every operation's id.
    #[cfg(test)]
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.operations.iter().map(|operation| operation.id.as_str())
    }

    /// Every operation.
    pub(crate) fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter()
    }

    /// An operation by its id.
    pub(crate) fn find(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// Finds the operation of a path, without its query. The path with the fewest parameters owns what it matches.
    pub(crate) fn route(&self, method: &Method, path: &str) -> Route<'_> {
        let mut owned = self.owned(path).peekable();
        if owned.peek().is_none() {
            return Route::UnknownPath;
        }
        owned
            .find(|operation| operation.method == *method)
            .map_or(Route::WrongMethod, Route::Operation)
    }

    /// The methods of a path, without its query, as the header `Allow` lists them.
    pub(crate) fn methods(&self, path: &str) -> String {
        let methods: Vec<_> = self
            .owned(path)
            .map(|operation| operation.method.as_str())
            .collect();
        methods.join(", ")
    }

    /// The operations of the path that has the fewest parameters of those that match.
    fn owned(&self, path: &str) -> impl Iterator<Item = &Operation> {
        let mut matching = self
            .operations
            .iter()
            .filter(move |operation| operation.path.matches(path));
        let first = matching.next();
        first
            .into_iter()
            .chain(matching.filter(move |other| first.is_some_and(|first| other.path == first.path)))
    }
}

impl Operation {
    /// What a good answer carries.
    pub(crate) fn content(&self) -> Content {
        match self.answer {
            Some(_) if self.card_code().is_some() => Content::Card,
            Some(_) => Content::Document,
            None => Content::None,
        }
    }

    /// The member of every good answer that names the user card it is about; `None` when it is about none, or about
    /// several. The older card's routes call the code just `code`.
    pub(crate) fn card_code(&self) -> Option<&'static str> {
        let required = self.answer.as_ref()?.schema["required"].as_array()?;
        CARD_CODES
            .into_iter()
            .find(|name| required.iter().any(|required| required == name))
    }

    fn read(
        document: &Value,
        path: &str,
        method: Method,
        item: &Value,
        value: &Value,
    ) -> Result<Self, SpecError> {
        let id = value["operationId"]
            .as_str()
            .ok_or_else(|| error_at(path, "an operation without operationId"))?;
        let resolver = Resolver::new(document);
        let mut needs_platform_serial = false;
        let mut parameters = Parameters::default();
        let listed = [&item["parameters"], &value["parameters"]];
        for parameter in listed.into_iter().filter_map(Value::as_array).flatten() {
            let parameter = resolver.follow(parameter)?;
            parameters.read(resolver, parameter)?;
            let is_serial = parameter["in"] == "header"
                && parameter["name"]
                    .as_str()
                    .is_some_and(|name| name.eq_ignore_ascii_case("Wechatpay-Serial"));
            needs_platform_serial |= is_serial && parameter["required"] == true;
        }
        let template = PathTemplate::new(path);
        if let Some(name) = parameters.path_names().find(|name| !template.has(name)) {
            return Err(error_at(
                path,
                format!("it has no place for the parameter {name}"),
            ));
        }
        let request = resolver.follow(&value["requestBody"])?;
        let answer = resolver.follow(&value["responses"]["200"])?;
        Ok(Self {
            id: id.to_owned(),
            method,
            path: template,
            needs_platform_serial,
            parameters,
            request: Body::read(&resolver, request, PLATFORM_FORMAT)?,
            answer: Body::read(&resolver, answer, MERCHANT_FORMAT)?,
        })
    }

    /// Whether its path has parameters.
    pub(crate) fn has_path_parameters(&self) -> bool {
        self.path.parameters() > 0
    }

    /// Whether something of a request is sealed.
    pub(crate) fn has_sealed(&self) -> bool {
        let in_body = self.request.as_ref().is_some_and(|body| !body.sealed.is_empty());
        in_body || self.parameters.sealed().next().is_some()
    }

    /// The path's parameters and their raw texts, of a path that leads here.
    pub(crate) fn captured<'a>(&'a self, path: &'a str) -> Vec<(&'a str, &'a str)> {
        self.path.captured(path)
    }

    /// The path with these texts in the places of its parameters, as they are; `None` when one is missing.
    pub(crate) fn path_with(&self, mut text_of: impl FnMut(&str) -> Option<String>) -> Option<String> {
        let segments = self.path.0.iter().map(|segment| match segment {
            Segment::Literal(literal) => Some(literal.clone()),
            Segment::Parameter(name) => text_of(name),
        });
        segments
            .collect::<Option<Vec<_>>>()
            .map(|segments| segments.join("/"))
    }

    /// The parameters of a path that leads here, and of the query, by name and checked.
    pub(crate) fn values(&self, path: &str, query: Option<&str>) -> Result<Map<String, Value>, Refusal> {
        self.parameters.values(&self.path.captured(path), query)
    }
}

impl Body {
    /// Reads the JSON body of a request or an answer; `None` when it has none.
    fn read(resolver: &Resolver<'_>, holder: &Value, sealed_format: &str) -> Result<Option<Self>, SpecError> {
        let schema = &holder["content"]["application/json"]["schema"];
        if schema.is_null() {
            return Ok(None);
        }
        let schema = resolver.inline(schema)?;
        let validator = validator_of(&schema)?;
        let sealed = fields::with_format(&schema, sealed_format);
        let plain = fields::other_than(&schema, sealed_format);
        Ok(Some(Self {
            validator,
            schema,
            sealed,
            plain,
        }))
    }
}

/// The checks of a schema without references.
fn validator_of(schema: &Value) -> Result<Validator, SpecError> {
    jsonschema::options()
        // OpenAPI 3.0's dialect is closest to draft 4: `exclusiveMinimum` is a boolean there.
        .with_draft(Draft::Draft4)
        .should_validate_formats(true)
        .with_format("wechatpay-time", is_time)
        .build(schema)
        .map_err(|error| error_at("a schema", error.to_string()))
}

/// Whether a text is a moment in RFC 3339 with an offset.
pub(crate) fn is_time(text: &str) -> bool {
    OffsetDateTime::parse(text, &Rfc3339).is_ok()
}

pub(crate) fn error_at(at: impl Into<String>, what: impl Into<String>) -> SpecError {
    SpecError {
        at: at.into(),
        what: what.into(),
    }
}

/// A path of the document, by segments.
#[derive(Debug, Eq, PartialEq)]
struct PathTemplate(Vec<Segment>);

#[derive(Debug, Eq, PartialEq)]
enum Segment {
    Literal(String),
    /// The parameter's name.
    Parameter(String),
}

impl PathTemplate {
    fn new(path: &str) -> Self {
        let segment = |text: &str| {
            let name = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
            match name {
                Some(name) => Segment::Parameter(name.to_owned()),
                None => Segment::Literal(text.to_owned()),
            }
        };
        Self(path.split('/').map(segment).collect())
    }

    fn matches(&self, path: &str) -> bool {
        let mut given = path.split('/');
        let fits = self.0.iter().all(|segment| match (segment, given.next()) {
            (Segment::Literal(literal), Some(text)) => literal == text,
            (Segment::Parameter(_), Some(text)) => !text.is_empty(),
            (_, None) => false,
        });
        fits && given.next().is_none()
    }

    fn parameters(&self) -> usize {
        let parameters = self
            .0
            .iter()
            .filter(|segment| matches!(segment, Segment::Parameter(_)));
        parameters.count()
    }

    fn has(&self, name: &str) -> bool {
        let mut segments = self.0.iter();
        segments.any(|segment| matches!(segment, Segment::Parameter(own) if own == name))
    }

    /// The parameters' names and raw texts, of a path that matches.
    fn captured<'a>(&'a self, path: &'a str) -> Vec<(&'a str, &'a str)> {
        let segments = self.0.iter().zip(path.split('/'));
        let captured = segments.filter_map(|(segment, text)| match segment {
            Segment::Literal(_) => None,
            Segment::Parameter(name) => Some((name.as_str(), text)),
        });
        captured.collect()
    }
}

fn method_of_key(key: &str) -> Option<Method> {
    match key {
        "delete" => Some(Method::DELETE),
        "get" => Some(Method::GET),
        "patch" => Some(Method::PATCH),
        "post" => Some(Method::POST),
        "put" => Some(Method::PUT),
        _ => None,
    }
}

/// What the code of a user card is called in answers.
const CARD_CODES: [&str; 2] = ["user_card_code", "code"];

/// The formats that mark a sealed field, by who can open it.
const PLATFORM_FORMAT: &str = "wechatpay-platform-ciphertext";
const MERCHANT_FORMAT: &str = "wechatpay-merchant-ciphertext";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_embedded_document_can_be_played() {
        let spec = Spec::embedded().unwrap();
        let path = "/v3/brand/partner/card-member/user-cards/import-by-phone";
        let Route::Operation(operation) = spec.route(&Method::POST, path) else {
            panic!("no operation");
        };
        assert_eq!(operation.id, "import_by_phone");
        assert!(operation.needs_platform_serial);
        let sealed = |body: &Option<Body>| {
            let sealed = &body.as_ref().unwrap().sealed;
            sealed.iter().map(FieldPath::to_string).collect::<Vec<_>>()
        };
        let three_depths = [
            "/phone_number",
            "/user_information/common_field_list/*/value",
            "/user_information/custom_field_list/*/user_chosen_values/*",
        ];
        assert_eq!(sealed(&operation.request), three_depths);
        assert_eq!(sealed(&operation.answer), three_depths);
        assert!(matches!(spec.route(&Method::GET, path), Route::WrongMethod));
        assert!(matches!(
            spec.route(&Method::POST, "/v3/brand"),
            Route::UnknownPath
        ));
        let slash = format!("{path}/");
        assert!(matches!(spec.route(&Method::POST, &slash), Route::UnknownPath));
    }

    #[test]
    fn a_path_without_parameters_wins() {
        let operation = |id: &str| json!({"operationId": id, "responses": {}});
        let document = json!({"paths": {
            "/cards/{card_id}": {"get": operation("one"), "patch": operation("change")},
            "/cards/newest": {"get": operation("newest")},
        }});
        let spec = Spec::from_document(&document).unwrap();
        let id = |method, path| match spec.route(method, path) {
            Route::Operation(operation) => operation.id.as_str(),
            Route::UnknownPath => "unknown",
            Route::WrongMethod => "wrong method",
        };
        assert_eq!(id(&Method::GET, "/cards/newest"), "newest");
        assert_eq!(id(&Method::GET, "/cards/17"), "one");
        assert_eq!(id(&Method::PATCH, "/cards/newest"), "wrong method");
        assert_eq!(id(&Method::PATCH, "/cards/17"), "change");
        assert_eq!(id(&Method::POST, "/cards/17"), "wrong method");
        assert_eq!(id(&Method::GET, "/cards/"), "unknown");
        assert_eq!(spec.methods("/cards/17"), "GET, PATCH");
        assert_eq!(spec.methods("/cards/newest"), "GET");
        assert_eq!(spec.methods("/cards/"), "");
    }

    #[test]
    fn a_document_that_cannot_be_played_is_refused() {
        for document in [
            json!({}),
            json!({"paths": {"/a": 1}}),
            json!({"paths": {"/a": {"get": {}}}}),
            json!({"paths": {"/a": {"get": {"operationId": "a", "parameters": [{"$ref": "#/nowhere"}]}}}}),
        ] {
            assert!(Spec::from_document(&document).is_err(), "{document}");
        }
    }

    #[test]
    fn times_need_an_offset() {
        for (text, good) in [
            ("2020-05-20T13:29:35.120+08:00", true),
            ("2020-05-20T13:29:35Z", true),
            ("2020-05-20T13:29:35", false),
            ("2020-02-30T13:29:35Z", false),
            ("20200520", false),
            ("", false),
        ] {
            assert_eq!(is_time(text), good, "{text}");
        }
    }
}
