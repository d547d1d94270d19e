//! Nonces that were used: each is good once while its timestamp is inside the window. Bounded by the window.

use std::collections::{BTreeMap, HashSet};

use wxmember_crypto::SourceHasher;

/// The nonces whose requests would still be in time. Sixteen bytes of a digest stand for one.
#[derive(Debug, Default)]
pub(crate) struct Nonces {
    seen: HashSet<[u8; 16]>,
    by_second: BTreeMap<i64, Vec<[u8; 16]>>,
}

impl Nonces {
    /// Notes a nonce; `false` when it was used before. Call it only for a request whose signature is good,
    /// or a stranger could use up a merchant's nonces.
    pub(crate) fn note(&mut self, mchid: &str, nonce: &str, signed_at: i64, now: i64) -> bool {
        // What is older than the window is refused for its timestamp.
        let kept = self.by_second.split_off(&now.saturating_sub(WINDOW_SECONDS));
        for digests in std::mem::replace(&mut self.by_second, kept).into_values() {
            for digest in digests {
                self.seen.remove(&digest);
            }
        }
        let digest = digest(mchid, nonce);
        let is_new = self.seen.insert(digest);
        if is_new {
            self.by_second.entry(signed_at).or_default().push(digest);
        }
        is_new
    }
}

fn digest(mchid: &str, nonce: &str) -> [u8; 16] {
    let mut hasher = SourceHasher::new();
    hasher.update(mchid.as_bytes());
    // A merchant id never holds this byte, so no two pairs give the same text.
    hasher.update(b"\n");
    hasher.update(nonce.as_bytes());
    let mut half = [0; 16];
    half.copy_from_slice(&hasher.finish().as_bytes()[..16]);
    half
}

/// How far a timestamp may be off, either way.
pub(crate) const WINDOW_SECONDS: i64 = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_once_per_merchant() {
        let mut nonces = Nonces::default();
        assert!(nonces.note("a", "n", 1000, 1000));
        assert!(!nonces.note("a", "n", 1001, 1001));
        assert!(nonces.note("b", "n", 1000, 1000));
        assert!(nonces.note("a", "m", 1000, 1000));
    }

    #[test]
    fn nonces_outside_the_window_are_forgotten() {
        let mut nonces = Nonces::default();
        for nonce in 0..100 {
            assert!(nonces.note("a", &nonce.to_string(), 1000 + nonce, 1000 + nonce));
        }
        assert!(!nonces.note("a", "0", 1000, 1300));
        assert!(nonces.note("a", "0", 1301, 1301));
        assert!(nonces.note("a", "last", 5000, 5000));
        assert_eq!((nonces.seen.len(), nonces.by_second.len()), (1, 1));
    }
}
