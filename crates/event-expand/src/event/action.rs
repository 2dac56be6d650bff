//! An event, and the expansion of its action.

use std::collections::BTreeMap;

use mail_types::exim::{Trust, Value, Variable};

use crate::answered::Answered;
use crate::event::{Effect, EventName};
use crate::expansion::{Journal, Options, Progress, Request};
use crate::stop::ExpandFailure;
use crate::template::Template;
use crate::variables::{HeaderForm, ListKind, ProgramState, Variables};

/// An event, with the variables of its action. Each event has its own variables, none from an
/// earlier one.
///
/// ```
/// use event_expand::{Event, EventName};
/// use mail_types::exim::Trust;
///
/// let event = Event::new(EventName::MsgDelivery)
///     .data(b"250 OK id=1", Trust::Untrusted)
///     .with("host_address", b"192.0.2.1", Trust::Untrusted)
///     .with("transport_name", b"remote_smtp", Trust::Trusted);
/// assert_eq!(event.name(), EventName::MsgDelivery);
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Event {
    name: EventName,
    values: BTreeMap<&'static str, Value<'static>>,
}

impl Event {
    /// Makes an event without data.
    #[must_use]
    pub fn new(name: EventName) -> Self {
        Self { name, values: BTreeMap::new() }
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> EventName {
        self.name
    }

    /// Sets `$event_data`, as documented for [`EventName`].
    #[must_use]
    pub fn data(self, data: &[u8], trust: Trust) -> Self {
        self.with("event_data", data, trust)
    }

    /// Sets `$event_defer_errno`, for the events of deferrals.
    #[must_use]
    pub fn defer_errno(self, errno: i32) -> Self {
        self.with("event_defer_errno", errno.to_string().as_bytes(), Trust::Trusted)
    }

    /// Sets one of the [`VARIABLES`](Self::VARIABLES); another name changes nothing. One of the
    /// [`CERTIFICATES`](Self::CERTIFICATES) takes a certificate in DER, which is always untrusted.
    #[must_use]
    pub fn with(mut self, name: &str, value: &[u8], trust: Trust) -> Self {
        if let Some(known) = Self::VARIABLES.iter().find(|known| **known == name) {
            let trust = if Self::CERTIFICATES.contains(known) { Trust::Untrusted } else { trust };
            self.values.insert(known, Value::new(value.to_vec(), trust));
        }
        self
    }

    /// The variables of an event; those not set are unset. `$event_name` is always set; by default
    /// `$event_defer_errno`, `$tls_out_ocsp`, `$tls_out_tlsa_usage` and `$tls_out_certificate_verified` are 0,
    /// and `$tls_out_dane` and `$lookup_dnssec_authenticated` are `no`.
    pub const VARIABLES: [&'static str; 28] = [
        "authenticated_fail_id",
        "domain",
        "event_data",
        "event_defer_errno",
        "event_name",
        "host",
        "host_address",
        "host_port",
        "local_part",
        "lookup_dnssec_authenticated",
        "message_exim_id",
        "router_name",
        "sender_host_authenticated",
        "sending_ip_address",
        "sending_port",
        "tls_in_ourcert",
        "tls_in_peercert",
        "tls_out_certificate_verified",
        "tls_out_cipher",
        "tls_out_dane",
        "tls_out_ocsp",
        "tls_out_ourcert",
        "tls_out_peercert",
        "tls_out_peerdn",
        "tls_out_sni",
        "tls_out_tlsa_usage",
        "transport_name",
        "verify_mode",
    ];

    /// The variables that stand for a certificate; the text of each is `<cert>`, as in Exim.
    pub const CERTIFICATES: [&'static str; 4] =
        ["tls_in_ourcert", "tls_in_peercert", "tls_out_ourcert", "tls_out_peercert"];

    /// Returns the certificate of a variable, in DER.
    #[must_use]
    pub fn certificate(&self, name: &str) -> Option<&[u8]> {
        let value = self.values.get(name).filter(|_| Self::CERTIFICATES.contains(&name));
        value.map(Value::as_bytes)
    }

    /// Returns the variable of a name.
    #[must_use]
    pub fn variable(&self, name: &str) -> Variable<'_> {
        if name == "event_name" {
            return Value::trusted(self.name.as_str()).into();
        }
        match (self.values.get(name), name) {
            (Some(_), name) if Self::CERTIFICATES.contains(&name) => {
                Value::new(&b"<cert>"[..], Trust::Untrusted).into()
            }
            (Some(value), _) => value.borrowed().into(),
            (
                None,
                "event_defer_errno"
                | "tls_out_certificate_verified"
                | "tls_out_ocsp"
                | "tls_out_tlsa_usage",
            ) => Value::trusted("0").into(),
            (None, "lookup_dnssec_authenticated" | "tls_out_dane") => Value::trusted("no").into(),
            (None, name) if Self::VARIABLES.contains(&name) => Variable::Unset,
            (None, _) => Variable::Unknown,
        }
    }
}

/// The program's decision for an action without a result, in events that wait for it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a program proceeds or refuses")]
pub enum OnFailure {
    /// As without a result: the program connects. Exim does so.
    Proceed,
    /// As with a result: no connection, no verification.
    Refuse,
}

/// The expansion of an action for an event.
///
/// ```
/// use event_expand::{Action, Effect, Event, EventName, OnFailure, Options, ActionOutcome, ActionStep, Template, Variables};
/// use mail_types::exim::{Trust, Variable};
///
/// struct Nothing;
/// impl Variables for Nothing {
///     fn variable(&self, _: &str) -> Variable<'_> {
///         Variable::Unknown
///     }
/// }
///
/// let template: Template = "${if eq{$event_name}{tcp:connect}{${if match_ip{$host_address}{192.0.2.0/24}{not there}}}}".parse()?;
/// let event = Event::new(EventName::TcpConnect).with("host_address", b"192.0.2.1", Trust::Untrusted);
/// let options = Options::default();
/// let mut action = Action::new(&template, &event, &Nothing, &options, OnFailure::Refuse);
/// let ActionStep::Done(outcome) = action.poll() else { unreachable!() };
/// assert_eq!((outcome.effect, outcome.text.as_bytes()), (Effect::DoNotConnect, &b"not there"[..]));
/// # Ok::<(), event_expand::TemplateError>(())
/// ```
#[derive(Debug)]
pub struct Action<'t> {
    template: &'t Template,
    variables: EventVariables<'t>,
    options: &'t Options,
    on_failure: OnFailure,
    journal: Journal,
}

