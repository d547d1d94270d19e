//! Lengths and permissions.

use super::super::{
    facts::{Mode, SecretFile},
    testing::check,
};
use super::*;

#[track_caller]
fn check_key(holds: Result<SecretText, String>, expected: &[&str]) {
    let at = "apiv3".to_owned();
    check(|facts| facts.apiv3_key = Some(SecretFile { at, holds }), expected);
}

#[test]
fn an_apiv3_key_has_32_visible_characters() {
    check(|facts| facts.apiv3_key = None, &[]);
    let text = |bytes, has_blanks| Ok(SecretText { bytes, has_blanks });
    check_key(
        text(31, false),
        &["apiv3: the APIv3 key has 31 bytes, it must have 32"],
    );
    check_key(
        text(32, true),
        &["apiv3: the APIv3 key holds a blank or a character that is not ASCII"],
    );
    check_key(
        Err("is not there".to_owned()),
        &["apiv3: the APIv3 key is not there"],
    );
}

#[test]
fn a_secret_file_that_others_may_read_is_named() {
    for (bits, expected) in [
        (0o100600, vec![]),
        (0o100400, vec![]),
        (0o100640, vec!["my key: others may read it (mode 640)"]),
        (0o100604, vec!["my key: others may read it (mode 604)"]),
    ] {
        let at = "my key".to_owned();
        check(|facts| facts.modes.push(Mode { at, bits }), &expected);
    }
}

#[test]
fn a_path_is_quoted_as_a_shell_needs_it() {
    assert_eq!(shell_word("d/apiclient_key.pem"), "d/apiclient_key.pem");
    assert_eq!(shell_word("my key"), "'my key'");
    assert_eq!(shell_word("it's"), r"'it'\''s'");
}
