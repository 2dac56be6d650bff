//! An aggregate report, read: RFC 9990, and RFC 7489 as it is found in the wild.

use std::borrow::Cow;

use thiserror::Error;

use crate::report::flate2::{self, DeviationOfGzip};
use crate::report::node::Nodes;
use crate::report::reading::Reading;
use crate::{Feedback, FeedbackRow, PublishedPolicy, ReportMetadata};

/// A report that was read, and what was odd about it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FeedbackReading {
    /// The report.
    pub feedback: Feedback,
    /// Where it is not as either RFC has it, in the order of the text as far as that is known.
    pub deviations: Vec<Deviation>,
}

impl Feedback {
    /// Reads a report, plain or compressed with gzip.
    ///
    /// Reading is lenient: namespaces do not matter, nor the order of elements, nor their case of
    /// words; what is missing or no known word is told, and is `None` where that can be. A record
    /// without an address or a count is left out, and told. Where the XML breaks off, the records
    /// before that place are taken, and the policy if it came before; without it the policy has no domain. Only
    /// UTF-8 is understood.
    ///
    /// # Errors
    ///
    /// [`FeedbackError`] if it is not a report, does not say of which period it is, has neither a policy nor a
    /// record, is larger than a limit, or has what only attacks have.
    pub fn read(input: &[u8], limits: &FeedbackLimits) -> Result<FeedbackReading, FeedbackError> {
        if input.len() > limits.input {
            return Err(FeedbackError::Input { limit: limits.input });
        }
        if input.starts_with(b"PK\x03\x04") {
            return Err(FeedbackError::Zip);
        }
        let (xml, deviation) = if flate2::is_gzip(input) {
            let (xml, deviation) = flate2::decompress(input, limits.xml)?;
            (Cow::Owned(xml), deviation)
        } else {
            (Cow::Borrowed(input), None)
        };
        if xml.len() > limits.xml {
            return Err(FeedbackError::Xml { limit: limits.xml });
        }
        let mut reading = Reading::new(limits.deviations);
        if let Some(deviation) = deviation {
            let kind = match deviation {
                DeviationOfGzip::End => DeviationKind::GzipEnd,
                DeviationOfGzip::Behind => DeviationKind::GzipBehind,
            };
            reading.note(xml.len(), kind);
        }
        read_xml(&xml, reading, limits)
    }

    /// Writes the report as XML, and compresses that with gzip.
    #[must_use]
    pub fn to_gzip(&self) -> Vec<u8> {
        flate2::compress(self.to_xml().as_bytes())
    }
}

fn read_xml(
    xml: &[u8],
    mut reading: Reading,
    limits: &FeedbackLimits,
) -> Result<FeedbackReading, FeedbackError> {
    let mut nodes = Nodes::new(xml, limits)?;
    let (mut metadata, mut policy, mut rows) = (None, None, Vec::<FeedbackRow>::new());
    loop {
        let node = match nodes.next() {
            Ok(Some(node)) => node,
            Ok(None) => break,
            // What came whole is worth having.
            Err(FeedbackError::Malformed { at } | FeedbackError::Entity { at })
                if metadata.is_some() && (policy.is_some() || !rows.is_empty()) =>
            {
                reading.note(at, DeviationKind::BreaksOff);
                break;
            }
            Err(error) => return Err(error),
        };
        match node.name() {
            "report_metadata" if metadata.is_none() => metadata = Some(reading.metadata(&node)?),
            "policy_published" if policy.is_none() => policy = Some(reading.policy(&node)?),
            "report_metadata" => reading.note(node.at, DeviationKind::Repeated("report_metadata")),
            "policy_published" => {
                reading.note(node.at, DeviationKind::Repeated("policy_published"));
            }
            "record" => {
                let found = reading.rows(&node);
                if reading.copied() > limits.xml {
                    return Err(FeedbackError::Xml { limit: limits.xml });
                }
                if rows.len().saturating_add(found.len()) > limits.records {
                    return Err(FeedbackError::Records { at: node.at, limit: limits.records });
                }
                rows.extend(found);
            }
            "version" => {}
            _ => reading.note(node.at, DeviationKind::Misplaced),
        }
    }
    for at in std::mem::take(&mut nodes.strangers) {
        reading.note(at, DeviationKind::Unknown);
    }
    if rows.is_empty() {
        reading.note(xml.len(), DeviationKind::Missing("record"));
    }
    let metadata: ReportMetadata = metadata.ok_or(missing("report_metadata"))?;
    let policy = match policy {
        Some(policy) => policy,
        None if rows.is_empty() => return Err(missing("policy_published")),
        None => {
            reading.note(xml.len(), DeviationKind::Missing("policy_published"));
            PublishedPolicy::default()
        }
    };
    let feedback = Feedback { metadata, policy, rows };
    Ok(FeedbackReading { feedback, deviations: reading.finish() })
}

pub(crate) fn missing(element: &'static str) -> FeedbackError {
    FeedbackError::Missing { element }
}

/// How large a report may be that is read.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct FeedbackLimits {
    /// The octets that are given, compressed or not. Default: 16 MiB.
    pub input: usize,
    /// The octets of the XML, and those that rows of one record are copied for. Default: 64 MiB.
    pub xml: usize,
    /// The records. Default: 100 000.
    pub records: usize,
    /// How deep elements may be in one another, the root being the first. A report has six, and
    /// its extensions some more. Default: 16.
    pub depth: usize,
    /// The octets of the text in one element. Default: 8192.
    pub text: usize,
    /// The elements in one element other than the root, such as the signatures of a record.
    /// Default: 256.
    pub children: usize,
    /// How many deviations are told; what is beyond is told as [`DeviationKind::More`]. Default: 64.
    pub deviations: usize,
}

