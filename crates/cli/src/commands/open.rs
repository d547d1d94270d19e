//! `wxmember open`: opens one sealed value of an answer. The plaintext goes to stdout and nowhere else.

use wxmember::{FormValue, MerchantCiphertext, Plaintext};

use crate::{
    args::fields::Open,
    exit,
    failure::Failure,
    input,
    print::say,
    profile::{self, key_pair_of, passphrase_of},
};

/// Reads the ciphertext from stdin and prints the plaintext.
pub(crate) fn run(arguments: &Open) -> Result<exit::Code, Failure> {
    let key = match &arguments.key {
        Some(path) => {
            let passphrase = arguments
                .passphrase_file
                .as_deref()
                .map(passphrase_of)
                .transpose()?;
            key_pair_of(path, passphrase)?.key
        }
        None => profile::merchant_key(&arguments.chosen.config, &arguments.chosen.profile)?,
    };
    let text = input::text(input::stdin("the ciphertext")?, "the ciphertext")?;
    // A ciphertext that was copied out of JSON may bring its quotation marks.
    let text = text.trim().trim_matches('"');
    let expected = key.public_key().seal_limit() + OAEP_OVERHEAD;
    let ciphertext: MerchantCiphertext = serde_json::from_value(text.into())
        .map_err(|error| Failure::because("the ciphertext cannot be read", &error))?;
    let plaintext: FormValue = key.open(&ciphertext).map_err(|_| {
        Failure::new("the ciphertext does not open with this key").hint(match shape(text, expected) {
            Some(what) => what,
            None => {
                "it was sealed for another certificate of the merchant, or for WeChat Pay as requests are"
                    .to_owned()
            }
        })
    })?;
    say!("{}", plaintext.expose())?;
    Ok(exit::DONE)
}

/// What is wrong with the outside of a ciphertext. Nothing that depends on the key.
fn shape(text: &str, expected: usize) -> Option<String> {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let characters = expected.div_ceil(3) * 4;
    if text.is_empty() {
        Some("nothing came by stdin".to_owned())
    } else if text.contains('%') {
        Some("it is percent-encoded; decode it first".to_owned())
    } else if !text.bytes().all(is_base64) {
        Some("it is not base64".to_owned())
    } else if text.len() != characters {
        Some(format!(
            "it has {} characters, a ciphertext for this key has {characters}",
            text.len()
        ))
    } else {
        None
    }
}

/// Bytes by which a ciphertext is longer than the longest plaintext (RFC 8017, section 7.1.1, with SHA-1).
const OAEP_OVERHEAD: usize = 42;

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn the_outside_of_a_ciphertext_is_told() {
        let whole = "A".repeat(344);
        assert_eq!(shape(&whole, 256), None);
        for (text, expected) in [
            ("", "nothing came"),
            ("AA%2B", "percent-encoded"),
            ("***", "not base64"),
            (
                &whole[1..],
                "it has 343 characters, a ciphertext for this key has 344",
            ),
        ] {
            assert!(shape(text, 256).unwrap().contains(expected), "{text}");
        }
    }
}
