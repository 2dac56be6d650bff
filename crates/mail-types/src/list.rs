//! A list of strings in one string, as Exim's configuration has them.

use std::borrow::Cow;

/// A list, borrowing from its text.
///
/// Items stand between colons. Another separator is said first: `<;` or, for any punctuation or
/// control character, `<` and it. A separator written twice is a character of the item, unless it
/// is a control character. Blanks around an item are dropped, and so is an empty item at the end.
///
/// ```
/// use mail_types::List;
///
/// let items = |text: &'static str| List::new(text).map(String::from).collect::<Vec<_>>();
/// assert_eq!(items("a : b::c : : d:"), ["a", "b:c", "", "d"]);
/// assert_eq!(items("<; 2001:db8::1 ; 192.0.2.1"), ["2001:db8::1", "192.0.2.1"]);
/// assert_eq!(items("<\n one \n two "), ["one", "two"]);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct List<'a> {
    rest: &'a str,
    separator: char,
}

impl<'a> List<'a> {
    /// Takes a list that may name its separator.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        let text = text.trim_start();
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some('<'), Some(c)) if c.is_ascii_punctuation() || c.is_ascii_control() => {
                Self::separated(chars.as_str(), c)
            }
            (Some('<'), None) => Self::separated("", ':'),
            _ => Self::separated(text, ':'),
        }
    }

    /// Takes a list whose separator is known; a `<` at the start means nothing.
    #[must_use]
    pub fn separated(text: &'a str, separator: char) -> Self {
        Self { rest: text, separator }
    }

    /// Returns the separator.
    #[must_use]
    pub fn separator(&self) -> char {
        self.separator
    }

    /// Writes items as a list that [`List::separated`] reads back with the same `separator`: one
    /// within an item is doubled, an item that is empty or begins with one has a blank before it.
    ///
    /// Blanks around an item, and a control character as `separator` inside one, do not come back.
    #[must_use]
    pub fn join<'i>(items: impl IntoIterator<Item = &'i str>, separator: char) -> String {
        let (mut list, mut items) = (String::new(), items.into_iter().peekable());
        while let Some(item) = items.next() {
            if item.is_empty() || item.starts_with(separator) {
                list.push(' '); // Else two separators would be one of the item before.
            }
            for c in item.chars() {
                list.extend(std::iter::repeat_n(c, 1 + usize::from(c == separator)));
            }
            if items.peek().is_some() || item.is_empty() {
                list.push(separator);
            }
        }
        list
    }
}

impl<'a> Iterator for List<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        let (separator, double) = (self.separator, !self.separator.is_ascii_control());
        let blank = |c: char| (c.is_ascii_whitespace() || c == '\x0b') && c != separator;
        self.rest = self.rest.trim_start_matches(blank);
        if self.rest.is_empty() {
            return None;
        }
        let mut item = Cow::Borrowed("");
        loop {
            let (piece, behind) = self.rest.split_once(separator).unwrap_or((self.rest, ""));
            item += piece;
            let Some(doubled) = behind.strip_prefix(separator).filter(|_| double) else {
                self.rest = behind;
                break;
            };
            item.to_mut().push(separator);
            self.rest = doubled;
        }
        Some(match item {
            Cow::Borrowed(item) => Cow::Borrowed(item.trim_end_matches(blank)),
            Cow::Owned(item) => Cow::Owned(item.trim_end_matches(blank).to_owned()),
        })
    }
}
