//! `wxmember seal`: seals one value for WeChat Pay, as a request carries it.

use std::path::Path;

use serde_json::json;
use wxmember::{FormValue, MerchantKey};

use crate::{
    args::{Chosen, Format, fields::Seal},
    exit,
    failure::{Failure, chain},
    input,
    language::t,
    print::{say, tell},
    profile::{self, PlatformKeys, key_pair_of},
};

/// Reads the plaintext from stdin and prints the ciphertext.
pub(crate) async fn run(arguments: &Seal) -> Result<exit::Code, Failure> {
    let Chosen { config, profile } = &arguments.chosen;
    let keys = match &arguments.key {
        Some(path) => {
            let id = arguments.key_id.as_deref();
            PlatformKeys::of_others_file(path, id, &own_keys(path, &arguments.chosen))?
        }
        None => profile::platform_keys(config, profile, None).await?,
    };
    let Some((id, key)) = keys.sealing() else {
        return Err(
            Failure::new("the profile names no key of WeChat Pay to seal with")
                .hint("give one with `--key`: pub_key.pem, or a platform certificate"),
        );
    };
    let text = input::text(input::stdin("the plaintext")?, "the plaintext")?;
    let text = input::without_line_break(text);
    // The basic rules of the API; whether they bind encrypted text is not documented, so be as strict as the SDK.
    if text.chars().any(|character| character.len_utf8() == 4) {
        return Err(Failure::new(
            "the plaintext holds a character of four bytes (an emoji or a rare Han character), which the API refuses",
        ));
    }
    let sealed = key
        .seal(&FormValue::new(text))
        .map_err(|error| Failure::new(chain(&error)))?;
    match arguments.format {
        Format::Text => say!("{}", sealed.as_str())?,
        Format::Json => say!(
            "{}",
            json!({"format_version": 1, "ciphertext": sealed, "key_id": id})
        )?,
    }
    match id.as_str() {
        "" => tell!("{}", t!("send-with-id")),
        id => tell!("{}", t!("send-with", id = id)),
    }
    Ok(exit::DONE)
}

/// The merchant's keys that are at hand: the profile's, and the one in the same folder. They are not what was asked for,
/// so one that cannot be read is none.
fn own_keys(path: &Path, chosen: &Chosen) -> Vec<MerchantKey> {
    let beside = key_pair_of(&path.with_file_name("apiclient_key.pem"), None).map(|pair| pair.key);
    let profiles = profile::merchant_key(&chosen.config, &chosen.profile);
    [profiles, beside].into_iter().flatten().collect()
}
