//! Domains in Unicode, by the crate `idna`: RFC 5890, RFC 6531 section 3.3.

use ::idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use crate::dns::{Name, NameError};
use crate::smtp::{
    Domain, DomainError, MailHost, MailHostError, Mailbox, MailboxError, ReversePath,
};

impl Domain {
    /// Makes a domain from text with U-labels: `bücher.example` is `xn--bcher-kva.example`.
    ///
    /// Labels are mapped and checked by UTS #46 (non-transitional, strict); an A-label that decodes
    /// to an invalid label is refused too.
    ///
    /// # Errors
    ///
    /// [`DomainError::Unicode`] if the text is not valid in IDNA; another [`DomainError`] if the
    /// result is not a mail domain, for example too long.
    pub fn from_unicode(text: &str) -> Result<Self, DomainError> {
        if text.len() > MAX_UNICODE {
            return Err(DomainError::TooLong { octets: text.len() });
        }
        ::idna::domain_to_ascii_strict(text).map_err(|_| DomainError::Unicode)?.parse()
    }

    /// Returns the domain with U-labels in place of A-labels; an A-label that cannot be decoded, or decodes to an
    /// invalid one, stays (RFC 5891 section 5.4).
    ///
    /// ```
    /// use mail_types::dns::Name;
    /// use mail_types::smtp::{Domain, Mailbox, ReversePath};
    ///
    /// let domain = Domain::from_unicode("b\u{fc}cher.example")?;
    /// assert_eq!(domain.as_str(), "xn--bcher-kva.example");
    /// assert_eq!(domain.to_unicode(), "b\u{fc}cher.example");
    /// assert_eq!("xn--0.example".parse::<Domain>()?.to_unicode(), "xn--0.example");
    /// assert_eq!(Name::from_unicode("_dmarc.b\u{fc}cher.example")?.to_string(), "_dmarc.xn--bcher-kva.example");
    /// assert_eq!(Mailbox::from_unicode("a@b\u{fc}cher.example")?.to_string(), "a@xn--bcher-kva.example");
    /// assert_eq!(ReversePath::from_unicode("<a@b\u{fc}cher.example>")?, "<a@xn--bcher-kva.example>".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn to_unicode(&self) -> String {
        let label = |label: &str| match ::idna::domain_to_unicode(label) {
            (text, Ok(())) => text,
            _ => label.to_owned(),
        };
        match ::idna::domain_to_unicode(self.as_str()) {
            (text, Ok(())) => text,
            // What it has of the others cannot be told from U+FFFD.
            _ => self.as_str().split('.').map(label).collect::<Vec<_>>().join("."),
        }
    }
}

impl Name {
    /// Makes a name from labels with dots between them, in lower case, which may be U-labels. In
    /// contrast to a [`Domain`] it may have any octet of ASCII, as `x_y.b\u{fc}cher.example`.
    ///
    /// # Errors
    ///
    /// [`NameError::Unicode`] if a label is not valid in IDNA; the others as for
    /// [`Name::from_dotted`].
    pub fn from_unicode(text: &str) -> Result<Self, NameError> {
        if text.len() > MAX_UNICODE {
            return Err(NameError::TooLong { at: Self::MAX_OCTETS });
        }
        let found = Uts46::new().to_ascii(
            text.as_bytes(),
            AsciiDenyList::EMPTY,
            Hyphens::Allow,
            DnsLength::Ignore,
        );
        Self::from_dotted(found.map_err(|_| NameError::Unicode)?.as_bytes())
    }
}

impl Mailbox {
    /// Parses a mailbox whose domain may have U-labels (RFC 6531 section 3.3).
    ///
    /// # Errors
    ///
    /// The same as of parsing a [`Mailbox`]; [`DomainError::Unicode`] is the source of
    /// [`MailboxError::Host`].
    pub fn from_unicode(text: &str) -> Result<Self, MailboxError> {
        Self::parse_with(text, host)
    }
}

impl ReversePath {
    /// Parses a path whose domain may have U-labels (RFC 6531 section 3.3).
    ///
    /// # Errors
    ///
    /// The same as of [`Mailbox::from_unicode`] and of parsing a [`ReversePath`].
    pub fn from_unicode(text: &str) -> Result<Self, MailboxError> {
        Self::parse_with(text, host)
    }
}

fn host(text: &str) -> Result<MailHost, MailHostError> {
    if text.is_ascii() { text.parse() } else { Ok(Domain::from_unicode(text)?.into()) }
}

/// The most bytes of a domain in UTF-8 whose A-labels have 253 octets: each character of a U-label
/// takes at least one octet of its A-label.
const MAX_UNICODE: usize = 4 * Domain::MAX_OCTETS;
