//! `ratelimit = LIMIT / PERIOD / OPTION... / KEY`: whether somebody does something too often.
//!
//! `LIMIT` is a number, or a text that expands to one, with `K`, `M` or `G` as in a size, of events in the time
//! `PERIOD`, as `5s` or `1h30m`. A client at the limit is over it.

use std::time::Duration;

use mail_types::exim::{Trust, Value};

use crate::gateway::lookups::quantity::Interval;
use crate::gateway::policy::condition::{Condition, RuleScope, Test, Truth};
use crate::gateway::policy::context::Context;
use crate::gateway::policy::nearest::nearest;
use crate::gateway::policy::rates::{Count, RateEvent};
use crate::gateway::policy::rules::Problem;
use crate::gateway::policy::source::RuleEntry;
use crate::gateway::policy::stage::Stage;
use crate::gateway::policy::state::{Counted, Lasts};
use crate::gateway::policy::text::{Text, TextError, Unfinished};

#[derive(Debug)]
pub(crate) struct RateLimit {
    limit: Text,
    period: Duration,
    /// As it is written.
    period_text: String,
    per: Per,
    count: Count,
    size: Option<Text>,
    unique: Option<Text>,
    key: Text,
}

/// The variables that are published.
pub(crate) const VARIABLES: &[&str] = &NAMES;

impl RateLimit {
    pub(crate) fn read(
        entry: &RuleEntry,
        stage: Stage,
        home: &RuleScope<'_>,
    ) -> Result<Self, Problem> {
        let text = |text: &str| Text::parse(text, stage, home.language);
        let mut parts = parts(&entry.text).into_iter();
        let limit = text(parts.next().unwrap_or_default())?;
        if limit.literal().is_some_and(|limit| number(limit).is_none()) {
            return Err(Problem::RateLimit);
        }
        let period_text = parts.next().unwrap_or_default();
        let period = period_text.parse().ok().filter(|Interval(period)| !period.is_zero());
        let period = period.ok_or(Problem::RatePeriod)?;
        let RateOptions { per, count, size, unique, key } = RateOptions::read(parts)?;
        let (per, count) = (per.unwrap_or(Per::Mail), count.unwrap_or(Count::Leaky));
        // Events counted at another stage can be looked at here.
        let only_looks = count == Count::Not && per != Per::Address;
        if !per.fits(stage) && !only_looks {
            return Err(Problem::RatePlace { option: per.word(), stage });
        }
        let size = size.map(text).transpose()?;
        if let Some(literal) = size.as_ref().and_then(Text::literal) {
            number(literal).filter(|number| *number > 0.0).ok_or(Problem::RateCount)?;
        }
        let unique = if per == Per::Address { Some("$local_part@$domain") } else { unique };
        let unique = unique.map(text).transpose()?;
        let key = if key.is_empty() { HOST.to_owned() } else { key.join("/") };
        let (period, period_text) = (period.0, period_text.to_owned());
        Ok(Self { limit, period, period_text, per, count, size, unique, key: text(&key)? })
    }

    async fn holds(&self, context: &mut Context<'_>) -> Truth {
        match self.try_holds(context).await {
            Ok(holds) => holds,
            Err(unfinished) => unfinished.into(),
        }
    }

    async fn try_holds(&self, context: &mut Context<'_>) -> Result<Truth, Unfinished> {
        let is_trusted_proxy = context.client.is_some_and(|client| client.is_trusted_proxy);
        if is_trusted_proxy && self.key.mentions("sender_host_address") {
            return Ok(Truth::No);
        }
        let limit = numeric(&self.limit, "limit", context).await?;
        let size = match &self.size {
            Some(size) => numeric(size, "count", context).await?,
            None => self.per.size(context),
        };
        let unique = match &self.unique {
            Some(unique) => Some(unique.expand(context).await?),
            None => None,
        };
        let own_key = self.key.expand(context).await?;
        let rates = &context.services.rates;
        // The key may have any text: a word before it for each kind keeps these apart.
        let mark = if unique.is_some() { "unique/" } else { "each/" };
        let mut key = format!("{}/{}/{mark}", self.period.as_secs(), self.per.word()).into_bytes();
        key.extend_from_slice(own_key.as_bytes());
        let counted = self.per.once().and_then(|lasts| context.state.rate(&key, lasts));
        // What a client declared may be less than what came.
        let grows = self.per == Per::Octet && self.size.is_none();
        let rate = match counted {
            Some(counted) if !(grows && size > counted.size) => counted.rate,
            _ => {
                let own = size - counted.map_or(0.0, |counted| counted.size);
                let unique = unique.as_ref().map(Value::as_bytes);
                let (period, count, now) = (self.period, self.count, context.now);
                let event = RateEvent { key: &key, period, limit, count, size: own, unique, now };
                let rate = rates.rate(event);
                if let (Some(lasts), true) = (self.per.once(), self.count != Count::Not) {
                    context.state.keep_rate(key, Counted { rate, size }, lasts);
                }
                rate
            }
        };
        let [name_of_rate, name_of_limit, name_of_period] = NAMES;
        let word = |text: String| Value::new(text.into_bytes(), Trust::Trusted);
        context.state.publish(name_of_rate, word(format!("{rate:.1}")));
        context.state.publish(name_of_limit, word(limit.to_string()));
        context.state.publish(name_of_period, word(self.period_text.clone()));
        Ok((rate >= limit).into())
    }
}

/// Expands a number.
async fn numeric(text: &Text, what: &str, context: &mut Context<'_>) -> Result<f64, Unfinished> {
    let value = text.expand(context).await?;
    number(value.as_bytes()).ok_or_else(|| {
        let fault = format!("the {what} of a rate is not a number: {value}");
        context.state.text_log().add_fault(fault);
        Unfinished::Failed
    })
}

