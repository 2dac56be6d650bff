//! The words of labels.

use std::time::SystemTime;

use mail_types::smtp::{Reply, Severity};

use super::counts::Word;

/// Makes an enum of the words of a label.
macro_rules! words {
    (
        $(#[$doc:meta])* $name:ident, $label:literal:
        $($(#[$why:meta])* $variant:ident = $word:literal),+ $(,)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(crate) enum $name {
            $($(#[$why])* $variant),+
        }

        impl Word for $name {
            const LABEL: &'static str = $label;
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}

words! {
    /// The result of a connection before its session.
    ConnectionResult, "result":
    Accepted = "accepted",
    TooMany = "too_many",
    TooManyOfHost = "too_many_of_host",
    NoProxyHeader = "no_proxy_header",
    Lost = "lost",
    /// The system could not accept it.
    Error = "error",
}

words! {
    /// The outcome of a PROXY header.
    ProxyHeader, "outcome":
    Proxied = "proxied",
    Local = "local",
    Unknown = "unknown",
    Failed = "failed",
}

words! {
    /// How TLS with a client begins.
    TlsStart, "start": Starttls = "starttls", OnConnect = "on_connect",
}

words! {
    /// The result of a handshake with a client.
    HandshakeResult, "result":
    Done = "done",
    Failed = "failed",
    TimedOut = "timed_out",
    /// The server stopped.
    Stopped = "stopped",
}

words! {
    /// A mistake of a client.
    ProtocolError, "kind": Protocol = "protocol", Syntax = "syntax",
}

words! {
    /// The reply to a recipient.
    RecipientResult, "result": Accepted = "accepted", Deferred = "deferred", Refused = "refused",
}

impl RecipientResult {
    pub(crate) fn of(reply: &Reply) -> Self {
        match reply.code().severity() {
            Severity::Completed => Self::Accepted,
            Severity::Permanent => Self::Refused,
            Severity::Intermediate | Severity::Transient => Self::Deferred,
        }
    }
}

words! {
    /// The stage of a rule.
    RuleStage, "stage":
    Connect = "connect",
    Helo = "helo",
    Mail = "mail",
    Rcpt = "rcpt",
    Prdr = "prdr",
    Data = "data",
}

words! {
    /// The refusal by a rule.
    RuleRefusal, "result": Deferred = "deferred", Refused = "refused",
}

impl RuleRefusal {
    pub(crate) fn of(reply: &Reply) -> Self {
        if reply.code().severity() == Severity::Permanent { Self::Refused } else { Self::Deferred }
    }
}

words! {
    /// The result of a message.
    MessageResult, "result":
    Accepted = "accepted",
    Quarantined = "quarantined",
    Relayed = "relayed",
    Discarded = "discarded",
    Deferred = "deferred",
    Refused = "refused",
    /// The connection ended within it.
    BrokenOff = "broken_off",
}

impl MessageResult {
    /// The result of a message that is not taken.
    pub(crate) fn refused(severity: Severity) -> Self {
        if severity == Severity::Permanent { Self::Refused } else { Self::Deferred }
    }
}

words! {
    /// The outcome of a question to the DNS.
    DnsOutcome, "outcome":
    Records = "records",
    Nodata = "nodata",
    Nxdomain = "nxdomain",
    ServFail = "servfail",
    Timeout = "timeout",
    Refused = "refused",
    Bogus = "bogus",
    OverLimit = "overlimit",
}

words! {
    /// The engine of a lookup.
    LookupEngine, "engine":
    Sqlite = "sqlite",
    Pgsql = "pgsql",
    Redis = "redis",
    Lsearch = "lsearch",
    Iplsearch = "iplsearch",
    Nwildlsearch = "nwildlsearch",
    /// The lines of a file in a list.
    File = "file",
}

words! {
    /// The outcome of a lookup.
    LookupWord, "result": Found = "found", NotFound = "not_found", Deferred = "deferred",
}

words! {
    /// The result of SPF (RFC 7208 section 2.6).
    SpfWord, "result":
    None = "none",
    Neutral = "neutral",
    Pass = "pass",
    Fail = "fail",
    SoftFail = "softfail",
    TempError = "temperror",
    PermError = "permerror",
}

words! {
    /// The result of DKIM or DMARC (RFC 8601 section 2.7).
    AuthWord, "result":
    None = "none",
    Pass = "pass",
    Fail = "fail",
    SoftFail = "softfail",
    Neutral = "neutral",
    Policy = "policy",
    TempError = "temperror",
    PermError = "permerror",
}

words! {
    /// The treatment of a message for the result of DMARC alone.
    TreatmentWord, "disposition":
    Accept = "accept",
    Quarantine = "quarantine",
    Defer = "defer",
    Reject = "reject",
}

words! {
    /// The transport of a delivery.
    Transport, "transport": Local = "local_delivery", Remote = "remote_smtp",
}

words! {
    /// The result of a delivery, for a recipient.
    DeliveryWord, "result": Delivered = "delivered", Deferred = "deferred", Failed = "failed",
}

words! {
    /// The security of a connection to another host.
    Security, "security":
    Clear = "clear",
    /// TLS with a server that is not verified.
    Unverified = "unverified",
    Verified = "verified",
    Dane = "dane",
}

words! {
    /// Why another host cannot be sent mail.
    OpenCause, "cause":
    Unreachable = "unreachable",
    Lost = "lost",
    Handshake = "handshake",
    TlsNotOffered = "tls_not_offered",
    TlsRefused = "tls_refused",
    CertificateRefused = "certificate_refused",
    CannotTake = "cannot_take",
    RefusedByAction = "refused_by_action",
}

words! {
    /// Why DANE does not allow a delivery: the data of the event `dane:fail`.
    DaneFailure, "reason":
    DaneRequired = "dane-required",
    DnssecInvalid = "dnssec-invalid",
    StarttlsNotSupported = "starttls-not-supported",
    ValidationFailure = "validation-failure",
}

words! {
    /// The staple of another host, in the order of `$tls_out_ocsp`.
    StapleOutcome, "outcome":
    NotRequested = "not_requested",
    Missing = "missing",
    NotVerified = "not_verified",
    Failed = "failed",
    Verified = "verified",
}

words! {
    /// The result of a request for our own staple.
    FetchResult, "result": Good = "good", Revoked = "revoked", Failed = "failed",
}

words! {
    /// A staple of ours.
    StapleState, "staple": Good = "good", Expired = "expired", None = "none",
}

impl StapleState {
    /// The state of a staple with this end, in seconds since 1970.
    pub(crate) fn of(until: Option<u64>, now: SystemTime) -> Self {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        match until {
            None => Self::None,
            Some(until) if until < now.as_secs() => Self::Expired,
            Some(_) => Self::Good,
        }
    }
}

words! {
    /// The result of the action of an event.
    EventResult, "result": Done = "done", Failed = "failed",
}

words! {
    /// The result of a reload.
    ReloadResult, "result": Applied = "applied", Refused = "refused",
}
