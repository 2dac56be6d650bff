//! `MAIL` and `RCPT`: the sender, the recipients, and their parameters.

use mail_types::smtp::{EnhancedCode, Reply, ReplyCode};

use super::{Question, Session, SessionState};
use crate::gateway::smtp::command::{Parameter, Recipient};
use crate::gateway::smtp::command_error::Shown;
use crate::gateway::smtp::replies::{
    bad_sequence, going, needs_utf8, say, too_large, unknown_parameter, wrong_argument,
};
use crate::gateway::smtp::transaction::Transaction;

impl Session {
    pub(super) fn mail(&mut self, mut transaction: Transaction, parameters: &[Parameter]) {
        if self.greeting.name.is_empty() {
            return self.error(&bad_sequence("EHLO or HELO required before MAIL"));
        }
        if self.transaction.is_some() {
            return self.error(&bad_sequence("MAIL: sender already given"));
        }
        let most = self.settings.smtp_accept_max_per_connection;
        if most > 0 && self.counts.messages >= most {
            return self.fail(&going(
                EnhancedCode::of::<4, 7, 0>(),
                "too many messages in this connection",
            ));
        }
        let named = parameters.iter().map(|p| (p.keyword.as_str(), p.value.as_deref()));
        let offered = self.greeting.extended && self.settings.prdr_enable;
        match prdr::is_requested(named, offered) {
            Ok(requested) => transaction.prdr = requested,
            Err(error) => {
                let text = format!("MAIL: {error}");
                return self.error(&say(
                    error.reply().code(),
                    EnhancedCode::of::<5, 5, 4>(),
                    &text,
                ));
            }
        }
        for parameter in parameters.iter().filter(|p| p.keyword != prdr::KEYWORD) {
            if let Err(reply) = self.mail_parameter(&mut transaction, parameter) {
                return self.error(&reply);
            }
        }
        // A domain of U-labels could be written in A-labels, but the client must declare it (RFC 6531 section 3.4).
        if !transaction.utf8 && !self.line.is_ascii() {
            return self.error(&needs_utf8(ReplyCode::MAILBOX_UNAVAILABLE, "MAIL"));
        }
        self.transaction = Some(transaction);
        self.state = SessionState::Deciding(Question::Mail);
    }

    fn mail_parameter(
        &self,
        transaction: &mut Transaction,
        parameter: &Parameter,
    ) -> Result<(), Reply> {
        let Parameter { keyword, value } = parameter;
        let value = value.as_deref();
        match (keyword.as_str(), value) {
            _ if !self.greeting.extended => {
                // RFC 5321 section 4.1.1.1.
                let text = format!("MAIL: parameter {} needs EHLO", Shown::new(keyword));
                Err(say(ReplyCode::PARAMETER_UNKNOWN, EnhancedCode::of::<5, 5, 4>(), &text))
            }
            ("SIZE", Some(size)) => {
                let digits = size.len() <= 20 && size.bytes().all(|c| c.is_ascii_digit());
                if !digits {
                    let text = format!("MAIL: SIZE is not a number: {}", Shown::new(size));
                    return Err(wrong_argument(&text));
                }
                // RFC 1870 section 3 allows twenty digits; a number that does not fit is too large.
                transaction.size = size.parse().unwrap_or(u64::MAX);
                if transaction.size > self.settings.message_size_limit {
                    Err(too_large())
                } else {
                    Ok(())
                }
            }
            ("BODY", Some(body)) if body.eq_ignore_ascii_case("7BIT") => Ok(()),
            ("BODY", Some(body)) if body.eq_ignore_ascii_case("8BITMIME") => {
                transaction.eight_bit = true;
                Ok(())
            }
            ("SMTPUTF8", None) => {
                transaction.utf8 = true;
                Ok(())
            }
            // RFC 8689 section 2; the codes are those of RFC 3207 section 4 and RFC 8689 section 4.2.1.
            ("REQUIRETLS", _) if !self.greeting.tls => Err(say(
                ReplyCode::TLS_REQUIRED,
                EnhancedCode::of::<5, 7, 10>(),
                "MAIL: parameter REQUIRETLS needs TLS",
            )),
            ("REQUIRETLS", None) => {
                transaction.require_tls = true;
                Ok(())
            }
            ("SIZE" | "BODY", None) => {
                Err(wrong_argument(&format!("MAIL: parameter {keyword} needs a value")))
            }
            ("BODY", Some(body)) => {
                let text = format!("MAIL: unsupported value of BODY: {}", Shown::new(body));
                Err(wrong_argument(&text))
            }
            ("SMTPUTF8" | "REQUIRETLS", Some(_)) => {
                Err(wrong_argument(&format!("MAIL: parameter {keyword} takes no value")))
            }
            _ => Err(unknown_parameter("MAIL", keyword)),
        }
    }

    pub(super) fn rcpt(&mut self, recipient: Recipient, parameters: &[Parameter]) {
        let Some(transaction) = self.transaction.as_mut().filter(|t| t.body.is_none()) else {
            return self.error(&bad_sequence("MAIL required before RCPT"));
        };
        transaction.rcpts.begin();
        if let Some(parameter) = parameters.first() {
            return self.wrong_rcpt(&unknown_parameter("RCPT", &parameter.keyword));
        }
        if transaction.recipients.len() >= self.settings.recipients_max {
            let text = "too many recipients, send the rest in another message";
            let later = say(ReplyCode::INSUFFICIENT_STORAGE, EnhancedCode::of::<4, 5, 3>(), text);
            return self.defer_recipient(&later);
        }
        let mailbox = match recipient {
            Recipient::Mailbox(mailbox) => Some(mailbox),
            Recipient::Postmaster => {
                format!("postmaster@{}", self.settings.primary_hostname).parse().ok()
            }
        };
        let Some(mailbox) = mailbox else {
            let no = say(
                ReplyCode::MAILBOX_UNAVAILABLE,
                EnhancedCode::NO_SUCH_MAILBOX,
                "no such mailbox",
            );
            self.unasked.rcpt(&no);
            return self.refuse_recipient(&no);
        };
        if !transaction.utf8 && !self.line.is_ascii() {
            return self.wrong_rcpt(&needs_utf8(ReplyCode::NAME_NOT_ALLOWED, "RCPT"));
        }
        self.candidate = Some(mailbox);
        self.state = SessionState::Deciding(Question::Recipient);
    }

    /// Replies to a `RCPT` with a mistake.
    fn wrong_rcpt(&mut self, reply: &Reply) {
        if let Some(transaction) = &mut self.transaction {
            transaction.rcpts.refuse(reply);
            self.unasked.rcpt(reply);
        }
        self.error(reply);
    }
}
