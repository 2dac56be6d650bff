//! The events of messages, recipients and connections, and their actions.
//!
//! The `event_action` of the main section is for events of clients and of whole messages, that of a
//! transport for its deliveries; `$event_name` is the event:
//!
//! ```toml
//! event_action = '''${if eq{$event_name}{msg:complete}{${lookup sqlite{INSERT INTO done \
//!     VALUES ('${quote_sqlite:$message_exim_id}')}{}}}}'''
//! event_profile = "current"  # or "2014": the nine events of 2014
//! event_select = "msg:* tcp:connect"  # the events with an action
//! event_failure = "proceed"  # or "refuse": the result of a failed action
//! event_timeout = "5s"  # for each action
//! event_queue_max = 2000  # events in memory
//! event_overflow_limit = "16M"  # events on the disk, if the memory is full
//!
//! [remote_smtp]  # to the next hop
//! event_action = "${if eq{$event_name}{tcp:connect}{${if match_ip{$host_address}{192.0.2.0/24}{no}}}}"
//!
//! [local_delivery]  # into the Maildir
//! event_action = ""
//! ```
//!
//! Without `event_action` the default action is [`SHIPPED`](settings::SHIPPED): each of the nine events of 2014
//! becomes a row of the table `events` in `sqlite_dbfile` (default: `gateway.sqlite` under
//! `spool_directory`), which keeps the last million. `event_action = ""` turns it off. With an
//! `event_action` in the main section a transport has only its own.
//!
//! An action calls the list of rules `[[acl.NAME]]` by `${acl{NAME}{ARGUMENT}…}`, as Exim's text of
//! 2014 suggests for complex operations; the `message` of its `accept` or `deny` is the text.
//!
//! The result of a lookup that changes rows is their number, and a result has an effect at `tcp:connect`
//! and `smtp:connect`: an action that only records needs `{}` after its query, as the default has.
//!
//! # Events
//!
//! | event | `$event_data` | raised when |
//! |---|---|---|
//! | `tcp:connect` | | a next hop's address is about to be tried; a result forbids it |
//! | `smtp:connect` | the banner | the next hop has sent it; a result closes the connection |
//! | `smtp:ehlo` | the reply | the next hop has sent it |
//! | `tcp:close` | | the connection is closed; the events of the recipients follow |
//! | `msg:delivery` | the confirmation | the next hop or the Maildir has a recipient's copy |
//! | `msg:fail:delivery` | the error | the next hop has refused a recipient or the message permanently |
//! | `msg:host:defer`, `msg:defer` | the error | an attempt at an address failed; no other address is left |
//! | `msg:rcpt:host:defer`, `msg:rcpt:defer` | the error | the next hop has deferred a recipient, at `RCPT` or with PRDR |
//! | `msg:defer` | the error | the next hop has deferred the message |
//! | `msg:complete` | | a message was accepted; the client tries deferred recipients again |
//! | `smtp:fail:protocol`, `smtp:fail:syntax` | our reply | a client has made a mistake |
//! | `tls:cert` | the depth | the next hop, or a client that was asked for it, has sent this certificate, the highest depth first; a result closes the connection |
//! | `dane:fail` | one of four words | DANE does not allow a delivery to a host: `dane-required`, `dnssec-invalid`, `starttls-not-supported`, `validation-failure` |
//! | `tls:fail:connect` | the error | a client's handshake failed |
//! | `dns:fail` | outcome, name, type | the name of a client or the next hop was not found |
//!
//! `auth:fail` never occurs, since there is no `AUTH`, nor does `msg:fail:internal`, since there are no filters and
//! no queue. `tls:cert` is for the certificates that a peer sends, not for those of the path by which it is verified. Time variables such as `$tod_log` are those of the event, in UTC.
//!
//! # Guarantees
//!
//! Mail does not wait for an event without an effect: it is queued in memory, and a separate thread
//! expands its action. The actions of `tcp:connect`, `smtp:connect` and `tls:cert` have an effect: they
//! are expanded at once, for at most `event_timeout`; after that `event_failure` decides. The default
//! action has no effect, and is queued for these events too.
//!
//! Events beyond `event_queue_max` go into a file, for later or for the next start: a slow or locked
//! database loses no event until the file is full. Events from the file are handled after later ones.
//! Lost events are counted and logged. A failed action is logged, and not tried again.
//!
//! A server that stops handles waiting events for at most five seconds, and writes the rest to the file.
//! A killed process loses the events in its memory, and may repeat those of one batch; it loses no mail.

#[cfg(feature = "gateway")]
pub(crate) mod action_lists;
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
pub(crate) mod outgoing_tls;
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
