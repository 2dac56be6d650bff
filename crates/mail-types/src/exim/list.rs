//! A list of strings in one string, as Exim's configuration has them.

use std::borrow::Cow;

use crate::exim::ByteList;

/// A list, borrowing from its text.
///
/// Items stand between colons. Another separator is said first: `<;` or, for any punctuation or
/// control character, `<` and it. A separator written twice is a character of the item, unless it
/// is a control character. Blanks around an item are dropped, and so is an empty item at the end.
///
/// ```
/// use mail_types::exim::List;
///
/// let items = |text: &'static str| List::new(text).map(String::from).collect::<Vec<_>>();
/// assert_eq!(items("a : b::c : : d:"), ["a", "b:c", "", "d"]);
/// assert_eq!(items("<; 2001:db8::1 ; 192.0.2.1"), ["2001:db8::1", "192.0.2.1"]);
/// assert_eq!(items("<\n one \n two "), ["one", "two"]);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct List<'a>(ByteList<'a>);

impl<'a> List<'a> {
    /// Takes a list that may name its separator.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self(ByteList::new(text.as_bytes()))
    }

    /// Takes a list whose separator, an ASCII character, is known; a `<` at the start means nothing.
    #[must_use]
    pub fn separated(text: &'a str, separator: char) -> Self {
        let separator = u8::try_from(separator).ok().filter(u8::is_ascii);
        debug_assert!(separator.is_some(), "a separator is ASCII");
        Self(ByteList::separated(text.as_bytes(), separator.unwrap_or(b':')))
    }

    /// Returns the separator.
    #[must_use]
    pub fn separator(&self) -> char {
        char::from(self.0.separator())
    }

    /// Returns the list as bytes.
    #[must_use]
    pub fn into_bytes(self) -> ByteList<'a> {
        self.0
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
        // A list of a text is cut at ASCII characters alone, so that its items are text.
        Some(match self.0.next()? {
            Cow::Borrowed(item) => String::from_utf8_lossy(item),
            Cow::Owned(item) => Cow::Owned(String::from_utf8_lossy(&item).into_owned()),
        })
    }
}
