//! Arguments of `call`. Bodies and plaintext come from files or stdin, never as arguments.

use std::{convert::Infallible, path::PathBuf, str::FromStr};

use clap::{Args, ValueEnum};

use super::{Chosen, boolean};

/// Arguments of `call`.
#[derive(Args)]
#[command(
    after_help = "The answer's body goes to stdout as it came, once it is verified; everything else to stderr. \
                  Examples:\n\n  \
                  wxmember call GET v3/brand/partner/card-member/cards/{card_id} --param card_id=p… --query brand_id=1004\n  \
                  wxmember call POST v3/brand/partner/card-member/user-cards/import-by-phone \
                  --json @member.json --seal /phone_number=@phone.txt\n  \
                  wxmember call GET v3/marketing/membercard-open/phonenumber-member/search \
                  --query card_id=p… --seal-query encrypted_phone_number=@phone.txt\n\n\
                  Exit codes: 0 answered with success, 1 refused or failed, 2 wrong usage."
)]
pub(crate) struct Call {
    /// The method
    #[arg(value_enum, ignore_case = true)]
    pub(crate) method: Method,

    /// The path, for example `v3/certificates` or `v3/brand/partner/card-member/cards/{card_id}`
    pub(crate) path: String,

    /// Fill in `{NAME}` of the path, percent-encoded
    #[arg(long = "param", env = "WXMEMBER_CALL_PARAM", value_name = "NAME=VALUE")]
    pub(crate) params: Vec<Pair>,

    /// Add to the query, percent-encoded
    #[arg(long, env = "WXMEMBER_CALL_QUERY", value_name = "NAME=VALUE")]
    pub(crate) query: Vec<Pair>,

    /// The body, JSON from a file or from stdin
    #[arg(long, env = "WXMEMBER_CALL_JSON", value_name = "@FILE|-")]
    pub(crate) json: Option<Source>,

    /// Seal the text at a JSON Pointer of the body; with `=@FILE` or `=-` the text comes from there. `*` stands for
    /// every element of a list
    #[arg(long, env = "WXMEMBER_CALL_SEAL", value_name = "POINTER[=@FILE|=-]")]
    pub(crate) seal: Vec<SealAt>,

    /// Add to the query what is sealed first; the text comes from a file or from stdin
    #[arg(long, env = "WXMEMBER_CALL_SEAL_QUERY", value_name = "NAME=@FILE|NAME=-")]
    pub(crate) seal_query: Vec<SealQuery>,

    /// Open the sealed field at a JSON Pointer of the answer, and print it in its place
    #[arg(long, env = "WXMEMBER_CALL_OPEN", value_name = "POINTER")]
    pub(crate) open: Vec<String>,

    #[command(flatten)]
    pub(crate) chosen: Chosen,

    /// Print the message that is signed, line by line, and the headers, on stderr
    #[arg(short, long, env = "WXMEMBER_VERBOSE", value_parser = boolean)]
    pub(crate) verbose: bool,
}

/// The methods of the API.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub(crate) enum Method {
    Get,
    Post,
    Patch,
    Put,
    Delete,
}

/// `NAME=VALUE`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Pair {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl FromStr for Pair {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self {
                name: name.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err("`NAME=VALUE` is needed"),
        }
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Source {
    File(PathBuf),
    /// The value itself, which must not stand here; it is not kept, so that no message repeats it.
    Inline,
    Stdin,
}

impl FromStr for Source {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match (text, text.strip_prefix('@')) {
            ("-", _) => Self::Stdin,
            (_, Some(path)) if !path.is_empty() => Self::File(path.into()),
            _ => Self::Inline,
        })
    }
}

/// A field to seal, and where its text comes from when it does not stand in the body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SealAt {
    /// Empty when it does not begin with a slash.
    pub(crate) pointer: String,
    pub(crate) source: Option<Source>,
}

impl FromStr for SealAt {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (pointer, source) = match text.split_once('=') {
            Some((pointer, source)) => (pointer, Some(source.parse()?)),
            None => (text, None),
        };
        let pointer = if pointer.starts_with('/') { pointer } else { "" };
        Ok(Self {
            pointer: pointer.to_owned(),
            source,
        })
    }
}

/// A parameter of the query to seal, and where its text comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SealQuery {
    /// Empty when no source is named, since what stands there may be the text itself.
    pub(crate) name: String,
    pub(crate) source: Source,
}

impl FromStr for SealQuery {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, source) = text.split_once('=').unwrap_or_default();
        Ok(Self {
            name: name.to_owned(),
            source: source.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_from_a_file_or_from_stdin() {
        assert_eq!("-".parse(), Ok(Source::Stdin));
        assert_eq!("@a=b.json".parse(), Ok(Source::File("a=b.json".into())));
        for text in ["", "@", "{}", "13800138000"] {
            assert_eq!(text.parse(), Ok(Source::Inline), "{text}");
        }
    }

    #[test]
    fn a_field_to_seal_is_a_pointer_with_or_without_a_source() {
        let read = |text: &str| text.parse::<SealAt>();
        assert_eq!(
            read("/a/*/b"),
            Ok(SealAt {
                pointer: "/a/*/b".to_owned(),
                source: None
            })
        );
        assert_eq!(
            read("/a=-"),
            Ok(SealAt {
                pointer: "/a".to_owned(),
                source: Some(Source::Stdin)
            })
        );
        for text in ["", "a", "13800138000"] {
            assert!(read(text).is_ok_and(|field| field.pointer.is_empty()), "{text}");
        }
        let inline = read("/a=13800138000").unwrap();
        assert!(!format!("{inline:?}").contains("138"), "{inline:?}");
    }

    #[test]
    fn a_parameter_to_seal_keeps_no_text() {
        let read = |text: &str| text.parse::<SealQuery>().unwrap();
        let named = |source| SealQuery {
            name: "a".to_owned(),
            source,
        };
        assert_eq!(read("a=-"), named(Source::Stdin));
        assert_eq!(read("a=@b=c"), named(Source::File("b=c".into())));
        for text in ["a=13800138000", "13800138000", "=13800138000"] {
            assert_eq!(read(text).source, Source::Inline, "{text}");
            assert!(!format!("{:?}", read(text)).contains("138"), "{text}");
        }
        assert_eq!(read("=-").name, "");
    }

    #[test]
    fn a_pair_needs_a_name() {
        assert!("a=b=c".parse::<Pair>().is_ok_and(|pair| pair.value == "b=c"));
        assert!("a=".parse::<Pair>().is_ok());
        assert!("=a".parse::<Pair>().is_err() && "a".parse::<Pair>().is_err());
    }
}
