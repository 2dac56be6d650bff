//! The validated names of the client: RFC 7208 sections 5.5 and 7.3.

use mail_types::dns::{Answer, Known, Name, RecordType, Records};

use crate::evaluation::{Evaluation, EvaluationStop};

impl Evaluation<'_> {
    /// The name of the client for `%{p}`: the domain itself is preferred, then a name below it,
    /// then any (RFC 7208 section 7.3).
    pub(crate) fn client_name(
        &mut self,
        known: &mut Known<'_>,
        domain: &Name,
    ) -> Result<Option<Name>, EvaluationStop> {
        let names = self.client_names(known, domain)?;
        let best = names.iter().min_by_key(|name| (*name != domain, !name.is_within(domain)));
        Ok(best.cloned())
    }

    /// The validated names of the client (RFC 7208 section 5.5).
    pub(crate) fn client_names(
        &mut self,
        known: &mut Known<'_>,
        domain: &Name,
    ) -> Result<Vec<Name>, EvaluationStop> {
        let reverse = Name::reverse(self.check.client());
        let answer = known.ask(&reverse, RecordType::Ptr)?;
        let names = match &*answer {
            Answer::Records { records: Records::Ptr(names), .. } => names.as_slice(),
            Answer::Absent { .. } => {
                self.count_void(domain)?;
                &[]
            }
            _ => &[], // A failure counts as no name.
        };
        let (mut validated, mut missing) = (Vec::new(), None);
        for name in names.iter().take(self.limits().ptr_names) {
            match known.ask(name, self.family()) {
                Ok(answer) if self.holds(&answer, 32, 128) => validated.push(name.clone()),
                Ok(answer) => {
                    let void = matches!(*answer, Answer::Absent { .. });
                    if void && self.counts_hosts() && missing.is_none() {
                        self.count_void(domain)?;
                    }
                }
                Err(unanswered) => missing = Some(unanswered),
            }
        }
        missing.map_or(Ok(validated), |unanswered| Err(unanswered.into()))
    }
}
