//! A recorder that keeps what `metrics` is told on one thread.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Recorder, SharedString, Unit,
};

/// What `metrics` was told: name and labels, and how often or what.
#[derive(Clone, Default)]
pub(super) struct Meter(Arc<Mutex<Metered>>);

#[derive(Default)]
struct Metered {
    values: BTreeMap<String, Vec<f64>>,
    units: BTreeMap<String, Option<Unit>>,
}

impl Meter {
    pub(super) fn values(&self) -> BTreeMap<String, Vec<f64>> {
        self.0.lock().unwrap().values.clone()
    }

    /// How often something was counted, by name and labels, without histograms.
    pub(super) fn counts(&self) -> Vec<String> {
        let values = self.values();
        let counters = values.iter().filter(|(name, _)| name.contains("_total"));
        counters
            .map(|(name, values)| format!("{name} {}", values.iter().sum::<f64>()))
            .collect()
    }

    /// The names that were described, with their units.
    pub(super) fn units(&self) -> Vec<(String, Option<Unit>)> {
        self.0.lock().unwrap().units.clone().into_iter().collect()
    }

    fn instrument(&self, key: &Key) -> Arc<Instrument> {
        let labels: Vec<_> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        Arc::new(Instrument(
            self.clone(),
            format!("{}{{{}}}", key.name(), labels.join(",")),
        ))
    }

    fn describe(&self, name: &KeyName, unit: Option<Unit>) {
        self.0
            .lock()
            .unwrap()
            .units
            .insert(name.as_str().to_owned(), unit);
    }
}

struct Instrument(Meter, String);

impl Instrument {
    fn note(&self, value: f64) {
        self.0
            .0
            .lock()
            .unwrap()
            .values
            .entry(self.1.clone())
            .or_default()
            .push(value);
    }
}

impl CounterFn for Instrument {
    fn increment(&self, value: u64) {
        self.note(f64::from(u32::try_from(value).unwrap()));
    }

    fn absolute(&self, _: u64) {
        panic!("counters count");
    }
}

impl HistogramFn for Instrument {
    fn record(&self, value: f64) {
        self.note(value);
    }
}

impl Recorder for Meter {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&name, unit);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&name, unit);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&name, unit);
    }

    fn register_counter(&self, key: &Key, _: &metrics::Metadata<'_>) -> Counter {
        Counter::from_arc(self.instrument(key))
    }

    fn register_gauge(&self, _: &Key, _: &metrics::Metadata<'_>) -> Gauge {
        panic!("there is no gauge");
    }

    fn register_histogram(&self, key: &Key, _: &metrics::Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.instrument(key))
    }
}
