//! A list of hosts by address or name, as Exim's host lists.

use std::net::IpAddr;

use thiserror::Error;

use crate::dns::Name;
use crate::exim::{HostPattern, HostPatternError, List, SeparatorHint};

/// The hosts of an option.
///
/// Each item is a [`HostPattern`]; a `!` before it excludes its hosts. The first matching item
/// decides. If none matches, the host is in the set only if the last item has a `!`. An empty list
/// matches no host.
///
/// ```
/// use mail_types::exim::{HostSet, List};
///
/// let hosts = HostSet::new(List::new("!192.0.2.9 : 192.0.2.0/24 : *.example.com"))?;
/// assert!(hosts.contains("::ffff:192.0.2.1".parse()?, None));
/// assert!(!hosts.contains("192.0.2.9".parse()?, None));
/// assert!(hosts.contains("198.51.100.1".parse()?, Some(&"mx.example.com".parse()?)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct HostSet {
    items: Vec<Item>,
}

impl HostSet {
    /// The most items that a list may have.
    pub const MAX_ITEMS: usize = 10_000;

    /// Takes a list of hosts.
    ///
    /// # Errors
    ///
    /// [`HostSetError`] if an item is not a pattern, or the list has too many items.
    pub fn new(list: List<'_>) -> Result<Self, HostSetError> {
        let mut items = Vec::new();
        let whole = list.clone();
        for (at, text) in list.enumerate() {
            if at == Self::MAX_ITEMS {
                return Err(HostSetError::TooMany);
            }
            let (negated, host) = negation(&text);
            let wrong = |source| {
                let hint = hint(whole.clone(), at);
                HostSetError::Item { item: at + 1, source, hint }
            };
            let pattern = HostPattern::parse(host).map_err(wrong)?;
            items.push(Item { negated, pattern });
        }
        Ok(Self { items })
    }

    /// Makes the set of all hosts, as of the list `*`.
    #[must_use]
    pub fn everybody() -> Self {
        Self { items: vec![Item { negated: false, pattern: HostPattern::any() }] }
    }

    /// Tells whether a host is in the set, by its address and, if known, its name.
    ///
    /// Without a name, an item that needs one ends the search, and the host is not in the set: the
    /// items after it apply only to hosts that it does not match.
    #[must_use]
    pub fn contains(&self, address: IpAddr, name: Option<&Name>) -> bool {
        for item in &self.items {
            match item.pattern.fits(address, name) {
                None => return false,
                Some(true) => return !item.negated,
                Some(false) => {}
            }
        }
        self.items.last().is_some_and(|item| item.negated)
    }

    /// Tells whether the name of a host can decide, so that a DNS lookup is useful.
    #[must_use]
    pub fn needs_names(&self) -> bool {
        self.items.iter().any(|item| item.pattern.needs_name())
    }

    /// Tells whether the set cannot match any host.
    ///
    /// ```
    /// use mail_types::exim::{HostSet, List};
    ///
    /// let set = |text| HostSet::new(List::new(text));
    /// assert!(set("")?.is_empty() && set("")?.is_nobody());
    /// assert!(set("!*")?.is_nobody() && !set("!*")?.is_empty());
    /// assert!(HostSet::everybody().contains("192.0.2.1".parse()?, None));
    /// assert!(set("192.0.2.1 : *.example.com")?.needs_names() && !set("192.0.2.1")?.needs_names());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        let decides =
            |item: &&Item| item.pattern.is_any() || !(item.negated || item.pattern.is_nobody());
        match self.items.iter().find(decides) {
            Some(item) => item.negated,
            None => !self.items.last().is_some_and(|item| item.negated),
        }
    }

    /// Tells whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

/// The reason why a list is not a [`HostSet`].
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum HostSetError {
    /// An item is not a host pattern. In a list with colons as separators, each colon of an IPv6
    /// address is doubled; or the list begins with `<;`.
    #[error("item {item}: {source}{}", SeparatorHint::end(*.hint))]
    Item {
        /// The number of the item; the first is 1.
        item: usize,
        /// Its fault.
        source: HostPatternError,
        /// The probable mistake with separators.
        hint: Option<SeparatorHint>,
    },
    /// The list has more than [`HostSet::MAX_ITEMS`].
    #[error("host list has more than 10000 items")]
    TooMany,
}

/// Finds the hint for an item by its index.
fn hint(list: List<'_>, at: usize) -> Option<SeparatorHint> {
    let separator = list.clone().into_bytes().separator();
    let mut items = list.skip(at.saturating_sub(1)).take(2 + usize::from(at > 0));
    let before = if at > 0 { items.next() } else { None };
    let (item, after) = (items.next()?, items.next());
    let bytes = |item: &str| negation(item).1.as_bytes().to_vec();
    let [before, after] = [before, after].map(|item| item.as_deref().map(bytes));
    SeparatorHint::find(separator, &bytes(&item), [before.as_deref(), after.as_deref()])
}

/// Takes the `!` off an item.
fn negation(text: &str) -> (bool, &str) {
    match text.strip_prefix('!') {
        Some(host) => (true, host.trim_start()),
        None => (false, text),
    }
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Item {
    negated: bool,
    pattern: HostPattern,
}
