//! Where a template's variables come from.

use mail_types::exim::Variable;

/// What a program knows, for templates to ask.
///
/// The answers must not change while one expansion lasts: a text that waits for a lookup is expanded
/// from its beginning again. `$value` and the numbered variables are asked for, as `value`, `0` and
/// on to `9`, until the template sets them; if they are unknown they are empty. `$item` is the
/// language's own.
///
/// ```
/// use event_expand::Variables;
/// use mail_types::exim::{Trust, Value, Variable};
///
/// struct Session {
///     helo: Vec<u8>,
/// }
///
/// impl Variables for Session {
///     fn variable(&self, name: &str) -> Variable<'_> {
///         match name {
///             "sender_helo_name" => Value::new(&*self.helo, Trust::Untrusted).into(),
///             "primary_hostname" => Value::trusted("mx.example.com").into(),
///             _ => Variable::Unknown,
///         }
///     }
/// }
/// ```
pub trait Variables: Sync {
    /// Returns the variable of a name, without the `$`.
    fn variable(&self, name: &str) -> Variable<'_>;

    /// Returns the header fields of a name, as one text; by default there are none. The name is in
    /// lower case, without a colon.
    fn header(&self, name: &str, form: HeaderForm) -> Variable<'_> {
        let _ = (name, form);
        Variable::Unset
    }

    /// Returns the text of a named list, for `+name` in a list and `${listnamed:name}`; by default
    /// there are none, and such a text is an error.
    fn list(&self, kind: ListKind, name: &str) -> Variable<'_> {
        let _ = (kind, name);
        Variable::Unknown
    }

    /// Returns whether the program is in a state; by default it is not.
    fn is_in(&self, state: State) -> bool {
        let _ = state;
        false
    }
}

/// How the text of header fields is wanted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum HeaderForm {
    /// `$h_` and `$header_`: blanks at both ends dropped, encoded words (RFC 2047) decoded, several
    /// fields joined with a line end, those with addresses with a comma and a line end.
    Decoded,
    /// `$bh_` and `$bheader_`: the same, but the bytes in the encoded words' own character sets.
    Bytes,
    /// `$rh_` and `$rheader_`: as they are, line ends too.
    Raw,
    /// `$lh_` and `$lheader_`: each field is an item of a list between colons.
    List,
}

impl HeaderForm {
    /// The form that a name asks for, and how long its prefix is.
    pub(crate) fn of(name: &str) -> Option<(Self, usize)> {
        let (form, rest) = match name.as_bytes() {
            [b'r', b'h', ..] => (Self::Raw, name.get(2..)?),
            [b'l', b'h', ..] => (Self::List, name.get(2..)?),
            [b'b', b'h', ..] => (Self::Bytes, name.get(2..)?),
            [b'h', ..] => (Self::Decoded, name.get(1..)?),
            _ => return None,
        };
        let rest = rest.strip_prefix('_').or_else(|| rest.strip_prefix("eader_"))?;
        Some((form, name.len() - rest.len()))
    }
}

/// What the items of a list are.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ListKind {
    /// `addresslist`
    Address,
    /// `domainlist`
    Domain,
    /// `hostlist`
    Host,
    /// `localpartlist`
    LocalPart,
}

impl ListKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Address, Self::Domain, Self::Host, Self::LocalPart];

    /// Returns the word that Exim's configuration defines a named list of this kind with.
    #[must_use]
    pub fn table(self) -> &'static str {
        match self {
            Self::Address => "addresslist",
            Self::Domain => "domainlist",
            Self::Host => "hostlist",
            Self::LocalPart => "localpartlist",
        }
    }
}

/// What a program can be in the midst of.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum State {
    /// `first_delivery`: the message is tried for the first time.
    FirstDelivery,
    /// `queue_running`: the queue is being run.
    QueueRunning,
}
