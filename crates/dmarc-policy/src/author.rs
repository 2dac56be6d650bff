//! The author domain of a message, from its `From` field: section 5.3.1 of RFC 9989.

pub(crate) mod charset;
pub(crate) mod domain;
pub(crate) mod domains;
pub(crate) mod encoded_word;
pub(crate) mod fault;
pub(crate) mod lenient;
pub(crate) mod line_end;
pub(crate) mod quoted;
pub(crate) mod text;

use mail_types::dns::Name;
use mail_types::smtp::{Header, MailHost};

use crate::author::domain::{domain, is_dot, shown_otherwise};
use crate::author::domains::AuthorDomains;
use crate::author::encoded_word::is_in_encoded_word;
use crate::author::fault::AuthorFault;
use crate::author::lenient::{Lenient, add_quoted, has_wide_at, is_reversed};
use crate::author::line_end::{bodies_after_cr, has_bare};
use crate::author::text::is_atext;

/// The author domain of a message, or the reason for its absence.
///
/// Each `From` field is read by RFC 5322. A field that violates RFC 5322 is read a second time, as
/// mail programs show it to people:
///
/// - if it has exactly one `<…>` with an address in it, and no `@` after that, this is the author,
///   whatever text precedes it, except an address with a comma or another separator behind it;
/// - else every domain after an `@` counts, also in an encoded word (RFC 2047), but not in a quoted
///   string or a comment.
///
/// An address in a quoted local part, as in `"a@b.example x"@c.example`, or in a quoted name without
/// an address, as in `"a@b.example", c@d.example`, counts too. The domains of all fields are
/// combined.
///
/// ```
/// use dmarc_policy::Author;
///
/// let author = Author::from_fields([&b" \"admin@example.com\" <x@Evil.example>"[..]]);
/// assert_eq!(author, Author::One("evil.example".parse()?));
/// let author = Author::from_fields([&b"Victim, Inc. <a@x_y.victim.example"[..]]);
/// assert_eq!(author, Author::One("x_y.victim.example".parse()?));
/// assert_eq!(Author::from_fields([&b"undisclosed:;"[..]]), Author::Absent);
/// # Ok::<(), mail_types::dns::NameError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Author {
    /// One domain, in one address or more.
    One(Name),
    /// Addresses of several domains, in order, at most [`Author::MAX_DOMAINS`].
    Several(Vec<Name>),
    /// The message claims no domain: it has no `From` field, no `@` in it, or address literals
    /// only.
    Absent,
    /// A mail program may show a domain other than those found.
    Invalid {
        /// The domains found.
        domains: Vec<Name>,
        /// The first fault.
        fault: AuthorFault,
    },
}

impl Author {
    /// The most domains that are kept.
    pub const MAX_DOMAINS: usize = 16;
    /// The most octets in the bodies of all fields together.
    pub const MAX_OCTETS: usize = 65_536;

    /// Reads the bodies of all `From` fields of a message: the text after the colon, folded or not.
    #[must_use]
    pub fn from_fields<'a>(bodies: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let (mut domains, mut octets) = (AuthorDomains::default(), 0);
        for body in bodies {
            octets += body.len();
            let body = body.trim_ascii_end();
            if octets > Self::MAX_OCTETS {
                domains.mark(AuthorFault::TooLong);
            }
            match Field::read(body) {
                Ok(found) => domains.extend(found),
                Err(at) => Lenient { body, at }.read(&mut domains),
            }
            add_quoted(body, &mut domains);
            if matches!(domains.fault, Some(AuthorFault::TooMany | AuthorFault::TooLong)) {
                break;
            }
        }
        domains.into()
    }

    /// Reads all `From` fields of a message, also one after a CR alone, which ends a line for some
    /// programs.
    ///
    /// ```
    /// use dmarc_policy::Author;
    ///
    /// let author = Author::from_message(b"From: Ann <ann@example.com>\r\n\r\nFrom: nobody\r\n");
    /// assert_eq!(author, Author::One("example.com".parse()?));
    /// # Ok::<(), mail_types::dns::NameError>(())
    /// ```
    #[must_use]
    pub fn from_message(message: &[u8]) -> Self {
        let header = Header::of(message);
        Self::from_fields(header.bodies("From").chain(bodies_after_cr(header.text)))
    }

    /// Returns the domains, those of an invalid author too.
    #[must_use]
    pub fn domains(&self) -> &[Name] {
        match self {
            Self::One(domain) => std::slice::from_ref(domain),
            Self::Several(domains) | Self::Invalid { domains, .. } => domains,
            Self::Absent => &[],
        }
    }

    /// Returns the fault, if any.
    ///
    /// ```
    /// use dmarc_policy::Author;
    ///
    /// let author = Author::from_message(b"From: ann@example.com, bob@example.net\r\n\r\n");
    /// assert_eq!((author.domains().len(), author.fault()), (2, None));
    /// let author = Author::from_message(b"From: bob@\r\n\r\n");
    /// assert!(author.domains().is_empty() && author.fault().is_some());
    /// ```
    #[must_use]
    pub fn fault(&self) -> Option<AuthorFault> {
        match self {
            Self::Invalid { fault, .. } => Some(*fault),
            _ => None,
        }
    }
}

