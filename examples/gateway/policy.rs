//! The rules of a configuration, and what they are asked with.

pub(crate) mod built_in;
pub(crate) mod client_lists;
pub(crate) mod condition;
pub(crate) mod conditions;
pub mod context;
pub mod decision;
pub mod delay;
#[cfg(feature = "gateway")]
pub(crate) mod event_lists;
pub(crate) mod field_text;
pub mod given;
mod header_fields;
pub(crate) mod host_list;
mod idle;
pub(crate) mod list;
mod message_text;
pub(crate) mod named_rules;
pub(crate) mod nearest;
pub(crate) mod outgoing;
pub mod place;
mod problem;
pub mod rates;
mod reply_text;
pub(crate) mod rule;
pub(crate) mod rule_step;
pub mod rules;
pub mod services;
mod source;
pub mod stage;
pub mod state;
pub(crate) mod surroundings;
pub(crate) mod text;
pub(crate) mod text_log;
pub(crate) mod unsupported;
pub(crate) mod variable;
pub(crate) mod words;
