//! What can be wrong with keys, serial numbers, files and the clock, and how to tell.
//!
//! [`gather`] reads files and knows nothing of right and wrong; the checks look at what was read and do no I/O. No
//! check may put the content of a file into a text.

mod facts;
mod files;
mod gather;
mod keys;
mod online;
mod report;
mod serials;
#[cfg(test)]
mod testing;
mod validity;

#[cfg(unix)]
pub(crate) use self::files::shell_word;
pub(crate) use self::{
    facts::Facts,
    gather::{Gathered, folder, profile},
    online::{ask, base_url, is_on_this_machine},
    report::{Check, Report},
};

/// Every check that needs no network.
pub(crate) fn examine(facts: &Facts, report: &mut Report) {
    keys::check(facts, report);
    serials::check(facts, report);
    validity::check(facts, report);
    files::check(facts, report);
}
