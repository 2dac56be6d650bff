//! Makes lookups in Redis by the gateway's code.

mod case;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use examples::cases::lines;
use examples::cases::shown::{self, Shown as _};
use examples::gateway::lookups::redis::{Redis, RedisSettings};
use mail_types::exim::Query;
use redis_lookup::{Mode, Options, Servers};
use tokio::runtime::Runtime;

use case::Case;

fn main() -> ExitCode {
    shown::exit_strict("redis_lookup", Arguments::parse().all())
}

/// Makes lookups in Redis as ${lookup redis{…}} does; a result is found, not found or deferred.
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
struct Arguments {
    /// Queries, such as "GET key"; by default each line of standard input is one
    queries: Vec<String>,
    /// The servers, as in the option of the gateway: 127.0.0.1/10/
    #[arg(long, value_name = "LIST", value_parser = servers)]
    servers: Servers,
    /// Allows commands that change data
    #[arg(long)]
    allow_writes: bool,
    /// Reads replies as Exim does: a number is true or false, a missing value is an empty text
    #[arg(long)]
    compatible: bool,
    /// The deadline of a lookup, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    timeout: Duration,
    /// Exits with 1 if a query was refused or deferred
    #[arg(long)]
    strict: bool,
    /// Writes one JSON object for each query
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// Returns whether the exit status is that of success.
    fn all(&self) -> Result<bool, Box<dyn Error>> {
        // rustls needs a provider for rediss://.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mode = if self.compatible { Mode::Exim } else { Mode::Plain };
        let settings = RedisSettings {
            servers: self.servers.clone(),
            options: Options::default().with_writes(self.allow_writes).with_mode(mode),
            timeout: self.timeout,
        };
        let (redis, runtime) = (Redis::new(&settings)?, Runtime::new()?);
        let mut out = io::BufWriter::new(io::stdout().lock());
        let mut is_sound = true;
        for query in &self.queries {
            is_sound &= self.one(query.as_bytes(), &redis, &runtime, &mut out)?;
        }
        if !self.queries.is_empty() {
            out.flush()?;
            return Ok(is_sound || !self.strict);
        }
        lines::each(MAX_LINE, "a query a line, such as GET key", &mut out, |line, out| {
            is_sound &= self.one(line.octets.trim_ascii_end(), &redis, &runtime, out)?;
            Ok(())
        })?;
        Ok(is_sound || !self.strict)
    }

    /// Makes a lookup; tells whether it was made.
    fn one(
        &self,
        text: &[u8],
        redis: &Redis,
        runtime: &Runtime,
        out: &mut impl Write,
    ) -> Result<bool, Box<dyn Error>> {
        let mut query = Query::default();
        query.push_literal(text);
        let outcome = runtime.block_on(redis.look_up(None, &query, self.timeout));
        let case = Case::new(text, outcome);
        shown::write(&case, self.json, out)?;
        Ok(case.is_sound())
    }
}

/// The maximum length of a line.
const MAX_LINE: usize = 1 << 20;

fn servers(text: &str) -> Result<Servers, String> {
    match Servers::parse(text) {
        Ok(servers) if servers.is_empty() => Err("the list has no server".to_owned()),
        Ok(servers) => Ok(servers),
        Err(error) => Err(error.to_string()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let seconds = seconds.filter(|seconds| !seconds.is_zero());
    seconds.ok_or_else(|| "not a number of seconds above 0".to_owned())
}
