//! A source that a program makes itself: from a query, another file format, a list in memory.
//!
//! Keeps no record. What an error of the program says is told on, so it should name no person.

use std::{fmt, io, sync::Arc};

use wxmember_crypto::{Fingerprint, SourceHasher};

use super::{Record, Records, Source, SourceError};

/// Records from an iterator of the program's own, with the names of their columns.
///
/// The names are found as those of a file are, in Chinese or English, or by a mapping. The iterator is made anew each
/// time the source is read, and must give the same records in the same order each time: one that does not is refused as
/// changed. Each record is as many texts as there are columns, or the row is refused.
///
/// ```
/// use wxmember_import::{IterSource, Source};
///
/// struct Customer { mobile: &'static str, number: u32 }
/// let customers = [Customer { mobile: "13800138000", number: 1 }, Customer { mobile: "13800138001", number: 2 }];
///
/// let source = IterSource::new("customers", ["phone number", "member number"], move || {
///     let records = customers.iter().map(|one| Ok(vec![one.mobile.to_owned(), one.number.to_string()]));
///     Ok(records.collect::<Vec<_>>())
/// });
/// assert_eq!(source.open()?.columns(), ["phone number", "member number"]);
/// # Ok::<(), wxmember_import::SourceError>(())
/// ```
pub struct IterSource<F> {
    name: Arc<str>,
    columns: Vec<String>,
    make: F,
}

impl<F, I> IterSource<F>
where
    F: Fn() -> io::Result<I> + Send + Sync + 'static,
    I: IntoIterator<Item = io::Result<Vec<String>>>,
    I::IntoIter: Send + 'static,
{
    /// Takes a name for messages and reports, the names of the columns, and what makes the iterator.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        columns: impl IntoIterator<Item = impl Into<String>>,
        make: F,
    ) -> Self {
        Self {
            name: name.into().into(),
            columns: columns.into_iter().map(Into::into).collect(),
            make,
        }
    }

    fn start(&self) -> Result<IterRecords<I::IntoIter>, SourceError> {
        let mut hasher = SourceHasher::new();
        for column in &self.columns {
            take(&mut hasher, column);
        }
        let records = (self.make)().map_err(|source| SourceError::Io {
            source_name: self.name.to_string(),
            source,
        })?;
        Ok(IterRecords {
            name: Arc::clone(&self.name),
            columns: self.columns.clone(),
            records: records.into_iter(),
            row: 0,
            line: 0,
            hasher: Some(hasher),
            digest: None,
        })
    }
}

impl<F, I> Source for IterSource<F>
where
    F: Fn() -> io::Result<I> + Send + Sync + 'static,
    I: IntoIterator<Item = io::Result<Vec<String>>>,
    I::IntoIter: Send + 'static,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn digest(&self) -> Result<Fingerprint, SourceError> {
        let mut records = self.start()?;
        let mut record = Record::default();
        while records.read(&mut record)? {}
        Ok(records.digest.unwrap_or_else(|| SourceHasher::new().finish()))
    }

    fn open(&self) -> Result<Box<dyn Records>, SourceError> {
        Ok(Box::new(self.start()?))
    }
}

impl<F> fmt::Debug for IterSource<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IterSource({}, {} columns)", self.name, self.columns.len())
    }
}

struct IterRecords<I> {
    name: Arc<str>,
    columns: Vec<String>,
    records: I,
    row: u64,
    line: u64,
    /// Nothing after the end.
    hasher: Option<SourceHasher>,
    digest: Option<Fingerprint>,
}

impl<I: Iterator<Item = io::Result<Vec<String>>> + Send> Records for IterRecords<I> {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn read(&mut self, record: &mut Record) -> Result<bool, SourceError> {
        let Some(hasher) = &mut self.hasher else {
            return Ok(false);
        };
        for next in self.records.by_ref() {
            let cells = next.map_err(|source| SourceError::Io {
                source_name: self.name.to_string(),
                source,
            })?;
            self.line += 1;
            hasher.update(&(cells.len() as u64).to_be_bytes());
            for cell in &cells {
                take(hasher, cell);
            }
            if cells.iter().any(|cell| !cell.is_empty()) {
                self.row += 1;
                *record = Record {
                    row: self.row,
                    line: self.line,
                    cells,
                    ..Record::default()
                };
                return Ok(true);
            }
        }
        self.digest = self.hasher.take().map(SourceHasher::finish);
        Ok(false)
    }

    fn digest(&self) -> Option<Fingerprint> {
        self.digest
    }
}

/// With its length, so that no two records digest alike.
fn take(hasher: &mut SourceHasher, text: &str) {
    hasher.update(&(text.len() as u64).to_be_bytes());
    hasher.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(rows: &'static [&'static [&'static str]]) -> impl Source {
        IterSource::new("list", ["a", "b"], move || {
            let record = |row: &&[&str]| Ok(row.iter().map(|cell| (*cell).to_owned()).collect());
            Ok(rows.iter().map(record).collect::<Vec<_>>())
        })
    }

    #[test]
    fn records_are_numbered_and_empty_ones_passed_over() {
        let source = source(&[&["1", "2"], &["", ""], &["3"]]);
        let mut records = source.open().unwrap();
        let mut record = Record::default();
        let mut found = Vec::new();
        while records.read(&mut record).unwrap() {
            found.push((record.row, record.line, record.cells.join(" ")));
        }
        assert_eq!(found, [(1, 1, "1 2".to_owned()), (2, 3, "3".to_owned())]);
        assert!(!records.read(&mut record).unwrap());
        assert_eq!(records.digest(), Some(source.digest().unwrap()));
    }

    #[test]
    fn other_cells_are_another_digest() {
        let digests = [
            source(&[&["12", ""]]),
            source(&[&["1", "2"]]),
            source(&[&["1"], &["2"]]),
            source(&[&["1", "2", ""]]),
            source(&[]),
        ]
        .map(|source| source.digest().unwrap());
        for (place, digest) in digests.iter().enumerate() {
            assert!(!digests[..place].contains(digest), "{place}");
        }
    }

    #[test]
    fn an_error_of_the_program_ends_it() {
        let source = IterSource::new("list", ["a"], || {
            Ok([Ok(vec!["1".to_owned()]), Err(io::Error::other("gone"))])
        });
        let error = source.digest().unwrap_err();
        assert!(matches!(&error, SourceError::Io { source, .. } if source.to_string() == "gone"));
        let broken = IterSource::new("list", ["a"], || {
            Err::<Vec<io::Result<Vec<String>>>, _>(io::Error::other("nobody there"))
        });
        assert!(broken.open().is_err());
    }
}
