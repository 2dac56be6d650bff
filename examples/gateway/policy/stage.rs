//! The stages of a session at which rules are evaluated, and the action of an event.

use mail_types::smtp::ReplyCode;

use super::state::Lasts;

/// A stage, in the order of a session.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Stage {
    /// As a connection is accepted: where `host_lookup` is asked.
    Accept,
    /// Where other options are asked that are lists of clients, which no rule has seen.
    Client,
    /// Before the banner.
    Connect,
    /// As TLS is started, when the client has said which server it wants.
    Tls,
    /// At `HELO` and `EHLO`.
    Helo,
    /// At `MAIL`.
    Mail,
    /// At each `RCPT`.
    Rcpt,
    /// Behind the message, for each recipient.
    Prdr,
    /// Behind the message, once, for those who take it.
    Data,
    /// In the action of an event, which is in no session.
    Event,
}

impl Stage {
    /// Those that rules can be for.
    pub const ALL: [Self; 6] =
        [Self::Connect, Self::Helo, Self::Mail, Self::Rcpt, Self::Prdr, Self::Data];
    /// Those of lists of rules that others call.
    pub(crate) const CALLED: &[Self] =
        &[Self::Connect, Self::Helo, Self::Mail, Self::Rcpt, Self::Prdr, Self::Data, Self::Event];
    /// Those with the sender of a message.
    pub(crate) const OF_SENDER: &[Self] =
        &[Self::Mail, Self::Rcpt, Self::Prdr, Self::Data, Self::Event];
    /// Those that belong to a message.
    pub(crate) const MESSAGE: &[Self] = &[Self::Mail, Self::Rcpt, Self::Prdr, Self::Data];
    /// Those where the client has said its name.
    pub(crate) const GREETED: &[Self] =
        &[Self::Helo, Self::Mail, Self::Rcpt, Self::Prdr, Self::Data];
    /// Those with a message to look into.
    pub const CONTENT: &[Self] = &[Self::Prdr, Self::Data];
    /// Those with a recipient of their own.
    pub const RECIPIENT: &[Self] = &[Self::Rcpt, Self::Prdr];

    /// Those from the client's name on.
    pub(crate) const NAMED: &[Self] = &[
        Self::Client,
        Self::Connect,
        Self::Tls,
        Self::Helo,
        Self::Mail,
        Self::Rcpt,
        Self::Prdr,
        Self::Data,
    ];
    /// Those where TLS may be there.
    pub(crate) const SECURED: &[Self] =
        &[Self::Tls, Self::Helo, Self::Mail, Self::Rcpt, Self::Prdr, Self::Data];
    /// Those where a profile is known.
    pub(crate) const PROFILED: &[Self] = &[Self::Rcpt, Self::Prdr, Self::Data];

    /// Returns the option that holds its rules; where there are none, what it is.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Accept => "the start of a connection",
            Self::Client => "the greeting of a client",
            Self::Connect => "acl_smtp_connect",
            Self::Tls => "the start of TLS",
            Self::Helo => "acl_smtp_helo",
            Self::Mail => "acl_smtp_mail",
            Self::Rcpt => "acl_smtp_rcpt",
            Self::Prdr => "acl_smtp_data_prdr",
            Self::Data => "acl_smtp_data",
            Self::Event => "event_action",
        }
    }

    /// Returns the names of stages, with "and" before the last.
    pub(crate) fn names(stages: &[Self]) -> String {
        let names: Vec<_> = stages.iter().map(|stage| stage.option()).collect();
        match names.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => names.concat(),
        }
    }

    /// Returns the stage whose rules this option holds. The text of 2014 has another name for one.
    #[must_use]
    pub fn named(option: &str) -> Option<Self> {
        match option {
            "acl_data_smtp_prdr" => Some(Self::Prdr),
            _ => Self::ALL.into_iter().find(|stage| stage.option() == option),
        }
    }

    /// Returns how long what a rule notes down lasts.
    pub(super) fn lasts(self) -> Lasts {
        match self {
            Self::Connect | Self::Helo => Lasts::Connection,
            _ => Lasts::Message,
        }
    }

    /// Returns the code of a refusal for good. Before the banner it is not 550 (RFC 5321 section
    /// 3.1).
    pub(super) fn denied(self) -> ReplyCode {
        match self {
            Self::Accept | Self::Client | Self::Connect => ReplyCode::TRANSACTION_FAILED,
            _ => ReplyCode::MAILBOX_UNAVAILABLE,
        }
    }

    /// Returns the code of a refusal for now.
    pub(super) fn deferred(self) -> ReplyCode {
        match self {
            Self::Accept | Self::Client | Self::Connect => ReplyCode::NOT_AVAILABLE,
            Self::Prdr => ReplyCode::BUSY,
            _ => ReplyCode::LOCAL_ERROR,
        }
    }
}