/// The body of a field, read up to a position. Its functions return `None` for text that RFC 5322
/// does not allow.
struct Field<'a> {
    text: &'a [u8],
    at: usize,
    domains: AuthorDomains,
    /// Programs disagree on the domain of an address: it has a blank or a comment after several
    /// labels, punctuation, an A-label of ASCII only, an encoded word, or a character like an `@`.
    differs: bool,
}

impl<'a> Field<'a> {
    /// Reads a body; `Err` is the position where it violates RFC 5322.
    fn read(body: &'a [u8]) -> Result<AuthorDomains, usize> {
        let mut field =
            Self { text: body, at: 0, domains: AuthorDomains::default(), differs: false };
        // RFC 2047 section 5 allows no encoded word in an address, but programs decode it there.
        // And some programs end a domain at a blank where RFC 5322 section 4.4 continues it.
        let is_read = body.len() <= Author::MAX_OCTETS && field.address_list().is_some();
        // The name of an empty group may be shown as an address.
        let is_read = is_read && !has_bare(body);
        if !is_read || field.differs || field.domains.is_empty() || is_reversed(body) {
            return Err(field.at.min(body.len()));
        }
        Ok(field.domains)
    }

    /// `address-list`, with the empty elements of its obsolete form.
    fn address_list(&mut self) -> Option<()> {
        let mut in_group = false;
        loop {
            self.skip()?;
            match self.peek() {
                None => return (!in_group).then_some(()),
                Some(b',') => self.at += 1,
                Some(b';') if in_group => {
                    in_group = false;
                    self.at += 1;
                    self.end_of_address()?;
                }
                Some(_) => {
                    let began = self.at;
                    let words = self.words()?;
                    match self.peek() {
                        Some(b':') if words && !in_group => {
                            in_group = true;
                            self.at += 1;
                        }
                        Some(b'@') if words => {
                            self.addr_spec(began)?;
                            self.end_of_address()?;
                        }
                        Some(b'<') => {
                            self.angle_addr()?;
                            self.end_of_address()?;
                        }
                        _ => return None,
                    }
                }
            }
        }
    }

    /// After an address comes another one, the end of its group, or the end of the field.
    fn end_of_address(&mut self) -> Option<()> {
        self.skip()?;
        matches!(self.peek(), None | Some(b',' | b';')).then_some(())
    }

    /// `angle-addr`, with the route of its obsolete form.
    fn angle_addr(&mut self) -> Option<()> {
        self.at += 1;
        self.skip()?;
        if matches!(self.peek(), Some(b'@' | b',')) {
            while self.take(b',') {
                self.skip()?;
            }
            while self.take(b'@') {
                self.domain_text()?;
                self.skip()?;
                while self.take(b',') {
                    self.skip()?;
                }
            }
            if !self.take(b':') {
                return None;
            }
            self.skip()?;
        }
        let began = self.at;
        if !self.words()? || self.peek() != Some(b'@') {
            return None;
        }
        self.addr_spec(began)?;
        self.skip()?;
        self.take(b'>').then_some(())
    }