impl FeedbackLimits {
    /// Sets [`Self::input`].
    #[must_use]
    pub fn with_input(self, input: usize) -> Self {
        Self { input, ..self }
    }

    /// Sets [`Self::xml`].
    #[must_use]
    pub fn with_xml(self, xml: usize) -> Self {
        Self { xml, ..self }
    }

    /// Sets [`Self::records`].
    #[must_use]
    pub fn with_records(self, records: usize) -> Self {
        Self { records, ..self }
    }

    /// Sets [`Self::depth`].
    #[must_use]
    pub fn with_depth(self, depth: usize) -> Self {
        Self { depth, ..self }
    }

    /// Sets [`Self::text`].
    #[must_use]
    pub fn with_text(self, text: usize) -> Self {
        Self { text, ..self }
    }

    /// Sets [`Self::children`].
    #[must_use]
    pub fn with_children(self, children: usize) -> Self {
        Self { children, ..self }
    }

    /// Sets [`Self::deviations`].
    #[must_use]
    pub fn with_oddities(self, deviations: usize) -> Self {
        Self { deviations, ..self }
    }
}

impl Default for FeedbackLimits {
    fn default() -> Self {
        Self {
            input: 16 << 20,
            xml: 64 << 20,
            records: 100_000,
            depth: 16,
            text: 8192,
            children: 256,
            deviations: 64,
        }
    }
}

/// Where a report is not as either RFC has it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Deviation {
    /// Where, in bytes of the XML: at an element, or at the one that lacks it.
    pub at: usize,
    /// What it is.
    pub kind: DeviationKind,
}

/// What is odd.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum DeviationKind {
    /// An element that must be there is not.
    #[error("no {0}")]
    Missing(&'static str),
    /// An element's text is not what it can have; it is as if it were not there, or the word that
    /// is nearest.
    #[error("not a value for {0}")]
    Value(&'static str),
    /// An element that can be there once comes again. Rows and results are all taken; of others, only
    /// the first counts.
    #[error("{0} again")]
    Repeated(&'static str),
    /// The XML is broken from here on: the records before it are there, those behind it are not.
    #[error("the report breaks off here; records behind this place are lost")]
    BreaksOff,
    /// The gzip data is cut off, or its checksum is not that of its text; the text was read.
    #[error("the gzip data is cut off or damaged at its end")]
    GzipEnd,
    /// Octets follow the gzip data; they were left out.
    #[error("octets behind the gzip data")]
    GzipBehind,
    /// An element stands where it does not belong; it does not count.
    #[error("an element in the wrong place")]
    Misplaced,
    /// An element that no report has; it does not count.
    #[error("an unknown element")]
    Unknown,
    /// A record without an address or a count; it does not count.
    #[error("a record without its address or count")]
    Record,
    /// There is more that is odd than is told.
    #[error("and more")]
    More,
}

/// Why an input is not a report that can be read.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum FeedbackError {
    /// More octets than [`FeedbackLimits::input`].
    #[error("more than {limit} octets")]
    Input {
        /// The limit.
        limit: usize,
    },
    /// More octets of XML than [`FeedbackLimits::xml`].
    #[error("more than {limit} octets of XML")]
    Xml {
        /// The limit.
        limit: usize,
    },
    /// More records than [`FeedbackLimits::records`].
    #[error("more than {limit} records at byte {at}")]
    Records {
        /// Where the first too many is, in bytes of the XML.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// Elements in one another deeper than [`FeedbackLimits::depth`].
    #[error("an element at byte {at} is deeper than {limit}")]
    Depth {
        /// Where, in bytes of the XML.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// A text longer than [`FeedbackLimits::text`].
    #[error("the element at byte {at} has more than {limit} octets of text")]
    Text {
        /// Where the element begins, in bytes of the XML.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// More elements in one than [`FeedbackLimits::children`].
    #[error("the element at byte {at} is one more than {limit}")]
    Children {
        /// Where the first too many is, in bytes of the XML.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// It begins as gzip, but is not.
    #[error("broken gzip")]
    Gzip,
    /// A zip archive: the file must be taken out of it first.
    #[error("a zip archive, not the file in it")]
    Zip,
    /// It is not XML, or ends too early.
    #[error("no XML at byte {at}")]
    Malformed {
        /// Where, in bytes of the XML.
        at: usize,
    },
    /// An entity that XML itself does not have, or a character that there is none of.
    #[error("the entity at byte {at} is not one of the five of XML")]
    Entity {
        /// Where, in bytes of the XML.
        at: usize,
    },
    /// A document type: no report has one, and attacks do.
    #[error("a document type at byte {at}")]
    Doctype {
        /// Where, in bytes of the XML.
        at: usize,
    },
    /// The root is not `feedback`.
    #[error("not the element feedback at byte {at}")]
    Root {
        /// Where, in bytes of the XML.
        at: usize,
    },
    /// It does not say what it is about.
    #[error("no {element}, or not one that can be read")]
    Missing {
        /// Which element.
        element: &'static str,
    },
}
