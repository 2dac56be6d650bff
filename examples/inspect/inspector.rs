//! The inspection of a domain.

use std::collections::HashSet;
use std::error::Error;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use dane_tlsa::mail_types::dns::{Answer, Name, Question, RecordType, Records};
use dane_tlsa::{Bounce, Decision, Host, NextHop, Policy};
use examples::cases::answers::Answers;
use examples::cases::dmarc_review::DmarcReview;
use examples::cases::spf_review::SpfReview;
use mail_types::smtp::Domain;

use crate::hosts::{self, Reach};
use crate::inspection::{Defect, Inspection, LookupLine, Mail, Severity};
use crate::sentences;

/// It inspects one domain after the other.
pub(crate) struct Inspector {
    answers: Answers,
    port: u16,
    reach: Reach,
}

impl Inspector {
    pub(crate) fn new(answers: Answers, port: u16, reach: Reach) -> Self {
        Self { answers, port, reach }
    }

    /// Inspects a domain.
    pub(crate) fn inspect(&mut self, domain: &Domain) -> Result<Inspection, Box<dyn Error>> {
        let name = Name::from(domain);
        let mut lookups = Vec::new();
        let policy = Policy::new(NextHop::Domain(name.clone()), self.port);
        let mut session = policy.session();
        let decision = self.answers.run(&mut session, None, TIME)?;
        note(&mut lookups, session.answers());
        let of_mail_hosts = lookups.len();
        let mut records = of_aliases(&decision, session.answers());
        records.extend(of_mx_set(domain, decision.hosts().len(), session.answers()));
        let mut mail = Mail::new(&decision);
        for host in decision.hosts() {
            mail.hosts.push(hosts::inspect(host, self.port, self.reach));
        }
        let review = spf_result::Review::new(name);
        let mut session = review.session();
        let reviewed = self.answers.run(&mut session, None, TIME)?;
        note(&mut lookups, session.answers());
        let mut published: Vec<_> = reviewed.findings().iter().map(Defect::of_spf).collect();
        let spf = SpfReview::new(domain, &reviewed);
        let review = dmarc_policy::Review::new(domain.clone());
        let mut session = review.session();
        let reviewed = self.answers.run(&mut session, None, TIME)?;
        note(&mut lookups, session.answers());
        published.extend(reviewed.findings().iter().map(Defect::of_dmarc));
        let dmarc = DmarcReview::new(domain, &reviewed);
        let mut defects = of_mail(domain, &decision, &mail);
        defects.append(&mut records);
        defects.append(&mut published);
        let domain = domain.to_string();
        Ok(Inspection { domain, mail, spf, dmarc, lookups, of_mail: of_mail_hosts, defects })
    }
}

/// The defects of the mail hosts.
fn of_mail(domain: &Domain, decision: &Decision, mail: &Mail) -> Vec<Defect> {
    let defect = |severity, reason: &dyn Display| {
        Defect::new(severity, domain.to_string(), reason.to_string())
    };
    let mut defects = match decision {
        Decision::Bounce(reason @ Bounce::NullMx) => vec![defect(Severity::Notice, reason)],
        Decision::Bounce(reason) => {
            vec![defect(Severity::Problem, reason).breaking(sentences::NO_DOMAIN)]
        }
        Decision::Defer(reason) => {
            vec![defect(Severity::Problem, reason).breaking(sentences::NO_ANSWER)]
        }
        Decision::Hosts(_) => Vec::new(),
    };
    defects.extend(mail.hosts.iter().flat_map(|host| host.defects.iter().cloned()));
    defects
}

/// The mail hosts of MX records that are aliases.
fn of_aliases(decision: &Decision, answers: &[(Question, Arc<Answer>)]) -> Vec<Defect> {
    let has_records = |question: &Question| question.kind == RecordType::Mx;
    let is_named = answers.iter().any(|(question, answer)| {
        has_records(question) && matches!(**answer, Answer::Records { .. })
    });
    let hosts = decision.hosts().iter().filter_map(|host| match &host.host {
        Host::Name(name) if is_named => Some(name),
        _ => None,
    });
    let defects = hosts.filter_map(|host| {
        let target = alias_of(host, answers)?;
        let text = format!("the MX record names an alias, of {target}");
        let defect = Defect::new(Severity::Warning, host.to_string(), text);
        Some(defect.breaking(sentences::ALIAS_IN_MX))
    });
    defects.collect()
}

/// The defects of the MX records as a set: a null MX record beside others or with a preference, and more hosts than are
/// looked at.
fn of_mx_set(
    domain: &Domain,
    looked_at: usize,
    answers: &[(Question, Arc<Answer>)],
) -> Vec<Defect> {
    let defect = |severity, text: String| Defect::new(severity, domain.to_string(), text);
    let mut defects = Vec::new();
    let answer = answers.iter().find(|(question, _)| question.kind == RecordType::Mx);
    let Some(Answer::Records { records: Records::Mx(records), .. }) =
        answer.map(|(_, answer)| &**answer)
    else {
        return defects;
    };
    let hosts: HashSet<_> = records.iter().map(|mx| &mx.exchange).collect();
    let named = hosts.iter().filter(|host| !host.is_root()).count();
    if named > 0 && named < hosts.len() {
        let text =
            "a null MX record beside others: some senders take the domain for one without mail";
        let defect = defect(Severity::Warning, text.to_owned());
        defects.push(defect.breaking(sentences::NULL_MX_ALONE));
    }
    let preference = records.iter().map(|mx| mx.preference).find(|preference| *preference > 0);
    if let Some(preference) = preference.filter(|_| named == 0) {
        let text = format!("a null MX record with preference {preference} instead of 0");
        defects.push(defect(Severity::Warning, text).breaking(sentences::NULL_MX));
    }
    if named > looked_at {
        let text =
            format!("{named} MX hosts: only the {looked_at} of the best preferences are looked at");
        defects.push(defect(Severity::Notice, text));
    }
    defects
}

/// Returns the name that an alias leads to.
fn alias_of<'a>(host: &Name, answers: &'a [(Question, Arc<Answer>)]) -> Option<&'a Name> {
    let of_host = answers.iter().filter(|(question, _)| question.name == *host);
    let mut targets = of_host.filter_map(|(question, answer)| match &**answer {
        Answer::Records { records: Records::Cname(target), .. } => Some(target),
        Answer::Records { canonical, .. }
            if matches!(question.kind, RecordType::A | RecordType::Aaaa) =>
        {
            Some(canonical)
        }
        _ => None,
    });
    targets.find(|target| *target != host)
}

/// Notes each answer down, once.
fn note(lookups: &mut Vec<LookupLine>, answers: &[(Question, Arc<Answer>)]) {
    for (question, answer) in answers {
        let line = LookupLine::new(question, answer);
        if !lookups.contains(&line) {
            lookups.push(line);
        }
    }
}

/// The time for the questions of each part.
const TIME: Duration = Duration::from_secs(20);
