//! The families of metrics: their names, their meanings and their numbers.
//!
//! `README.md` of the gateway has a table of them. A number whose labels have never occurred is there, and 0, so that an
//! alert on its increase sees the first time too.

mod mail;
mod state;
mod trade;

use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::counts::{Counts, Key, Labels};
use super::histogram::{Distribution, Histogram, Scale};
use super::{Metrics, Readings};

/// The start of all names.
pub(crate) const PREFIX: &str = "gateway";

/// Numbers of one name.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    /// The name between the prefix and the unit.
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) unit: Option<Unit>,
    pub(crate) series: Series,
}

/// The numbers of a family, each with its labels.
#[derive(Clone, Debug)]
pub(crate) enum Series {
    Counter(Vec<(Labels, u64)>),
    Gauge(Vec<(Labels, f64)>),
    Histogram(Vec<(Labels, Distribution)>),
}

impl Series {
    pub(crate) fn kind(&self) -> MetricType {
        match self {
            Self::Counter(_) => MetricType::Counter,
            Self::Gauge(_) => MetricType::Gauge,
            Self::Histogram(_) => MetricType::Histogram,
        }
    }
}

/// Returns all families.
pub(crate) fn all(metrics: &Metrics, readings: &Readings) -> Vec<Family> {
    let all = [mail::families(metrics), trade::families(metrics), state::families(readings)];
    all.concat()
}

fn counter<K: Key>(name: &'static str, counts: &Counts<K>, help: &'static str) -> Family {
    Family { name, help, unit: None, series: Series::Counter(counts.read()) }
}

/// A counter without labels.
fn total(name: &'static str, value: u64, help: &'static str) -> Family {
    Family { name, help, unit: None, series: Series::Counter(vec![(Vec::new(), value)]) }
}

/// A gauge without labels, of one value or none.
fn gauge(name: &'static str, value: impl IntoIterator<Item = f64>, help: &'static str) -> Family {
    let numbers = value.into_iter().map(|value| (Vec::new(), value));
    Family { name, help, unit: None, series: Series::Gauge(numbers.collect()) }
}

fn histogram<K: Key, S: Scale>(
    name: &'static str,
    values: &Histogram<K, S>,
    help: &'static str,
) -> Family {
    Family { name, help, unit: None, series: Series::Histogram(values.read()) }
}

impl Family {
    fn in_seconds(self) -> Self {
        Self { unit: Some(Unit::Seconds), ..self }
    }

    fn in_bytes(self) -> Self {
        Self { unit: Some(Unit::Bytes), ..self }
    }
}
