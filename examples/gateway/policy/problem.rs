//! The faults of rules.

use event_expand::MatchListError;
use mail_types::exim::WordListError;
use thiserror::Error;

use super::nearest::suggestion;
use super::stage::Stage;
use super::text::TextError;
use crate::gateway::lookups::macros::MacroError;

/// The rules are invalid.
#[derive(Clone, Debug, Error, PartialEq)]
pub(crate) enum RuleError {
    #[error(transparent)]
    Toml(toml::de::Error),
    #[error("line {line}: {problem}")]
    Rule { line: usize, problem: Problem },
    #[error("{table}: the list {name}: {problem}")]
    List { table: &'static str, name: String, problem: Problem },
}

/// A fault of a rule.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub(crate) enum Problem {
    #[error("rules are tables: [[{option}]] or {option} = [{{…}}, …]")]
    NotRules { option: String },
    #[error("nothing calls the list {name}, by ${{acl{{{name}}}}} or by acl = \"{name}\"")]
    NeverCalled { name: String },
    #[error("the name of a list expected, as in acl = \"NAME\"")]
    NoListName,
    #[error("a list has at most nine arguments")]
    Arguments,
    #[error("{name} has no effect in a list that event_action calls: {cause}")]
    OutsideSession { name: String, cause: &'static str },
    #[error("rules for this stage under both of its names: use one")]
    TwoNames,
    #[error("too many rules or conditions")]
    TooMany,
    #[error("must be a string")]
    NotText,
    #[error("{name}: found a list; expected one text in quotes{}", if *is_condition {
        ", whose items are separated by colons, as in \"a : b\""
    } else {
        ""
    })]
    Several { name: String, is_condition: bool },
    #[error(transparent)]
    Macro(MacroError),
    #[error("the rule has no verb")]
    NoVerb,
    #[error("unknown verb {verb}; expected accept, defer, deny, drop, quarantine, require or warn")]
    Verb { verb: String },
    #[error("{name} of Exim is not supported here; the manual lists it as left out")]
    Unsupported { name: String },
    #[error("the rule has a second verb")]
    SecondVerb,
    #[error("{name} is neither a condition nor a modifier{}", suggestion(*.nearest))]
    Unknown { name: String, nearest: Option<&'static str> },
    #[error("{name} is an option; write it before the tables, as {name} = …")]
    Option { name: String },
    #[error("the condition {name} has nothing to test at {}; it is known at {}", stage.option(), Stage::names(.stages))]
    Unknowable { name: String, stage: Stage, stages: &'static [Stage] },
    #[error("{name} has no effect at {}; it has one at {}", stage.option(), Stage::names(.stages))]
    Elsewhere { name: String, stage: Stage, stages: &'static [Stage] },
    #[error("{name} has no effect at {} with the verb {verb}", stage.option())]
    WithVerb { name: String, stage: Stage, verb: &'static str },
    #[error(
        "the verb {verb} has no effect in a list that is called, which accepts, denies or defers"
    )]
    CalledVerb { verb: String },
    #[error(
        "{name}: only set, header and header_raw take a second part, and they need it, as in header.subject"
    )]
    Parts { name: String },
    #[error("set: the name of the variable stands before the value; write set.{name} = {value}")]
    SetParts { name: String, value: String },
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
    #[error(
        "item {item} ({text}): a file or a lookup is not allowed beside an untrusted value; put the item into a named list"
    )]
    Beside { item: usize, text: String },
    #[error(
        "item {item} ({text}): a named list that is expanded is not allowed beside an untrusted value; test it by itself"
    )]
    BesideExpanded { item: usize, text: String },
    #[error("item {item}: unreachable, since item {everybody} matches everything")]
    Behind { item: usize, everybody: usize },
    #[error(
        "item {item} ({text}): blanks and commas do not separate items; use colons, or begin the list with <,"
    )]
    NotSeparated { item: usize, text: String },
    #[error("item {item} ({text}): no address begins with @; write *{text}")]
    NoLocalPart { item: usize, text: String },
    #[error("item {item} ({text}): an address is no local part; use recipients")]
    AddressAsLocalPart { item: usize, text: String },
    #[error("item {item} ({text}): not the name of a cipher suite, such as {example}")]
    CipherSuite { item: usize, text: String, example: String },
    #[error("the list matches nothing: every item is negated")]
    Nobody,
    #[error("the list is empty, and matches nothing{hint}")]
    EmptyList { hint: &'static str },
    #[error(
        "item {item}: ^ has no meaning here; for an expression use condition = \"${{if match{{${field}:}}{{...}}}}\""
    )]
    NoExpression { item: usize, field: String },
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
    #[error("the rule has no effect: require without a condition that can fail, or a modifier")]
    IdleRequire,
    #[error("{name} has no effect: {cause}")]
    NoEffect { name: String, cause: &'static str },
    #[error("${name} always has the same value: {cause}")]
    AlwaysSame { name: &'static str, cause: &'static str },
    #[error("{name} has no effect behind the last condition of a {verb}, which refuses")]
    Refused { name: String, verb: String },
    #[error("{name} has no effect behind the last condition of a require: write it before")]
    Behindhand { name: String },
    #[error("unreachable rule: the rule of line {line} always decides")]
    Unreachable { line: usize },
    #[error("dmarc_status is always off: dmarc_verify_hosts matches no client")]
    NeverExamined,
    #[error("encrypted never holds: tls_advertise_hosts matches no client")]
    NeverEncrypted,
    #[error("item {item}: untrusted path with .. in it")]
    ParentFolder { item: usize },
    #[error("lookup deferred: {why}")]
    Lookup { why: String },
    #[error("already logged")]
    Logged,
    #[error("{name}: {problem}")]
    Words { name: &'static str, problem: WordListError },
    #[error("delay: a time above 0 and at most 5m expected, such as 30s")]
    Delay,
    #[error("add_header: NAME: text expected")]
    FieldName,
    #[error(
        "remove_header: {item:?} is not the name of a field, or the beginning of names and a *"
    )]
    RemovedName { item: String },
    #[error("remove_header: Received fields show loops, and stay (RFC 5321 section 4.4)")]
    RemovedReceived,
    #[error("message: only ASCII is allowed before MAIL (RFC 6531 section 3.4)")]
    NotAscii,
    #[error(
        "message: {word} is no enhanced status code of three numbers, such as 5.7.1 (RFC 3463)"
    )]
    NotEnhanced { word: String },
    #[error("message: the class of reply code {code} does not fit the verb {verb}")]
    ReplyClass { code: String, verb: &'static str },
    #[error("{name} cannot be set; only acl_c… and acl_m… can")]
    NotSettable { name: String },
    #[error("unknown control {control}{}", suggestion(*.nearest))]
    Control { control: String, nearest: Option<&'static str> },
    #[error("the limit is not a number")]
    RateLimit,
    #[error("count= must be a number greater than zero")]
    RateCount,
    #[error("the period must be a time greater than zero, such as 5s")]
    RatePeriod,
    #[error("{option}: duplicate or conflicting option of the rate limit")]
    RateTwice { option: String },
    #[error("{option}: unknown option of the rate limit; a key must contain a variable{}", suggestion(*.nearest))]
    RateOption { option: String, nearest: Option<&'static str> },
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
