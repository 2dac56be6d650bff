//! The source of a template's variables.

use mail_types::exim::Variable;

/// The variables, header fields and lists that a program provides for templates.
///
/// The values must not change during one expansion, except by its own requests: a text that waits for a
/// lookup is expanded from its beginning again, as [`handle_answers`](Self::handle_answers) says. `$value` and the numbered variables are requested as `value` and `0` to `9`
/// until the template sets them; unknown ones are empty. `$item` belongs to the language.
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

    /// Returns the certificate, in DER, that a variable such as `tls_in_peercert` stands for; by default no
    /// variable does. `${certextract` reads it, and `md5`, `sha1`, `sha256` and `base64` of that variable
    /// alone are of it. The variable itself should be `<cert>`, as in Exim.
    fn certificate(&self, name: &str) -> Option<&[u8]> {
        let _ = name;
        None
    }

    /// Returns the text of a named list, for `+name` in a list and `${listnamed:name}`; by default
    /// there are none, and such an item is an error.
    fn list(&self, kind: ListKind, name: &str) -> Variable<'_> {
        let _ = (kind, name);
        Variable::Unknown
    }

    /// Takes note that an expansion, which begins anew after each answer, has come past its first `count`
    /// answers. A program whose variables an answer changes returns their values at that time; by
    /// default nothing changes.
    fn handle_answers(&self, count: usize) {
        let _ = count;
    }

    /// Returns whether the program is in a state; by default it is not.
    fn is_in(&self, state: ProgramState) -> bool {
        let _ = state;
        false
    }
}

/// The form of a header field's text.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum HeaderForm {
    /// `$h_` and `$header_`: without surrounding blanks, encoded words (RFC 2047) decoded, several
    /// fields joined with a line end, address fields with a comma and a line end.
    Decoded,
    /// `$bh_` and `$bheader_`: the same, but the bytes are in the encoded words' own character
    /// sets.
    Bytes,
    /// `$rh_` and `$rheader_`: unchanged, with line ends.
    Raw,
    /// `$lh_` and `$lheader_`: each field is an item of a list between colons.
    List,
}

impl HeaderForm {
    /// The form requested by a name, and the length of its prefix.
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

/// The kind of the items of a list.
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

    /// Returns the word that defines a named list of this kind in Exim's configuration.
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

/// A state of the program.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ProgramState {
    /// `first_delivery`: this is the first delivery attempt of the message.
    FirstDelivery,
    /// `queue_running`: a queue run is in progress.
    QueueRunning,
}
