//! Reports from the rows of a gateway: RFC 9990.

use std::error::Error;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::num::TryFromIntError;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use dmarc_policy::{
    Destination, Destinations, Discovery, DiscoveryMethod, Feedback, FeedbackRow, PublishedPolicy,
    Record, ReportMail, ReportMetadata, SuffixFile, Tally,
};
use examples::cases::answers::Answers;
use examples::cases::dmarc_rows::Row;
use examples::cases::resolver::ResolverArguments;
use examples::cases::shown::{self, Done};
use examples::cases::typed_name::{domain, mailbox};
use mail_types::smtp::{Domain, Mailbox};
use time::{Date, Month, OffsetDateTime, Time};

use crate::made::Made;
use crate::rows::Rows;

/// Makes the reports of a day, one for each domain and record, as files that can be sent.
///
/// A report without an allowed destination is not written; the output has the result of each report.
#[derive(Args, Debug)]
pub(crate) struct Make {
    /// The gateway's rows: `dmarc.sqlite` under its `spool_directory`
    rows: PathBuf,
    /// The domain of the reporter
    #[arg(long, value_parser = domain)]
    submitter: Domain,
    /// The name of the organization that reports; default: the submitter
    #[arg(long, value_name = "NAME")]
    org: Option<String>,
    /// Its address; default: dmarc-reports at the submitter
    #[arg(long, value_name = "ADDRESS", value_parser = mailbox)]
    email: Option<Mailbox>,
    /// Further contact information
    #[arg(long, value_name = "TEXT")]
    contact: Option<String>,
    /// The day, as 2026-11-26, in UTC; default: yesterday
    #[arg(long, value_parser = day)]
    day: Option<Date>,
    /// The folder for the files
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    into: PathBuf,
    /// Writes a mail for each destination, instead of the compressed report alone
    #[arg(long)]
    mail: bool,
    /// Answers DNS questions about destinations from a master file instead of the system's resolver
    #[arg(long, value_name = "FILE")]
    zone: Option<PathBuf>,
    /// A list of public suffixes, if the gateway has one
    #[arg(long, value_name = "FILE")]
    tld_file: Option<PathBuf>,
    #[command(flatten)]
    resolver: ResolverArguments,
    /// The most different rows of a report; more rows make several reports
    #[arg(long, value_name = "COUNT", default_value_t = 100_000)]
    max_rows: usize,
    /// Writes one JSON object for each report
    #[arg(long)]
    json: bool,
}

/// The rows of a report.
struct Group {
    domain: Domain,
    /// The text of the record.
    text: String,
    discovery: DiscoveryMethod,
    tally: Tally,
}

impl Make {
    pub(crate) fn run(&self) -> Done {
        let rows =
            Rows::open(&self.rows).map_err(|error| format!("{}: {error}", self.rows.display()))?;
        shown::named(&self.into, fs::create_dir_all(&self.into))?;
        let day = self.day()?;
        if day >= OffsetDateTime::now_utc().date() {
            eprintln!(
                "dmarc_report: --day {day}: the day is not over in UTC: its reports lack the messages to come"
            );
        }
        let mut out = BufWriter::new(io::stdout().lock());
        let mut work = ReportRun {
            make: self,
            period: period(day)?,
            answers: Answers::of_arguments(self.zone.as_deref(), &self.resolver)?,
            discovery: self.discovery()?,
            group: None,
            reports: 0,
            read: 0,
        };
        let period = work.period.clone();
        rows.each(&period, |row| work.row(row, &mut out))?;
        work.finish(&mut out)?;
        if work.reports == 0 {
            eprintln!("dmarc_report: {}: no message of {day}: no report", self.rows.display());
        }
        Ok(out.flush()?)
    }

    fn discovery(&self) -> Result<Discovery, Box<dyn Error>> {
        let Some(file) = &self.tld_file else { return Ok(Discovery::TreeWalk) };
        let text = shown::named(file, fs::read_to_string(file))?;
        let list = shown::read_in(file, SuffixFile::parse(&text))?;
        Ok(Discovery::TreeWalkThenPsl(Arc::new(list)))
    }

    fn day(&self) -> Result<Date, &'static str> {
        let yesterday = || OffsetDateTime::now_utc().date().previous_day();
        self.day.or_else(yesterday).ok_or("the day does not exist")
    }

    fn email(&self) -> Result<Mailbox, Box<dyn Error>> {
        match &self.email {
            Some(email) => Ok(email.clone()),
            None => Ok(format!("dmarc-reports@{}", self.submitter).parse()?),
        }
    }
}

/// Reports under way.
struct ReportRun<'m> {
    make: &'m Make,
    period: Range<u64>,
    answers: Answers,
    discovery: Discovery,
    group: Option<Group>,
    /// How many of the period there are so far.
    reports: usize,
    read: u64,
}

