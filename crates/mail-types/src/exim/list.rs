//! A list of strings in one string, as in Exim's configuration.

use std::borrow::Cow;

use crate::exim::ByteList;

/// A list, borrowing from its text.
///
/// Colons separate the items. Another separator is given at the start of the list: `<;`, or `<` and
/// any other punctuation or control character. A doubled separator is one character of the item,
/// unless it is a control character. Blanks around an item are dropped, and so is an empty item at
/// the end.
///
/// ```
/// use mail_types::exim::List;
///
/// let items = |text: &'static str| List::new(text).map(String::from).collect::<Vec<_>>();
/// assert_eq!(items("a : b::c : : d:"), ["a", "b:c", "", "d"]);
/// assert_eq!(items("<; 2001:db8::1 ; 192.0.2.1"), ["2001:db8::1", "192.0.2.1"]);
/// assert_eq!(items("<\n one \n two "), ["one", "two"]);
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct List<'a>(ByteList<'a>);

impl<'a> List<'a> {
    /// Takes a list that may begin with its separator.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self(ByteList::new(text.as_bytes()))
    }

    /// Takes a list with a given separator, an ASCII character; a `<` at the start has no meaning.
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

    /// Writes items as a list that [`List::separated`] reads back with the same `separator`: a
    /// separator inside an item is doubled; an empty item, or an item that begins with a separator,
    /// has a blank before it.
    ///
    /// Blanks around an item, and a `separator` inside it that is a control character, are not read
    /// back.
    ///
    /// ```
    /// use mail_types::exim::List;
    ///
    /// let text = List::join(["2001:db8::1", "", "b"], ':');
    /// assert_eq!(text, "2001::db8::::1: :b");
    /// assert_eq!(List::separated(&text, ':').collect::<Vec<_>>(), ["2001:db8::1", "", "b"]);
    /// assert_eq!(List::new("<; a").separator(), ';');
    /// assert_eq!(List::new("a : b").into_bytes().count(), 2);
    /// ```
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
