//! The texts of a name in the DNS, and what a protocol has made of them.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The TXT records of a name, the strings of each joined (RFC 7208 section 3.3).
///
/// Whoever keeps an answer keeps what was made of it too: [`derive`](Self::derive) parses once.
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
    /// Takes each record's text.
    pub fn new<T: Into<Box<[u8]>>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self { texts: texts.into_iter().map(Into::into).collect(), derived: OnceLock::new() }
    }

    /// Returns each record's text, in the order of the answer.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.texts.iter().map(|text| &**text)
    }

    /// Returns what `make` makes of the texts, which is kept for the next call.
    ///
    /// Only what was made first is kept: another type is made anew each time. One name's texts are
    /// for one protocol, but for what is asked in vain.
    pub fn derive<T: Any + Send + Sync>(&self, make: impl FnOnce(&Self) -> T) -> Arc<T> {
        if let Some(kept) = self.derived.get() {
            if let Ok(kept) = Arc::clone(kept).downcast() {
                return kept;
            }
            return Arc::new(make(self));
        }
        let fresh = Arc::new(make(self));
        // Another thread may have been quicker: then its work is kept, and this is as good.
        let _ = self.derived.set(Arc::clone(&fresh) as Arc<dyn Any + Send + Sync>);
        fresh
    }

    /// Returns what `make` makes of the texts, as [`derive`](Self::derive) keeps it, without sharing
    /// it; `None` if something of another type is kept.
    pub fn derived<T: Any + Send + Sync>(&self, make: impl FnOnce(&Self) -> T) -> Option<&T> {
        let kept = self.derived.get_or_init(|| Arc::new(make(self)));
        let kept: &(dyn Any + Send + Sync) = &**kept;
        kept.downcast_ref()
    }

    /// Adds others; what was derived is of no use any more.
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

impl PartialEq for Texts {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}
