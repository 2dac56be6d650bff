//! `MAIL` and `RCPT`: the sender, the recipients, and their parameters.

use mail_types::smtp::{EnhancedCode, Mailbox, Reply, ReplyCode};

use super::{Question, Session, SessionState};
use crate::gateway::smtp::command::{Parameter, Recipient};
use crate::gateway::smtp::replies::{
    bad_sequence, going, needs_utf8, say, too_large, unknown_parameter,
};
use crate::gateway::smtp::transaction::Transaction;

impl Session {
    pub(super) fn mail(&mut self, mut transaction: Transaction, parameters: &[Parameter]) {
        if self.greeting.name.is_empty() {
            return self.error(&bad_sequence("say EHLO or HELO first"));
        }
        if self.transaction.is_some() {
            return self.error(&bad_sequence("sender already given"));
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
            Err(error) => return self.error(&error.reply()),
        }
        for parameter in parameters.iter().filter(|p| p.keyword != prdr::KEYWORD) {
            if let Err(reply) = self.mail_parameter(&mut transaction, parameter) {
                return self.error(&reply);
            }
        }
        if !transaction.utf8 && transaction.sender.mailbox().is_some_and(Mailbox::needs_utf8) {
            return self.error(&needs_utf8());
        }
        self.transaction = Some(transaction);
        self.state = SessionState::Deciding(Question::Mail);
    }

    fn mail_parameter(
        &self,
        transaction: &mut Transaction,
        parameter: &Parameter,
    ) -> Result<(), Reply> {
        let value = parameter.value.as_deref();
        match (parameter.keyword.as_str(), value) {
            _ if !self.greeting.extended => Err(unknown_parameter()), // RFC 5321 section 4.1.1.1
            ("SIZE", Some(size)) => {
                let digits = size.len() <= 20 && size.bytes().all(|c| c.is_ascii_digit());
                if !digits {
                    return Err(say(
                        ReplyCode::ARGUMENT_ERROR,
                        EnhancedCode::of::<5, 5, 4>(),
                        "SIZE is not a number",
                    ));
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
            ("REQUIRETLS", _) if !self.greeting.tls => Err(unknown_parameter()),
            ("REQUIRETLS", None) => {
                transaction.require_tls = true;
                Ok(())
            }
            ("SIZE" | "BODY" | "SMTPUTF8" | "REQUIRETLS", _) => Err(say(
                ReplyCode::ARGUMENT_ERROR,
                EnhancedCode::of::<5, 5, 4>(),
                "unsupported parameter value",
            )),
            _ => Err(unknown_parameter()),
        }
    }

    pub(super) fn rcpt(&mut self, recipient: Recipient, parameters: &[Parameter]) {
        let Some(transaction) = self.transaction.as_mut().filter(|t| t.body.is_none()) else {
            return self.error(&bad_sequence("MAIL required before RCPT"));
        };
        transaction.rcpts.begin();
        if !parameters.is_empty() {
            return self.wrong_rcpt(&unknown_parameter());
        }
        if transaction.recipients.len() >= self.settings.recipients_max {
            let text = "too many recipients, send the rest in another message";
            let later = say(ReplyCode::INSUFFICIENT_STORAGE, EnhancedCode::of::<4, 5, 3>(), text);
            transaction.rcpts.refuse(&later);
            self.unasked.rcpt(&later);
            return self.answer(&later);
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
            transaction.rcpts.refuse(&no);
            self.unasked.rcpt(&no);
            return self.answer(&no);
        };
        if mailbox.needs_utf8() && !transaction.utf8 {
            return self.wrong_rcpt(&needs_utf8());
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
