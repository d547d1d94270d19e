//! Variables as people and their tools set them, which the reader of arguments takes too literally.

use std::ffi::{OsStr, OsString};

use clap::{Command, builder::Resettable};

/// The command line for these arguments and variables.
///
/// An empty variable counts as not set, since files of systemd and of containers set variables to nothing. A variable
/// holds a list with commas, a flag is repeated instead, so that its value can hold a comma.
pub(crate) fn fitted(
    command: Command,
    arguments: &[OsString],
    variable: impl Fn(&OsStr) -> Option<OsString> + Copy,
) -> Command {
    let is_given = |flag: &str| {
        let given = arguments.iter().filter_map(|argument| argument.to_str());
        given
            .map(|text| text.split('=').next().unwrap_or(text))
            .any(|text| text == flag)
    };
    let command = command.mut_args(|argument| {
        let is_empty = argument
            .get_env()
            .and_then(variable)
            .is_some_and(|value| value.is_empty());
        let is_list = LISTS.contains(&argument.get_id().as_str());
        let argument = match is_empty {
            true => argument.env(Resettable::<clap::builder::OsStr>::Reset),
            false => argument,
        };
        // The variable only counts when there is no flag.
        match is_list
            && argument
                .get_long()
                .is_some_and(|long| !is_given(&format!("--{long}")))
        {
            true => argument.value_delimiter(','),
            false => argument,
        }
    });
    command.mut_subcommands(|command| fitted(command, arguments, variable))
}

/// Flags that may be repeated, and whose variables hold lists.
const LISTS: [&str; 1] = ["map"];

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::*;
    use crate::args::{Arguments, Command as Verb};

    fn count(command: &Command) -> usize {
        let own = command
            .get_arguments()
            .filter(|argument| argument.get_env().is_some());
        own.count() + command.get_subcommands().map(count).sum::<usize>()
    }

    #[test]
    fn every_empty_variable_counts_as_not_set() {
        let all = count(&Arguments::command());
        assert!(all > 100, "{all}");
        let with = |value: Option<&'static str>| {
            count(&fitted(Arguments::command(), &[], |_| value.map(OsString::from)))
        };
        assert_eq!((with(None), with(Some("x")), with(Some(""))), (all, all, 0));
    }

    #[track_caller]
    fn check(given: &[&str], expected: &[&str]) {
        let arguments: Vec<OsString> = ["wxmember", "import", "list.csv"]
            .iter()
            .chain(given)
            .map(OsString::from)
            .collect();
        let command = fitted(Arguments::command(), &arguments, |_| None);
        let matches = command.try_get_matches_from(&arguments).unwrap();
        let read = Arguments::from_arg_matches(&matches).unwrap();
        let Verb::Import(import) = read.command else {
            panic!()
        };
        let map: Vec<_> = import.source.map.iter().map(ToString::to_string).collect();
        assert_eq!(map, expected);
    }

    #[test]
    fn a_flag_is_not_split_at_commas() {
        check(&["--map", "name=Last, First"], &["name=Last, First"]);
        check(&["--map=name=a,b", "--map", "sex=c"], &["name=a,b", "sex=c"]);
        check(&[], &[]);
        let command = fitted(Arguments::command(), &[], |_| None);
        let import = command.find_subcommand("import").unwrap();
        let map = import
            .get_arguments()
            .find(|argument| argument.get_id() == "map")
            .unwrap();
        assert_eq!(map.get_value_delimiter(), Some(','), "the variable is");
    }
}
