//! The rules that accept, refuse, defer, mark or quarantine mail.
//!
//! Rules are tables of the configuration, in a list for each stage of a session. They are evaluated in
//! order; the first rule whose conditions all hold, and whose verb is not `warn`, decides:
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
//! [[acl_smtp_data_prdr]] # after the message, for each recipient (2014: acl_data_smtp_prdr)
//! verb = "deny"
//! profiles = "strict"
//! "!hosts" = "192.0.2.0/24"
//! header.subject = "*winner* : *lottery*"
//! message = "550 5.7.1 $local_part does not want that"
//!
//! [[acl_smtp_data]] # after the message, once
//! verb = "warn"
//! senders = ":"
//! set.acl_m_bounce = "yes"
//! add_header = "X-Notification: $acl_m_bounce"
//! ```
//!
//! The stages are `acl_smtp_connect`, `acl_smtp_helo`, `acl_smtp_mail`, `acl_smtp_rcpt`, `acl_smtp_data_prdr` and
//! `acl_smtp_data`. A client that is refused at `acl_smtp_helo` has not greeted, and may try another name.
//!
//! | verb         | effect if all conditions hold                                                   |
//! |--------------|---------------------------------------------------------------------------------|
//! | `accept`     | accepts: no further rule of this stage is evaluated                             |
//! | `deny`       | refuses with 550, at connect with 554                                           |
//! | `drop`       | refuses as `deny`, and closes the connection; not at prdr, and not in a list that is called |
//! | `require`    | continues with the next rule; if a condition does not hold, refuses as `deny`, with the `message` before that condition |
//! | `defer`      | refuses temporarily with 451, at prdr with 450, at connect with 421             |
//! | `warn`       | continues with the next rule; `log_message` is logged                           |
//! | `quarantine` | accepts; the message goes into `quarantine_maildir`, with the field `X-Quarantine` with `log_message`, which is logged; at connect and helo, each message of the connection |
//!
//! A rule without conditions, or only with lists such as `hosts = "*"`, always decides, unless its verb is
//! `warn` or `require`; a `require` does with `"!hosts" = "*"`. A configuration with a rule after it is refused, and so is
//! one with a `warn` or a `require` without an effect.
//!
//! If no rule decides, the command is accepted. Rules can only restrict: no rule permits relaying. (Exim
//! denies at the end of a list.)
//!
//! | condition                         | where        | holds if                                             |
//! |-----------------------------------|--------------|------------------------------------------------------|
//! | `acl`                             | everywhere   | `NAME ARGUMENT…`: the list `[[acl.NAME]]` accepts; see below |
//! | `condition`                       | everywhere   | the text is true: `yes`, `true` or a number other than 0; the empty text, `no`, `false` and 0 are false |
//! | `hosts`                           | everywhere   | the client is in the host list                       |
//! | `authenticated`                   | everywhere   | never: this server has no `AUTH`                     |
//! | `encrypted`                       | everywhere   | the connection is encrypted, and the name of its cipher suite, such as `TLS_AES_256_GCM_SHA384`, is in the list; `*` is any |
//! | `senders`, `sender_domains`       | from mail on | the sender is in the list                            |
//! | `recipients`, `domains`, `local_parts` | rcpt, prdr | the recipient is in the list                        |
//! | `profiles`                        | from rcpt on | the recipient's content-filter profile is in the list |
//! | `header.NAME`                     | prdr, data   | the text of a field of this name, decoded as in `$h_NAME:`, matches an item; `*` matches any text |
//! | `header_raw.NAME`                 | prdr, data   | the same for the octets as received                  |
//! | `spf`, `spf_guess`                | from mail on | the result of SPF is in the list of words            |
//! | `dmarc_status`                    | prdr, data   | the result of DMARC is in the list of words          |
//! | `ratelimit`                       | everywhere   | `LIMIT / PERIOD / OPTION… / KEY` is reached          |
//!
//! A `!` before the name, in quotes, negates a condition: `"!hosts" = "…"`. A false condition ends its
//! rule. Conditions and modifiers are evaluated in the order of the file, so that modifiers before it have
//! taken effect; a list of texts counts as several lines.
//!
//! | modifier           | effect                                                                        |
//! |--------------------|-------------------------------------------------------------------------------|
//! | `message`          | the text of a refusal, at prdr also of an acceptance; it may begin with its codes |
//! | `log_message`      | is logged if the rule decides                                                 |
//! | `logwrite`         | is logged at once                                                             |
//! | `add_header`       | adds a header field: `NAME: text`, `$spf_received` or `$dmarc_ar_header`; not at prdr, since all recipients share the message, and not at helo. It is behind the fields of this host, or where Exim's words before it say: `:at_start:` before this host's `Received`, `:after_received:` behind the `Received` fields with which the message begins, `:at_start_rfc:` behind its `Resent-…` fields too, `:at_end:` behind all fields |
//! | `remove_header`    | removes the fields of these names from the message, a list as `X-Spam-Score : X-Old-*`; from mail on, not at prdr. Conditions, variables, DKIM and DMARC see the message as it came. Fields of this host, those that rules add, and all `Received` fields stay |
//! | `delay`            | waits for this time, such as `30s`, before the rule goes on; not at prdr. Replies to earlier commands are sent before. All delays of a command together last at most 5m; they end if the client closes the connection, and when the server stops |
//! | `set.acl_c…`, `set.acl_m…` | sets a variable for the connection or for the message                 |
//! | `control`          | `no_multiline_responses`; before the data `dmarc_disable_verify` and `dmarc_enable_forensic`, also written `dmarc_forensic_enable`, and `dmarc_override/REASON` |
//! | `profile`          | at rcpt: sets the recipient's content-filter profile                           |
//!
//! A message is in quarantine for all its recipients or for none. With PRDR, a recipient whose rules differ
//! from those of earlier recipients gets 450 4.5.3, so that the client sends it a separate message.
//!
//! # Lists that are called
//!
//! A text of a rule, of an `event_action`, or of `local_domains`, `local_parts` and `relay_to_domains`, calls the list
//! `[[acl.NAME]]` by `${acl{NAME}{ARGUMENT}…}`; a rule calls it by the condition `acl = "NAME ARGUMENT…"`, whose name and
//! arguments are texts between blanks. The list sees the arguments as `$acl_arg1` to `$acl_arg9`, and their number as
//! `$acl_narg`; it works at the stage of its caller.
//!
//! ```toml
//! [[acl.class_of]]
//! verb = "accept"
//! condition = "${if match{$acl_arg1}{^bulk}}"
//! message = "bulk"
//!
//! [[acl_smtp_rcpt]]
//! verb = "warn"
//! set.acl_m_class = "${acl{class_of}{$sender_address_local_part}}"
//! ```
//!
//! Its rules have the verbs `accept`, `deny`, `defer`, `require` and `warn`. The text becomes the `message` of an `accept`,
//! a `deny` or a `require`; a list without a verdict denies, without a message. In `${if acl{{NAME}{ARGUMENT}}{…}{…}}` a `deny` is false,
//! and `$value` is the message. A `defer`, and a condition that cannot be told now, is a `fail` of the text. Lists
//! call each other at most 20 levels deep; beyond that the text fails. `set` and `add_header` take effect as
//! in any rule. A list that is never called is refused.
//!
//! The condition `acl` holds if the list accepts, and not if it denies; if it defers, the rule does. The `message` of the
//! list is the reply of the rule, unless that has its own, and its `log_message` is logged behind that of the rule.
//!
//! In the action of an event a list has the variables of the event. There are the conditions `acl`, `condition`, `hosts`,
//! `senders` and `sender_domains`, about the client and the sender of the session, and `ratelimit` with `per_cmd`;
//! and the modifiers `message`, `log_message`, `logwrite` and `set`, whose variables last for this action. Whatever
//! needs a session or changes a message is refused.
//!
//! # Texts
//!
//! Modifiers, `condition`, the limit and the key of `ratelimit`, and all lists are texts in Exim's
//! language, which the crate `event-expand` implements: [variables](super::variable), `${if …}`,
//! `${lookup …}` and the rest. [`engines`](crate::gateway::lookups::engines) lists the lookups; a
//! [named list](crate::gateway::lookups::language) of the configuration is `+name` in a list. Unknown
//! variables, lookups and files are reported when the configuration is read, with their position.
//!
//! ```toml
//! [[acl_smtp_rcpt]]
//! verb = "deny"
//! "!domains" = "+local_domains : ${lookup sqlite{SELECT name FROM domains WHERE name = '${quote_sqlite:$domain}'}}"
//! message = "${if def:sender_address {$sender_address}{nobody}} may not relay to $domain"
//! ```
//!
//! | text             | effect of a failed or deferred expansion          | effect of `fail`           |
//! |------------------|---------------------------------------------------|----------------------------|
//! | `condition`, `ratelimit`, `spf`, `spf_guess` | defers the command | the condition is ignored |
//! | every other list | defers, also if the text is not a list            | the list matches nothing   |
//! | `message`        | the refusal has its default text                  | the same                   |
//! | `log_message`, `logwrite`, `add_header`, `remove_header`, `delay` | is omitted | the same |
//! | `set`            | the variable is unset                             | the variable is unchanged  |
//! | `profile`        | defers, even with `warn`: without its filter the recipient would accept too much | no profile is set |
//!
//! The log has the cause of each failed or deferred expansion. A `warn` that would defer ends, and the next
//! rule is evaluated. (Exim does the same with conditions and lists; a failed modifier defers the command.)
//!
//! Results of lookups and the client's input are untrusted. As a list, untrusted text is not expanded,
//! cannot choose the separator, and cannot include a named list with an expansion; but its author chooses
//! the items. In a text it is never expanded again. In a query it must be a value by `${quote_…:…}`, or the
//! expansion fails. In replies, header fields and log lines it cannot end the line.
//!
//! # Content filters
//!
//! A client that requests PRDR gets a reply for each recipient after the message; any other client gets
//! one reply for all. For such a client, a recipient with another profile than the first gets 452 4.5.3, so
//! that the client sends it a separate message. The rules at prdr are evaluated for every recipient in any
//! case. If their results differ for a client without PRDR, a temporary refusal precedes a permanent one,
//! and that an acceptance.

