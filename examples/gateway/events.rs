//! The events of messages, recipients and connections, and the actions that are expanded for them.
//!
//! `event_action` of the main section is for what happens to a message as a whole and to clients, the
//! one of a transport for deliveries by it; `$event_name` says what happened:
//!
//! ```toml
//! event_action = '''${if eq{$event_name}{msg:complete}{${lookup sqlite{INSERT INTO done \
//!     VALUES ('${quote_sqlite:$message_exim_id}')}{}}}}'''
//! event_profile = "current"  # or "2014": the nine events of then
//! event_select = "msg:* tcp:connect"  # of them, those that actions are for
//! event_failure = "proceed"  # or "refuse": where an action has no result, but one is waited for
//! event_timeout = "5s"  # for one action
//! event_queue_max = 2000  # events in memory
//! event_overflow_limit = "16M"  # events on the disk, when the memory's share is used up
//!
//! [remote_smtp]  # to the next hop
//! event_action = "${if eq{$event_name}{tcp:connect}{${if match_ip{$host_address}{192.0.2.0/24}{no}}}}"
//!
//! [local_delivery]  # into the Maildir
//! event_action = ""
//! ```
//!
//! A configuration without `event_action` has [`SHIPPED`](settings::SHIPPED) for all: each of the nine events of 2014
//! becomes a row of the table `events` in `sqlite_dbfile`, `gateway.sqlite` under `spool_directory`
//! unless that says otherwise; it keeps the last million. `event_action = ""` turns it off, and with
//! an `event_action` of the main section a transport has none but its own.
//!
//! A lookup that changes rows finds how many, and a result forces something at `tcp:connect` and
//! `smtp:connect`: an action that only records has `{}` behind its query, as the shipped one has.
//!
//! # What happens here
//!
//! | event | `$event_data` | raised when |
//! |---|---|---|
//! | `tcp:connect` | | a next hop's address is about to be tried; a result forbids it |
//! | `smtp:connect` | its banner | that has come; a result has the connection closed |
//! | `smtp:ehlo` | its reply | that has come |
//! | `tcp:close` | | the connection is closed; what became of recipients is told after it |
//! | `msg:delivery` | the confirmation | the next hop has taken a recipient's copy, or the Maildir has it |
//! | `msg:fail:delivery` | the error | the next hop has refused a recipient or the message for good |
//! | `msg:host:defer`, `msg:defer` | the error | an attempt at an address failed; no other is left |
//! | `msg:rcpt:host:defer`, `msg:rcpt:defer` | the error | the next hop has put a recipient off, at `RCPT` or with PRDR |
//! | `msg:defer` | the error | it has put the message off |
//! | `msg:complete` | | a message was accepted: recipients who were put off are the client's to try again |
//! | `smtp:fail:protocol`, `smtp:fail:syntax` | our reply | a client has made a mistake |
//! | `tls:fail:connect` | the error | a client's handshake failed |
//! | `dns:fail` | outcome, name, type | the name of a client or the next hop was not found |
//!
//! A certificate is asked of nobody and TLS spoken to no next hop, so that `tls:cert` and `dane:fail`
//! never come; neither do `auth:fail`, without `AUTH`, nor `msg:fail:internal`, without filters and
//! a queue to cancel. Variables of the moment, `$tod_log` and its like, are those of the event, in UTC.
//!
//! # What is promised
//!
//! Mail does not wait for an event that decides nothing: it is queued in memory, and its action
//! expanded by a thread of its own. Where the result of `tcp:connect`, `smtp:connect` and `tls:cert`
//! is wanted they are not queued: their actions are expanded at once, for at most `event_timeout`, and
//! then it goes on as `event_failure` says. The shipped action, which decides nothing, is queued for
//! these as well.
//!
//! If more events wait than `event_queue_max`, the others are put aside into a file, for later or the
//! next start: a database that is slow, or locked, for a while costs none, until the file is full.
//! Those that are put aside come later than those that happened after them. What there is no room for
//! is counted, and logged. An action that fails is logged, and not tried again.
//!
//! A server that stops works off what waits for at most five seconds, and puts the rest aside. A
//! process that is killed loses the events in its memory, and may have those of one batch come again;
//! it loses no mail.

#[cfg(feature = "gateway")]
pub(crate) mod batch;
#[cfg(feature = "gateway")]
pub(crate) mod delivery_attempt;
#[cfg(feature = "gateway")]
pub(crate) mod dispatcher;
#[cfg(feature = "gateway")]
pub(crate) mod ledger;
mod moment;
#[cfg(feature = "gateway")]
pub(crate) mod origin;
#[cfg(feature = "gateway")]
pub(crate) mod overflow;
#[cfg(feature = "gateway")]
pub(crate) mod queue;
pub mod raised_event;
pub mod record;
pub(crate) mod settings;
pub mod variables;
#[cfg(feature = "gateway")]
mod worker;

#[cfg(feature = "gateway")]
pub(crate) use self::dispatcher::{Events, EventsStart};
