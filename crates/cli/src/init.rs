//! A new profile: what it consists of, how it is asked for and how it is written down. Holds paths, never secrets.

mod ask;
mod draft;

pub(crate) use self::{
    ask::{Dialogue, complete},
    draft::{Draft, Missing},
};
