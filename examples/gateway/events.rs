//! The events of messages, recipients and connections, and their actions; the manual describes them.
//!
//! The `event_action` of the main section is for events of clients and of whole messages, that of a transport for
//! its deliveries. Mail does not wait for an event without an effect: it is queued in memory, and a separate thread
//! expands its action. Events beyond `event_queue_max` go into a file, for later or for the next start.

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
