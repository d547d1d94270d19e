//! The rules that hold for every argument.

use clap::{ArgAction, Command, CommandFactory};

use super::Arguments;
use crate::language::{Language, help};

/// Every flag of every command.
fn each_flag(mut check: impl FnMut(&Command, &clap::Arg)) {
    let mut root = Arguments::command();
    root.build();
    let mut flags = 0;
    let mut commands = vec![root];
    while let Some(command) = commands.pop() {
        for argument in command
            .get_arguments()
            .filter(|argument| !argument.is_positional())
        {
            if !matches!(
                argument.get_action(),
                ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
            ) {
                check(&command, argument);
                flags += 1;
            }
        }
        commands.extend(command.get_subcommands().cloned());
    }
    assert!(flags > 100, "{flags}");
}

#[test]
fn every_flag_has_a_variable_of_its_own() {
    let mut missing = Vec::new();
    each_flag(|command, flag| {
        let name = format!("{} --{}", command.get_name(), flag.get_id());
        match flag.get_env().and_then(|variable| variable.to_str()) {
            Some(variable) if variable.starts_with("WXMEMBER_") => {
                // One variable says one thing for a command.
                let same = command
                    .get_arguments()
                    .filter(|other| other.get_env() == flag.get_env());
                assert_eq!(same.count(), 1, "{name}: {variable}");
            }
            _ => missing.push(name),
        }
    });
    assert!(missing.is_empty(), "{missing:?}");
}

/// A script decides by them.
#[test]
fn every_command_says_its_exit_codes() {
    for (language, words) in [
        (Language::English, "Exit codes: 0 "),
        (Language::Chinese, "退出码：0 "),
    ] {
        let mut commands = vec![help::in_language(Arguments::command(), language)];
        let mut names = Vec::new();
        while let Some(mut command) = commands.pop() {
            let said = command.render_long_help().to_string();
            assert_eq!(said.matches(words).count(), 1, "{}: {said}", command.get_name());
            names.push(command.get_name().to_owned());
            commands.extend(command.get_subcommands().cloned());
        }
        for name in ["wxmember", "check", "sandbox", "rules", "replay"] {
            assert!(names.iter().any(|known| known == name), "{names:?}");
        }
    }
}

/// A secret on a command line is seen by every user of the machine: flags take the names of files that hold them.
#[test]
fn no_flag_takes_a_secret() {
    each_flag(|command, flag| {
        let name = flag.get_id().as_str();
        let is_secret = [
            "password",
            "passphrase",
            "secret",
            "apiv3_key",
            "private",
            "token",
        ]
        .iter()
        .any(|word| name.contains(word));
        let values: Vec<_> = flag.get_value_names().unwrap_or_default().to_vec();
        let is_key = name == "key" || name.ends_with("_key");
        let takes_a_file = values.iter().any(|value| value.contains("FILE"));
        assert!(
            !(is_secret || is_key) || takes_a_file,
            "{} --{name} takes {values:?}",
            command.get_name()
        );
    });
}
