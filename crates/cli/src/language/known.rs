//! Chinese for what the libraries say in English.
//!
//! The libraries have one language, and a ledger keeps what was said of a row. So a text is recognised by its English
//! template, and its parameters are put into the Chinese one. What is not recognised is shown as it is.

use std::sync::OnceLock;

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

use super::{Language, current, resource};

/// A text of a library in the language of the program.
pub(crate) fn known(text: &str) -> String {
    match current() {
        Language::English => text.to_owned(),
        Language::Chinese => chinese(text),
    }
}

fn chinese(text: &str) -> String {
    if let Some(found) = whole(text) {
        return found;
    }
    if text.contains("column `") {
        return problems(text);
    }
    // A chain of causes: each of them may be known.
    match text.split_once(": ") {
        Some((first, rest)) => {
            let first = whole(first).unwrap_or_else(|| first.to_owned());
            format!("{first}：{}", chinese(rest))
        }
        None => text.to_owned(),
    }
}

/// The problems of a row, as the ledger keeps them: each behind its column.
fn problems(text: &str) -> String {
    let mut said = Vec::new();
    for (index, part) in text.split("; column `").enumerate() {
        let part = match index {
            0 => part.strip_prefix("column `").unwrap_or(part),
            _ => part,
        };
        said.push(match part.split_once("`: ") {
            Some((column, problem)) => {
                let problem = whole(problem).unwrap_or_else(|| problem.to_owned());
                format!("列“{column}”：{problem}")
            }
            None => whole(part).unwrap_or_else(|| part.to_owned()),
        });
    }
    said.join("；")
}

/// What stands in the place of a parameter: where a text says why or what, that is a text of the libraries too. Names
/// and numbers are as they are.
fn parameter(name: &str, value: &str) -> String {
    let comma = Language::Chinese.comma();
    let said = match name {
        "column" => {
            let named = value
                .strip_prefix("column `")
                .and_then(|rest| rest.strip_suffix('`'));
            let number = value.strip_prefix("column ").filter(|_| named.is_none());
            named
                .map(|name| format!("列“{name}”"))
                .or_else(|| number.map(|number| format!("第 {number} 列")))
        }
        "change" | "error" | "found" | "guess" | "kind" | "limit" | "message" | "needed" | "problem"
        | "what" => whole(value),
        "why" => Some(chinese(value)),
        // What is in backticks may have commas of its own.
        "choices" | "names" | "settings" | "sheets" if value.contains("`, `") => {
            Some(value.replace("`, `", &format!("`{comma}`")))
        }
        "choices" | "known" | "names" => Some(value.replace(", ", comma)),
        _ => None,
    };
    said.unwrap_or_else(|| value.to_owned())
}

/// The translation of a text that one template makes.
fn whole(text: &str) -> Option<String> {
    let templates = TEMPLATES.get_or_init(Template::all);
    templates.iter().find_map(|template| {
        let mut parameters = template.parameters(text)?;
        for (name, value) in &mut parameters {
            // Only a text that is known will do there, or else the template would take other texts for its own.
            if name == "text" {
                *value = whole(value)?;
            }
        }
        Some(template.fill(&parameters))
    })
}

static TEMPLATES: OnceLock<Vec<Template>> = OnceLock::new();

/// A text with parameters, in both languages.
struct Template {
    english: Vec<Piece>,
    chinese: Vec<Piece>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Parameter(String),
}

impl Template {
    fn all() -> Vec<Self> {
        let (english, chinese) = (pieces(KNOWN_EN), pieces(KNOWN_ZH));
        let mut templates: Vec<Self> = english
            .into_iter()
            .filter_map(|(key, english)| {
                let (_, chinese) = chinese.iter().find(|(other, _)| *other == key)?;
                Some(Self {
                    english,
                    chinese: chinese.clone(),
                })
            })
            .collect();
        // The most special one counts: the longest text outside parameters.
        templates.sort_by_key(|template| std::cmp::Reverse(template.literal_length()));
        templates
    }

    fn literal_length(&self) -> usize {
        let length = |piece: &Piece| match piece {
            Piece::Text(text) => text.len(),
            Piece::Parameter(_) => 0,
        };
        self.english.iter().map(length).sum()
    }

    /// What stands in the places of the parameters; `None` when the text is another one.
    fn parameters(&self, text: &str) -> Option<Vec<(String, String)>> {
        let mut rest = text;
        let mut found = Vec::new();
        let mut open: Option<&str> = None;
        for (index, piece) in self.english.iter().enumerate() {
            match piece {
                Piece::Parameter(name) => open = Some(name),
                Piece::Text(literal) => {
                    let is_last = index + 1 == self.english.len();
                    let at = match (open, is_last) {
                        (None, _) => rest.starts_with(literal.as_str()).then_some(0)?,
                        // The end of the text is where the last piece stands.
                        (Some(_), true) => rest.strip_suffix(literal.as_str())?.len(),
                        (Some(_), false) => rest.find(literal.as_str())?,
                    };
                    if let Some(name) = open.take() {
                        found.push((name.to_owned(), rest[..at].to_owned()));
                    }
                    rest = &rest[at + literal.len()..];
                }
            }
        }
        match open {
            Some(name) => found.push((name.to_owned(), rest.to_owned())),
            None if !rest.is_empty() => return None,
            None => {}
        }
        let is_too_much = |name: &str, value: &str| match name {
            // The name of a source before an error is no part of a column's.
            "column" | "name" => value.contains("`, "),
            // What comes behind a path is why.
            "folder" | "path" => value.contains(": "),
            // So that not all that begins with this word is taken for a place.
            "line" | "number" => !value.bytes().all(|byte| byte.is_ascii_digit()),
            _ => false,
        };
        let fits = |(name, value): &(String, String)| !value.is_empty() && !is_too_much(name, value);
        found.iter().all(fits).then_some(found)
    }

    fn fill(&self, parameters: &[(String, String)]) -> String {
        let mut text = String::new();
        for piece in &self.chinese {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Parameter(name) => {
                    let found = parameters.iter().find(|(known, _)| known == name);
                    text.push_str(&found.map_or_else(String::new, |(name, value)| parameter(name, value)));
                }
            }
        }
        text
    }
}

/// The messages of a catalogue without plurals, in pieces.
pub(super) fn pieces(source: &str) -> Vec<(String, Vec<Piece>)> {
    let resource = resource(source);
    let entries = resource.entries().filter_map(|entry| match entry {
        Entry::Message(message) => {
            let pattern = message.value.as_ref()?;
            Some((message.id.name.to_owned(), pattern_pieces(pattern)))
        }
        _ => None,
    });
    entries.collect()
}

fn pattern_pieces(pattern: &Pattern<&str>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for element in &pattern.elements {
        let piece = match element {
            PatternElement::TextElement { value } => Piece::Text((*value).to_owned()),
            PatternElement::Placeable {
                expression: Expression::Inline(InlineExpression::VariableReference { id }),
            } => Piece::Parameter(id.name.to_owned()),
            PatternElement::Placeable {
                expression: Expression::Inline(InlineExpression::StringLiteral { value }),
            } => Piece::Text((*value).to_owned()),
            PatternElement::Placeable { .. } => continue,
        };
        match (pieces.last_mut(), piece) {
            (Some(Piece::Text(text)), Piece::Text(more)) => text.push_str(&more),
            (_, piece) => pieces.push(piece),
        }
    }
    pieces
}

pub(super) const KNOWN_EN: &str = include_str!("../../locales/known.en.ftl");
pub(super) const KNOWN_ZH: &str = include_str!("../../locales/known.zh.ftl");

#[cfg(test)]
mod tests;
