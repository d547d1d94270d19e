//! Where one stands in a body while one walks through it: written out only when it is to be told.

use super::is_name;

/// A place in a JSON document, by the steps that lead to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    before: Option<&'a Self>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Element(usize),
    Member(&'a str),
    Whole,
}

impl<'a> Place<'a> {
    /// The document itself.
    pub(super) const WHOLE: Self = Self {
        before: None,
        step: Step::Whole,
    };

    pub(super) fn element(&'a self, index: usize) -> Self {
        Self {
            before: Some(self),
            step: Step::Element(index),
        }
    }

    /// A member, whatever it is called.
    pub(super) fn member(&'a self, name: &'a str) -> Self {
        Self {
            before: Some(self),
            step: Step::Member(name),
        }
    }

    /// The JSON Pointer. A name from outside that does not look like one is left out: it may be a value by mistake.
    pub(super) fn pointer(&self) -> String {
        let mut pointer = self.before.map(Self::pointer).unwrap_or_default();
        match self.step {
            Step::Element(index) => pointer.push_str(&format!("/{index}")),
            Step::Member(name) if is_name(name) => {
                pointer.push('/');
                pointer.push_str(name);
            }
            Step::Member(_) | Step::Whole => {}
        }
        pointer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_by_names_that_look_like_names() {
        let (list, odd) = (Place::WHOLE.member("list"), Place::WHOLE.member("13800138000"));
        let element = list.element(2);
        assert_eq!(element.member("value").pointer(), "/list/2/value");
        assert_eq!(odd.member("value").pointer(), "/value");
        assert_eq!(Place::WHOLE.pointer(), "");
    }
}
