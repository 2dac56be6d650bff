//! The page of metrics as text: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet, prometheus_text, text};
use prometheus_client::registry::Registry;

use super::families::{Family, PREFIX, Series};

/// The form of the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// Prometheus' own, which everything reads.
    Prometheus,
    OpenMetrics,
}

impl Form {
    /// Returns the form for a client with this header field `Accept`.
    pub(crate) fn of(accept: Option<&str>) -> Self {
        let media = |item: &str| item.split(';').next().unwrap_or_default().trim().to_owned();
        let mut accepted = accept.unwrap_or_default().split(',').map(media);
        let takes =
            accepted.any(|media| media.eq_ignore_ascii_case("application/openmetrics-text"));
        if takes { Self::OpenMetrics } else { Self::Prometheus }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Writes these families.
///
/// # Errors
///
/// A text cannot be written, which does not happen with a `String`.
pub(crate) fn write(families: Vec<Family>, form: Form) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(Families(families)));
    let mut page = String::new();
    match form {
        Form::Prometheus => prometheus_text::encode(&mut page, &registry)?,
        Form::OpenMetrics => text::encode(&mut page, &registry)?,
    }
    Ok(page)
}

#[derive(Debug)]
struct Families(Vec<Family>);

impl Collector for Families {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        for Family { name, help, unit, series } in &self.0 {
            let kind = series.kind();
            let mut family = encoder.encode_descriptor(name, help, unit.as_ref(), kind)?;
            match series {
                Series::Counter(values) => {
                    for (labels, value) in values {
                        let mut number = family.encode_family(labels)?;
                        number.encode_counter::<NoLabelSet, _, u64>(value, None)?;
                    }
                }
                Series::Gauge(values) => {
                    for (labels, value) in values {
                        family.encode_family(labels)?.encode_gauge(value)?;
                    }
                }
                Series::Histogram(values) => {
                    for (labels, value) in values {
                        let mut number = family.encode_family(labels)?;
                        let (sum, count) = (value.sum, value.count);
                        number.encode_histogram::<NoLabelSet>(sum, count, &value.buckets, None)?;
                    }
                }
            }
        }
        Ok(())
    }
}
