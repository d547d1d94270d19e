//! The catalogues against each other and against the sources: nothing missing, nothing left over.

use std::{collections::BTreeSet, fs, path::Path};

use clap::{Arg, Command, CommandFactory};
use fluent_syntax::{ast, parser};
use regex_lite::Regex;

use super::{
    help::{HELP_ZH, any_key, argument_key},
    known::{KNOWN_EN, KNOWN_ZH, Piece, pieces},
    *,
};
use crate::args::Arguments;

/// The messages of a catalogue with the names of their parameters; it has to be read without an error.
fn messages(source: &str) -> Vec<(String, BTreeSet<String>)> {
    let resource = parser::parse(source).unwrap_or_else(|(_, errors)| panic!("{errors:?}"));
    let entries = resource.body.iter().filter_map(|entry| match entry {
        ast::Entry::Message(message) => Some(message),
        ast::Entry::Junk { content } => panic!("{content}"),
        _ => None,
    });
    let parameter = Regex::new(r"\{ ?\$([a-z_]+)").unwrap();
    entries
        .map(|message| {
            let key = message.id.name.to_owned();
            // From the text, since a parameter can stand in a plural of a plural.
            let start = source.find(&format!("\n{key} =")).unwrap_or_default() + 1;
            let rest = &source[start..];
            let end = rest
                .match_indices('\n')
                .map(|(at, _)| at)
                .find(|at| !rest[at + 1..].starts_with([' ', '}']))
                .unwrap_or(rest.len());
            let parameters = parameter.captures_iter(&rest[..end]);
            (key, parameters.map(|found| found[1].to_owned()).collect())
        })
        .collect()
}

#[track_caller]
fn check_same(english: &str, chinese: &str) {
    let (english, chinese) = (messages(english), messages(chinese));
    let keys = |messages: &[(String, BTreeSet<String>)]| -> Vec<String> {
        messages.iter().map(|(key, _)| key.clone()).collect()
    };
    assert_eq!(keys(&english), keys(&chinese), "the same keys in the same order");
    for (english, chinese) in english.iter().zip(&chinese) {
        assert_eq!(english, chinese, "the same parameters");
    }
    let unique: BTreeSet<_> = keys(&english).into_iter().collect();
    assert_eq!(unique.len(), english.len(), "a key stands twice");
}

#[test]
fn both_languages_have_the_same_keys_and_parameters() {
    check_same(EN, ZH);
    check_same(KNOWN_EN, KNOWN_ZH);
}

/// The text of every source file below a folder of the workspace.
fn sources(folder: &str) -> String {
    sources_without(folder, &[])
}

/// The same without the files of these names.
fn sources_without(folder: &str, names: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut text = String::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !names.iter().any(|name| path.ends_with(name))
            {
                text.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    text
}

#[test]
fn every_text_is_said_and_every_text_that_is_said_is_there() {
    let sources = sources("crates/cli/src");
    let call = Regex::new(r#"\bt!\(\s*"([a-z0-9-]+)""#).unwrap();
    let said: BTreeSet<String> = call
        .captures_iter(&sources)
        .map(|found| found[1].to_owned())
        // The example of the macro's own documentation.
        .filter(|key| key != "job-rows")
        .collect();
    let there: BTreeSet<String> = messages(EN).into_iter().map(|(key, _)| key).collect();
    let missing: Vec<_> = said.difference(&there).collect();
    let unused: Vec<_> = there.difference(&said).collect();
    assert!(missing.is_empty(), "missing: {missing:?}");
    assert!(unused.is_empty(), "unused: {unused:?}");
}

/// A text as a pattern of the libraries has it, with `{}` in the place of every parameter.
fn without_names(text: &str) -> String {
    Regex::new(r#"\{[^{}\n"]*\}"#)
        .unwrap()
        .replace_all(text, "{}")
        .into_owned()
}

#[test]
fn what_the_libraries_say_is_still_said_by_them() {
    let folders = ["import", "sandbox", "cli", "crypto", "sdk", "signing"];
    let sources: String = folders
        .iter()
        .map(|name| sources(&format!("crates/{name}/src")))
        .collect();
    // A string that goes on in the next line.
    let sources = Regex::new(r"\\\n\s*")
        .unwrap()
        .replace_all(&sources, "")
        .replace("\\\"", "\"");
    let sources = without_names(&sources);
    for (key, pieces) in pieces(KNOWN_EN) {
        // Put together from smaller pieces, or the system's own.
        if ["composed-", "system-"]
            .iter()
            .any(|prefix| key.starts_with(prefix))
        {
            continue;
        }
        let pattern: String = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Parameter(_) => "{}",
            })
            .collect();
        assert!(sources.contains(&without_names(&pattern)), "{key}: {pattern}");
    }
}

/// The English texts of which there are Chinese ones, with `{}` in the place of every parameter.
fn known_patterns() -> BTreeSet<String> {
    let patterns = pieces(KNOWN_EN).into_iter().map(|(_, pieces)| {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Parameter(_) => "{}".to_owned(),
        };
        without_names(&pieces.iter().map(piece).collect::<String>())
    });
    patterns.collect()
}

