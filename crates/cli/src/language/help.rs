//! The help in Chinese: puts the texts of `locales/help.zh.ftl` into the tree of commands.
//!
//! The key of a command is `help-<command>`, of an argument `help-<command>-<argument>` or, when it means the same for
//! every command, `help-any-<argument>`; what stands below the options is `help-<command>-after`.

use clap::{Arg, Command};

use super::{Language, resource};
use crate::args::GLOBAL;

/// The command line with its help in this language.
pub(crate) fn in_language(command: Command, language: Language) -> Command {
    match language {
        Language::English => command,
        Language::Chinese => {
            let texts = Texts::read();
            // The built-in flags are there only after this.
            let mut command = command;
            command.build();
            translated(command, None, &texts)
        }
    }
}

fn translated(command: Command, name: Option<&str>, texts: &Texts) -> Command {
    let of = |key: &str| texts.of(key);
    let mut command = command
        .help_template(TEMPLATE)
        .subcommand_help_heading("命令")
        .subcommand_value_name("命令");
    let about = match name {
        Some(name) => of(&format!("help-{name}")),
        None => of("help"),
    };
    if let Some(about) = about {
        command = command.about(about);
    }
    if let Some(after) = of(&format!("help-{}-after", name.unwrap_or("root"))) {
        command = command.after_help(after);
    }
    command = command.mut_args(|argument| {
        let text = of(&argument_key(name, &argument)).or_else(|| of(&any_key(&argument)));
        let heading = match (argument.is_positional(), argument.get_help_heading()) {
            (true, _) => "参数",
            (false, Some(GLOBAL)) => "全局选项",
            (false, _) => "选项",
        };
        let argument = argument.help_heading(heading);
        match text {
            Some(text) => argument.help(text).long_help(None::<&str>),
            None => argument,
        }
    });
    command.mut_subcommands(|command| {
        let name = command.get_name().to_owned();
        translated(command, Some(&name), texts)
    })
}

/// The key of an argument of one command.
pub(super) fn argument_key(command: Option<&str>, argument: &Arg) -> String {
    let id = argument.get_id().as_str().replace('_', "-");
    format!("help-{}-{id}", command.unwrap_or("root"))
}

/// The key of an argument that means the same everywhere.
pub(super) fn any_key(argument: &Arg) -> String {
    format!("help-any-{}", argument.get_id().as_str().replace('_', "-"))
}

/// The Chinese help texts.
struct Texts(fluent_bundle::FluentResource);

impl Texts {
    fn read() -> Self {
        Self(resource(HELP_ZH))
    }

    fn of(&self, key: &str) -> Option<String> {
        use fluent_syntax::ast::{Entry, PatternElement};
        self.0.entries().find_map(|entry| match entry {
            Entry::Message(message) if message.id.name == key => {
                let elements = &message.value.as_ref()?.elements;
                let text = elements.iter().map(|element| match element {
                    PatternElement::TextElement { value } => *value,
                    PatternElement::Placeable { expression } => literal(expression),
                });
                Some(text.collect())
            }
            _ => None,
        })
    }
}

/// Braces are written as literals.
fn literal<'a>(expression: &fluent_syntax::ast::Expression<&'a str>) -> &'a str {
    use fluent_syntax::ast::{Expression, InlineExpression};
    match expression {
        Expression::Inline(InlineExpression::StringLiteral { value }) => value,
        _ => "",
    }
}

/// The order of clap's own help, with Chinese headings.
const TEMPLATE: &str = "{before-help}{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}";

pub(super) const HELP_ZH: &str = include_str!("../../locales/help.zh.ftl");
