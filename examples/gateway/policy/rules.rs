//! The rules by which mail is accepted, refused, deferred, marked or put into quarantine.
//!
//! Rules are tables of the configuration, in a list for each stage of a session. They are asked in
//! order; the first whose conditions all hold, and whose verb is not `warn`, decides:
//!
//! ```toml
//! [macros]
//! LIMIT = "5"
//!
//! [[acl_smtp_connect]] # before the banner
//! verb = "defer"
//! message = "Too many connections from this IP right now"
//! ratelimit = "LIMIT / 5s / per_conn / strict"
//!
//! [[acl_smtp_rcpt]] # at each RCPT
//! verb = "warn"
//! domains = "strict.example"
//! profile = "strict"
//!
//! [[acl_smtp_data_prdr]] # behind the message, for each recipient (2014: acl_data_smtp_prdr)
//! verb = "deny"
//! profiles = "strict"
//! "!hosts" = "192.0.2.0/24"
//! header.subject = "*winner* : *lottery*"
//! message = "550 5.7.1 $local_part does not want that"
//!
//! [[acl_smtp_data]] # behind the message, once
//! verb = "warn"
//! senders = ":"
//! set.acl_m_bounce = "yes"
//! add_header = "X-Notification: $acl_m_bounce"
//! ```
//!
//! The stages are `acl_smtp_connect`, `acl_smtp_mail`, `acl_smtp_rcpt`, `acl_smtp_data_prdr` and
//! `acl_smtp_data`.
//!
//! | verb         | if all conditions hold                                                          |
//! |--------------|---------------------------------------------------------------------------------|
//! | `accept`     | asks no further rule of this stage                                              |
//! | `deny`       | refuses for good, with 550, at connect with 554                                 |
//! | `defer`      | refuses for now, with 451, at prdr with 450, at connect with 421                |
//! | `warn`       | goes on with the next rule; `log_message` is logged                              |
//! | `quarantine` | as `accept`, and the message gets the field `X-Quarantine` with `log_message` in it, which is logged; at connect, each message of the connection does |
//!
//! A rule without a condition, or only with lists such as `hosts = "*"`, always decides, unless its verb is
//! `warn`: a rule after it is refused as the configuration is read, and so is a `warn` that has nothing to do.
//!
//! If no rule decides, the command is accepted. Rules can only restrict: none opens what is closed
//! without them, such as relaying. (Exim denies at the end of a list.)
//!
//! | condition                         | where        | holds if                                             |
//! |-----------------------------------|--------------|------------------------------------------------------|
//! | `condition`                       | everywhere   | the text is true: `yes`, `true` or a number other than 0; nothing, `no`, `false` and 0 are not |
//! | `hosts`                           | everywhere   | the client is in the host list                       |
//! | `authenticated`                   | everywhere   | the client has logged in, which it cannot here       |
//! | `senders`, `sender_domains`       | from mail on | the sender is in the list                            |
//! | `recipients`, `domains`, `local_parts` | rcpt, prdr | the recipient is in the list                        |
//! | `profiles`                        | from rcpt on | the recipient's content-filter profile is            |
//! | `header.NAME`                     | prdr, data   | the text of a field of this name, decoded as `$h_NAME:` is, fits an item, `*` for anything |
//! | `header_raw.NAME`                 | prdr, data   | the same of the octets as they came                  |
//! | `spf`, `spf_guess`                | from mail on | the result of SPF is in the list of words            |
//! | `dmarc_status`                    | prdr, data   | the result of DMARC is in the list of words          |
//! | `ratelimit`                       | everywhere   | `LIMIT / PERIOD / OPTION… / KEY` is reached          |
//!
//! Each can have a `!` before its name, which then is in quotes: `"!hosts" = "…"`. A condition that
//! does not hold ends its rule. What stands before it was done: conditions and modifiers are worked in
//! the order of the file, where a list of texts is as many lines.
//!
//! | modifier           | what it does                                                                  |
//! |--------------------|-------------------------------------------------------------------------------|
//! | `message`          | is the text of a refusal, at prdr also of an acceptance; it may begin with its codes |
//! | `log_message`      | goes to the log if the rule decides                                           |
//! | `logwrite`         | goes to the log at once                                                       |
//! | `add_header`       | adds a field behind our `Received`, `NAME: text`, `$spf_received` or `$dmarc_ar_header`; not at prdr, since the message is one for all |
//! | `set.acl_c…`, `set.acl_m…` | sets a variable for the connection or for the message                 |
//! | `control`          | `no_multiline_responses`; before the data `dmarc_disable_verify` and `dmarc_enable_forensic`, also written `dmarc_forensic_enable` |
//! | `profile`          | at rcpt: names the recipient's content-filter profile                          |
//!
//! A message is in quarantine for all its recipients or for none. With PRDR, a recipient whose rules want
//! it otherwise than those of the recipients before gets 450 4.5.3, and then a message of its own.
//!
//! # Texts
//!
//! Modifiers, `condition`, the limit and the key of `ratelimit`, and all lists are texts in Exim's
//! language, as `event-expand` has it: [variables](super::variable), `${if …}`, `${lookup …}` and the rest.
//! Which lookups there are, [`engines`](crate::gateway::lookups::engines) says; a
//! [named list](crate::gateway::lookups::language) of the configuration is `+name` in a list. What can be seen to be wrong, such as a variable, a lookup or a file that is not to be had,
//! is wrong as the configuration is read, with its position.
//!
//! ```toml
//! [[acl_smtp_rcpt]]
//! verb = "deny"
//! "!domains" = "+local_domains : ${lookup sqlite{SELECT name FROM domains WHERE name = '${quote_sqlite:$domain}'}}"
//! message = "${if def:sender_address {$sender_address}{nobody}} may not relay to $domain"
//! ```
//!
//! | where a text …   | cannot be expanded, or not now                    | says `fail`                |
//! |------------------|---------------------------------------------------|----------------------------|
//! | `condition`, `ratelimit`, `spf`, `spf_guess` | defers: the client is to come back | the condition is ignored |
//! | every other list | defers, also where it is no list                  | nobody is in the list      |
//! | `message`        | the refusal has its usual text                    | the same                   |
//! | `log_message`, `logwrite`, `add_header` | nothing is said, nothing added | the same               |
//! | `set`            | the variable has no value any more                | the variable stays         |
//! | `profile`        | defers, at a `warn` too: without a filter the recipient would take too much | none is chosen |
//!
//! In all of the first column the log says why. A `warn` that would defer ends, and the next rule is
//! asked. (Exim does the same with conditions and lists; a modifier that it cannot expand defers the
//! command.)
//!
//! What a lookup finds is not to be trusted, and neither is what a client says. As a list, found text is
//! that and no more: it is not expanded, it cannot choose the separator, it leads to no list that must be
//! expanded first; but who can write it chooses what is in the list. In a text, nothing it says is
//! expanded again; in a query it is a value, by `${quote_…:…}`, or the text cannot be expanded; in
//! replies, fields and log lines it cannot end the line.
//!
//! # Content filters
//!
//! A client that asks for PRDR hears from each recipient what it makes of the message. One that does
//! not hears one thing for all. So its second recipient with another profile than the first gets 452
//! 4.5.3, and comes back with a message of its own. The rules at prdr are asked for every recipient
//! all the same, also for a single one; where they nevertheless differ for a client that did not ask,
//! a refusal for now goes before one for good, and that before an acceptance.

