//! Writes the XML of a report.

use std::fmt::Display;

/// Elements, each on its own line.
pub(crate) struct Xml {
    text: String,
    open: Vec<&'static str>,
}

impl Xml {
    pub(crate) fn new() -> Self {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
        Self { text, open: Vec::new() }
    }

    /// Opens an element; `attributes` begin with a blank.
    pub(crate) fn open_with(&mut self, name: &'static str, attributes: &str) {
        self.indent();
        self.text.extend(["<", name, attributes, ">\n"]);
        self.open.push(name);
    }

    pub(crate) fn open(&mut self, name: &'static str) {
        self.open_with(name, "");
    }

    pub(crate) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.indent();
            self.text.extend(["</", name, ">\n"]);
        }
    }

    pub(crate) fn leaf(&mut self, name: &'static str, text: impl Display) {
        self.indent();
        self.text.extend(["<", name, ">"]);
        for c in clean(&text.to_string()).chars() {
            match c {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                c => self.text.push(c),
            }
        }
        self.text.extend(["</", name, ">\n"]);
    }

    /// Writes an element if it has content.
    pub(crate) fn leaf_if(&mut self, name: &'static str, text: Option<impl Display>) {
        let text = text.map(|text| text.to_string()).filter(|text| !clean(text).is_empty());
        if let Some(text) = text {
            self.leaf(name, text);
        }
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn indent(&mut self) {
        self.text.extend(std::iter::repeat_n("  ", self.open.len()));
    }
}

/// A text of valid XML characters (section 2.2 of XML), on one line and without blanks around it.
pub(crate) fn clean(text: &str) -> String {
    let blank = |c: char| if c.is_control() || c.is_whitespace() { ' ' } else { c };
    let allowed = |c| if matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c };
    let text: String = text.chars().map(blank).map(allowed).collect();
    text.trim().to_owned()
}

/// Tells whether [`clean`] returns a text unchanged, which it does with most.
pub(crate) fn is_clean(text: &str) -> bool {
    let octets = text.as_bytes();
    let at_end = [octets.first(), octets.last()].into_iter().flatten();
    octets.iter().all(|octet| (b' '..=b'~').contains(octet)) && at_end.copied().all(|o| o != b' ')
}
