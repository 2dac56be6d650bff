//! The settings of events: actions and limits.

use std::collections::BTreeSet;
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

/// The main section, or the table of a transport.
pub(crate) type Place = Option<&'static str>;

/// An `event_action` of the main section, or of a transport.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    pub(crate) transport: Place,
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
        if !self.selects(event) {
            return None;
        }
        let place = self.place(event, transport);
        let found = self.actions.iter().find(|action| action.transport == place);
        found.map(|action| &action.template)
    }

    /// Finds a variable of an action that none of its events sets, and the sections whose events set it.
    pub(crate) fn unset<'a>(&self, action: &'a Action) -> Option<(&'a str, Vec<Place>)> {
        let mut names = action.template.names();
        names.find_map(|name| {
            let places = self.places(|event, transport| may_set(event, transport, name));
            (!self.reaches(&places, action)).then_some((name, places))
        })
    }

    /// Finds an event that an action compares `$event_name` with and never gets, with the position of the comparison and
    /// the sections that get it.
    pub(crate) fn unheard(&self, action: &Action) -> Option<(usize, EventName, Vec<Place>)> {
        action.template.compared("event_name").find_map(|(at, text)| {
            let is_it = |event: &EventName| event.as_str().as_bytes().eq_ignore_ascii_case(text);
            let event = EventName::ALL.into_iter().find(is_it)?;
            let places = self.places(|other, _| other == event);
            (!self.reaches(&places, action)).then_some((at, event, places))
        })
    }

    /// Returns the sections with a selected event for which this holds.
    fn places(&self, holds: impl Fn(EventName, Place) -> bool) -> Vec<Place> {
        let selected = EventName::ALL.into_iter().filter(|event| self.selects(*event));
        let each = selected.flat_map(|event| transports(event).iter().map(move |t| (event, *t)));
        let holding = each.filter(|(event, transport)| holds(*event, *transport));
        let places: BTreeSet<_> = holding.map(|(event, it)| self.place(event, it)).collect();
        places.into_iter().collect()
    }

    /// Tells whether one of these sections has the text of an action: sections may share it, as a macro.
    fn reaches(&self, places: &[Place], action: &Action) -> bool {
        self.actions.iter().any(|other| {
            places.contains(&other.transport) && other.template.text() == action.template.text()
        })
    }

    /// Tells whether an event is selected, and in the set of events.
    pub(crate) fn selects(&self, event: EventName) -> bool {
        event.is_in(self.profile) && self.selection.has(event)
    }

    /// Returns the section of an event, with or without a transport.
    fn place<'a>(&self, event: EventName, transport: Option<&'a str>) -> Option<&'a str> {
        transport.filter(|_| event.section(self.profile) == Section::Transport)
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
