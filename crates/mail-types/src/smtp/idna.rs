//! Domains in Unicode, by the crate `idna`: RFC 5890, RFC 6531 section 3.3.

use ::idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use crate::dns::{Name, NameError};
use crate::smtp::{
    Domain, DomainError, MailHost, MailHostError, Mailbox, MailboxError, ReversePath,
};

impl Domain {
    /// Makes a domain of text that may have U-labels: `bücher.example` is `xn--bcher-kva.example`.
    ///
    /// Labels are mapped and checked as UTS #46 (non-transitional, strict) says; an A-label that
    /// decodes to nothing valid is refused, too.
    ///
    /// # Errors
    ///
    /// [`DomainError::Unicode`] if it is not a domain in Unicode; the others if what it becomes is
    /// no domain for mail, such as one that is too long.
    pub fn from_unicode(text: &str) -> Result<Self, DomainError> {
        if text.len() > MAX_UNICODE {
            return Err(DomainError::TooLong { octets: text.len() });
        }
        ::idna::domain_to_ascii_strict(text).map_err(|_| DomainError::Unicode)?.parse()
    }

    /// Returns the domain with its A-labels as U-labels; labels that decode to nothing valid stay.
    #[must_use]
    pub fn to_unicode(&self) -> String {
        ::idna::domain_to_unicode(self.as_str()).0
    }
}

impl Name {
    /// Makes a name of labels with dots between them that may be U-labels, in lower case; other than a
    /// [`Domain`] it may have any octet of ASCII, as `x_y.b\u{fc}cher.example`.
    ///
    /// # Errors
    ///
    /// [`NameError::Unicode`] if a label is not one of IDNA; the others as for [`Name::from_dotted`].
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
    /// As for parsing a [`Mailbox`], and [`DomainError::Unicode`] as the source of
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
    /// As for [`Mailbox::from_unicode`], and for paths.
    pub fn from_unicode(text: &str) -> Result<Self, MailboxError> {
        Self::parse_with(text, host)
    }
}

fn host(text: &str) -> Result<MailHost, MailHostError> {
    if text.is_ascii() { text.parse() } else { Ok(Domain::from_unicode(text)?.into()) }
}

/// No domain of 253 octets in ASCII is longer in UTF-8: each character of a U-label takes at least
/// one octet of its A-label.
const MAX_UNICODE: usize = 4 * Domain::MAX_OCTETS;
