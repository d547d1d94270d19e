//! The reviewed list: which types of other crates may stand in the interface of the SDK, and why.
//!
//! A row is added by a person who has thought of what it promises: from then on a new version of that crate is a breaking
//! change of ours.

/// Types that may stand in the interface.
pub(super) struct Row {
    /// Full paths where they are defined; one that ends with `::*` stands for everything below.
    paths: &'static [&'static str],
    pub(super) reason: &'static str,
}

/// The row that lists the type.
pub(super) fn row(path: &str) -> Option<&'static Row> {
    let lists = |row: &&Row| row.paths.iter().any(|pattern| matches(pattern, path));
    ALLOWED.iter().find(lists)
}

/// Whether the type may stand on no row at all.
pub(super) fn is_never(path: &str) -> bool {
    NEVER.iter().any(|pattern| matches(pattern, path))
}

/// Patterns that nothing in the interface needs any more, as lines for people.
pub(super) fn idle<'a>(used: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let patterns = ALLOWED.iter().flat_map(|row| row.paths);
    patterns
        .filter(|pattern| !used.clone().any(|path| matches(pattern, path)))
        .map(|pattern| {
            format!("xtask/src/api/allowed.rs: nothing needs `{pattern}` any more; take it off the list")
        })
        .collect()
}

fn matches(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(below) => path.starts_with(below),
        None => path == pattern,
    }
}

/// One row a promise.
pub(super) const ALLOWED: &[Row] = &[
    Row {
        paths: &["alloc::*", "core::*", "std::*"],
        reason: "the standard library",
    },
    Row {
        paths: &[
            "serde_core::de::Deserialize",
            "serde_core::de::DeserializeOwned",
            "serde_core::de::Deserializer",
            "serde_core::ser::Serialize",
            "serde_core::ser::Serializer",
        ],
        reason: "bodies of generic calls are any type of serde's, and sealed requests can be stored",
    },
    Row {
        paths: &["serde_json::value::Value"],
        reason: "an answer of a generic call as any JSON, and events that are not known",
    },
    Row {
        paths: &["jiff::timestamp::Timestamp"],
        reason: "a time of the platform as an instant one can reckon with; the text is kept beside it",
    },
    Row {
        paths: &["bon::builder_state::IsSet", "bon::builder_state::IsUnset"],
        reason: "builders of requests that do not build while a required field is missing",
    },
    Row {
        paths: &["zeroize::Zeroize", "zeroize::Zeroizing"],
        reason: "a secret stays in memory that is wiped, also while it changes hands",
    },
    Row {
        paths: &[
            "schemars::JsonSchema",
            "schemars::generate::SchemaGenerator",
            "schemars::schema::Schema",
        ],
        reason: "the wire types tell their JSON Schema, from which its snapshot is made",
    },
    Row {
        paths: &[
            "axum::routing::Router",
            "axum_core::response::Response",
            "axum_core::response::into_response::IntoResponse",
        ],
        reason: "the feature `axum`: a route that one puts into a router of one's own",
    },
    Row {
        paths: &[
            "wxmember_client::open_enum::UnknownValue",
            "wxmember_client::scalars::*",
            "wxmember_client::text::TextError",
            "wxmember_client::text::TextErrorKind",
            "wxmember_client::time::InvalidTime",
            "wxmember_client::time::Time",
            "wxmember_client::validity::InvalidValidity",
        ],
        reason: "checked texts, open enums and times, made from the API document, and why a value is none",
    },
    Row {
        paths: &["wxmember_client::generated::types::*"],
        reason: "objects of the API without a secret: a plain twin would be a copy of them",
    },
    Row {
        paths: &[
            "wxmember_crypto::certificate::Certificate",
            "wxmember_crypto::ciphertext::*",
            "wxmember_crypto::error::*",
            "wxmember_crypto::file_kind::KeyFileKind",
            "wxmember_crypto::key::*",
            "wxmember_crypto::key_id::KeyId",
            "wxmember_crypto::party",
            "wxmember_crypto::party::*",
            "wxmember_crypto::passphrase::Passphrase",
            "wxmember_crypto::pkcs12::Pkcs12",
            "wxmember_crypto::secret::*",
        ],
        reason: "keys, certificates, secrets and ciphertexts, which know no HTTP",
    },
    Row {
        paths: &[
            "wxmember_signing::answer::VerifyError",
            "wxmember_signing::time::UnixSeconds",
        ],
        reason: "why a signature does not verify, and the time that it is made at",
    },
];

/// What no row may list, whatever the reason: the way around signing, verifying and sealing, and the libraries that we want
/// to be free to exchange.
const NEVER: &[&str] = &[
    "hyper::*",
    "hyper_util::*",
    "openapiv3::*",
    "progenitor::*",
    "progenitor_client::*",
    "reqwest::*",
    "rsa::*",
    "rustls::*",
    "tokio::*",
    "tower::*",
    "tower_http::*",
    "tower_layer::*",
    "tower_service::*",
    "wxmember_client::exchange::*",
    "wxmember_client::generated::Client",
    "wxmember_client::hooks::*",
    "wxmember_client::raw::*",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stands_for_itself_or_for_what_is_below() {
        assert!(matches(
            "jiff::timestamp::Timestamp",
            "jiff::timestamp::Timestamp"
        ));
        assert!(!matches(
            "jiff::timestamp::Timestamp",
            "jiff::timestamp::TimestampRound"
        ));
        assert!(matches("core::*", "core::option::Option"));
        assert!(!matches("core::*", "core_foundation::String"));
        assert!(!matches(
            "wxmember_client::generated::types::*",
            "wxmember_client::generated::Client"
        ));
    }

    #[test]
    fn the_list_and_what_may_never_be_on_it_do_not_meet() {
        for pattern in ALLOWED.iter().flat_map(|row| row.paths) {
            let path = pattern.trim_end_matches('*');
            assert!(!is_never(path), "{pattern}");
            for never in NEVER {
                assert!(
                    !matches(pattern, never.trim_end_matches('*')),
                    "{pattern} lists {never}"
                );
            }
        }
        for path in [
            "reqwest::error::Error",
            "tokio::runtime::Runtime",
            "wxmember_client::generated::Client",
        ] {
            assert!(is_never(path) && row(path).is_none(), "{path}");
        }
    }

    #[test]
    fn every_row_has_its_reason() {
        for row in ALLOWED {
            assert!(row.reason.len() > 10 && !row.paths.is_empty(), "{:?}", row.paths);
        }
    }

    #[test]
    fn a_pattern_that_nothing_needs_is_named() {
        let everything: Vec<String> = ALLOWED
            .iter()
            .flat_map(|row| row.paths)
            .filter(|pattern| **pattern != "jiff::timestamp::Timestamp")
            .map(|pattern| pattern.replace('*', "Something"))
            .collect();
        let idle = idle(everything.iter().map(String::as_str));
        assert_eq!(idle.len(), 1, "{idle:?}");
        assert!(idle[0].contains("`jiff::timestamp::Timestamp`"), "{idle:?}");
    }
}