use event_expand::MatchListError;
use mail_types::exim::WordListError;
use thiserror::Error;

use super::condition::RuleScope;
use super::context::Context;
use super::decision::Decision;
use super::idle;
use super::list::RuleList;
use super::rule::Rule;
use super::source::RuleEntry;
use super::stage::Stage;
use super::text::TextError;
use crate::gateway::lookups::macros::{MacroError, Macros};

/// The lists of rules of a configuration.
#[derive(Debug, Default)]
pub struct Rules {
    lists: Vec<(Stage, Vec<Rule>)>,
    /// All conditions and modifiers, as they are written.
    entries: Vec<RuleEntry>,
}

impl Rules {
    /// Reads and checks the rules in the text of a configuration.
    pub(crate) fn read(
        text: &str,
        macros: &Macros,
        home: &RuleScope<'_>,
    ) -> Result<Self, RuleError> {
        check_lists(home)?;
        let mut rules = Self::default();
        for (stage, sources) in super::source::lists(text, macros)? {
            let list = sources.iter().map(|source| Rule::read(source, stage, home));
            rules.lists.push((stage, list.collect::<Result<_, _>>()?));
            idle::check(&sources, home)?;
            rules.entries.extend(sources.into_iter().flat_map(|source| source.entries));
        }
        Ok(rules)
    }

    /// Returns the line of a condition or a modifier of this name, if a rule has one.
    pub(crate) fn line_of(&self, name: &str) -> Option<usize> {
        self.entries.iter().find(|entry| entry.name == name).map(|entry| entry.line)
    }

    /// Tells whether the text of a condition or a modifier contains these words, such as the name of a
    /// variable.
    pub(crate) fn mentions(&self, words: &str) -> bool {
        self.entries.iter().any(|entry| entry.text.contains(words))
    }

    /// Asks the rules of the context's stage.
    pub async fn judge(&self, context: &mut Context<'_>) -> Decision {
        let list = self.lists.iter().find(|(stage, _)| *stage == context.stage);
        for rule in list.map(|(_, rules)| rules.as_slice()).unwrap_or_default() {
            if let Some(decision) = rule.ask(context).await {
                return decision;
            }
        }
        Decision::default()
    }
}

