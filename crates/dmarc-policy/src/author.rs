//! Whose name a message bears: the domain in its `From` field, section 5.3.1 of RFC 9989.

use mail_types::Domain;

/// The author domain of a message, or why there is none.
///
/// ```
/// use dmarc_policy::Author;
///
/// let author = Author::from_fields([&b" \"admin@example.com\" <x@Evil.example>"[..]]);
/// assert_eq!(author, Author::One("evil.example".parse()?));
/// assert_eq!(Author::from_fields([&b"undisclosed:;"[..]]), Author::Absent);
/// # Ok::<(), mail_types::DomainError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Author {
    /// One domain, in however many addresses.
    One(Domain),
    /// Addresses of several domains, in their order; of more than [`Author::MAX_DOMAINS`] the first.
    Several(Vec<Domain>),
    /// No field, no address, or none with a domain: in a group, or with an address literal.
    Absent,
    /// A field that RFC 5322 does not allow: who can say what a reader is shown?
    Malformed {
        /// Where, in bytes of the field's body.
        at: usize,
    },
    /// More than one field.
    Repeated,
}

impl Author {
    /// The most domains that are kept.
    pub const MAX_DOMAINS: usize = 16;
    /// The longest body of a field, in octets; a longer one is malformed.
    pub const MAX_OCTETS: usize = 65_536;

    /// Reads the bodies of all `From` fields of a message: what is behind the colon, folded or not.
    #[must_use]
    pub fn from_fields<'a>(bodies: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut bodies = bodies.into_iter();
        let Some(body) = bodies.next() else { return Self::Absent };
        if bodies.next().is_some() {
            return Self::Repeated;
        }
        let mut field = Field { text: body, at: 0, domains: Vec::new() };
        if body.len() > Self::MAX_OCTETS || field.address_list().is_none() {
            return Self::Malformed { at: field.at.min(body.len()) };
        }
        let mut domains = field.domains;
        match (domains.pop(), domains.is_empty()) {
            (None, _) => Self::Absent,
            (Some(only), true) => Self::One(only),
            (Some(last), false) => {
                domains.push(last);
                Self::Several(domains)
            }
        }
    }
}

/// The body of a field, read so far; `None` of its functions is what RFC 5322 does not allow.
struct Field<'a> {
    text: &'a [u8],
    at: usize,
    domains: Vec<Domain>,
}

impl Field<'_> {
    /// `address-list`, with the empty places that its obsolete form allows.
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

    /// Behind an address comes another one, the end of its group, or nothing.
    fn end_of_address(&mut self) -> Option<()> {
        self.skip()?;
        matches!(self.peek(), None | Some(b',' | b';')).then_some(())
    }

    /// `angle-addr`, with the route that its obsolete form allows.
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

    /// What is behind the local part that began at `began`, which must be atoms and quoted strings
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
        self.at = behind + 1;
        self.skip()?;
        if self.peek() == Some(b'[') {
            return self.literal();
        }
        let domain = self.domain_text()?;
        let known = self.domains.contains(&domain);
        if !known && self.domains.len() < Author::MAX_DOMAINS {
            self.domains.push(domain);
        }
        Some(())
    }

    fn domain_text(&mut self) -> Option<Domain> {
        let mut text = Vec::new();
        loop {
            self.skip()?;
            let began = self.at;
            self.atom();
            text.extend_from_slice(self.text.get(began..self.at)?);
            let end = self.at;
            self.skip()?;
            if !self.take(b'.') {
                let text = str::from_utf8(&text).ok()?;
                let domain = domain(text);
                if domain.is_none() {
                    self.at = end;
                }
                return domain;
            }
            text.push(b'.');
        }
    }

    /// An address literal: an address, but no domain.
    fn literal(&mut self) -> Option<()> {
        loop {
            self.at += 1;
            match self.peek()? {
                b']' => {
                    self.at += 1;
                    return Some(());
                }
                b'[' | b'\\' => return None,
                _ => {}
            }
        }
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

/// RFC 5322 section 3.2.3, and what is not ASCII (RFC 6532 section 3.2).
fn is_atext(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet) || octet >= 0x80
}

#[cfg(feature = "idna")]
fn domain(text: &str) -> Option<Domain> {
    Domain::from_unicode(text).ok()
}

/// Without the feature `idna` a U-label is no domain.
#[cfg(not(feature = "idna"))]
fn domain(text: &str) -> Option<Domain> {
    text.parse().ok()
}
