//! The events that can happen in a configuration.

use event_expand::{EventName, Selection};

use super::effect::NO_RELAY;
use super::events_error::EventsError;
use crate::gateway::events::settings::{EventSettings, REMOTE_SMTP, transports};

/// What raises events, besides the clients with their commands and messages, which always do.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a source")]
pub(super) struct EventSources {
    /// Mail goes to a next hop.
    pub(super) relays: bool,
    /// The next hop may be a name, which is looked up.
    pub(super) next_hop_names: bool,
    /// The reason why DANE is never used with a next hop.
    pub(super) no_dane: Option<&'static str>,
    /// Names of clients are looked up.
    pub(super) client_names: bool,
    /// TLS is offered to clients.
    pub(super) tls: bool,
    /// Clients are asked for certificates.
    pub(super) client_certificates: bool,
}

impl EventSources {
    /// Tells why an event cannot happen, with or without a transport.
    pub(super) fn lack(self, event: EventName, transport: Option<&str>) -> Option<&'static str> {
        use EventName::{DaneFail, DnsFail, TlsCert, TlsFailConnect};
        match (event, transport) {
            (_, Some(REMOTE_SMTP)) if !self.relays => Some(NO_RELAY),
            (DaneFail, _) => self.no_dane,
            (DnsFail, Some(_)) if !self.next_hop_names => {
                Some("route_data is an address, which is not looked up")
            }
            (DnsFail, None) if !self.client_names => Some("host_lookup matches no client"),
            (TlsCert, None) if !self.client_certificates => {
                Some("tls_verify_hosts and tls_try_verify_hosts match no client")
            }
            (TlsFailConnect, None) if !self.tls => Some("tls_advertise_hosts matches no client"),
            _ => None,
        }
    }

    /// Finds a word of `event_select` whose events cannot happen, or have no action, and tells why.
    pub(super) fn idle_word(self, text: &str, settings: &EventSettings) -> Option<EventsError> {
        let words = text.split_ascii_whitespace().filter(|word| *word != ":");
        words.enumerate().find_map(|(number, word)| {
            let (mut causes, mut happens) = (Vec::new(), false);
            for event in word.parse::<Selection>().ok()?.iter() {
                let is_in = event.is_in(settings.profile);
                for transport in transports(event).iter().filter(|_| is_in) {
                    match self.lack(event, *transport) {
                        Some(cause) if causes.contains(&cause) => {}
                        Some(cause) => causes.push(cause),
                        None if settings.action(event, *transport).is_some() => return None,
                        None => happens = true,
                    }
                }
            }
            let cause = if happens {
                "no event_action is for its events".to_owned()
            } else {
                causes.join(", and ")
            };
            Some(EventsError::Idle { number, cause })
        })
    }
}