use std::sync::Arc;

use super::condition::RuleScope;
use super::context::Context;
use super::decision::Decision;
use super::idle;
use super::list::RuleList;
use super::named_rules::NamedRules;
pub(crate) use super::problem::{Problem, RuleError};
use super::rule::{Caller, Rule};
use super::source::{RuleEntry, RuleSources};
use super::stage::Stage;
use crate::gateway::lookups::macros::Macros;

/// The lists of rules of a configuration.
#[derive(Debug, Default)]
pub struct Rules {
    lists: Vec<(Stage, Vec<Rule>)>,
    /// Those that texts call.
    named: Arc<NamedRules>,
    /// All conditions and modifiers, as texts.
    entries: Vec<RuleEntry>,
    has_delays: bool,
}

impl Rules {
    /// Reads and checks the rules in the text of a configuration.
    pub(crate) fn read(
        text: &str,
        macros: &Macros,
        home: &RuleScope<'_>,
    ) -> Result<Self, RuleError> {
        // The stage at which a named list of hosts or domains is checked is not where it calls a list of rules.
        let calls = home.language.take_calls();
        check_lists(home)?;
        home.language.take_calls();
        for call in calls {
            home.language.note_call(call);
        }
        let RuleSources { lists, named } = super::source::lists(text, macros)?;
        let mut rules = Self::default();
        for (stage, sources) in lists {
            let list =
                sources.iter().map(|source| Rule::read(source, Caller::Session, stage, home));
            rules.lists.push((stage, list.collect::<Result<_, _>>()?));
            idle::check(&sources, home)?;
            rules.entries.extend(sources.into_iter().flat_map(|source| source.entries));
        }
        rules.named = Arc::new(NamedRules::read(&named, home)?);
        let named = named.into_values().flatten();
        rules.entries.extend(named.flat_map(|source| source.entries));
        rules.has_delays = rules.line_of("delay").is_some();
        Ok(rules)
    }

