//! What stands in the path and in the query: percent-decoded, held against the document, given their types.
//!
//! Values are never quoted in a refusal, and a name only when it looks like one.

use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::{
    body::{has_four_byte_characters, is_name, issue_of},
    refusal::{Issue, Location, Refusal},
    rule::{self, Rule},
    spec::{PLATFORM_FORMAT, SpecError, error_at, schema::Resolver, validator_of},
};

/// The parameters of one operation.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    path: Vec<Parameter>,
    query: Vec<Parameter>,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    is_required: bool,
    kind: Kind,
    is_sealed: bool,
    validator: Validator,
    schema: Value,
}

/// How the text of a parameter is read.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Boolean,
    Integer,
    Text,
}

impl Parameters {
    /// Takes in one parameter of the document. Headers are the gateway's business.
    pub(crate) fn read(&mut self, resolver: Resolver<'_>, parameter: &Value) -> Result<(), SpecError> {
        let list = match parameter["in"].as_str() {
            Some("path") => &mut self.path,
            Some("query") => &mut self.query,
            Some("header") => return Ok(()),
            _ => {
                return Err(error_at(
                    "a parameter",
                    "it stands neither in path, query nor header",
                ));
            }
        };
        let name = parameter["name"]
            .as_str()
            .ok_or_else(|| error_at("a parameter", "it has no name"))?;
        let schema = resolver.inline(&parameter["schema"])?;
        let kind = match schema["type"].as_str() {
            Some("boolean") => Kind::Boolean,
            Some("integer") => Kind::Integer,
            Some("string") => Kind::Text,
            _ => return Err(error_at(name, "a parameter of this type is not carried over")),
        };
        list.push(Parameter {
            name: name.to_owned(),
            is_required: parameter["required"] == true,
            kind,
            is_sealed: schema["format"] == PLATFORM_FORMAT,
            validator: validator_of(&schema)?,
            schema,
        });
        Ok(())
    }

    /// The values of the path's and the query's parameters by name; sealed ones as they came.
    pub(crate) fn values(
        &self,
        captured: &[(&str, &str)],
        query: Option<&str>,
    ) -> Result<Map<String, Value>, Refusal> {
        let mut values = Map::new();
        for (name, raw) in captured {
            // The document says what a segment is; one that it says nothing about is any text.
            let parameter = self.path.iter().find(|parameter| parameter.name == *name);
            let value = checked(parameter, Location::Url, name, raw)?;
            values.insert((*name).to_owned(), value);
        }
        let pairs = query
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty());
        for pair in pairs {
            let (name, raw) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name, Plus::Blank).unwrap_or_default();
            let refused = |zh, en| {
                let field = if is_name(&name) { &*name } else { "" };
                let issue = Issue::new(zh, en);
                Refusal::within(Location::Query, &rule::QUERY_PARAMETER, field, issue)
            };
            let parameter = self.query.iter().find(|parameter| parameter.name == name);
            let parameter = parameter.ok_or_else(|| refused("未知参数", "is not known here"))?;
            let value = checked(Some(parameter), Location::Query, &parameter.name, raw)?;
            if values.insert(parameter.name.clone(), value).is_some() {
                return Err(refused("参数重复", "is given twice"));
            }
        }
        let missing = |parameter: &&Parameter| parameter.is_required && !values.contains_key(&parameter.name);
        if let Some(parameter) = self.query.iter().find(missing) {
            let issue = Issue::new("缺少必填参数", "is required");
            let name = parameter.name.as_str();
            return Err(Refusal::within(
                Location::Query,
                &rule::QUERY_PARAMETER,
                name,
                issue,
            ));
        }
        Ok(values)
    }

    /// The names of the sealed parameters, which stand in the query.
    pub(crate) fn sealed(&self) -> impl Iterator<Item = &str> {
        let sealed = self.query.iter().filter(|parameter| parameter.is_sealed);
        sealed.map(|parameter| parameter.name.as_str())
    }

    /// The names of all of them.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let all = self.path.iter().chain(&self.query);
        all.map(|parameter| parameter.name.as_str())
    }

    /// What a parameter of the path or the query must look like, as JSON Schema.
    pub(crate) fn schema(&self, location: Location, name: &str) -> Option<&Value> {
        let list = match location {
            Location::Url => &self.path,
            Location::Query => &self.query,
            Location::Body => return None,
        };
        let found = list.iter().find(|parameter| parameter.name == name);
        found.map(|parameter| &parameter.schema)
    }

    /// The names of the query's other parameters.
    pub(crate) fn plain(&self) -> impl Iterator<Item = &str> {
        let plain = self.query.iter().filter(|parameter| !parameter.is_sealed);
        plain.map(|parameter| parameter.name.as_str())
    }

    /// Names of the path's parameters, for the check that the template has them all.
    pub(crate) fn path_names(&self) -> impl Iterator<Item = &str> {
        self.path.iter().map(|parameter| parameter.name.as_str())
    }
}

