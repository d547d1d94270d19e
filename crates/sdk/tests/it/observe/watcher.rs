//! A subscriber that keeps the SDK's spans and lines of one thread. Must not be used with more threads: it knows one stack.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// A span, with the number of the one it stands in.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    name: &'static str,
    parent: Option<usize>,
    fields: Fields,
}

#[derive(Clone, Debug, Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl Seen {
    pub(super) fn get(&self, field: &str) -> &str {
        self.fields.0.get(field).map_or("", String::as_str)
    }
}

/// Keeps what `tracing` is told, for one thread.
#[derive(Clone, Default)]
pub(super) struct Watcher(Arc<Mutex<Watched>>);

#[derive(Default)]
struct Watched {
    spans: Vec<Seen>,
    lines: Vec<Seen>,
    entered: Vec<usize>,
}

impl Watcher {
    pub(super) fn watch() -> (Self, tracing::subscriber::DefaultGuard) {
        let watcher = Self::default();
        let guard = tracing::subscriber::set_default(watcher.clone());
        (watcher, guard)
    }

    /// The spans of that name of the SDK.
    pub(super) fn spans(&self, name: &str) -> Vec<Seen> {
        let watched = self.0.lock().unwrap();
        watched
            .spans
            .iter()
            .filter(|span| span.name == name)
            .cloned()
            .collect()
    }

    /// The name of the span around the first one of that name.
    pub(super) fn around(&self, name: &str) -> Option<&'static str> {
        let watched = self.0.lock().unwrap();
        let span = watched.spans.iter().find(|span| span.name == name)?;
        Some(watched.spans[span.parent?].name)
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let watched = self.0.lock().unwrap();
        watched
            .lines
            .iter()
            .map(|line| line.get("message").to_owned())
            .collect()
    }

    /// Everything, as text.
    pub(super) fn text(&self) -> String {
        let watched = self.0.lock().unwrap();
        format!("{:?} {:?}", watched.spans, watched.lines)
    }
}

impl Subscriber for Watcher {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("wxmember")
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut watched = self.0.lock().unwrap();
        let mut span = Seen {
            name: attributes.metadata().name(),
            parent: watched.entered.last().copied(),
            ..Seen::default()
        };
        attributes.record(&mut span.fields);
        watched.spans.push(span);
        Id::from_u64(u64::try_from(watched.spans.len()).unwrap())
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        values.record(&mut self.0.lock().unwrap().spans[place(id)].fields);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Seen::default();
        event.record(&mut line.fields);
        self.0.lock().unwrap().lines.push(line);
    }

    fn enter(&self, id: &Id) {
        self.0.lock().unwrap().entered.push(place(id));
    }

    fn exit(&self, id: &Id) {
        let mut watched = self.0.lock().unwrap();
        assert_eq!(watched.entered.pop(), Some(place(id)), "spans close in order");
    }
}

fn place(id: &Id) -> usize {
    usize::try_from(id.into_u64()).unwrap() - 1
}