    /// Returns the lists that texts call.
    pub(crate) fn named(&self) -> &Arc<NamedRules> {
        &self.named
    }

    /// Returns the line of a condition or a modifier of this name, if a rule has one.
    pub(crate) fn line_of(&self, name: &str) -> Option<usize> {
        self.entries.iter().find(|entry| entry.name == name).map(|entry| entry.line)
    }

    /// Tells whether a rule puts messages into quarantine.
    pub(crate) fn quarantines(&self) -> bool {
        self.entries.iter().any(|entry| entry.name == "verb" && entry.text == "quarantine")
    }

    /// Tells whether the text of a condition or a modifier contains these words, such as the name of a
    /// variable.
    pub(crate) fn mentions(&self, words: &str) -> bool {
        self.entries.iter().any(|entry| entry.text.contains(words))
    }

    /// Tells whether a rule has a delay.
    pub(crate) fn has_delays(&self) -> bool {
        self.has_delays
    }

    /// Evaluates the rules of the context's stage.
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

/// Checks the named lists, also unused ones.
fn check_lists(home: &RuleScope<'_>) -> Result<(), RuleError> {
    for (kind, name, text) in home.language.lists.all() {
        // All variables can have a value at this stage; the check of a rule uses its own stage.
        let checked = RuleList::read(text, Stage::Prdr, (home.language, home.host), kind);
        checked.map_err(|problem| {
            let (table, name) = (kind.table(), name.to_owned());
            RuleError::List { table, name, problem }
        })?;
    }
    Ok(())
}

/// The table of the lists that texts call.
pub(crate) const NAMED: &str = "acl";
