//! Numbers that follow from a seed, so that a failing test can be run again as it was.
//!
//! Not for secrets.

/// An endless stream of numbers; the same seed gives the same stream.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// Starts the stream of a seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self { state: mixed(seed) }
    }

    /// The next number below `limit`; 0 when that is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        mixed(self.state).checked_rem(limit).unwrap_or(0)
    }

    /// One of these.
    ///
    /// # Panics
    ///
    /// When there are none.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        let index = self.below(choices.len() as u64);
        choices[index as usize]
    }
}

/// SplitMix64: neighbouring numbers in, unrelated ones out.
#[must_use]
pub fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(STEP);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
