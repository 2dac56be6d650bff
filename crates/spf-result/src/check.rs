//! The function `check_host()`: RFC 7208 section 4.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use mail_types::dns::{Inquiry, Known, Name, Session, Unanswered};
use mail_types::results::SpfIdentity;
use mail_types::smtp::{Helo, MailHost, Mailbox, ReversePath};
use thiserror::Error;

use crate::evaluation::Evaluation;
use crate::expansion::Scratch;
use crate::outcome::{Cause, SpfOutcome};
use crate::{Explanation, Limits, MacroString, Options, Report, SpfResult};

/// The function `check_host()` for one client and one identity: an [`Inquiry`].
///
/// It does no I/O: a [`Session`] runs it. With cached answers it makes at most two allocations. A
/// record is parsed once for each answer, and cached with it (see [`mail_types::dns::Texts::derive`]).
///
/// ```
/// use mail_types::dns::Zone;
/// use mail_types::smtp::{Helo, ReversePath};
/// use spf_result::{Check, SpfResult};
///
/// let zone = Zone::parse(r#"example.com TXT "v=spf1 ip4:192.0.2.0/24 -all""#)?;
/// let (helo, sender) = (Helo::new("mx.example.com"), "<ann@example.com>".parse::<ReversePath>()?);
///
/// let check = Check::mail_from("192.0.2.1".parse()?, &helo, &sender);
/// let outcome = check.session().run(|question| zone.answer(question));
/// assert_eq!(outcome.result(), SpfResult::Pass);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Check<'a> {
    client: IpAddr,
    helo: &'a Helo,
    sender: Sender<'a>,
    identity: SpfIdentity,
    receiver: &'a str,
    seconds: u64,
    options: Options,
}

/// Texts are made of it when they are needed: most records have no macro for its local part.
#[derive(Clone, Copy, Debug)]
enum Sender<'a> {
    Mailbox(&'a Mailbox),
    /// The local part as written, and the domain.
    Text(&'a str, &'a str),
    /// `postmaster` at the HELO name.
    Helo,
}

impl<'a> Check<'a> {
    /// Checks the reverse-path. For the null path SPF tests `postmaster` at the HELO name (RFC 7208
    /// section 2.4). An IPv4-mapped IPv6 client address counts as the IPv4 address.
    #[must_use]
    pub fn mail_from(client: IpAddr, helo: &'a Helo, path: &'a ReversePath) -> Self {
        let sender = path.mailbox().map_or(Sender::Helo, Sender::Mailbox);
        Self::new(client, helo, sender, SpfIdentity::MailFrom)
    }

    /// Checks the name that the client gave in HELO or EHLO (RFC 7208 section 2.3).
    #[must_use]
    pub fn helo(client: IpAddr, helo: &'a Helo) -> Self {
        Self::new(client, helo, Sender::Helo, SpfIdentity::Helo)
    }

