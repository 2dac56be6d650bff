//! The failure mail of Exim in 2014, with the control `dmarc_enable_forensic`.

use std::fmt::Write;
use std::net::IpAddr;

use mail_types::smtp::Mailbox;

use crate::report::header_excerpt::header_excerpt;
use crate::report::mail_date::MailDate;
use crate::{FailureReportLimits, ReportId, Status, Verdict};

/// Exim's forensic mail, for programs that read it; [`FailureReport`] is the standard's form.
///
/// It is plain text. Exim sends it for messages that the owner wants rejected or quarantined. The
/// program checks the destination and the rate as for any failure report:
/// [`Destinations`](crate::Destinations), [`FailureRate`](crate::FailureRate).
///
/// [`FailureReport`]: crate::FailureReport
///
/// ```
/// use dmarc_policy::{Author, Dmarc, EximForensic, FailureReportLimits};
/// use mail_types::dns::Zone;
///
/// let zone = Zone::parse("_dmarc.example.com TXT \"v=DMARC1; p=reject\"")?;
/// let message = b"From: ann@example.com\r\nSubject: hello\r\n\r\n";
/// let dmarc = Dmarc::new(Author::from_message(message));
/// let verdict = dmarc.session().run(|question| zone.answer(question));
/// let (sender, to) = ("dmarc@mx.example.net".parse()?, "ruf@example.com".parse()?);
/// let mail = EximForensic::new(&verdict, sender, to, "192.0.2.1".parse()?, 1_796_083_200)
///     .ok_or("no mail is wanted")?
///     .with_references(&"1@example.com".parse()?)
///     .with_header(message, FailureReportLimits::default().with_header(1000))
///     .write();
/// assert!(String::from_utf8(mail)?.contains("Subject: hello"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct EximForensic<'a> {
    verdict: &'a Verdict,
    /// The option `dmarc_forensic_sender`.
    sender: Mailbox,
    to: Mailbox,
    source: IpAddr,
    received: u64,
    references: Option<&'a ReportId>,
    header: &'a [u8],
    limits: FailureReportLimits,
}

impl<'a> EximForensic<'a> {
    /// Starts the mail about a message from an address, received at a time in seconds since
    /// 1970-01-01 00:00:00 UTC. `None` if Exim sends no mail for this verdict.
    #[must_use]
    pub fn new(
        verdict: &'a Verdict,
        sender: Mailbox,
        to: Mailbox,
        source: IpAddr,
        received: u64,
    ) -> Option<Self> {
        let limits = FailureReportLimits::default();
        let wanted = matches!(verdict.status(), Status::Reject | Status::Quarantine);
        wanted.then_some(Self {
            verdict,
            sender,
            to,
            source,
            received,
            references: None,
            header: &[],
            limits,
        })
    }

    /// Sets the identifier of the message.
    #[must_use]
    pub fn with_references(self, message_id: &'a ReportId) -> Self {
        Self { references: Some(message_id), ..self }
    }

    /// Sets the header of the message; as many fields as the limits allow are quoted.
    #[must_use]
    pub fn with_header(self, header: &'a [u8], limits: FailureReportLimits) -> Self {
        Self { header, limits, ..self }
    }

    /// Writes the mail with CR LF as line ends.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let yes_or_no = |yes| if yes { "yes" } else { "no" };
        let used = self.verdict.policy_domain.as_ref().or(self.verdict.author.as_ref());
        let used = used.map_or_else(|| "Unknown".to_owned(), ToString::to_string);
        let Self { sender, to, source, .. } = self;
        let mut mail =
            format!("Auto-Submitted: auto-replied\r\nFrom: <{sender}>\r\nTo: <{to}>\r\n");
        if let Some(references) = self.references {
            let _ = write!(mail, "References: <{references}>\r\n");
        }
        let _ = write!(
            mail,
            "Subject: DMARC Forensic Report for {used} from IP {source}\r\n\r\n\
             A message claiming to be from you has failed the published DMARC\r\n\
             policy for your domain.\r\n\r\n"
        );
        for (name, value) in [
            ("Sender Domain", &*used),
            ("Sender IP Address", &source.to_string()),
            ("Received Date", &MailDate(self.received).to_string()),
            ("SPF Alignment", yes_or_no(self.verdict.spf.is_aligned())),
            ("DKIM Alignment", yes_or_no(self.verdict.dkim.is_aligned())),
            ("DMARC Results", self.verdict.status().description()),
        ] {
            let _ = write!(mail, "  {name}: {value}\r\n");
        }
        mail.push_str(
            "\r\n------ This is a copy of the headers that were received before the error\r\n       \
             was detected.\r\n\r\n",
        );
        let mut mail = mail.into_bytes();
        mail.extend(header_excerpt(self.header, self.limits.header));
        mail
    }
}
