//! The function `check_host()`: RFC 7208 section 4.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use mail_types::{Inquiry, Known, Name, Session, SpfIdentity, Unanswered};

use crate::evaluation::Evaluation;
use crate::expansion::Scratch;
use crate::outcome::{Cause, Outcome};
use crate::{Explanation, Limits, Options, SpfResult};

/// A client, whom it claims to be, and the [`Inquiry`] whether it may: `check_host()`.
///
/// It borrows what it is about, and does no I/O: a [`Session`] runs it. Given answers of a cache, it
/// makes at most two allocations; a record is parsed once for each answer, which the cache keeps
/// with what was made of it (see [`mail_types::Texts::derive`]).
///
/// ```
/// use std::sync::Arc;
///
/// use mail_types::{Step, Zone};
/// use spf_result::{Check, SpfResult};
///
/// let zone = Zone::parse(r#"example.com TXT "v=spf1 ip4:192.0.2.0/24 -all""#)?;
/// let cache = |question: &_| Some(Arc::new(zone.answer(question)));
///
/// let check = Check::mail_from("192.0.2.1".parse()?, "mx.example.com", "ann@example.com");
/// let Step::Done(outcome) = check.session().poll_cached(&cache) else { unreachable!() };
/// assert_eq!(outcome.result(), SpfResult::Pass);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Check<'a> {
    client: IpAddr,
    helo: &'a str,
    /// As it was given; empty for the null path.
    mail_from: &'a str,
    /// Of the sender; empty if there is none.
    local_part: &'a str,
    domain: &'a str,
    identity: SpfIdentity,
    receiver: &'a str,
    seconds: u64,
    options: Options,
}

impl<'a> Check<'a> {
    /// Checks the reverse-path, without angle brackets; empty for the null path, for which it is
    /// `postmaster` at the HELO name (RFC 7208 section 2.4). A client of IPv4 written as IPv6 is one
    /// of IPv4.
    ///
    /// Domains are in ASCII, with A-labels: [`Mailbox::from_unicode`] of mail-types makes them so
    /// (feature `idna`). One with other characters is none, and so is one with an empty or too long
    /// label or a single one.
    ///
    /// [`Mailbox::from_unicode`]: https://docs.rs/mail-types
    #[must_use]
    pub fn mail_from(client: IpAddr, helo: &'a str, mail_from: &'a str) -> Self {
        Self::new(client, helo, mail_from, SpfIdentity::MailFrom)
    }

    /// Checks the name that the client gave with HELO or EHLO (RFC 7208 section 2.3).
    #[must_use]
    pub fn helo(client: IpAddr, helo: &'a str) -> Self {
        Self::new(client, helo, "", SpfIdentity::Helo)
    }

    fn new(client: IpAddr, helo: &'a str, mail_from: &'a str, identity: SpfIdentity) -> Self {
        let (client, options) = (client.to_canonical(), Options::default());
        let at = mail_from.bytes().rposition(|c| c == b'@');
        let (local_part, domain) = match at {
            Some(at) => (mail_from.get(..at), mail_from.get(at + 1..)),
            None if mail_from.is_empty() => (None, Some(helo)),
            None => (None, Some(mail_from)),
        };
        Self {
            client,
            helo,
            mail_from,
            local_part: local_part.unwrap_or_default(),
            domain: domain.unwrap_or_default(),
            identity,
            receiver: "unknown",
            seconds: 0,
            options,
        }
    }

    /// Chooses what RFC 7208 leaves open, and the limits.
    #[must_use]
    pub fn with_options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// Gives the name of the host that checks, for `%{r}` and headers; without, it is `unknown`.
    #[must_use]
    pub fn with_receiver(mut self, receiver: &'a str) -> Self {
        self.receiver = receiver;
        self
    }

    /// Gives the time, for `%{t}`; without, it is the epoch.
    #[must_use]
    pub fn at(mut self, now: SystemTime) -> Self {
        self.seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        self
    }

    /// Begins a session with the [questions](Limits::questions) that are allowed.
    #[must_use]
    pub fn session(self) -> Session<Self> {
        let questions = self.options.limits.questions;
        Session::new(self, Vec::new(), questions)
    }

    /// Returns the client's address, one of IPv4 never written as IPv6.
    #[must_use]
    pub fn client(&self) -> IpAddr {
        self.client
    }

    /// Returns the name that the client gave with HELO or EHLO.
    #[must_use]
    pub fn helo_name(&self) -> &'a str {
        self.helo
    }

    /// Returns the reverse-path as it was given; for [`Check::helo`] it is empty.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.mail_from
    }

    /// Returns whose name is checked.
    #[must_use]
    pub fn identity(&self) -> SpfIdentity {
        self.identity
    }

    /// Returns the name of the host that checks.
    #[must_use]
    pub fn receiver(&self) -> &'a str {
        self.receiver
    }

    /// Returns the domain of the sender: that of the reverse-path, or the HELO name.
    #[must_use]
    pub fn sender_domain(&self) -> &'a str {
        self.domain
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

    pub(crate) fn local_part(&self) -> &'a [u8] {
        // RFC 7208 section 4.3.
        if self.local_part.is_empty() { b"postmaster" } else { self.local_part.as_bytes() }
    }

    /// The sender with its local part, if need be made in `scratch`.
    pub(crate) fn sender<'s>(&self, scratch: &'s mut Scratch) -> &'s [u8]
    where
        'a: 's,
    {
        if !self.local_part.is_empty() {
            return self.mail_from.as_bytes();
        }
        scratch.push(self.local_part());
        scratch.push(b"@");
        scratch.push(self.sender_domain().as_bytes());
        scratch.as_bytes()
    }

    /// The domain to begin with, if there is one that can be checked (RFC 7208 section 4.3).
    fn domain(&self) -> Option<Name> {
        let text = self.sender_domain();
        let text = text.strip_suffix('.').unwrap_or(text);
        let text = text.as_bytes();
        let is_name = text.contains(&b'.') && !text.starts_with(b"[") && text.is_ascii();
        let name = is_name.then(|| Name::from_dotted(text));
        name.and_then(Result::ok)
    }
}

impl Inquiry for Check<'_> {
    type Verdict = Outcome;

    fn evaluate(&mut self, known: &mut Known<'_>) -> Result<Outcome, Unanswered> {
        let bare =
            |result, cause| Ok(Outcome::new(self, result, cause, Explanation::Absent, (0, 0, 0)));
        if self.options.loopback_passes && self.client.is_loopback() {
            known.note(|| "loopback passes".to_owned());
            return bare(SpfResult::Pass, Cause::Loopback);
        }
        let Some(domain) = self.domain() else {
            known.note(|| format!("{:?} is no domain to check", self.sender_domain()));
            return bare(SpfResult::None, Cause::Malformed);
        };
        Evaluation::new(self).run(known, &domain)
    }
}