impl<'t> Action<'t> {
    /// Starts; the event's variables take precedence over the program's.
    #[must_use]
    pub fn new(
        template: &'t Template,
        event: &'t Event,
        variables: &'t dyn Variables,
        options: &'t Options,
        on_failure: OnFailure,
    ) -> Self {
        let variables = EventVariables::new(event, variables);
        Self { template, variables, options, on_failure, journal: Journal::default() }
    }

    /// Continues with the results of an earlier action: a program that waits may keep its
    /// [`journal`](Self::into_journal) alone.
    #[must_use]
    pub fn with_journal(self, journal: Journal) -> Self {
        Self { journal, ..self }
    }

    /// Returns the results so far.
    #[must_use]
    pub fn into_journal(self) -> Journal {
        self.journal
    }

    /// Continues as far as possible. Further calls are harmless.
    #[must_use]
    pub fn poll(&mut self) -> ActionStep {
        match self.template.resume(&self.variables, self.options, &mut self.journal) {
            Progress::Request(request) => ActionStep::Request(request),
            Progress::Done(text) => ActionStep::Done(self.outcome(text, None)),
            Progress::Stopped(stop) => {
                ActionStep::Done(self.outcome(Value::trusted("").into_owned(), Some(stop)))
            }
        }
    }

    /// Takes the result of the last request; an extra result changes nothing.
    pub fn handle_found(&mut self, found: impl Into<Answered>) {
        self.journal.handle_found(found);
    }

    /// Returns the outcome at the end of the waiting time, the same as for an action that fails.
    ///
    /// ```
    /// use event_expand::{Action, ActionStep, Effect, Event, EventName, OnFailure, Options, Template, Variables, packed_errno};
    /// use mail_types::exim::{LookupResult, Trust, Variable};
    ///
    /// struct Nothing;
    /// impl Variables for Nothing {
    ///     fn variable(&self, _: &str) -> Variable<'_> {
    ///         Variable::Unknown
    ///     }
    /// }
    ///
    /// let template: Template = "${lookup sqlite{SELECT 1}}".parse()?;
    /// let event = Event::new(EventName::TlsCert)
    ///     .with("tls_out_peercert", b"0\x00", Trust::Untrusted)
    ///     .defer_errno(packed_errno(450, true));
    /// assert_eq!(event.certificate("tls_out_peercert"), Some(&b"0\x00"[..]));
    /// let options = Options::default();
    /// let mut action = Action::new(&template, &event, &Nothing, &options, OnFailure::Refuse);
    /// assert!(matches!(action.poll(), ActionStep::Request(_)));
    /// // Without an answer in time the program refuses here.
    /// assert_eq!(action.handle_timeout().effect, Effect::RefuseVerification);
    /// // With one, another task may go on from the journal.
    /// action.handle_found(LookupResult::Nothing);
    /// let journal = action.into_journal();
    /// let mut action = Action::new(&template, &event, &Nothing, &options, OnFailure::Refuse).with_journal(journal);
    /// assert!(matches!(action.poll(), ActionStep::Done(outcome) if outcome.effect == Effect::Ignored));
    /// # Ok::<(), event_expand::TemplateError>(())
    /// ```
    #[must_use]
    pub fn handle_timeout(&self) -> ActionOutcome {
        let stop = ExpandFailure::Deferred { at: 0 };
        self.outcome(Value::trusted("").into_owned(), Some(stop))
    }