/// Decodes one value and holds it against its schema.
fn checked(
    parameter: Option<&Parameter>,
    location: Location,
    name: &str,
    raw: &str,
) -> Result<Value, Refusal> {
    let (rule, plus): (&'static Rule, _) = match location {
        Location::Url => (&rule::PATH_PARAMETER, Plus::Itself),
        _ => (&rule::QUERY_PARAMETER, Plus::Blank),
    };
    let refused = |issue| Refusal::within(location, rule, name, issue);
    let text = decoded(raw, plus)
        .ok_or_else(|| refused(Issue::new("百分号编码错误", "is not percent-encoded UTF-8")))?;
    if has_four_byte_characters(&text) {
        return Err(refused(Issue::new(
            "含有4字节的UTF-8字符",
            "holds a character of four bytes of UTF-8",
        )));
    }
    let Some(parameter) = parameter else {
        return Ok(Value::String(text));
    };
    let value = match parameter.kind {
        Kind::Boolean => text.parse::<bool>().ok().map(Value::from),
        Kind::Integer => integer(&text),
        Kind::Text => Some(Value::String(text)),
    };
    let value = value.ok_or_else(|| refused(Issue::new("类型错误", "has the wrong type")))?;
    if let Some(error) = parameter.validator.iter_errors(&value).next() {
        return Err(refused(issue_of(error.kind())));
    }
    Ok(value)
}

/// Decimal digits, with nothing but a minus before them.
fn integer(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_decimal
        .then(|| text.parse::<i64>().ok().map(Value::from))
        .flatten()
}

/// What `+` stands for.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Plus {
    Blank,
    Itself,
}

/// Percent-decodes; `None` for a broken escape, or for what is not UTF-8 afterwards.
pub(crate) fn decoded(raw: &str, plus: Plus) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            b'+' if plus == Plus::Blank => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::refusal::Language;

    fn parameters() -> Parameters {
        let document = json!({});
        let mut parameters = Parameters::default();
        for parameter in [
            json!({"name": "code", "in": "path", "required": true, "schema": {"type": "string", "maxLength": 4}}),
            json!({"name": "brand_id", "in": "query", "required": true, "schema": {"type": "string", "minLength": 1}}),
            json!({"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 20}}),
            json!({"name": "all", "in": "query", "schema": {"type": "boolean"}}),
            json!({"name": "Wechatpay-Serial", "in": "header", "schema": {"type": "string"}}),
        ] {
            parameters.read(Resolver::new(&document), &parameter).unwrap();
        }
        parameters
    }

    /// The values, or where the refusal points.
    #[track_caller]
    fn check(code: &str, query: &str, expected: Result<Value, (&str, &str)>) {
        let values = parameters().values(&[("code", code)], Some(query));
        let found = values.map(Value::Object).map_err(|refusal| {
            let detail = refusal.body(Language::English).unwrap()["detail"].clone();
            let text = |name: &str| detail[name].as_str().unwrap().to_owned();
            (text("location"), text("field"))
        });
        let expected = expected.map_err(|(location, field)| (location.to_owned(), field.to_owned()));
        assert_eq!(found, expected, "{code} {query}");
    }

    #[test]
    fn values_are_decoded_and_typed() {
        check(
            "a%2Fb+",
            "brand_id=a+b%2B%e4%bd%a0&limit=20&all=true",
            Ok(json!({"code": "a/b+", "brand_id": "a b+你", "limit": 20, "all": true})),
        );
        check("1", "&brand_id=1&", Ok(json!({"code": "1", "brand_id": "1"})));
    }

    #[test]
    fn what_the_document_does_not_allow_is_refused_with_its_place() {
        check("12345", "brand_id=1", Err(("url", "code")));
        check("%zz", "brand_id=1", Err(("url", "code")));
        check("1", "", Err(("query", "brand_id")));
        check("1", "brand_id=", Err(("query", "brand_id")));
        check("1", "brand_id", Err(("query", "brand_id")));
        check("1", "brand_id=%ff", Err(("query", "brand_id")));
        check("1", "brand_id=%F0%9F%98%80", Err(("query", "brand_id")));
        check("1", "brand_id=1&brand_id=1", Err(("query", "brand_id")));
        check("1", "brand_id=1&other=1", Err(("query", "other")));
        check("1", "brand_id=1&MARKER=1", Err(("query", "")));
        for limit in ["0", "21", "+1", "1.0", "x", "", "99999999999999999999"] {
            check("1", &format!("brand_id=1&limit={limit}"), Err(("query", "limit")));
        }
        check("1", "brand_id=1&all=1", Err(("query", "all")));
    }

    proptest! {
        #[test]
        fn no_query_panics(query in any::<String>(), code in any::<String>()) {
            let _ = parameters().values(&[("code", &code)], Some(&query));
        }
    }
}
