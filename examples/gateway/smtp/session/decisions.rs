//! The replies to the session's questions.

use mail_types::smtp::{Reply, ReplyCode, Severity};

use super::{Question, Session, SessionState};
use crate::gateway::smtp::replies::write;

impl Session {
    /// Takes the reply to the open question; without one it has no effect. After 421 the connection is
    /// closed (RFC 5321 section 3.8).
    pub fn handle_decision(&mut self, reply: &Reply) {
        let question = match &self.state {
            SessionState::Replying(_) => return self.handle_verdict(reply),
            SessionState::Deciding(question) => *question,
            _ => return,
        };
        if reply.code() == ReplyCode::NOT_AVAILABLE {
            return self.fail(reply);
        }
        let yes = reply.code().severity() == Severity::Completed;
        self.state = SessionState::Ready;
        match question {
            Question::Connect if yes => {
                let Self { settings, output, .. } = self;
                let banner = format!("{} {}", settings.primary_hostname, settings.smtp_banner);
                write(&Reply::new(ReplyCode::READY, &banner), false, output);
                return;
            }
            Question::Connect => return self.fail(reply),
            Question::Greeting => return self.greeted(reply, yes),
            Question::Mail if !yes => return self.end_transaction(reply),
            Question::Recipient => {
                let recipient = self.candidate.take().filter(|_| yes);
                let Some(recipient) = recipient else { return self.refuse_recipient(reply) };
                if let Some(transaction) = &mut self.transaction {
                    transaction.add(recipient, reply.code());
                }
            }
            Question::Mail | Question::Verdict(_) | Question::Message => {}
        }
        self.answer(reply);
    }

    /// Takes a reply that refuses, and closes the connection after it; where each recipient has a reply, after
    /// all of them.
    pub(crate) fn handle_drop(&mut self, reply: &Reply) {
        match &mut self.state {
            SessionState::Replying(verdicts) => {
                verdicts.leave();
                self.handle_verdict(reply);
            }
            SessionState::Deciding(_) => self.fail(reply),
            _ => {}
        }
    }
}
