//! The replies of the server.

use std::time::Instant;

use mail_types::smtp::{Reply, ReplyCode, ReplyError, Severity};
use memchr::{memchr2, memrchr};

use super::{Client, ClientStep, Due, Lost, Offers};

impl Client {
    /// Returns the next reply, if it is whole.
    pub(super) fn take_reply(&mut self) -> Option<Reply> {
        let rest = self.input.rest();
        // Parse again only after a line end, so that single octets do not cause a parse each.
        let line = rest.get(self.seen..).unwrap_or_default();
        let too_long = line.len() + "\r\n".len() > Reply::MAX_LINE_READ;
        if memchr2(b'\r', b'\n', line).is_some() || too_long {
            match Reply::parse(rest) {
                Ok((behind, reply)) => {
                    let used = rest.len() - behind.len();
                    self.input.take(used);
                    self.seen = 0;
                    return Some(reply);
                }
                Err(ReplyError::Incomplete) => {
                    self.seen = memrchr(b'\n', rest).map_or(0, |end| end + 1);
                }
                Err(_) => self.lose(Lost::Malformed),
            }
        }
        if self.ended {
            self.lose(Lost::Closed);
        }
        None
    }

    /// Takes the reply to the oldest command that has none.
    pub(super) fn handle_reply(&mut self, reply: Reply, now: Instant) -> Option<ClientStep> {
        let severity = reply.code().severity();
        let &due = self.due.front()?;
        if reply.code() == ReplyCode::NOT_AVAILABLE {
            self.lose(Lost::NotWilling(reply));
            return None;
        }
        if self.transfer.is_some() {
            self.handle_transfer_reply(due, reply, now);
            return None;
        }
        self.due.pop_front();
        match due {
            Due::Greeting if reply.code() != ReplyCode::READY => {
                self.lose(Lost::NotWilling(reply));
            }
            Due::Ehlo => {
                let completed = severity == Severity::Completed;
                self.offers = Offers::default();
                self.ehlo = Some(reply.clone());
                if completed {
                    self.offers = Offers::read(&reply, self.secured);
                    self.offers.prdr &= self.settings.try_prdr;
                    return Some(ClientStep::Replied(reply));
                }
                self.command(Due::Helo);
            }
            Due::Helo if severity != Severity::Completed => {
                self.lose(Lost::NotWilling(reply));
            }
            Due::StartTls if severity == Severity::Completed => {
                // RFC 3207 section 6: these octets could be of an attacker in the middle.
                if self.may_send() {
                    let by = self.by(now, self.settings.limits.command);
                    return Some(ClientStep::StartTls(by));
                }
            }
            Due::Greeting | Due::Helo | Due::Quit => return Some(ClientStep::Replied(reply)),
            _ if severity == Severity::Intermediate => self.lose(Lost::Malformed),
            _ => {
                if severity == Severity::Completed {
                    self.extend_transaction(due);
                }
                return Some(ClientStep::Replied(reply));
            }
        }
        None
    }

    /// The server has accepted the sender or a recipient.
    fn extend_transaction(&mut self, due: Due) {
        let transaction = &mut self.transaction;
        match due {
            Due::Mail => {
                transaction.open = true;
                transaction.recipients.clear();
            }
            Due::Recipient(_) => transaction.recipients.extend(transaction.candidate.take()),
            _ => {}
        }
    }
}
