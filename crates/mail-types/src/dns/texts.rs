//! The TXT records of a name, and the value that a protocol has parsed from them.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

/// The TXT records of a name, the strings of each record joined (RFC 7208 section 3.3).
///
/// A cached answer keeps the parsed value too: [`derive`](Self::derive) parses once.
///
/// ```
/// use mail_types::dns::Texts;
///
/// let texts = Texts::new([&b"v=spf1 -all"[..], b"other"]);
/// let count = texts.derive(|texts| texts.iter().count());
/// assert_eq!(*count, 2);
/// assert_eq!(texts.derive::<usize>(|_| unreachable!()), count);
/// ```
#[derive(Clone, Default)]
pub struct Texts {
    texts: Vec<Box<[u8]>>,
    derived: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl Texts {
    /// Takes the text of each record.
    pub fn new<T: Into<Box<[u8]>>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self { texts: texts.into_iter().map(Into::into).collect(), derived: OnceLock::new() }
    }

    /// Returns the text of each record, in the order of the answer.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.texts.iter().map(|text| &**text)
    }

    /// Returns the value that `make` computes from the texts, and keeps it for the next call.
    ///
    /// Only the first value is kept: a value of another type is computed each time. Mostly one
    /// protocol uses the texts of a name.
    pub fn derive<T: Any + Send + Sync>(&self, make: impl FnOnce(&Self) -> T) -> Arc<T> {
        if let Some(kept) = self.derived.get() {
            if let Ok(kept) = Arc::clone(kept).downcast() {
                return kept;
            }
            return Arc::new(make(self));
        }
        let fresh = Arc::new(make(self));
        // If another thread was faster, its value is kept; this one is equal.
        let _ = self.derived.set(Arc::clone(&fresh) as Arc<dyn Any + Send + Sync>);
        fresh
    }

    /// Returns the value that [`derive`](Self::derive) keeps, without sharing it; `None` if a value
    /// of another type is kept.
    ///
    /// ```
    /// use mail_types::dns::Texts;
    ///
    /// let texts = Texts::new([&b"one"[..], b"two"]);
    /// assert_eq!(texts.derived(|texts| texts.iter().count()), Some(&2));
    /// assert_eq!(texts.derived(|_| String::new()), None);
    /// ```
    pub fn derived<T: Any + Send + Sync>(&self, make: impl FnOnce(&Self) -> T) -> Option<&T> {
        let kept = self.derived.get_or_init(|| Arc::new(make(self)));
        let kept: &(dyn Any + Send + Sync) = &**kept;
        kept.downcast_ref()
    }

    /// Adds texts, and drops the derived value.
    #[cfg(any(feature = "hickory", feature = "zone"))]
    pub(crate) fn append(&mut self, others: Self) {
        self.texts.extend(others.texts);
        self.derived.take();
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = self.iter().map(|text| text.escape_ascii().to_string());
        f.debug_list().entries(texts).finish()
    }
}

impl Eq for Texts {}

impl Hash for Texts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.texts.hash(state);
    }
}

impl PartialEq for Texts {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}
