//! `ratelimit = LIMIT / PERIOD / OPTION... / KEY`: whether somebody does something too often.
//!
//! `LIMIT` is a number, or a text that expands to one, with `k` or `M` for thousands and millions, of events in the time `PERIOD`,
//! as `5s` or `1h30m`. Who is at the limit is over it.
//!
//! | option                   | meaning                                                           |
//! |--------------------------|-------------------------------------------------------------------|
//! | `per_conn`               | counts connections, each once                                     |
//! | `per_mail`               | counts messages, each once; the default                           |
//! | `per_rcpt`               | counts recipients; stands at rcpt                                 |
//! | `per_cmd`                | counts each time the rule is asked                                |
//! | `leaky`                  | what is over the limit does not count: some gets through; the default |
//! | `strict`                 | all counts: who does not slow down gets nothing through           |
//! | `readonly`               | looks, and does not count                                         |
//!
//! `KEY` is a text with variables for what is counted by; `$sender_host_address` if there is none.
//! Behind a proxy that is the real client. A trusted proxy that speaks for nobody else, as in its
//! health checks, is never over a limit that is counted by host. Rates of the same period, thing
//! counted and key are the same rate, whatever the limit.

use std::time::Duration;

use mail_types::{Trust, Value};

use super::super::quantity::Interval;
use super::Problem;
use super::condition::{Condition, Holds, Home, Test};
use super::notes::Lasts;
use super::place::Place;
use super::rates::{Count, Rates};
use super::scene::Scene;
use super::source::Entry;
use super::text::{Text, TextError, Unfinished};

#[derive(Debug)]
pub(super) struct RateLimit {
    limit: Text,
    period: Duration,
    per: Per,
    count: Count,
    key: Text,
}

/// The variables that are published.
pub(super) const VARIABLES: &[&str] = &NAMES;

impl RateLimit {
    pub(super) fn read(entry: &Entry, place: Place, home: &Home<'_>) -> Result<Self, Problem> {
        let mut parts = parts(&entry.text).into_iter();
        let limit = Text::parse(parts.next().unwrap_or_default(), place, home.language)?;
        if limit.literal().is_some_and(|limit| number(limit).is_none()) {
            return Err(Problem::RateLimit);
        }
        let period: Interval =
            parts.next().and_then(|p| p.parse().ok()).ok_or(Problem::RatePeriod)?;
        let (mut per, mut count, mut key) = (Per::Mail, Count::Leaky, None);
        for part in parts.by_ref() {
            match part {
                "per_conn" => per = Per::Connection,
                "per_mail" => per = Per::Mail,
                "per_rcpt" => per = Per::Recipient,
                "per_cmd" => per = Per::Command,
                "leaky" => count = Count::Leaky,
                "strict" => count = Count::Strict,
                "readonly" => count = Count::Not,
                // What is no option is the key, or one that is not spelt right.
                _ if part.contains('$') => {
                    key = Some(part);
                    break;
                }
                _ => return Err(Problem::RateOption { option: part.to_owned() }),
            }
        }
        let rest: Vec<_> = key.into_iter().chain(parts).collect();
        let key = if rest.is_empty() { HOST.to_owned() } else { rest.join("/") };
        let fits = match per {
            Per::Mail => place != Place::Connect,
            Per::Recipient => place == Place::Rcpt,
            Per::Connection | Per::Command => true,
        };
        if !fits {
            return Err(Problem::RateOption { option: per.word().to_owned() });
        }
        Ok(Self {
            limit,
            period: period.0,
            per,
            count,
            key: Text::parse(&key, place, home.language)?,
        })
    }

    async fn holds(&self, scene: &mut Scene<'_>) -> Holds {
        match self.try_holds(scene).await {
            Ok(holds) => holds,
            Err(Unfinished::Forced) => Holds::Ignored,
            Err(Unfinished::Failed) => Holds::Later,
        }
    }

    async fn try_holds(&self, scene: &mut Scene<'_>) -> Result<Holds, Unfinished> {
        if scene.client.is_trusted_proxy && self.key.mentions("sender_host_address") {
            return Ok(Holds::No);
        }
        let limit = self.limit.expand(scene).await?;
        let Some(limit) = number(limit.as_bytes()) else {
            scene.notes.log(format!("the limit of a rate is not a number: {limit}"));
            return Ok(Holds::Later);
        };
        let own_key = self.key.expand(scene).await?;
        let Some(rates) = scene.services.get::<Rates>() else { return Ok(Holds::Later) };
        let mut key = format!("{}/{}/", self.period.as_secs(), self.per.word()).into_bytes();
        key.extend_from_slice(own_key.as_bytes());
        let counted = self.per.once().and_then(|lasts| scene.notes.rate(&key, lasts));
        let rate = counted.unwrap_or_else(|| {
            let rate = rates.rate(&key, self.period, limit, self.count, scene.now);
            if let (Some(lasts), true) = (self.per.once(), self.count != Count::Not) {
                scene.notes.keep_rate(key, rate, lasts);
            }
            rate
        });
        let [name_of_rate, name_of_limit, name_of_period] = NAMES;
        let word = |text: String| Value::new(text.into_bytes(), Trust::Trusted);
        scene.notes.publish(name_of_rate, word(format!("{rate:.1}")));
        scene.notes.publish(name_of_limit, word(limit.to_string()));
        scene.notes.publish(name_of_period, word(format!("{}s", self.period.as_secs())));
        Ok((rate >= limit).into())
    }
}

impl Condition for RateLimit {
    fn test<'a>(&'a self, scene: &'a mut Scene<'_>) -> Test<'a> {
        Test::Work(Box::pin(self.holds(scene)))
    }
}

impl From<TextError> for Problem {
    fn from(error: TextError) -> Self {
        Self::Text(error)
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug)]
enum Per {
    Connection,
    Mail,
    Recipient,
    Command,
}

impl Per {
    fn word(self) -> &'static str {
        match self {
            Self::Connection => "per_conn",
            Self::Mail => "per_mail",
            Self::Recipient => "per_rcpt",
            Self::Command => "per_cmd",
        }
    }

    /// Returns for how long a second look does not count.
    fn once(self) -> Option<Lasts> {
        match self {
            Self::Connection => Some(Lasts::Connection),
            Self::Mail => Some(Lasts::Message),
            Self::Recipient | Self::Command => None,
        }
    }
}

/// Reads a number with or without a fraction and a factor.
fn number(text: &[u8]) -> Option<f64> {
    let text = str::from_utf8(text).ok()?;
    let (digits, factor) = match text.as_bytes() {
        [.., b'k' | b'K'] => (text.get(..text.len() - 1)?, 1e3),
        [.., b'm' | b'M'] => (text.get(..text.len() - 1)?, 1e6),
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
