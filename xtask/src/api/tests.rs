//! The walk over a small sample in the format of rustdoc, and the judgement of what it finds.

use serde_json::{Value, json};

use super::*;

/// `name` is a crate of `id`, with the paths of all crates that the sample knows.
fn summary(crate_id: u32, path: &str) -> Value {
    json!({ "crate_id": crate_id, "path": path.split("::").collect::<Vec<_>>(), "kind": "struct" })
}

fn named(id: u32, path: &str) -> Value {
    json!({ "resolved_path": { "path": path, "id": id, "args": null } })
}

fn function(name: &str, output: &Value) -> Value {
    json!({ "name": name, "inner": { "function": { "sig": { "inputs": [], "output": output }, "generics": {} } } })
}

/// An SDK with a client, an error, a re-export and a hidden type, above a crate of ours with one type.
fn sample() -> Crates {
    let option_of = |inner: &Value| json!({ "resolved_path": { "path": "Option", "id": 50, "args": { "angle_bracketed": { "args": [{ "type": inner }] } } } });
    let sdk = json!({
        "root": 0,
        "index": {
            "0": { "name": "wxmember", "inner": { "module": { "items": [1, 2, 3, 4] } } },
            "1": { "name": null, "inner": { "use": { "name": "Client", "id": 10, "is_glob": false } } },
            "2": { "name": null, "inner": { "use": { "name": "KeyId", "id": 60, "is_glob": false } } },
            "3": { "name": "Fault", "inner": { "enum": { "variants": [30], "impls": [] } } },
            "4": { "name": null, "inner": { "use": { "name": "inner", "id": 5, "is_glob": true } } },
            "5": { "name": "inner", "inner": { "module": { "items": [6] } } },
            "6": { "name": "Config", "inner": { "struct": { "kind": { "plain": { "fields": [7] } }, "impls": [] } } },
            "7": { "name": "timeout", "inner": { "struct_field": { "borrowed_ref": { "type": named(53, "Runtime") } } } },
            "10": { "name": "Client", "inner": { "struct": { "kind": { "plain": { "fields": [] } }, "impls": [20, 21] } } },
            "20": { "name": null, "inner": { "impl": {
                "is_synthetic": false, "blanket_impl": null, "trait": null, "for": named(10, "Client"), "items": [22, 23, 24],
            } } },
            "21": { "name": null, "inner": { "impl": {
                "is_synthetic": false, "blanket_impl": { "generic": "T" }, "items": [],
                "trait": { "path": "Policy", "id": 54, "args": null }, "for": named(10, "Client"),
            } } },
            "22": function("raw", &option_of(&named(51, "Client"))),
            "23": function("key", &named(61, "Key")),
            "24": function("hidden", &named(62, "Raw")),
            "30": { "name": "Http", "inner": { "variant": { "kind": { "tuple": [31, null] } } } },
            "31": { "name": "0", "inner": { "struct_field": named(52, "Error") } },
        },
        "paths": {
            "10": summary(0, "wxmember::client::Client"),
            "50": summary(1, "core::option::Option"),
            "51": summary(2, "wxmember_client::generated::Client"),
            "52": summary(3, "reqwest::error::Error"),
            "53": summary(4, "tokio::runtime::Runtime"),
            "54": summary(5, "tower_http::policy::Policy"),
            "60": summary(6, "wxmember_crypto::key_id::KeyId"),
            "61": summary(6, "wxmember_crypto::key::Key"),
            "62": summary(0, "wxmember::seal::Raw"),
        },
    });
    let crypto = json!({
        "root": 0,
        "index": {
            "1": { "name": "KeyId", "inner": { "struct": { "kind": { "tuple": [null] }, "impls": [2] } } },
            "2": { "name": null, "inner": { "impl": {
                "is_synthetic": false, "blanket_impl": null, "trait": null, "for": named(1, "KeyId"), "items": [3],
            } } },
            "3": function("modulus", &named(9, "BigUint")),
        },
        "paths": {
            "1": summary(0, "wxmember_crypto::key_id::KeyId"),
            "9": summary(1, "rsa::BigUint"),
        },
    });
    let mut crates = Crates::default();
    crates.insert("wxmember", sdk);
    crates.insert("wxmember_crypto", crypto);
    crates
}

#[test]
fn every_public_signature_is_followed_and_no_hidden_one() {
    let found = walk::walk(&sample(), "wxmember");
    let found: Vec<_> = found
        .iter()
        .map(|found| (found.of.as_str(), found.item.as_str(), found.is_unnamed))
        .collect();
    assert_eq!(
        found,
        [
            ("core::option::Option", "wxmember::Client::raw", false),
            ("reqwest::error::Error", "wxmember::Fault::Http::0", false),
            ("rsa::BigUint", "wxmember::KeyId::modulus", false),
            ("tokio::runtime::Runtime", "wxmember::Config::timeout", false),
            (
                "wxmember_client::generated::Client",
                "wxmember::Client::raw",
                false
            ),
            ("wxmember_crypto::key::Key", "wxmember::Client::key", true),
            ("wxmember_crypto::key_id::KeyId", "wxmember::KeyId", false),
        ]
    );
}

#[test]
fn a_finding_names_item_and_type_and_what_to_do() {
    let findings = check(&walk::walk(&sample(), "wxmember"));
    let never = "which no user may meet; give back a type of our own";
    assert_eq!(
        findings,
        [
            format!("wxmember::Fault::Http::0: `reqwest::error::Error`, {never}"),
            format!("wxmember::KeyId::modulus: `rsa::BigUint`, {never}"),
            format!("wxmember::Config::timeout: `tokio::runtime::Runtime`, {never}"),
            format!("wxmember::Client::raw: `wxmember_client::generated::Client`, {never}"),
            "wxmember::Client::key: `wxmember_crypto::key::Key`, which users cannot name; \
             re-export it in `crates/sdk/src/lib.rs`"
                .to_owned(),
        ]
    );
    let unknown = Finding {
        item: "wxmember::Client".into(),
        of: "left_pad::Pad".into(),
        is_unnamed: false,
    };
    assert_eq!(
        check(&[unknown]),
        ["wxmember::Client: `left_pad::Pad`, which is not on the list of `xtask/src/api/allowed.rs`"]
    );
}
