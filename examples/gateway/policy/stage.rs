//! Where in a session rules are asked.

use mail_types::ReplyCode;

/// A place, in the order of a session.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Place {
    /// Before the banner.
    Connect,
    /// At `MAIL`.
    Mail,
    /// At each `RCPT`.
    Rcpt,
    /// Behind the message, for each recipient.
    Prdr,
    /// Behind the message, once, for those who take it.
    Data,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Connect, Self::Mail, Self::Rcpt, Self::Prdr, Self::Data];
    /// Those that belong to a message.
    pub(crate) const MESSAGE: &[Self] = &[Self::Mail, Self::Rcpt, Self::Prdr, Self::Data];
    /// Those with a message to look into.
    pub const CONTENT: &[Self] = &[Self::Prdr, Self::Data];
    /// Those with a recipient of their own.
    pub const RECIPIENT: &[Self] = &[Self::Rcpt, Self::Prdr];

    /// Returns the option that holds its rules.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Connect => "acl_smtp_connect",
            Self::Mail => "acl_smtp_mail",
            Self::Rcpt => "acl_smtp_rcpt",
            Self::Prdr => "acl_smtp_data_prdr",
            Self::Data => "acl_smtp_data",
        }
    }

    /// Returns the place whose rules this option holds. The text of 2014 has another name for one.
    pub(crate) fn named(option: &str) -> Option<Self> {
        match option {
            "acl_data_smtp_prdr" => Some(Self::Prdr),
            _ => Self::ALL.into_iter().find(|place| place.option() == option),
        }
    }

    /// Returns the code of a refusal for good. Before the banner it is not 550 (RFC 5321 section
    /// 3.1).
    pub(super) fn denied(self) -> ReplyCode {
        match self {
            Self::Connect => ReplyCode::TRANSACTION_FAILED,
            _ => ReplyCode::MAILBOX_UNAVAILABLE,
        }
    }

    /// Returns the code of a refusal for now.
    pub(super) fn deferred(self) -> ReplyCode {
        match self {
            Self::Connect => ReplyCode::NOT_AVAILABLE,
            Self::Prdr => ReplyCode::BUSY,
            _ => ReplyCode::LOCAL_ERROR,
        }
    }
}
