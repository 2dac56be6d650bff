//! Where mail goes: closed, unless the configuration opens it.

use mail_types::{MailHost, Mailbox, Reply, ReplyCode};

use super::config::Config;
use super::phrases::say;

/// What becomes of mail for a recipient.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Route {
    /// It is kept here.
    Local,
    /// It goes to the next hop.
    Relay,
}

/// Decides on a recipient; the reply says why not.
pub(crate) fn route(config: &Config, recipient: &Mailbox) -> Result<Route, Reply> {
    if is_local(config, recipient.host()) {
        let local_part = recipient.local_part().to_lowercase();
        let known = |part: &String| part == "*" || *part == local_part;
        if local_part == "postmaster" || config.local_parts.iter().any(known) {
            return Ok(Route::Local);
        }
        return Err(say(ReplyCode::MAILBOX_UNAVAILABLE, "5.1.1", "no such mailbox here"));
    }
    match recipient.domain() {
        Some(domain) if config.relay_to_domains.contains(domain) => Ok(Route::Relay),
        _ => Err(say(ReplyCode::MAILBOX_UNAVAILABLE, "5.7.1", "relay not permitted")),
    }
}

/// The name of this host always is: `postmaster` without a domain is made an address with it.
fn is_local(config: &Config, host: &MailHost) -> bool {
    let own = |domain: &str| domain == config.session.primary_hostname;
    matches!(host, MailHost::Domain(domain) if own(domain.as_str()))
        || config.local_domains.contains(host)
}