/// The options after the period.
#[derive(Debug, Default)]
struct RateOptions<'a> {
    per: Option<Per>,
    count: Option<Count>,
    size: Option<&'a str>,
    unique: Option<&'a str>,
    key: Vec<&'a str>,
}

impl<'a> RateOptions<'a> {
    fn read(parts: impl Iterator<Item = &'a str>) -> Result<Self, Problem> {
        let mut read = Self::default();
        for part in parts {
            let is_second = match part.split_once('=') {
                Some(("count", number)) => read.size.replace(number.trim()).is_some(),
                // Nothing would be the same event each time.
                Some(("unique", event)) if !event.trim().is_empty() => {
                    read.unique.replace(event.trim()).is_some()
                }
                Some((name, _)) if name.bytes().all(|c| c.is_ascii_lowercase()) => {
                    return Err(unknown(part));
                }
                _ => match (Per::of(part), count_of(part)) {
                    (Some(per), _) => read.per.replace(per).is_some(),
                    (_, Some(count)) => read.count.replace(count).is_some(),
                    // The key, or an option with a spelling mistake.
                    _ if part.contains('$') => {
                        read.key.push(part);
                        false
                    }
                    _ => return Err(unknown(part)),
                },
            };
            // per_addr counts each address once.
            if is_second || (read.per == Some(Per::Address) && read.unique.is_some()) {
                return Err(Problem::RateTwice { option: part.to_owned() });
            }
        }
        Ok(read)
    }
}

impl Condition for RateLimit {
    fn test<'a>(&'a self, context: &'a mut Context<'_>) -> Test<'a> {
        Test::Pending(Box::pin(self.holds(context)))
    }
}

impl From<TextError> for Problem {
    fn from(error: TextError) -> Self {
        Self::Text(error)
    }
}

/// The kind of event that is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Per {
    Connection,
    Mail,
    Octet,
    Recipient,
    Address,
    Command,
}

impl Per {
    const ALL: [Self; 6] =
        [Self::Connection, Self::Mail, Self::Octet, Self::Recipient, Self::Address, Self::Command];

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|per| per.word() == word)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Connection => "per_conn",
            Self::Mail => "per_mail",
            Self::Octet => "per_byte",
            Self::Recipient => "per_rcpt",
            Self::Address => "per_addr",
            Self::Command => "per_cmd",
        }
    }

    /// Tells whether there is something to count at a stage.
    fn fits(self, stage: Stage) -> bool {
        match self {
            // An event is in no session in which it could be counted once.
            Self::Mail | Self::Octet | Self::Connection if stage == Stage::Event => false,
            Self::Mail | Self::Octet => !matches!(stage, Stage::Connect | Stage::Helo),
            Self::Recipient => matches!(stage, Stage::Rcpt | Stage::Data),
            Self::Address => stage == Stage::Rcpt,
            Self::Connection | Self::Command => true,
        }
    }

    /// Returns how much an event counts.
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 53 bits")]
    fn size(self, context: &Context<'_>) -> f64 {
        match self {
            Self::Octet => match context.message.len() {
                0 => context.transaction.map_or(0.0, |transaction| transaction.size as f64),
                size => size as f64,
            },
            Self::Recipient if context.stage == Stage::Data => context.state.takers() as f64,
            _ => 1.0,
        }
    }

    /// Returns for how long a second look does not count.
    fn once(self) -> Option<Lasts> {
        match self {
            Self::Connection => Some(Lasts::Connection),
            Self::Mail | Self::Octet => Some(Lasts::Message),
            Self::Recipient | Self::Address | Self::Command => None,
        }
    }
}

fn unknown(option: &str) -> Problem {
    let name = option.split_inclusive('=').next().unwrap_or_default();
    Problem::RateOption { option: option.to_owned(), nearest: nearest(name, options()) }
}

/// Returns the words of the options.
pub(crate) fn options() -> impl Iterator<Item = &'static str> {
    let counts = COUNTS.iter().map(|(word, _)| *word);
    Per::ALL.into_iter().map(Per::word).chain(counts).chain(["count=", "unique="])
}

const COUNTS: [(&str, Count); 3] =
    [("leaky", Count::Leaky), ("strict", Count::Strict), ("readonly", Count::Not)];

fn count_of(word: &str) -> Option<Count> {
    COUNTS.iter().find(|(known, _)| *known == word).map(|(_, count)| *count)
}

/// Reads a number with or without a fraction and a factor, which is a power of 1,024 as in Exim.
fn number(text: &[u8]) -> Option<f64> {
    let text = str::from_utf8(text).ok()?;
    let (digits, factor) = match text.as_bytes() {
        [.., b'k' | b'K'] => (text.get(..text.len() - 1)?, 1024.0),
        [.., b'm' | b'M'] => (text.get(..text.len() - 1)?, 1_048_576.0),
        [.., b'g' | b'G'] => (text.get(..text.len() - 1)?, 1_073_741_824.0),
        _ => (text, 1.0),
    };
    let plain = digits.bytes().all(|c| c.is_ascii_digit() || c == b'.');
    let number: f64 = digits.parse().ok().filter(|_| plain)?;
    Some(number * factor)
}

/// Splits at slashes, but not within braces, where a text has the names of its files.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut escaped) = (Vec::new(), 0, 0_usize, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if std::mem::take(&mut escaped) => {}
            b'\\' => escaped = true,
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b'/' if depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default().trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default().trim());
    parts
}

const NAMES: [&str; 3] = ["sender_rate", "sender_rate_limit", "sender_rate_period"];
const HOST: &str = "$sender_host_address";
