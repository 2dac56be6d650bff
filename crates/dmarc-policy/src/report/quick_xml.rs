//! Reads XML, by the crate `quick-xml`.

use std::borrow::Cow;

use ::quick_xml::Reader;
use ::quick_xml::events::{BytesRef, BytesStart, Event};

use crate::FeedbackError;
use crate::report::node::element;

/// A part of a document.
pub(crate) enum Part<'a> {
    Open(Tag),
    Text(Cow<'a, str>),
    Close,
    End,
}

/// The start tag of an element.
pub(crate) struct Tag {
    /// Its name, if it is an element of reports.
    pub(crate) name: Option<&'static str>,
    pub(crate) prefix: Option<String>,
    /// The namespace that the element declares for names without a prefix.
    pub(crate) namespace: Option<String>,
}

/// A reader of a document.
pub(crate) struct Parts<'a> {
    reader: Reader<&'a [u8]>,
    depth: usize,
    limit: usize,
    at: usize,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(text: &'a [u8], depth: usize) -> Self {
        let mut reader = Reader::from_reader(text);
        reader.config_mut().expand_empty_elements = true;
        Self { reader, depth: 0, limit: depth, at: 0 }
    }

    /// Returns the position of the last part, in bytes.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn next(&mut self) -> Result<Part<'a>, FeedbackError> {
        loop {
            self.at = position(self.reader.buffer_position());
            let event = self.reader.read_event().map_err(|_| FeedbackError::Malformed {
                at: position(self.reader.error_position()),
            })?;
            return Ok(match event {
                Event::Start(start) | Event::Empty(start) => {
                    if self.depth >= self.limit {
                        return Err(FeedbackError::Depth { at: self.at, limit: self.limit });
                    }
                    self.depth += 1;
                    Part::Open(self.tag(&start)?)
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    Part::Close
                }
                Event::Text(text) => Part::Text(lossy(text.into_inner())),
                Event::CData(text) => Part::Text(lossy(text.into_inner())),
                Event::GeneralRef(reference) => Part::Text(self.resolve(&reference)?),
                Event::DocType(_) => return Err(FeedbackError::Doctype { at: self.at }),
                Event::Eof if self.depth > 0 => {
                    return Err(FeedbackError::Malformed { at: self.at });
                }
                Event::Eof => Part::End,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => continue,
            });
        }
    }

    fn tag(&self, start: &BytesStart<'a>) -> Result<Tag, FeedbackError> {
        let name = start.name();
        let namespace = start.try_get_attribute("xmlns");
        let namespace = namespace.map_err(|_| FeedbackError::Malformed { at: self.at })?;
        Ok(Tag {
            name: element(name.local_name().as_ref()),
            prefix: name.prefix().map(|prefix| lossy_owned(prefix.as_ref())),
            namespace: namespace.map(|attribute| lossy_owned(&attribute.value)),
        })
    }

    /// Resolves one of the five predefined entities of XML, or a character reference.
    fn resolve(&self, reference: &BytesRef<'a>) -> Result<Cow<'static, str>, FeedbackError> {
        let refused = FeedbackError::Entity { at: self.at };
        if let Ok(Some(c)) = reference.resolve_char_ref() {
            return Ok(Cow::Owned(c.to_string()));
        }
        let text = match reference.as_ref() {
            b"amp" => "&",
            b"lt" => "<",
            b"gt" => ">",
            b"quot" => "\"",
            b"apos" => "'",
            _ => return Err(refused),
        };
        Ok(Cow::Borrowed(text))
    }
}

fn position(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

fn lossy_owned(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

fn lossy(octets: Cow<'_, [u8]>) -> Cow<'_, str> {
    match octets {
        Cow::Borrowed(octets) => String::from_utf8_lossy(octets),
        Cow::Owned(octets) => Cow::Owned(lossy_owned(&octets)),
    }
}
