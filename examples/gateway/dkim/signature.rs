//! One signature: what it says of itself, and what came of it.

use mail_auth::common::crypto::Algorithm;
use mail_auth::dkim::{DkimError, Signature as Parsed};
use mail_auth::{DkimResult, Error};
use mail_types::{AuthResult, Domain, MethodResult, Name};

/// A signature of a message.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    /// The number of its field, from 0.
    pub(super) field: usize,
    /// Its `d=`.
    pub(crate) domain: Option<Domain>,
    /// Its `s=`.
    pub(crate) selector: String,
    pub(crate) result: AuthResult,
    reason: &'static str,
    algorithm: &'static str,
    /// The first eight characters of its `b=` (RFC 6008).
    start: String,
    /// Until it is verified, if it can be.
    parsed: Option<Parsed>,
}

impl Signature {
    /// Reads the body of a field, whose `h=` may have so many names.
    pub(super) fn read(field: usize, body: &[u8], names: usize) -> Self {
        let parsed = match Parsed::parse(body) {
            Ok(parsed) => parsed,
            Err(error) => {
                return Self::refused(field, AuthResult::Neutral, reason(&error));
            }
        };
        let mut signature = Self::refused(field, AuthResult::PermError, "");
        signature.algorithm = match parsed.a {
            Algorithm::RsaSha1 => "rsa-sha1",
            Algorithm::RsaSha256 => "rsa-sha256",
            Algorithm::Ed25519Sha256 => "ed25519-sha256",
        };
        signature.domain = domain(&parsed.d);
        if parsed.s.len() <= LONGEST {
            signature.selector.clone_from(&parsed.s);
        }
        signature.start = start(&parsed.b);
        let problem = signature.problem(&parsed, names);
        let (result, reason) = problem.unwrap_or((AuthResult::TempError, ""));
        signature.set(result, reason);
        if reason.is_empty() {
            // No third party's leave (RFC 6541) and no reports (RFC 6651) are asked for.
            signature.parsed = Some(Parsed { r: false, atps: None, atpsh: None, ..parsed });
        }
        signature
    }

    /// Makes one that is not verified.
    pub(super) fn refused(field: usize, result: AuthResult, reason: &'static str) -> Self {
        Self {
            field,
            domain: None,
            selector: String::new(),
            result,
            reason,
            algorithm: "",
            start: String::new(),
            parsed: None,
        }
    }

    /// What it needs no key for to fail: RFC 6376 sections 3.5 and 6.1.1, RFC 8301 section 3.1.
    fn problem(&self, parsed: &Parsed, names: usize) -> Option<(AuthResult, &'static str)> {
        let permanent = |reason| Some((AuthResult::PermError, reason));
        let Some(domain) = &self.domain else { return permanent("d= is no domain") };
        if self.selector.is_empty() {
            return permanent("s= is too long");
        }
        let identity = parsed.i.rsplit_once('@').map(|(_, domain)| domain);
        let identity = identity.map(self::domain);
        if identity.is_some_and(|i| i.is_none_or(|i| !i.is_within(domain))) {
            return permanent("i= is not within d=");
        }
        if !parsed.h.iter().any(|name| name.trim().eq_ignore_ascii_case("From")) {
            return permanent("From is not signed");
        }
        if parsed.a == Algorithm::RsaSha1 {
            return permanent("rsa-sha1 is historic");
        }
        if parsed.v != 1 {
            return permanent("no version");
        }
        if parsed.l != 0 {
            return Some((AuthResult::Policy, "l= leaves the end of the body open"));
        }
        if parsed.h.len() > names {
            return Some((AuthResult::Policy, "h= has too many names"));
        }
        None
    }

    /// Returns where its key is; `None` if that is not asked for.
    pub(super) fn key_name(&self) -> Option<Name> {
        let domain = self.domain.as_ref().filter(|_| self.parsed.is_some())?;
        format!("{}._domainkey.{domain}", self.selector).parse().ok()
    }

    pub(super) fn take_parsed(&mut self) -> Option<Parsed> {
        self.parsed.take()
    }

    pub(super) fn set(&mut self, result: AuthResult, reason: &'static str) {
        (self.result, self.reason) = (result, reason);
    }

    /// Takes what the verification has come to.
    pub(super) fn conclude(&mut self, result: DkimResult) {
        let (result, reason) = match result {
            DkimResult::Pass => (AuthResult::Pass, ""),
            DkimResult::Neutral(error) | DkimResult::Fail(error) | DkimResult::PermError(error) => {
                (AuthResult::Fail, reason(&error))
            }
            DkimResult::TempError(_) | DkimResult::None => {
                (AuthResult::TempError, "it could not be verified")
            }
        };
        self.set(result, reason);
    }

    /// Returns its part of `Authentication-Results` (RFC 8601 section 2.7.1).
    pub(crate) fn method_result(&self) -> MethodResult {
        let mut part = MethodResult::new("dkim", self.result);
        if !self.reason.is_empty() {
            part = part.with_reason(self.reason);
        }
        let Some(domain) = &self.domain else { return part };
        part = part.with_property("header", "d", domain.as_str());
        if !self.selector.is_empty() {
            part = part.with_property("header", "s", &self.selector);
        }
        part.with_property("header", "a", self.algorithm).with_property("header", "b", &self.start)
    }
}

/// A domain, in U-labels or not (RFC 8616 section 4).
fn domain(text: &str) -> Option<Domain> {
    if text.is_ascii() { text.parse().ok() } else { Domain::from_unicode(text).ok() }
}

/// What is wrong, without a word of the message's.
fn reason(error: &Error) -> &'static str {
    match error {
        Error::Dkim(DkimError::FailedBodyHashMatch) => "the body has changed",
        Error::Dkim(DkimError::SignatureExpired) => "it has expired",
        Error::Dkim(DkimError::FailedAuidMatch) => "i= is not d=, as the key wants it",
        Error::Dkim(DkimError::UnsupportedVersion) => "another version",
        Error::Dkim(DkimError::UnsupportedAlgorithm) => "another algorithm",
        Error::Dkim(DkimError::UnsupportedCanonicalization) => "another canonicalization",
        Error::Crypto(_) => "the signature does not match",
        _ => "not as RFC 6376 has it",
    }
}

/// The first octets as base64: eight characters without padding.
fn start(signature: &[u8]) -> String {
    let octets = signature.iter().chain(&[0; 6]).take(6);
    let bits = octets.fold(0_u64, |bits, octet| bits << 8 | u64::from(*octet));
    let digit = |at: u64| {
        let digit = usize::try_from(bits >> (42 - 6 * at) & 63).unwrap_or_default();
        char::from(DIGITS.get(digit).copied().unwrap_or(b'A'))
    };
    (0..8).map(digit).collect()
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The longest selector, in octets: no name of the DNS has a longer one.
const LONGEST: usize = 253;
