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
        "error" | "found" | "guess" | "kind" | "limit" | "needed" | "problem" | "what" => whole(value),
        "why" => Some(chinese(value)),
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
            // So that not all that begins with this word is taken for a place.
            "line" => !value.bytes().all(|byte| byte.is_ascii_digit()),
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
mod tests {
    use super::*;

    #[track_caller]
    fn check(english: &str, expected: &str) {
        assert_eq!(chinese(english), expected);
    }

    #[test]
    fn a_text_is_recognised_by_its_template() {
        check("is empty", "为空");
        check(
            "has 33 characters, at most 32 are allowed",
            "有 33 个字符，最多允许 32 个",
        );
    }

    #[test]
    fn why_a_sandbox_does_not_start_is_chinese_behind_its_place() {
        check(
            "failed to start the sandbox: d/faults.toml: faults[1]: `seed` is no whole number in its range",
            "无法启动沙箱：d/faults.toml：faults[1]：`seed` 不是允许范围内的整数",
        );
        check(
            "failed to start the sandbox: d/sandbox.json: missing, while apiclient_key.pem is there; restore it, or delete \
             the folder to get new keys",
            "无法启动沙箱：d/sandbox.json：缺失，而 apiclient_key.pem 存在；请恢复它，或删除整个目录以生成新密钥",
        );
        check(
            "failed to start the sandbox: d/pub_key.pem: not the public half of the sandbox's platform key; restore the \
             file, or delete the folder to get new keys",
            "无法启动沙箱：d/pub_key.pem：不是沙箱平台私钥对应的公钥；请恢复该文件，或删除整个目录以生成新密钥",
        );
    }

    /// The text about a source takes only what it may be.
    #[test]
    fn what_is_said_of_something_else_is_no_text_about_a_source() {
        check("`level` is something new", "`level` is something new");
        check(
            "`m.csv` is a set of something new",
            "`m.csv` is a set of something new",
        );
        check(
            "`m.csv` is a damaged spreadsheet or archive",
            "`m.csv` 是损坏的表格或压缩包",
        );
    }

    #[test]
    fn the_problems_of_a_row_stand_behind_their_columns() {
        check(
            "column `手机号`: not a mobile number of mainland China; column `a: b`: is empty",
            "列“手机号”：不是中国大陆的手机号；列“a: b”：为空",
        );
        check(
            "has 3 cells where the header has 4",
            "有 3 个单元格，而表头有 4 列",
        );
    }

    #[test]
    fn what_a_text_holds_of_other_texts_is_chinese_too() {
        check(
            "`m.csv`, line 3: none of the 2 columns is `level`; name it, for example, `等级`",
            "`m.csv`，第 3 行：2 列中没有 `level`；列名可以是 `等级`",
        );
        check(
            "`m.csv`, line 1: none of the 2 columns is `pickup_time`; name it, for example, `领取时间`, or set a default \
             for all rows",
            "`m.csv`，第 1 行：2 列中没有 `pickup_time`；列名可以是 `领取时间`，或为所有行设置默认值",
        );
        check(
            "`m.csv`, `等级` is assigned twice",
            "`m.csv`，`等级` 被指定了两次",
        );
        check(
            "`m.csv` is text, which has no sheets; leave out `--sheet`",
            "`m.csv` 是文本，没有工作表；请去掉 `--sheet`",
        );
        check(
            "`m.xls` cannot be read as a spreadsheet: it is damaged, or protected by a password",
            "`m.xls` 无法作为表格读取：文件已损坏，或有密码保护",
        );
        check(
            "`m.csv`, line 2, column 1: not UTF-8; save it as `CSV UTF-8` and try again",
            "`m.csv` 第 2 行，第 1 列：不是 UTF-8 编码；请另存为 `CSV UTF-8` 后重试",
        );
        check(
            "`m.csv`, line 2, column `姓名`: not GB18030; save it as `CSV UTF-8`, or name its encoding with `--encoding`",
            "`m.csv` 第 2 行，列“姓名”：不是 GB18030 编码；请另存为 `CSV UTF-8`，或用 `--encoding` 指定编码",
        );
    }

    #[test]
    fn what_is_wrong_with_a_file_of_the_sandbox_is_chinese_behind_its_place() {
        let said = |flaw: &str| format!("failed to start the sandbox: d/i.toml: line 3: {flaw}");
        let expected = |flaw: &str| format!("无法启动沙箱：d/i.toml：第 3 行：{flaw}");
        for (english, chinese) in [
            (
                "unknown setting `mchidd` in `merchants`; there are `mchid`, `brands`",
                "`merchants` 中有未知的配置项 `mchidd`；可用的有 `mchid`, `brands`",
            ),
            (
                "unknown setting `mchid`; there are `merchants`",
                "未知的配置项 `mchid`；可用的有 `merchants`",
            ),
            (
                "unknown setting in `merchants`; there are `mchid`",
                "`merchants` 中有未知的配置项；可用的有 `mchid`",
            ),
            ("the setting `merchants` is missing", "缺少配置项 `merchants`"),
            (
                "the setting `mchid` is missing in `merchants`",
                "`merchants` 中缺少配置项 `mchid`",
            ),
            (
                "the setting `merchants.state` can be `expired`, `valid`",
                "配置项 `merchants.state` 可以是 `expired`, `valid`",
            ),
            (
                "the setting `merchants.mchid` needs text in quotation marks",
                "配置项 `merchants.mchid` 应为加引号的文本",
            ),
            ("a setting here needs a whole number", "此处的配置项应为整数"),
        ] {
            check(&said(english), &expected(chinese));
        }
        check("line endings: other", "line endings：other");
    }

    #[test]
    fn what_the_doctor_finds_is_chinese_to_the_end() {
        check(
            "the platform's key is in the merchant's place (WeChat Pay's private key, as in the platform's own file)",
            "商户密钥的位置放了平台的密钥（与平台文件中的微信支付私钥相同）",
        );
        check(
            "this machine's clock is 600 s behind the platform's, every request is refused (limit 300 s)",
            "本机时钟比平台慢 600 秒，所有请求都会被拒绝（上限 300 秒）",
        );
        check("the APIv3 key is not there", "APIv3 密钥不存在");
        check("set it to 4D3C, or leave it out", "请设为 4D3C，或去掉它");
        check(
            "holds no certificate: an empty file",
            "其中没有证书：an empty file",
        );
    }

    #[test]
    fn what_nobody_knows_stays_as_it_is() {
        check("something new", "something new");
        check("column `x`: something new", "列“x”：something new");
        check("参数错误", "参数错误");
    }
}