impl ReportRun<'_> {
    /// Takes the next row: those of a report come together.
    fn row(&mut self, row: Row, out: &mut impl Write) -> Done {
        self.read += 1;
        if self.read.is_multiple_of(TELLING) {
            eprintln!("{} messages read", self.read);
        }
        let Row { policy_domain, record, discovery, feedback, .. } = row;
        let same = self.group.as_ref().is_some_and(|group| {
            let known = (group.domain.as_str(), group.text.as_str(), group.discovery);
            known == (policy_domain.as_str(), record.as_str(), discovery)
        });
        if !same {
            self.finish(out)?;
        }
        let Some(feedback) = self.add(feedback) else { return Ok(()) };
        self.finish(out)?;
        let (domain, tally) = (policy_domain.parse()?, Tally::new(self.make.max_rows.max(1)));
        self.group = Some(Group { domain, text: record, discovery, tally });
        self.add(feedback);
        Ok(())
    }

    /// Counts a row; gives it back if the report is full.
    fn add(&mut self, feedback: FeedbackRow) -> Option<FeedbackRow> {
        let Some(group) = &mut self.group else { return Some(feedback) };
        group.tally.add(feedback.clone()).err().map(|_| feedback)
    }

    /// Writes the report of the rows that were taken, if there are any.
    fn finish(&mut self, out: &mut impl Write) -> Done {
        let Some(group) = self.group.take() else { return Ok(()) };
        self.reports += 1;
        let record = Record::parse(group.text.as_bytes())?;
        let mut policy = PublishedPolicy::new(&group.domain, &record, &self.discovery);
        policy.discovery = Some(group.discovery);
        let (submitter, number) = (&self.make.submitter, self.reports);
        let id = format!("{}-{number}.{}@{submitter}", self.period.start, group.domain);
        // An identifier has an end; a number tells it apart.
        let id = id.get(..).filter(|id| id.len() <= dmarc_policy::ReportId::MAX_OCTETS);
        let id =
            id.map_or_else(|| format!("{}-{number}@{submitter}", self.period.start), str::to_owned);
        let email = self.make.email()?;
        let org = self.make.org.clone().unwrap_or_else(|| submitter.to_string());
        let mut metadata = ReportMetadata::new(&org, &email.to_string(), &id, self.period.clone())
            .with_generator(concat!("dmarc_report ", env!("CARGO_PKG_VERSION")));
        if let Some(contact) = &self.make.contact {
            metadata = metadata.with_contact(contact);
        }
        let report = Feedback::new(metadata, policy, group.tally.into_rows());
        let asked = Destinations::aggregate(group.domain, &record);
        let asked = asked.with_discovery(self.discovery.clone());
        let mut session = asked.session();
        let destinations = self.answers.run(&mut session, None, TIME)?;
        let files = self.write(&report, &id, &email, &destinations)?;
        shown::write(&Made::new(&report, &destinations, files), self.make.json, out)
    }

    /// Writes the files of a report, and returns their names.
    fn write(
        &self,
        report: &Feedback,
        id: &str,
        email: &Mailbox,
        destinations: &[Destination],
    ) -> Result<Vec<String>, Box<dyn Error>> {
        let targets = destinations.iter().flat_map(Destination::targets);
        let to: Vec<_> = targets.filter_map(dmarc_policy::ReportUri::mailbox).collect();
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let mail = |to: Vec<Mailbox>| -> Result<ReportMail, Box<dyn Error>> {
            let submitter = self.make.submitter.clone();
            let mail = ReportMail::new(submitter, email.clone(), to, id.parse()?, now);
            Ok(mail.with_unique_id(&self.reports.to_string()))
        };
        let mut files = Vec::new();
        if !self.make.mail && !to.is_empty() {
            let name = mail(to)?.file_name(report)?;
            self.keep(&name, &report.to_gzip())?;
            return Ok(vec![name]);
        }
        for (at, to) in to.into_iter().enumerate() {
            let mail = mail(vec![to])?;
            let name = mail.file_name(report)?;
            let name = format!("{}!{}.eml", name.trim_end_matches(".xml.gz"), at + 1);
            self.keep(&name, mail.write(report)?.as_bytes())?;
            files.push(name);
        }
        Ok(files)
    }

    fn keep(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let file = self.make.into.join(name);
        shown::named(&file, fs::write(&file, content))
    }
}

/// The seconds of a day.
fn period(day: Date) -> Result<Range<u64>, TryFromIntError> {
    let begin = u64::try_from(day.with_time(Time::MIDNIGHT).assume_utc().unix_timestamp())?;
    Ok(begin..begin + 86_400)
}

/// A day as RFC 3339 writes it.
fn day(text: &str) -> Result<Date, String> {
    let wrong = || format!("{text} is not a day as 2026-11-26");
    let mut parts = text.split('-');
    let mut next = |digits: usize| {
        let part = parts.next().filter(|part| part.len() == digits);
        part.and_then(|part| part.parse::<u16>().ok()).ok_or_else(wrong)
    };
    let (year, month, day) = (next(4)?, next(2)?, next(2)?);
    let month = u8::try_from(month).ok().and_then(|month| Month::try_from(month).ok());
    let (month, day) = (month.ok_or_else(wrong)?, u8::try_from(day).map_err(|_| wrong())?);
    if parts.next().is_some() {
        return Err(wrong());
    }
    Date::from_calendar_date(year.into(), month, day).map_err(|_| wrong())
}

/// After so many messages the work is seen to go on.
const TELLING: u64 = 100_000;
/// How long the DNS may take for the destinations of a report.
const TIME: Duration = Duration::from_mins(1);