/// Checks the named lists, also those that no rule has.
fn check_lists(home: &RuleScope<'_>) -> Result<(), RuleError> {
    for (kind, name, text) in home.language.lists.all() {
        // All variables can have a value there; where a rule has the list, its own stage counts.
        let checked = RuleList::read(text, Stage::Prdr, home, kind);
        checked.map_err(|problem| {
            let (table, name) = (kind.table(), name.to_owned());
            RuleError::List { table, name, problem }
        })?;
    }
    Ok(())
}

/// Why rules cannot be read.
#[derive(Clone, Debug, Error, PartialEq)]
pub(crate) enum RuleError {
    #[error(transparent)]
    Toml(toml::de::Error),
    #[error("line {line}: {problem}")]
    Rule { line: usize, problem: Problem },
    #[error("{table}: the list {name}: {problem}")]
    List { table: &'static str, name: String, problem: Problem },
}

/// What is wrong with a rule.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum Problem {
    #[error("rules are tables: [[{option}]] or {option} = [{{…}}, …]", option = stage.option())]
    NotRules { stage: Stage },
    #[error("rules for this stage under both of its names: use one")]
    TwoNames,
    #[error("too many rules or conditions")]
    TooMany,
    #[error("must be a string")]
    NotText,
    #[error(transparent)]
    Macro(MacroError),
    #[error("the rule has no verb")]
    NoVerb,
    #[error("unknown verb {verb}; expected accept, defer, deny, quarantine or warn")]
    Verb { verb: String },
    #[error("{name} is neither a condition nor a modifier")]
    Unknown { name: String },
    #[error("{name} has no effect at {} with this verb", stage.option())]
    Misplaced { name: String, stage: Stage },
    #[error(
        "{name}: only set, header and header_raw take a second part, and they need it, as in header.subject"
    )]
    Parts { name: String },
    #[error(transparent)]
    Text(TextError),
    #[error(transparent)]
    List(#[from] MatchListError),
    #[error(
        "+{name}: the table {kind} has no such list, or one with expansions, which a list that was expanded from untrusted text cannot name"
    )]
    NoList { kind: &'static str, name: String },
    #[error("+{name}: {problem}")]
    Within { name: String, problem: Box<Self> },
    #[error("item {item}: ! without a pattern matches everything; write * instead")]
    Negation { item: usize },
    #[error("item {item}: unreachable, since item {everybody} matches everything")]
    Behind { item: usize, everybody: usize },
    #[error("the list matches nothing: every item is negated")]
    Nobody,
    #[error("the list {}", if *holds {
        "matches every result: a negated item matches all others"
    } else {
        "matches no result"
    })]
    SameForAll { holds: bool },
    #[error("{text:?} is not a boolean: use yes, true, no, false, a number or an empty text")]
    NoTruth { text: String },
    #[error("the rule has no effect: warn without a modifier")]
    Idle,
    #[error("unreachable rule: the rule of line {line} always decides")]
    Unreachable { line: usize },
    #[error("dmarc_status is always off: dmarc_verify_hosts matches no client")]
    NeverExamined,
    #[error("item {item}: untrusted path with .. in it")]
    ParentFolder { item: usize },
    #[error("lookup deferred: {why}")]
    Lookup { why: String },
    #[error("already logged")]
    Logged,
    #[error(transparent)]
    Words(#[from] WordListError),
    #[error("add_header: NAME: text expected")]
    FieldName,
    #[error("message: only ASCII is allowed before the greeting (RFC 5321 section 4.2)")]
    NotAscii,
    #[error("message: the class of reply code {code} does not fit the verb {verb}")]
    ReplyClass { code: String, verb: &'static str },
    #[error("{name} cannot be set; only acl_c… and acl_m… can")]
    NotSettable { name: String },
    #[error("unknown control {control}")]
    Control { control: String },
    #[error("the limit is not a number")]
    RateLimit,
    #[error("count= must be a number greater than zero")]
    RateCount,
    #[error("the period must be a time greater than zero, such as 5s")]
    RatePeriod,
    #[error("{option}: duplicate or conflicting option of the rate limit")]
    RateTwice { option: String },
    #[error("{option}: unknown option of the rate limit; a key must contain a variable")]
    RateOption { option: String },
    #[error("{option} counts nothing at {}{}",
        stage.option(), if *option == "per_addr" { "" } else { "; with readonly it only looks" })]
    RatePlace { option: &'static str, stage: Stage },
}

impl Problem {
    /// Says that it is in a named list.
    pub(crate) fn within(self, name: &str) -> Self {
        Self::Within { name: name.to_owned(), problem: Box::new(self) }
    }
}
