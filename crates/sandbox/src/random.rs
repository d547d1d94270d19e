//! Random-looking text for nonces and request ids: a stream that follows from a seed.
//!
//! Not for keys: those come from `crypto`, or from the system's source through [`characters`].

use std::sync::atomic::{AtomicU64, Ordering};

use wxmember_crypto::{Fingerprint, SourceHasher};

/// An endless stream of distinct tokens; the same seed gives the same stream.
#[derive(Debug)]
pub(crate) struct Tokens {
    seed: [u8; 32],
    next: AtomicU64,
}

impl Tokens {
    pub(crate) fn from_seed(seed: [u8; 32]) -> Self {
        Self {
            seed,
            next: AtomicU64::new(0),
        }
    }

    /// A stream that nobody can foresee.
    pub(crate) fn from_system() -> Result<Self, getrandom::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        Ok(Self::from_seed(seed))
    }

    /// The next token: 32 upper-case hexadecimal digits.
    pub(crate) fn token(&self) -> String {
        let mut token = self.digest().to_string().to_ascii_uppercase();
        token.truncate(32);
        token
    }

    /// As many decimal digits of the next token, at most 32, the first one not 0.
    pub(crate) fn digits(&self, length: usize) -> String {
        let digest = self.digest();
        let digits = digest.as_bytes().iter().take(length).enumerate();
        digits
            .map(|(index, byte)| {
                let digit = if index == 0 { byte % 9 + 1 } else { byte % 10 };
                char::from(b'0' + digit)
            })
            .collect()
    }

    fn digest(&self) -> Fingerprint {
        let mut hasher = SourceHasher::new();
        hasher.update(&self.seed);
        hasher.update(&self.next.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        hasher.finish()
    }
}

/// As many characters of the alphabet as wanted, from the system's source.
pub(crate) fn characters(alphabet: &[u8], length: usize) -> Result<String, getrandom::Error> {
    // Bytes above the last whole multiple are thrown away, so that every character is equally likely.
    let whole = 256 - 256 % alphabet.len().max(1);
    let mut text = String::with_capacity(length);
    let mut bytes = [0; 64];
    while text.len() < length {
        getrandom::fill(&mut bytes)?;
        let fitting = bytes
            .iter()
            .map(|byte| usize::from(*byte))
            .filter(|byte| *byte < whole);
        for byte in fitting.take(length - text.len()) {
            text.push(char::from(alphabet[byte % alphabet.len()]));
        }
    }
    Ok(text)
}

pub(crate) const ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub(crate) const DIGITS: &[u8] = b"0123456789";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_follow_from_the_seed_and_differ() {
        let (one, other) = (Tokens::from_seed([1; 32]), Tokens::from_seed([1; 32]));
        let first = one.token();
        assert_eq!(first, other.token());
        assert_eq!(first.len(), 32);
        assert_ne!(first, one.token());
        let digits = one.digits(12);
        assert!(digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit()));
        assert!(!digits.starts_with('0'));
    }

    #[test]
    fn characters_come_from_the_alphabet_alone() {
        let text = characters(DIGITS, 100).unwrap();
        assert_eq!(text.len(), 100);
        assert!(text.bytes().all(|byte| byte.is_ascii_digit()));
    }
}