    /// Checks a sender given as text, as in tools and test suites: an address with or without angle
    /// brackets, a domain, or an empty text for the null path. A server has a [`ReversePath`]; see
    /// [`Check::mail_from`].
    ///
    /// A malformed domain (an empty label, a single label, Unicode) is not an error: its result is
    /// `none` (RFC 7208 section 4.3).
    ///
    /// # Errors
    ///
    /// [`SenderError`] if the text cannot be a sender: a result of `none` would claim that the
    /// domain publishes no record.
    ///
    /// ```
    /// use mail_types::smtp::Helo;
    /// use spf_result::{Check, SenderError};
    ///
    /// let (client, helo) = ("192.0.2.1".parse()?, Helo::new("mx.example.com"));
    /// assert_eq!(Check::from_text(client, &helo, "<ann@example.com>")?.sender_domain(), "example.com");
    /// let error = Check::from_text(client, &helo, "ann@example.com>").unwrap_err();
    /// assert_eq!(error, SenderError::Character { character: '>', at: 15 });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_text(client: IpAddr, helo: &'a Helo, sender: &'a str) -> Result<Self, SenderError> {
        let inner = sender.strip_prefix('<').and_then(|sender| sender.strip_suffix('>'));
        let (start, sender) = inner.map_or((0, sender), |inner| (1, inner));
        let at = sender.bytes().rposition(|c| c == b'@');
        let domain = at.map_or(0, |at| at + 1);
        let is_literal = sender.get(domain..).is_some_and(|domain| domain.starts_with('['));
        let is_quoted = sender.starts_with('"');
        let wrong = |(at, c): &(usize, char)| match c {
            _ if c.is_control() => true,
            '<' | '>' => *at >= domain || !is_quoted,
            ':' => *at >= domain && !is_literal,
            _ => *at >= domain && (c.is_whitespace() || "()\",;".contains(*c)),
        };
        if let Some((at, character)) = sender.char_indices().find(wrong) {
            return Err(SenderError::Character { character, at: at + start });
        }
        let local_part = at.and_then(|at| sender.get(..at)).unwrap_or_default();
        let domain = sender.get(domain..).unwrap_or_default();
        let sender =
            if sender.is_empty() { Sender::Helo } else { Sender::Text(local_part, domain) };
        Ok(Self::new(client, helo, sender, SpfIdentity::MailFrom))
    }

    fn new(client: IpAddr, helo: &'a Helo, sender: Sender<'a>, identity: SpfIdentity) -> Self {
        Self {
            client: client.to_canonical(),
            helo,
            sender,
            identity,
            receiver: "unknown",
            seconds: 0,
            options: Options::default(),
        }
    }

    /// Sets the choices that RFC 7208 leaves open, and the limits.
    #[must_use]
    pub fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Sets the name of the checking host, for `%{r}` and headers; the default is `unknown`.
    #[must_use]
    pub fn with_receiver(mut self, receiver: &'a str) -> Self {
        self.receiver = receiver;
        self
    }

    /// Sets the time, for `%{t}`; the default is the epoch.
    #[must_use]
    pub fn at(mut self, now: SystemTime) -> Self {
        self.seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self
    }

    /// Starts a session with the [limit of questions](Limits::questions).
    #[must_use]
    pub fn session(&self) -> Session<&Self> {
        Session::new(self, Vec::new(), self.options.limits.questions)
    }

    /// Combines the check with its outcome.
    #[must_use]
    pub fn report(&self, outcome: SpfOutcome) -> Report {
        Report::new(self, outcome)
    }

    /// Returns the client's address; an IPv4-mapped address as IPv4.
    #[must_use]
    pub fn client(&self) -> IpAddr {
        self.client
    }

    /// Returns the name that the client gave in HELO or EHLO.
    #[must_use]
    pub fn helo_name(&self) -> Cow<'a, str> {
        self.helo.text()
    }

    /// Returns the checked identity.
    #[must_use]
    pub fn identity(&self) -> SpfIdentity {
        self.identity
    }

    /// Tells whether the reverse-path is null, and the HELO name in place of its domain.
    ///
    /// ```
    /// use mail_types::smtp::{Helo, ReversePath};
    /// use spf_result::{Check, Options, SpfResult};
    ///
    /// let (helo, null) = (Helo::new("mail.example.net"), "<>".parse::<ReversePath>()?);
    /// let check = Check::mail_from("127.0.0.1".parse()?, &helo, &null);
    /// assert!(check.is_null_path());
    /// assert_eq!(check.helo_name(), "mail.example.net");
    /// let check = check.with_options(Options::default().with_loopback_passes(true));
    /// let outcome = check.session().run(|_| -> mail_types::dns::Answer { unreachable!() });
    /// assert_eq!(outcome.result(), SpfResult::Pass);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_null_path(&self) -> bool {
        matches!(self.sender, Sender::Helo) && self.identity == SpfIdentity::MailFrom
    }

    /// Returns the name of the checking host.
    #[must_use]
    pub fn receiver(&self) -> &str {
        self.receiver
    }

    /// Returns the domain of the sender, or the HELO name, as text.
    #[must_use]
    pub fn sender_domain(&self) -> Cow<'a, str> {
        match self.sender {
            Sender::Mailbox(sender) => match sender.host() {
                MailHost::Domain(domain) => Cow::Borrowed(domain.as_str()),
                literal @ MailHost::Address(_) => Cow::Owned(literal.to_string()),
            },
            Sender::Text(_, domain) => Cow::Borrowed(domain),
            Sender::Helo => self.helo.text(),
        }
    }

    /// Returns the options.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.options.limits
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.seconds
    }

    /// The local part as written, with its quotes.
    pub(crate) fn local_part(&self) -> Cow<'_, str> {
        match self.sender {
            Sender::Mailbox(sender) => sender.written_local_part(),
            // RFC 7208 section 4.3.
            Sender::Text("", _) | Sender::Helo => Cow::Borrowed("postmaster"),
            Sender::Text(text, _) => Cow::Borrowed(text),
        }
    }

    /// The sender with its local part, written into `scratch` if it fits.
    pub(crate) fn sender<'s>(&self, scratch: &'s mut Scratch) -> Cow<'s, [u8]> {
        let (local_part, domain) = (self.local_part(), self.sender_domain());
        if local_part.len() + domain.len() >= Scratch::ROOM {
            return Cow::Owned(format!("{local_part}@{domain}").into_bytes());
        }
        scratch.push(local_part.as_bytes());
        scratch.push(b"@");
        scratch.push(domain.as_bytes());
        Cow::Borrowed(scratch.as_bytes())
    }

    /// Tells whether a term with this domain matches nothing, since it uses a local part that is
    /// not ASCII (RFC 8616 section 4).
    pub(crate) fn cannot_match(&self, text: &MacroString) -> bool {
        text.has_local_part() && !self.local_part().is_ascii()
    }

    /// The domain to begin with, if it can be checked (RFC 7208 section 4.3).
    pub(crate) fn domain(&self) -> Option<Name> {
        let helo;
        let text = match self.sender {
            Sender::Mailbox(sender) => sender.domain()?.as_str(),
            Sender::Text(_, domain) => domain,
            Sender::Helo => {
                helo = self.helo.text();
                &*helo
            }
        };
        let text = text.strip_suffix('.').unwrap_or(text).as_bytes();
        let is_name = text.contains(&b'.') && !text.starts_with(b"[") && text.is_ascii();
        let name = is_name.then(|| Name::from_dotted(text));
        name.and_then(Result::ok)
    }

    fn check_host(&self, known: &mut Known<'_>) -> Result<SpfOutcome, Unanswered> {
        let bare = |result, cause, domain| {
            let about = (self.identity, domain);
            Ok(SpfOutcome::new(about, result, cause, Explanation::Absent, (0, 0, 0)))
        };
        let domain = self.domain();
        if self.options.loopback_passes && self.client.is_loopback() {
            known.note(|| "loopback passes".to_owned());
            return bare(SpfResult::Pass, Cause::Loopback, domain);
        }
        let Some(domain) = domain else {
            known.note(|| {
                format!("{:?} is not a domain with two or more labels", self.sender_domain())
            });
            return bare(SpfResult::None, Cause::Malformed, None);
        };
        Evaluation::new(self).run(known, domain)
    }
}

impl Inquiry for &Check<'_> {
    type Verdict = SpfOutcome;

    fn evaluate(&mut self, known: &mut Known<'_>) -> Result<SpfOutcome, Unanswered> {
        self.check_host(known)
    }
}

/// The reason why a text is not a sender.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
#[non_exhaustive]
pub enum SenderError {
    /// A control character, an angle bracket, or in the domain a blank or one of `()",;:`.
    #[error("invalid character {character:?} in the sender, at byte {at}")]
    Character {
        /// The character.
        character: char,
        /// The position of the character, in bytes.
        at: usize,
    },
}

impl SenderError {
    /// Returns the position of the fault, in bytes.
    #[must_use]
    pub fn at(self) -> usize {
        match self {
            Self::Character { at, .. } => at,
        }
    }
}
