//! Members that are certainly new: a Bloom filter over the beginnings of their hashes.
//!
//! A list mostly holds members that the ledger has not. To look each of them up in two tables is a good part of what a
//! row costs to store; the filter answers for most of them from 2 MiB of memory, as long as the ledger has a few million
//! at most. It is made of all that is there, so a small list in a large ledger goes without. It never says
//! "new" of a member that is there: it holds all of them, or it is not asked. Whatever another process writes makes it
//! worthless, which `data_version` tells, and then it is gone for good.

use rusqlite::Connection;

/// The filter, and what it is true of.
#[derive(Debug, Default)]
pub(super) struct Seen {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// Nobody stored enough rows to be worth it.
    #[default]
    Unmade,
    Made {
        bits: Box<[u64]>,
        data_version: i64,
    },
    /// Another process writes too.
    Given,
}

impl Seen {
    /// Makes it, checks it or gives it up. Call it inside of a transaction that writes, so that nobody else does until
    /// its end.
    pub(super) fn prepare(&mut self, connection: &Connection, rows: usize) -> Result<(), rusqlite::Error> {
        let version = || connection.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0));
        match &self.state {
            State::Unmade if rows >= WORTH_IT && is_worth_it(connection, rows)? => {
                let mut bits = vec![0; WORDS].into_boxed_slice();
                for table in ["members", "members_new"] {
                    let mut statement = connection.prepare(&format!("SELECT prefix FROM {table}"))?;
                    let mut found = statement.query([])?;
                    while let Some(row) = found.next()? {
                        add(&mut bits, row.get_ref(0)?.as_blob()?);
                    }
                }
                let data_version = version()?;
                self.state = State::Made { bits, data_version };
            }
            State::Made { data_version, .. } if version()? != *data_version => self.state = State::Given,
            State::Unmade | State::Made { .. } | State::Given => {}
        }
        Ok(())
    }

    /// Whether no row has such a hash.
    pub(super) fn is_new(&self, prefix: &[u8]) -> bool {
        match &self.state {
            State::Made { bits, .. } => places(prefix).any(|(word, bit)| bits[word] & bit == 0),
            State::Unmade | State::Given => false,
        }
    }

    /// Remembers a hash that is stored now. One whose transaction fails costs a look-up later.
    pub(super) fn add(&mut self, prefix: &[u8]) {
        if let State::Made { bits, .. } = &mut self.state {
            add(bits, prefix);
        }
    }
}

/// Whether reading what is there costs less than the look-ups it spares.
fn is_worth_it(connection: &Connection, rows: usize) -> Result<bool, rusqlite::Error> {
    let there: i64 = connection.query_row(
        "SELECT coalesce(sum(rows), 0) FROM jobs WHERE is_purged = 0",
        [],
        |row| row.get(0),
    )?;
    Ok(there <= MOST && there <= (rows as i64).saturating_mul(TIMES))
}

fn add(bits: &mut [u64], prefix: &[u8]) {
    for (word, bit) in places(prefix) {
        bits[word] |= bit;
    }
}

/// Four places from eight bytes that are as good as random.
fn places(prefix: &[u8]) -> impl Iterator<Item = (usize, u64)> {
    let mut bytes = [0; 8];
    let length = prefix.len().min(8);
    bytes[..length].copy_from_slice(&prefix[..length]);
    let hash = u64::from_le_bytes(bytes);
    let (first, step) = (hash & 0xFFFF_FFFF, hash >> 32 | 1);
    (0..4).map(move |number: u64| {
        let place = first.wrapping_add(step.wrapping_mul(number)) % (WORDS as u64 * 64);
        ((place / 64) as usize, 1 << (place % 64))
    })
}

/// 2 MiB: of a million members one in some 500 is looked up for nothing, of five million one in four.
const WORDS: usize = 1 << 18;
/// Rows of a first transaction: fewer do not pay for reading what is there.
const WORTH_IT: usize = 1_000;
/// Rows of all jobs: with more the filter knows too few as new.
const MOST: i64 = 5_000_000;
/// Rows that are read for each of the first transaction, which has two thousand unless the list is shorter. Reading five
/// million takes some 0.9 s, with every other writer waiting; how long the list is nobody knows yet.
const TIMES: i64 = 2_500;

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, Connection, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; CREATE TABLE members (prefix); CREATE TABLE members_new (prefix);
                 CREATE TABLE jobs (rows, is_purged DEFAULT 0); INSERT INTO jobs (rows) VALUES (2);
                 INSERT INTO members VALUES (x'0102030405060708'); INSERT INTO members_new VALUES (x'1112131415161718');",
            )
            .unwrap();
        let other = Connection::open(&path).unwrap();
        (folder, connection, other)
    }

    #[test]
    fn what_is_there_and_what_is_added_is_never_new() {
        let (_folder, connection, _other) = place();
        let mut seen = Seen::default();
        seen.prepare(&connection, WORTH_IT).unwrap();
        for prefix in [[1, 2, 3, 4, 5, 6, 7, 8], [17, 18, 19, 20, 21, 22, 23, 24]] {
            assert!(!seen.is_new(&prefix));
        }
        let mut random = fastrand(7);
        let mut false_alarms = 0;
        for _ in 0..100_000 {
            let prefix = random().to_le_bytes();
            false_alarms += u32::from(!seen.is_new(&prefix));
            seen.add(&prefix);
            assert!(!seen.is_new(&prefix));
        }
        assert!(false_alarms < 100, "{false_alarms}");
    }

    #[test]
    fn few_rows_make_no_filter() {
        let (_folder, connection, _other) = place();
        let mut seen = Seen::default();
        seen.prepare(&connection, WORTH_IT - 1).unwrap();
        assert!(!seen.is_new(&[9; 8]));
    }

    #[test]
    fn a_small_list_in_a_large_ledger_makes_no_filter() {
        let (_folder, connection, _other) = place();
        connection.execute("UPDATE jobs SET rows = 2500001", []).unwrap();
        let mut seen = Seen::default();
        seen.prepare(&connection, WORTH_IT).unwrap();
        assert!(!seen.is_new(&[9; 8]));
        seen.prepare(&connection, WORTH_IT + 1).unwrap();
        assert!(seen.is_new(&[9; 8]));
        connection.execute("UPDATE jobs SET rows = 5000001", []).unwrap();
        let mut seen = Seen::default();
        seen.prepare(&connection, 2 * WORTH_IT + 1).unwrap();
        assert!(!seen.is_new(&[9; 8]));
    }

    #[test]
    fn what_another_process_writes_makes_it_worthless() {
        let (_folder, connection, other) = place();
        let mut seen = Seen::default();
        seen.prepare(&connection, WORTH_IT).unwrap();
        connection
            .execute("INSERT INTO members VALUES (x'00')", [])
            .unwrap();
        seen.prepare(&connection, WORTH_IT).unwrap();
        assert!(seen.is_new(&[9; 8]), "what this connection writes it is told");
        other
            .execute("INSERT INTO members VALUES (x'0909090909090909')", [])
            .unwrap();
        seen.prepare(&connection, WORTH_IT).unwrap();
        assert!(!seen.is_new(&[9; 8]));
        seen.prepare(&connection, WORTH_IT).unwrap();
        assert!(!seen.is_new(&[9; 8]), "it is gone for good");
    }

    /// Numbers without an order (SplitMix64).
    fn fastrand(seed: u64) -> impl FnMut() -> u64 {
        let mut state = seed;
        move || {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        }
    }
}
