//! The inputs: files, mailboxes and folders, and the reports in them.

mod archive;
pub(crate) mod failure;
pub(crate) mod limits;
mod mail;
pub(crate) mod mailbox;
pub(crate) mod opening;
pub(crate) mod workers;
