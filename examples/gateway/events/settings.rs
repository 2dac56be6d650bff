//! The settings of events: actions and limits.

use std::time::Duration;

use event_expand::{EventName, Need, OnFailure, Profile, Section, Selection, Template};

use super::variables::may_set;

/// The actions and limits of events.
#[derive(Clone, Debug)]
pub(crate) struct EventSettings {
    pub(crate) actions: Vec<Action>,
    /// The set of events.
    pub(crate) profile: Profile,
    /// The events with an action.
    pub(crate) selection: Selection,
    /// Whether an action may ask for the certificate that this host has shown to a client.
    pub(crate) reads_own_certificate: bool,
    /// Whether the default action is in use, which needs its table.
    pub(crate) shipped: bool,
    /// The effect of a failed action, for an event with an effect.
    pub(crate) on_failure: OnFailure,
    /// The time limit of an action.
    pub(crate) timeout: Duration,
    /// The most events in memory.
    pub(crate) queue: usize,
    /// The largest overflow file, in octets.
    pub(crate) overflow: u64,
}

/// An `event_action` of the main section, or of a transport.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    pub(crate) transport: Option<&'static str>,
    pub(crate) template: Template,
}

impl Action {
    /// Tells whether it may ask for the certificate that this host has shown to a client: a list of rules and a text
    /// that is expanded again may do so, too.
    pub(crate) fn reads_own_certificate(&self) -> bool {
        let is_unknown = |(_, need): (usize, Need<'_>)| matches!(need, Need::Acl(_) | Need::Again);
        let names_it = |need: &Need<'_>| matches!(need, Need::CertExtract { variable, .. } if *variable == Some(b"tls_in_ourcert"));
        self.template.names().any(|name| name == "tls_in_ourcert")
            || self.template.needs().any(|need| names_it(&need.1) || is_unknown(need))
    }
}

impl EventSettings {
    /// Returns the action of an event, with or without a transport, if any.
    pub(crate) fn action(&self, event: EventName, transport: Option<&str>) -> Option<&Template> {
        if !event.is_in(self.profile) || !self.selection.has(event) {
            return None;
        }
        let place = transport.filter(|_| event.section(self.profile) == Section::Transport);
        let found = self.actions.iter().find(|action| action.transport == place);
        found.map(|action| &action.template)
    }

    /// Finds a variable of an action that no selected event sets. If several sections share the text, the
    /// events of all of them count.
    pub(crate) fn unset<'a>(&self, action: &'a Action) -> Option<&'a str> {
        let is_selected =
            |event: &EventName| event.is_in(self.profile) && self.selection.has(*event);
        let is_set = |name: &&str| {
            let mut events = EventName::ALL.into_iter().filter(is_selected);
            events.any(|event| {
                transports(event).iter().any(|transport| may_set(event, *transport, name))
            })
        };
        action.template.names().find(|name| !is_set(name))
    }

    /// Tells whether an action runs for an event that can happen, with or without a transport.
    pub(crate) fn is_used(
        &self,
        action: &Action,
        happens: impl Fn(EventName, Option<&str>) -> bool,
    ) -> bool {
        EventName::ALL.into_iter().any(|event| {
            let at_work = transports(event).iter().filter(|place| happens(event, **place));
            let mut used = at_work.filter_map(|transport| self.action(event, *transport));
            used.any(|template| std::ptr::eq(template, &raw const action.template))
        })
    }

    /// Tells whether no event has an action.
    pub(crate) fn is_off(&self) -> bool {
        self.actions.is_empty()
    }
}

/// The names of the transports in events and in the configuration.
pub(crate) const REMOTE_SMTP: &str = "remote_smtp";
pub(crate) const LOCAL_DELIVERY: &str = "local_delivery";
pub(crate) const TRANSPORTS: [&str; 2] = [REMOTE_SMTP, LOCAL_DELIVERY];

/// Returns the transports for which this program raises an event; `None` stands for the event without a
/// transport. The list is empty for an event that it never raises.
pub(crate) fn transports(event: EventName) -> &'static [Option<&'static str>] {
    use EventName::{
        DaneFail, DnsFail, MsgComplete, MsgDefer, MsgDelivery, MsgFailDelivery, MsgHostDefer,
        MsgRcptDefer, MsgRcptHostDefer, SmtpConnect, SmtpEhlo, SmtpFailProtocol, SmtpFailSyntax,
        TcpClose, TcpConnect, TlsCert, TlsFailConnect,
    };
    match event {
        DnsFail | TlsCert => &[None, Some(REMOTE_SMTP)],
        MsgComplete | SmtpFailProtocol | SmtpFailSyntax | TlsFailConnect => &[None],
        MsgDelivery => &[Some(REMOTE_SMTP), Some(LOCAL_DELIVERY)],
        MsgDefer | MsgFailDelivery | MsgHostDefer | MsgRcptDefer | MsgRcptHostDefer => {
            &[Some(REMOTE_SMTP)]
        }
        DaneFail | SmtpConnect | SmtpEhlo | TcpClose | TcpConnect => &[Some(REMOTE_SMTP)],
        _ => &[],
    }
}

/// The default action: each event is a row of the table `events` in `sqlite_dbfile`.
pub(crate) const SHIPPED: &str = "${lookup sqlite{INSERT INTO events \
    (time, event, message_id, sender, local_part, domain, router, transport, \
    host, host_address, host_port, data, defer_errno) VALUES (\
    '$tod_log', '$event_name', '${quote_sqlite:$message_exim_id}', \
    '${quote_sqlite:$sender_address}', '${quote_sqlite:$local_part}', '${quote_sqlite:$domain}', \
    '${quote_sqlite:$router_name}', '${quote_sqlite:$transport_name}', \
    '${quote_sqlite:$host}', '${quote_sqlite:$host_address}', '${quote_sqlite:$host_port}', \
    '${quote_sqlite:$event_data}', '$event_defer_errno')}{}}";
