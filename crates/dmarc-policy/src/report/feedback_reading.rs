//! Reads aggregate reports: RFC 9990, and RFC 7489 as reporters use it.

use std::borrow::Cow;

use thiserror::Error;

use crate::report::flate2::{self, DeviationOfGzip};
use crate::report::node::Nodes;
use crate::report::reading::Reading;
use crate::{Feedback, FeedbackRow, InvalidText, PublishedPolicy, ReportMetadata};

/// A received report, with its deviations.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct FeedbackReading {
    /// The report.
    pub feedback: Feedback,
    /// The deviations from both RFCs, mostly in the order of the text.
    pub deviations: Vec<Deviation>,
    /// The octets of the XML, decompressed.
    pub xml: usize,
}

impl Feedback {
    /// Reads a report, plain or compressed with gzip.
    ///
    /// Reading is lenient: namespaces, the order of elements and the case of words do not matter. A
    /// missing element or an unknown word is reported, and is `None` if possible. A record without
    /// an address or a count is reported, and left out. If the XML breaks off, the records before
    /// the break are kept, and the policy if it came before; otherwise the policy has no domain.
    /// Only UTF-8 is supported.
    ///
    /// # Errors
    ///
    /// [`FeedbackError`] if the input is not a report, names no period, has neither a policy nor a
    /// record, exceeds a limit, or has a feature that only attacks use.
    pub fn read(input: &[u8], limits: &FeedbackLimits) -> Result<FeedbackReading, FeedbackError> {
        if input.len() > limits.input {
            return Err(FeedbackError::Input { limit: limits.input });
        }
        if input.starts_with(b"PK\x03\x04") {
            return Err(FeedbackError::Zip);
        }
        let (xml, deviation) = if flate2::is_gzip(input) {
            let (xml, deviation) = flate2::decompress(input, limits)?;
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

    /// Writes the report as XML, compressed with gzip.
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
            // The records before the break are useful.
            Err(FeedbackError::Malformed { at } | FeedbackError::Entity { at })
                if metadata.is_some() && (policy.is_some() || !rows.is_empty()) =>
            {
                reading.note(at, DeviationKind::BreaksOff);
                nodes.break_off();
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
    strangers(&mut nodes, &mut reading);
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
    Ok(FeedbackReading { feedback, deviations: reading.finish(), xml: xml.len() })
}

/// Records an element that is not part of a report.
fn strangers(nodes: &mut Nodes<'_>, reading: &mut Reading) {
    if let Some(at) = nodes.behind() {
        reading.note(at, DeviationKind::Behind);
    }
    for at in std::mem::take(&mut nodes.strangers) {
        reading.note(at, DeviationKind::Unknown);
    }
}

pub(crate) fn missing(element: &'static str) -> FeedbackError {
    FeedbackError::Missing { element }
}

/// Limits on a received report.
///
/// ```
/// use dmarc_policy::{Feedback, FeedbackError, FeedbackLimits};
///
/// let limits = FeedbackLimits::default()
///     .with_input(1 << 20)
///     .with_members(1)
///     .with_xml(8 << 20)
///     .with_records(1000)
///     .with_depth(16)
///     .with_text(1000)
///     .with_children(100)
///     .with_deviations(10);
/// let error = Feedback::read(&vec![b' '; (1 << 20) + 1], &limits).unwrap_err();
/// assert_eq!(error, FeedbackError::Input { limit: 1 << 20 });
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct FeedbackLimits {
    /// The octets of the input, compressed or not. Default: 16 MiB.
    pub input: usize,
    /// The number of gzip members in the input. Default: 64.
    pub members: usize,
    /// The octets of the XML, and those copied for the rows of one record. Default: 64 MiB.
    pub xml: usize,
    /// The number of records. Default: 100 000.
    pub records: usize,
    /// The depth of nested elements, the root included. A report has six, and its extensions some
    /// more. Default: 16.
    pub depth: usize,
    /// The octets of the text in one element. Default: 8192.
    pub text: usize,
    /// The number of elements in one element other than the root, such as the signatures of a
    /// record. Default: 256.
    pub children: usize,
    /// The number of deviations kept; further ones are summed up as [`DeviationKind::More`]. Default:
    /// 64.
    pub deviations: usize,
}

impl FeedbackLimits {
    /// Sets [`Self::input`].
    #[must_use]
    pub fn with_input(self, input: usize) -> Self {
        Self { input, ..self }
    }

    /// Sets [`Self::members`].
    #[must_use]
    pub fn with_members(self, members: usize) -> Self {
        Self { members, ..self }
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
    pub fn with_deviations(self, deviations: usize) -> Self {
        Self { deviations, ..self }
    }
}

impl Default for FeedbackLimits {
    fn default() -> Self {
        Self {
            input: 16 << 20,
            members: 64,
            xml: 64 << 20,
            records: 100_000,
            depth: 16,
            text: 8192,
            children: 256,
            deviations: 64,
        }
    }
}

/// A deviation of a report from both RFCs.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Deviation {
    /// The position in bytes of the XML: that of the element, or of its parent if it is missing.
    pub at: usize,
    /// The kind of deviation.
    pub kind: DeviationKind,
}

/// The kind of an [`Deviation`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum DeviationKind {
    /// A required element is missing.
    #[error("missing element {0}")]
    Missing(&'static str),
    /// An element has an invalid text; it counts as missing, or as the nearest valid word.
    #[error("invalid value {1} in element {0}")]
    Value(&'static str, InvalidText),
    /// An element is repeated without permission. All rows and results are kept; of other elements
    /// the first counts.
    #[error("duplicate element {0}")]
    Repeated(&'static str),
    /// The XML is malformed from here on: the records before it are kept, those after it are lost.
    #[error("the report breaks off here; later records are lost")]
    BreaksOff,
    /// The gzip data is truncated, or its checksum is wrong; the text was read.
    #[error("the gzip data is truncated, or its checksum is wrong")]
    GzipEnd,
    /// Octets follow the gzip data; they are ignored.
    #[error("octets after the gzip data")]
    GzipBehind,
    /// Something follows the end of the report, such as another one; it is ignored.
    #[error("text after the end of the report; it is ignored")]
    Behind,
    /// An element is in the wrong place; it is ignored.
    #[error("element in the wrong place")]
    Misplaced,
    /// No report has this element; it is ignored.
    #[error("unknown element")]
    Unknown,
    /// A record has no valid address or no valid count; it is left out.
    #[error("record without a valid source address and count; it is left out")]
    Record,
    /// Further deviations are not listed.
    #[error("further deviations are not listed")]
    More,
}

/// The reason why an input is not a readable report.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum FeedbackError {
    /// The input has more octets than [`FeedbackLimits::input`].
    #[error("DMARC report larger than {limit} octets")]
    Input {
        /// The limit.
        limit: usize,
    },
    /// The input has more gzip members than [`FeedbackLimits::members`].
    #[error("DMARC report has more than {limit} gzip members")]
    Members {
        /// The limit.
        limit: usize,
    },
    /// The XML has more octets than [`FeedbackLimits::xml`].
    #[error("DMARC report has more than {limit} octets of XML")]
    Xml {
        /// The limit.
        limit: usize,
    },
    /// The report has more records than [`FeedbackLimits::records`].
    #[error("DMARC report has more than {limit} records, at byte {at}")]
    Records {
        /// The position of the first record beyond the limit, in bytes of the XML.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// Elements are nested deeper than [`FeedbackLimits::depth`].
    #[error("elements nested deeper than {limit}, at byte {at}")]
    Depth {
        /// The position in bytes of the XML.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// A text is longer than [`FeedbackLimits::text`].
    #[error("element with more than {limit} octets of text, at byte {at}")]
    Text {
        /// The position of the element, in bytes of the XML.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// An element has more children than [`FeedbackLimits::children`].
    #[error("more than {limit} elements in one element, at byte {at}")]
    Children {
        /// The position of the first element beyond the limit, in bytes of the XML.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// The input begins as gzip, but is malformed.
    #[error("invalid gzip data")]
    Gzip,
    /// The input is a zip archive: extract the file first.
    #[error("zip archive: extract the report first")]
    Zip,
    /// The input is not well-formed XML, or ends too early.
    #[error("malformed XML, at byte {at}")]
    Malformed {
        /// The position in bytes of the XML.
        at: usize,
    },
    /// An entity that XML does not predefine, or an invalid character reference.
    #[error("unknown XML entity, at byte {at}")]
    Entity {
        /// The position in bytes of the XML.
        at: usize,
    },
    /// A document type: no report has one, but attacks use it.
    #[error("XML document type (DOCTYPE) not allowed, at byte {at}")]
    Doctype {
        /// The position in bytes of the XML.
        at: usize,
    },
    /// The root element is not `feedback`.
    #[error("root element is not feedback, at byte {at}")]
    Root {
        /// The position in bytes of the XML.
        at: usize,
    },
    /// An element that a report needs is missing.
    #[error("missing element {element} in the DMARC report")]
    Missing {
        /// The element.
        element: &'static str,
    },
    /// An element that a report needs has an invalid text.
    #[error("invalid value {value} in element {element} of the DMARC report")]
    Invalid {
        /// The element.
        element: &'static str,
        /// The beginning of its text.
        value: InvalidText,
    },
}