    fn outcome(&self, text: Value<'static>, stop: Option<ExpandFailure>) -> ActionOutcome {
        let name = self.variables.event.name();
        let refuses = match &stop {
            None => !text.as_bytes().is_empty(),
            // A `fail` in the template counts as an empty result.
            Some(ExpandFailure::Forced { .. }) => false,
            Some(_) => name.waits() && self.on_failure == OnFailure::Refuse,
        };
        let effect = if refuses { name.effect() } else { Effect::Ignored };
        ActionOutcome { effect, text, stop }
    }
}

/// The next step of an [`Action`].
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a driver must handle both")]
pub enum ActionStep {
    /// Answer this request, and hand in the result.
    Request(Request),
    /// The action is done.
    Done(ActionOutcome),
}

/// The outcome of an action.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct ActionOutcome {
    /// The effect.
    pub effect: Effect,
    /// The expanded text; empty if the expansion failed. It goes into the log or the error.
    pub text: Value<'static>,
    /// The reason of a failed expansion, for the log; a `fail` in the template is one too.
    pub stop: Option<ExpandFailure>,
}

/// The variables of an event, then those of the program: what an [`Action`] sees, and what a list of rules sees that an
/// action calls.
///
/// ```
/// use event_expand::{Event, EventName, EventVariables, Variables};
/// use mail_types::exim::{Value, Variable};
///
/// struct Program;
/// impl Variables for Program {
///     fn variable(&self, name: &str) -> Variable<'_> {
///         match name {
///             "primary_hostname" => Value::trusted("mx.example.com").into(),
///             _ => Variable::Unknown,
///         }
///     }
/// }
///
/// let event = Event::new(EventName::TcpClose);
/// let variables = EventVariables::new(&event, &Program);
/// assert_eq!(variables.variable("event_name"), Value::trusted("tcp:close").into());
/// assert_eq!(variables.variable("primary_hostname"), Value::trusted("mx.example.com").into());
/// ```
pub struct EventVariables<'t> {
    event: &'t Event,
    variables: &'t dyn Variables,
}

impl<'t> EventVariables<'t> {
    /// Puts an event before the variables of a program.
    #[must_use]
    pub fn new(event: &'t Event, variables: &'t dyn Variables) -> Self {
        Self { event, variables }
    }
}

impl Variables for EventVariables<'_> {
    fn variable(&self, name: &str) -> Variable<'_> {
        match self.event.variable(name) {
            Variable::Unknown => self.variables.variable(name),
            // If the event has no value for a variable of a connection, the program's counts.
            Variable::Unset if !name.starts_with("event_") => match self.variables.variable(name) {
                value @ Variable::Value(_) => value,
                Variable::Unset | Variable::Unknown => Variable::Unset,
            },
            variable => variable,
        }
    }

    fn header(&self, name: &str, form: HeaderForm) -> Variable<'_> {
        self.variables.header(name, form)
    }

    fn certificate(&self, name: &str) -> Option<&[u8]> {
        self.event.certificate(name).or_else(|| self.variables.certificate(name))
    }

    fn list(&self, kind: ListKind, name: &str) -> Variable<'_> {
        self.variables.list(kind, name)
    }

    fn handle_answers(&self, count: usize) {
        self.variables.handle_answers(count);
    }

    fn is_in(&self, state: ProgramState) -> bool {
        self.variables.is_in(state)
    }
}

impl std::fmt::Debug for EventVariables<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventVariables").field("event", self.event).finish_non_exhaustive()
    }
}

/// The value of `$event_defer_errno` after an SMTP reply deferred a recipient: the last two digits
/// of its code, and in the low byte the source of the host, an address (`A`) or an MX record (`M`).
#[must_use]
pub fn packed_errno(code: u16, by_mx: bool) -> i32 {
    i32::from(code % 100) << 8 | i32::from(if by_mx { b'M' } else { b'A' })
}
