//! Lists, a page at a time, in the shape that every list of the family has.

use serde_json::{Value, json};

use crate::{operations::Call, refusal::Refusal};

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    offset: u64,
    limit: u64,
}

impl Page {
    pub(crate) fn of(call: &Call) -> Result<Self, Refusal> {
        Ok(Self {
            offset: call.number("offset")?,
            limit: call.number("limit")?,
        })
    }

    /// The entries on this page, and how many there are in all.
    pub(crate) fn of_list<T>(self, list: impl Iterator<Item = T>) -> (Vec<T>, u64) {
        let mut total = 0;
        let on_page = list.filter(|_| {
            let index = total;
            total += 1;
            index >= self.offset && index - self.offset < self.limit
        });
        (on_page.collect(), total)
    }

    /// The answer without its entries.
    pub(crate) fn answer(self, data: Vec<Value>, total: u64) -> Value {
        json!({"data": data, "total_count": total, "offset": self.offset, "limit": self.limit})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_out_and_the_whole_is_counted() {
        for (offset, limit, expected) in [
            (0, 2, &[0, 1][..]),
            (3, 2, &[3, 4]),
            (4, 20, &[4]),
            (5, 20, &[]),
            (u64::MAX, 1, &[]),
        ] {
            let page = Page { offset, limit };
            assert_eq!(page.of_list(0..5), (expected.to_vec(), 5), "{offset} {limit}");
        }
    }
}
