//! What a list of rules comes to.

use mail_types::smtp::Reply;

/// The outcome of a list of rules; without a refusal, it is yes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Decision {
    /// The reply that refuses, for good or for now.
    pub refusal: Option<Reply>,
    /// Whether the connection ends after the refusal.
    pub drops: bool,
    /// At prdr: the reply of a recipient that takes the message.
    pub acceptance: Option<Reply>,
    /// At prdr: that the recipient wants the message in quarantine; the field that says why.
    pub quarantine: Option<String>,
    /// What the log is to say besides.
    pub log_message: Option<String>,
}