    /// The text after the local part that began at `began`, which must be atoms and quoted strings
    /// with dots between them.
    fn addr_spec(&mut self, began: usize) -> Option<()> {
        let behind = std::mem::replace(&mut self.at, began);
        let mut wants_word = true;
        while self.at < behind {
            wants_word = match self.peek() {
                Some(b'.') if !wants_word => {
                    self.at += 1;
                    true
                }
                Some(b'"') if wants_word => {
                    self.quoted_string()?;
                    false
                }
                Some(octet) if wants_word && is_atext(octet) => {
                    self.atom();
                    false
                }
                _ => return None,
            };
            self.skip()?;
        }
        if wants_word {
            return None;
        }
        self.differs |= self.text.get(began..behind).is_some_and(has_wide_at);
        self.at = behind + 1;
        self.skip()?;
        if self.peek() == Some(b'[') {
            return self.literal();
        }
        let domain = self.domain_text()?;
        self.domains.add(domain);
        self.differs |= self.text.get(began..self.at).is_some_and(is_in_encoded_word);
        Some(())
    }

    fn domain_text(&mut self) -> Option<Name> {
        let mut text = Vec::new();
        loop {
            let dot = self.at;
            self.skip()?;
            let began = self.at;
            self.differs |= began > dot && has_several_labels(&text);
            self.atom();
            text.extend_from_slice(self.text.get(began..self.at)?);
            let end = self.at;
            self.skip()?;
            let gap = self.at > end;
            if !self.take(b'.') {
                let text = str::from_utf8(&text).ok();
                self.differs |= text.is_some_and(|text| shown_otherwise(text).next().is_some());
                let domain = text.and_then(domain);
                if domain.is_none() {
                    self.at = end;
                }
                return domain;
            }
            self.differs |= gap && has_several_labels(&text);
            text.push(b'.');
        }
    }

    /// An address literal: an address without a domain.
    fn literal(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        let end = rest.iter().position(|&octet| octet == b']')? + 1;
        let literal: Vec<_> =
            rest.get(..end)?.iter().copied().filter(|octet| !b" \t\r\n".contains(octet)).collect();
        str::from_utf8(&literal).ok()?.parse::<MailHost>().ok()?;
        self.at += end;
        Some(())
    }

    /// Words of a phrase or a local part; tells whether there is at least one.
    fn words(&mut self) -> Option<bool> {
        let began = self.at;
        loop {
            match self.peek() {
                Some(b'"') => self.quoted_string()?,
                Some(b'.') => self.at += 1,
                Some(octet) if is_atext(octet) => self.atom(),
                _ => return Some(self.at > began),
            }
            self.skip()?;
        }
    }

    fn atom(&mut self) {
        while self.peek().is_some_and(is_atext) {
            self.at += 1;
        }
    }

    fn quoted_string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.next()? {
                b'"' => return Some(()),
                b'\\' => {
                    self.next()?;
                }
                0 => return None,
                _ => {}
            }
        }
    }

    /// Skips white space and comments.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match (self.peek(), depth) {
                (Some(b' ' | b'\t' | b'\r' | b'\n'), _) => self.at += 1,
                (Some(b'('), _) => {
                    depth += 1;
                    self.at += 1;
                }
                (_, 0) => return Some(()),
                (Some(b')'), _) => {
                    depth -= 1;
                    self.at += 1;
                }
                (Some(b'\\'), _) => self.at += 2,
                (Some(0) | None, _) => return None,
                (Some(_), _) => self.at += 1,
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let octet = self.peek()?;
        self.at += 1;
        Some(octet)
    }

    fn take(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        self.at += usize::from(found);
        found
    }
}

/// Tells whether the start of a domain may be a domain itself: one label never is. The example of
/// RFC 5322 appendix A.6.3, `machine(comment).  example`, is one domain to all programs.
fn has_several_labels(text: &[u8]) -> bool {
    str::from_utf8(text).is_ok_and(|text| text.trim_end_matches(is_dot).contains(is_dot))
}