/// Every error of the sandbox that a command shows: of flags, of a start, of its files. Those of its library and of its
/// control address are for programs.
#[test]
fn every_error_of_the_sandbox_has_chinese_words() {
    let for_programs = ["notification.rs", "platform.rs", "server.rs", "toml_flaw.rs"];
    let source = sources_without("crates/sandbox/src", &for_programs);
    let patterns = known_patterns();
    let text = Regex::new(r#"(?:#\[error\(\s*|\bwhat(?: =|:) )"((?:[^"\\]|\\.)*)""#).unwrap();
    let mut texts = 0;
    for found in text.captures_iter(&source) {
        let said = without_names(&found[1].replace("\\\"", "\""));
        // Places stand before what is said of them, and some errors are a place and a cause.
        let said = said.trim_start_matches("{}: ");
        if said.starts_with("line {}: ") || ["{}", "faults[{}]", "policies"].contains(&said) {
            continue;
        }
        assert!(patterns.contains(said), "{said}");
        texts += 1;
    }
    assert!(texts > 50, "{texts}");
}

/// Every error about keys, and every kind that a file in a key's place can be of.
#[test]
fn every_error_of_a_key_file_has_chinese_words() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crypto/src");
    let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
    let (errors, kinds) = (read("error.rs"), read("file_kind.rs"));
    let patterns = known_patterns();
    let mut texts = 0;
    for (source, text) in [
        (&errors, r#"#\[error\(\s*"((?:[^"\\]|\\.)*)""#),
        (
            &kinds,
            r#"Self::\w+(?: \{ label \})? => (?:return write!\(f, )?"([^"]*)""#,
        ),
    ] {
        for found in Regex::new(text).unwrap().captures_iter(source) {
            let said = without_names(&found[1]);
            assert!(patterns.contains(&said), "{said}");
            texts += 1;
        }
    }
    assert!(texts > 40, "{texts}");
}

/// Every reason against a signature, and everything that may have happened to a body.
#[test]
fn every_reason_of_a_verdict_has_chinese_words() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let patterns = known_patterns();
    for (file, text, least) in [
        ("signing/src/answer.rs", r#"#\[error\(\s*"((?:[^"\\]|\\.)*)""#, 7),
        ("cli/src/verdict/guess.rs", r#""(with(?:out)? [a-z ]+)""#, 6),
    ] {
        let source = fs::read_to_string(folder.join(file)).unwrap();
        let found: Vec<_> = Regex::new(text)
            .unwrap()
            .captures_iter(&source)
            .map(|found| without_names(&found[1]))
            .collect();
        assert!(found.len() >= least, "{found:?}");
        for said in found {
            assert!(patterns.contains(&said), "{said}");
        }
    }
}

/// Every problem of a row is known, under its code, in the words of the library.
#[test]
fn every_problem_of_a_row_has_chinese_words() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../import/src");
    let source: String = ["validate/problem.rs", "source/flaw.rs"]
        .iter()
        .map(|file| fs::read_to_string(folder.join(file)).unwrap())
        .collect();
    let known: Vec<_> = messages(KNOWN_ZH).into_iter().map(|(key, _)| key).collect();
    let code = Regex::new(r#""(ROW_[A-Z_]+)""#).unwrap();
    let mut codes = 0;
    for found in code.captures_iter(&source) {
        let key = found[1].to_lowercase().replace('_', "-");
        assert!(known.contains(&key), "{key}");
        codes += 1;
    }
    assert!(codes > 20, "{codes}");
    // Whatever the variants are called, every one of their texts is there.
    let text = Regex::new(r#"#\[error\(\s*"((?:[^"\\]|\\.)*)""#).unwrap();
    let patterns: Vec<_> = pieces(KNOWN_EN)
        .into_iter()
        .map(|(_, pieces)| {
            let piece = |piece: &Piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Parameter(name) => format!("{{{name}}}"),
            };
            pieces.iter().map(piece).collect::<String>()
        })
        .collect();
    for found in text.captures_iter(&source) {
        if &found[1] == "{0}" {
            continue;
        }
        assert!(patterns.contains(&found[1].to_owned()), "{}", &found[1]);
    }
}

/// Every command with the name it has in keys.
fn commands() -> Vec<(Option<String>, Command)> {
    let mut root = Arguments::command();
    root.build();
    // A verb of a command, such as `sandbox rules`, has the key of its own name.
    let below = root
        .get_subcommands()
        .flat_map(|command| std::iter::once(command).chain(command.get_subcommands()));
    let mut all: Vec<_> = below
        .cloned()
        .map(|command| (Some(command.get_name().to_owned()), command))
        .collect();
    all.push((None, root));
    all
}

#[test]
fn the_help_is_chinese_to_the_last_flag() {
    let texts: Vec<_> = messages(HELP_ZH).into_iter().map(|(key, _)| key).collect();
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    let mut missing = Vec::new();
    for (name, command) in commands() {
        let key = name
            .as_ref()
            .map_or("help".to_owned(), |name| format!("help-{name}"));
        let mut want = |key: String| {
            if !texts.contains(&key) {
                missing.push(key.clone());
            }
            wanted.insert(key);
        };
        want(key);
        if command.get_after_help().is_some() {
            want(format!("help-{}-after", name.as_deref().unwrap_or("root")));
        }
        let key_of = |argument: &Arg| {
            let own = argument_key(name.as_deref(), argument);
            match texts.contains(&own) {
                true => own,
                false => any_key(argument),
            }
        };
        for argument in command.get_arguments() {
            want(key_of(argument));
        }
    }
    assert!(missing.is_empty(), "missing: {missing:?}");
    let unused: Vec<_> = texts.iter().filter(|key| !wanted.contains(*key)).collect();
    assert!(unused.is_empty(), "unused: {unused:?}");
}

#[test]
fn help_in_chinese_holds_no_english_sentence() {
    let mut command = help::in_language(Arguments::command(), Language::Chinese);
    let mut texts = vec![command.render_help().to_string()];
    for below in command.get_subcommands_mut() {
        texts.push(below.render_help().to_string());
    }
    let english = Regex::new(r"\b(the|and|with|Usage|Options|Commands|Arguments)\b").unwrap();
    for text in texts {
        let found = english.find(&text).map(|found| found.as_str());
        assert_eq!(found, None, "{text}");
    }
}

#[test]
fn a_text_takes_numbers_and_plurals() {
    let say =
        |language, rows: u64| Catalogue::of(language).text("retried", &[("rows", FluentValue::from(rows))]);
    assert_eq!(say(Language::English, 1), "1 row queued");
    assert_eq!(say(Language::English, 1_000_000), "1000000 rows queued");
    assert_eq!(say(Language::Chinese, 2), "2 行已重新排队");
    assert_eq!(
        Catalogue::of(Language::English).text("no-such-key", &[]),
        "no-such-key"
    );
}

#[test]
fn a_list_has_the_commas_of_its_language() {
    assert_eq!(["a", "b"].join(Language::Chinese.comma()), "a、b");
    // Nobody chooses a language in unit tests.
    assert_eq!(list(&["a", "b"]), "a, b");
}

/// The merchant platform calls it so, and Chinese texts put a blank between scripts.
#[test]
fn the_apiv3_key_has_one_chinese_name() {
    let texts = [ZH, KNOWN_ZH, HELP_ZH].concat();
    assert!(texts.contains("APIv3 密钥"));
    assert!(!texts.contains("APIv3密钥") && !texts.contains("APIv3 密钥 "));
}
