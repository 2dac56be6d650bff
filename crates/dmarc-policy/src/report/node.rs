//! Elements of a report in the XML, before they are interpreted.

use crate::report::quick_xml::{Part, Parts, Tag};
use crate::report::xml::{clean, is_clean};
use crate::{FeedbackError, FeedbackLimits};

/// An element, with its children that a report may have; other children are skipped.
pub(crate) struct Node {
    /// Its position, in bytes of the XML.
    pub(crate) at: usize,
    name: &'static str,
    text: String,
    children: Vec<Self>,
}

impl Node {
    pub(crate) fn name(&self) -> &str {
        self.name
    }

    pub(crate) fn child<'n>(&'n self, name: &'n str) -> Option<&'n Self> {
        self.children(name).next()
    }

    pub(crate) fn children<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// The elements of a report, read one after another.
pub(crate) struct Nodes<'a> {
    parts: Parts<'a>,
    limits: &'a FeedbackLimits,
    prefix: Option<String>,
    namespace: Option<String>,
    /// The positions of unknown elements, in bytes.
    pub(crate) strangers: Vec<usize>,
    /// Whether the rest cannot be read.
    is_broken: bool,
}

impl<'a> Nodes<'a> {
    /// Starts after the tag of the root.
    pub(crate) fn new(xml: &'a [u8], limits: &'a FeedbackLimits) -> Result<Self, FeedbackError> {
        let mut parts = Parts::new(xml, limits.depth);
        loop {
            let part = parts.next()?;
            let at = parts.at();
            match part {
                Part::Text(text) if text.trim_matches(is_blank).is_empty() => {}
                Part::Open(Tag { name: Some("feedback"), prefix, namespace }) => {
                    let strangers = Vec::new();
                    return Ok(Self {
                        parts,
                        limits,
                        prefix,
                        namespace,
                        strangers,
                        is_broken: false,
                    });
                }
                _ => return Err(FeedbackError::Root { at }),
            }
        }
    }

    /// Returns the next child of the root.
    pub(crate) fn next(&mut self) -> Result<Option<Node>, FeedbackError> {
        loop {
            match self.parts.next()? {
                Part::Open(tag) => match self.known(&tag) {
                    Some(name) => return self.node(name, 1).map(Some),
                    None => self.skip()?,
                },
                Part::Close | Part::End => return Ok(None),
                Part::Text(_) => {}
            }
        }
    }

    /// Gives the rest up.
    pub(crate) fn break_off(&mut self) {
        self.is_broken = true;
    }

    /// Returns the position of what follows the root, other than blanks and comments.
    pub(crate) fn behind(&mut self) -> Option<usize> {
        while !self.is_broken {
            match self.parts.next() {
                Ok(Part::End) => break,
                Ok(Part::Text(text)) if text.trim_matches(is_blank).is_empty() => {}
                _ => return Some(self.parts.at()),
            }
        }
        None
    }

    /// Reads the content of an element, at most [`DEPTH`] levels deep.
    fn node(&mut self, name: &'static str, depth: usize) -> Result<Node, FeedbackError> {
        let at = self.parts.at();
        let mut node = Node { at, name, text: String::new(), children: Vec::new() };
        loop {
            match self.parts.next()? {
                Part::Open(tag) => {
                    let known = if depth < DEPTH { self.known(&tag) } else { None };
                    let Some(name) = known else {
                        self.skip()?;
                        continue;
                    };
                    let child = self.node(name, depth + 1)?;
                    if node.children.len() >= self.limits.children {
                        let limit = self.limits.children;
                        return Err(FeedbackError::Children { at: child.at, limit });
                    }
                    node.children.push(child);
                }
                // Indentation is not text.
                Part::Text(text) if node.text.is_empty() && text.trim().is_empty() => {}
                Part::Text(text) => {
                    if node.text.len() + text.len() > self.limits.text {
                        return Err(FeedbackError::Text { at, limit: self.limits.text });
                    }
                    node.text.push_str(&text);
                }
                Part::Close | Part::End => break,
            }
        }
        if !is_clean(&node.text) {
            node.text = clean(&node.text);
        }
        Ok(node)
    }

    /// Returns the name of an element that belongs to the report, and not to an extension (RFC 9990
    /// section 5); an unknown name is recorded.
    ///
    /// A report that is valid by the schema of RFC 7489 has only the root in the namespace, so that
    /// names without a prefix belong to the report too, unless another namespace is declared for
    /// them.
    fn known(&mut self, tag: &Tag) -> Option<&'static str> {
        let prefixed = tag.prefix.is_some() && tag.prefix != self.prefix;
        let renamed = tag.namespace.as_ref().is_some_and(|name| !name.is_empty());
        let foreign = prefixed || renamed && tag.namespace != self.namespace;
        if foreign || tag.name == Some("extension") {
            return None;
        }
        let known = tag.name.filter(|name| *name != "feedback");
        if known.is_none() && self.strangers.len() < self.limits.deviations {
            self.strangers.push(self.parts.at());
        }
        known
    }

    fn skip(&mut self) -> Result<(), FeedbackError> {
        let mut depth = 1;
        while depth > 0 {
            match self.parts.next()? {
                Part::Open(_) => depth += 1,
                Part::Close => depth -= 1,
                Part::End => break,
                Part::Text(_) => {}
            }
        }
        Ok(())
    }
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

/// The depth of a report below its root: record, row, `policy_evaluated`, reason, comment.
const DEPTH: usize = 5;

/// Returns the name of an element of reports.
pub(crate) fn element(name: &[u8]) -> Option<&'static str> {
    let at = NAMES.binary_search_by(|known| known.as_bytes().cmp(name)).ok()?;
    NAMES.get(at).copied()
}

/// In the order of their octets.
const NAMES: &[&str] = &[
    "adkim",
    "aspf",
    "auth_results",
    "begin",
    "comment",
    "count",
    "date_range",
    "discovery_method",
    "disposition",
    "dkim",
    "domain",
    "email",
    "end",
    "envelope_from",
    "envelope_to",
    "error",
    "extension",
    "extra_contact_info",
    "feedback",
    "fo",
    "generator",
    "header_from",
    "human_result",
    "identifiers",
    "np",
    "org_name",
    "p",
    "pct",
    "policy_evaluated",
    "policy_published",
    "reason",
    "record",
    "report_id",
    "report_metadata",
    "result",
    "row",
    "scope",
    "selector",
    "source_ip",
    "sp",
    "spf",
    "testing",
    "type",
    "version",
];
