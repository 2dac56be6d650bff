//! The storage of accepted mail: the Maildirs of recipients, and the store.

use std::path::{Path, PathBuf};

use mail_types::smtp::Domain;

use super::options::StoreKind;
use super::{ConfigError, ConfigOptions};
use crate::gateway::delivery::mailboxes::Mailboxes;
use crate::gateway::policy::condition::RuleScope;
use crate::gateway::store::settings::{StoreLimits, StoreSettings};

/// The Maildirs of recipients.
pub(super) fn mailboxes(
    options: &ConfigOptions,
    home: &RuleScope<'_>,
) -> Result<Mailboxes, ConfigError> {
    let (maildir, quarantine) = (options.maildir.as_deref(), options.quarantine_maildir.as_deref());
    Mailboxes::read(maildir, &default_maildir(options), quarantine, home)
        .map_err(|(option, problem)| ConfigError::List { option, problem })
}

fn default_maildir(options: &ConfigOptions) -> PathBuf {
    options.spool_directory.join("maildir")
}

/// Where accepted mail goes. A message is longer than its limit by our header fields.
pub(super) fn store(
    options: &ConfigOptions,
    mailboxes: &Mailboxes,
    host: &Domain,
) -> StoreSettings {
    match options.store {
        StoreKind::Discard => StoreSettings::Discard,
        StoreKind::Maildir => StoreSettings::Maildir {
            // With an expanded path, mail that an earlier configuration left in the journal needs a place.
            maildir: mailboxes
                .known_maildir()
                .map_or_else(|| default_maildir(options), Path::to_owned),
            journal: options.spool_directory.join("journal"),
            host: host.to_string(),
            limits: StoreLimits {
                message_bytes: usize::try_from(options.message_size_limit.0)
                    .unwrap_or(usize::MAX)
                    .saturating_add(HEAD),
                ..StoreLimits::default()
            },
        },
    }
}

/// How much longer than its limit a message gets by our header fields, in octets.
const HEAD: usize = 1 << 20;
