//! The source of DNS answers for a case: the case itself, a master file, or a resolver.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mail_types::dns::{DnssecStatus, Inquiry, InquiryStep, Resolve, Session, Zone, run_cached};
use mail_types::hickory::{Resolver, ResolverSettings};
use tokio::runtime::Runtime;

use super::resolver::ResolverArguments;
use super::shown::{read_in, read_text};

/// Who answers where a case has no answers of its own.
#[derive(Default)]
#[expect(missing_debug_implementations, reason = "a resolver has none")]
pub struct Answers {
    zone: Option<Arc<Zone>>,
    resolver: Option<Box<dyn Resolve>>,
    runtime: Option<Runtime>,
}

impl Answers {
    /// Takes a master file; without one, the system's resolver is asked, once it is needed.
    ///
    /// # Errors
    ///
    /// The fault of the file, for people.
    pub fn new(zone: Option<&Path>) -> Result<Self, Box<dyn Error>> {
        let Some(file) = zone else { return Ok(Self::default()) };
        let text = read_text(file)?;
        let zone = Zone::parse(&text).map_err(|error| format!("{error}: {}", error.error));
        Ok(Self { zone: Some(Arc::new(read_in(file, zone)?)), ..Self::default() })
    }

    /// Takes a master file, or the resolver of the arguments; without both, the system's resolver is asked, once it is
    /// needed.
    ///
    /// # Errors
    ///
    /// The fault of a file, for people.
    pub fn of_arguments(
        zone: Option<&Path>,
        resolver: &ResolverArguments,
    ) -> Result<Self, Box<dyn Error>> {
        let answers = Self::new(zone)?;
        let is_given = resolver.given().is_some();
        Ok(if is_given { answers.with_resolver(resolver.resolver()?) } else { answers })
    }

    /// Gives the answers of the master file this DNSSEC status.
    #[must_use]
    pub fn with_security(self, status: DnssecStatus) -> Self {
        let with_security =
            |zone| Arc::new(Arc::<Zone>::unwrap_or_clone(zone).with_security(status));
        Self { zone: self.zone.map(with_security), ..self }
    }

    /// Answers from the same master file, which is read once: it may be a pipe.
    #[must_use]
    pub fn of_same_zone(&self) -> Self {
        Self { zone: self.zone.clone(), ..Self::default() }
    }

    /// Asks this resolver in place of the system's.
    #[must_use]
    pub fn with_resolver(self, resolver: impl Resolve + 'static) -> Self {
        Self { resolver: Some(Box::new(resolver)), ..self }
    }

    /// Runs a session to its end; `own` are the answers of the case. A resolver has so much time.
    ///
    /// # Errors
    ///
    /// The reason why no resolver can be made.
    pub fn run<I: Inquiry>(
        &mut self,
        session: &mut Session<I>,
        own: Option<&Zone>,
        time: Duration,
    ) -> Result<I::Verdict, Box<dyn Error>> {
        match own.or(self.zone.as_deref()) {
            Some(zone) => Ok(by_zone(session, zone)),
            None => self.by_resolver(session, time),
        }
    }

    fn by_resolver<I: Inquiry>(
        &mut self,
        session: &mut Session<I>,
        time: Duration,
    ) -> Result<I::Verdict, Box<dyn Error>> {
        if self.runtime.is_none() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            self.runtime = Some(runtime);
        }
        let Some(runtime) = &self.runtime else { return Err("no runtime".into()) };
        if self.resolver.is_none() {
            let settings = ResolverSettings::of_system(Path::new(ResolverSettings::SYSTEM))?;
            let resolver = runtime.block_on(async { Resolver::new(settings) })?;
            self.resolver = Some(Box::new(resolver));
        }
        let Some(resolver) = &self.resolver else { return Err("no resolver".into()) };
        Ok(runtime.block_on(run_cached(session, &**resolver, time, &|_| None)))
    }
}

fn by_zone<I: Inquiry>(session: &mut Session<I>, zone: &Zone) -> I::Verdict {
    loop {
        match session.poll() {
            InquiryStep::Ask(question) => session.handle_answer(&question, zone.answer(&question)),
            InquiryStep::Wait => session.handle_timeout(),
            InquiryStep::Done(verdict) => return verdict,
        }
    }
}
