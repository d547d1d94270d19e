//! Arguments that say what a member list is, shared by `import`, `check` and `export`.

use std::path::PathBuf;

use clap::Args;
use wxmember_import::{Assignment, Encoding, FileFormat};

/// What a file is, as far as that is not left to be found out.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SourceArguments {
    /// Take a column for a field, for example `phone_number=手机号` or `level=#7`; may be repeated, and the variable
    /// holds a list with commas
    #[arg(long = "map", env = "WXMEMBER_MAP", value_name = "FIELD=COLUMN")]
    pub(crate) map: Vec<Assignment>,

    /// A TOML file with `[columns]` and `[constants]`; what `--map` says comes before it
    #[arg(long, env = "WXMEMBER_MAP_FILE", value_name = "FILE")]
    pub(crate) map_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) reading: Reading,
}

/// How a file is read, as far as that is not left to be found out.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Reading {
    /// The encoding of a text: utf-8, utf-16le, utf-16be, gbk or gb18030 [default: found out]
    #[arg(long, env = "WXMEMBER_ENCODING", value_name = "NAME")]
    pub(crate) encoding: Option<Encoding>,

    /// What stands between the cells of a text, one character or `tab` [default: found out]
    #[arg(long, env = "WXMEMBER_DELIMITER", value_name = "CHARACTER", value_parser = delimiter)]
    pub(crate) delimiter: Option<u8>,

    /// The sheet of a spreadsheet [default: the first that is shown]
    #[arg(long, env = "WXMEMBER_SHEET", value_name = "NAME")]
    pub(crate) sheet: Option<String>,

    /// The format of the file: csv, tsv, xlsx, xls, ods or ndjson [default: found out]
    #[arg(long, env = "WXMEMBER_INPUT_FORMAT", value_name = "NAME")]
    pub(crate) input_format: Option<FileFormat>,
}

/// One ASCII character that cannot be part of a cell by itself.
fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "tab" | "\\t" | "\t" => return Ok(b'\t'),
        _ => {}
    }
    match text.as_bytes() {
        &[byte] if byte.is_ascii_punctuation() && byte != b'"' => Ok(byte),
        _ => Err("one character such as `,` `;` `|`, or `tab` is needed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delimiter_is_one_character() {
        for (text, byte) in [
            (",", b','),
            (";", b';'),
            ("|", b'|'),
            ("tab", b'\t'),
            ("\\t", b'\t'),
            ("\t", b'\t'),
        ] {
            assert_eq!(delimiter(text), Ok(byte), "{text}");
        }
        for text in ["", "::", "\"", "a", "，", "\n"] {
            assert!(delimiter(text).is_err(), "{text}");
        }
    }
}
