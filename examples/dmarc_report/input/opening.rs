//! Opens an input, whatever it is, by its first octets.

use dmarc_policy::{Feedback, FeedbackError, FeedbackReading};
use mail_types::smtp::Header;

use super::failure::Failure;
use super::limits::{OpenError, OpenLimits};
use super::{archive, mail};

/// A report or a fault, and its place.
#[derive(Debug)]
pub(crate) struct Found {
    /// The names of the archives, entries and parts that hold it; empty for the input itself.
    pub(crate) within: String,
    pub(crate) content: Content,
}

/// The content of a place.
#[derive(Debug)]
pub(crate) enum Content {
    Report(Box<FeedbackReading>),
    Failure(Box<Failure>),
    Fault(OpenError),
}

/// Opens an input. The result is empty for a message without a report, and for octets of another kind
/// that the user has not named.
pub(crate) fn open(octets: &[u8], is_named: bool, limits: &OpenLimits) -> Vec<Found> {
    let mut opening = Opening {
        found: Vec::new(),
        limits,
        xml: limits.report.xml,
        records: limits.report.records,
        parts: 0,
    };
    if octets.len() > limits.input {
        opening.fault("", OpenError::Input { limit: limits.input });
    } else if is_named && Kind::of(octets) == Kind::Other {
        opening.report(octets, "");
    } else {
        opening.octets(octets, "", 0);
    }
    opening.found
}

/// The work on an input.
pub(super) struct Opening<'l> {
    found: Vec<Found>,
    pub(super) limits: &'l OpenLimits,
    /// The octets of XML that may still come.
    pub(super) xml: usize,
    /// The records that may still come.
    records: usize,
    /// The parts and entries so far.
    pub(super) parts: usize,
}

impl Opening<'_> {
    /// Opens what may hold a report; other octets are passed over.
    pub(super) fn octets(&mut self, octets: &[u8], within: &str, depth: usize) {
        if depth > self.limits.depth {
            return self.fault(within, OpenError::Depth { limit: self.limits.depth });
        }
        match Kind::of(octets) {
            Kind::Gzip | Kind::Xml => self.report(octets, within),
            Kind::Zip => archive::open(self, octets, within, depth),
            Kind::Mail => mail::open(self, octets, within, depth),
            Kind::Other => {}
        }
    }

    /// Counts parts; `false` if there are too many, which is told once.
    pub(super) fn count(&mut self, parts: usize, within: &str) -> bool {
        let (before, limit) = (self.parts, self.limits.parts);
        self.parts = before.saturating_add(parts);
        if before <= limit && self.parts > limit {
            self.fault(within, OpenError::Parts { limit });
        }
        self.parts <= limit
    }

    pub(super) fn fault(&mut self, within: &str, error: OpenError) {
        self.add(within, Content::Fault(error));
    }

    pub(super) fn add(&mut self, within: &str, content: Content) {
        self.found.push(Found { within: within.to_owned(), content });
    }

    fn report(&mut self, octets: &[u8], within: &str) {
        let mut limits = self.limits.report.clone();
        (limits.xml, limits.records) = (self.xml, self.records);
        let is_first = self.xml == self.limits.report.xml;
        match Feedback::read(octets, &limits) {
            Ok(reading) => {
                self.xml -= reading.xml.min(self.xml);
                self.records -= reading.feedback.rows.len().min(self.records);
                self.add(within, Content::Report(Box::new(reading)));
            }
            Err(error) => {
                // Deflate makes at most 1032 octets of one.
                self.xml -= octets.len().saturating_mul(1032).min(self.xml);
                let limit = self.limits.report.xml;
                let error = match error {
                    FeedbackError::Xml { .. } if !is_first => OpenError::Unpacked { limit },
                    error => OpenError::Report(error),
                };
                self.fault(within, error);
            }
        }
    }
}

/// The kind of some octets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Gzip,
    Zip,
    Xml,
    Mail,
    Other,
}

impl Kind {
    pub(super) fn of(octets: &[u8]) -> Self {
        let start = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets).trim_ascii_start();
        match octets {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            _ if start.starts_with(b"<") => Self::Xml,
            _ if is_mail(octets) => Self::Mail,
            _ => Self::Other,
        }
    }
}

/// Tells whether octets begin with a header field.
fn is_mail(octets: &[u8]) -> bool {
    let name = octets.iter().take_while(|octet| octet.is_ascii_alphanumeric() || **octet == b'-');
    let name = name.count();
    (1..=78).contains(&name) && !Header::is_missing(octets.get(..1000).unwrap_or(octets))
}

/// Joins the names of two places.
pub(super) fn join(within: &str, name: &str) -> String {
    if within.is_empty() { name.to_owned() } else { format!("{within}, {name}") }
}

/// The readable characters of a name, at most 200.
pub(super) fn name_of(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets);
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
