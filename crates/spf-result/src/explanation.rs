//! The domain's explanation of a fail: RFC 7208 section 6.2.

use mail_types::dns::{Answer, Known, Name, RecordType, Unanswered};

use crate::evaluation::{Decision, Evaluation, EvaluationStop};
use crate::expansion::Values;
use crate::{Explanation, MacroString};

impl Evaluation<'_> {
    /// Fetches and expands the explanation. An error does not change the result, and the questions
    /// do not count.
    pub(crate) fn explain(
        &self,
        known: &mut Known<'_>,
        decision: &Decision<'_>,
    ) -> Result<Explanation, Unanswered> {
        let Some(exp) = decision.source.record().and_then(|record| record.exp()) else {
            return Ok(Explanation::Absent);
        };
        known.note(|| format!("exp={exp}"));
        let target = match (exp.name(), exp.macros()) {
            (Some(name), _) => Some(name.clone()),
            (None, Some(macros)) => {
                let client_name = self.name_for(known, macros, decision.domain())?;
                self.values(decision, client_name.as_ref()).name(macros)
            }
            (None, None) => None,
        };
        let Some(target) = target else { return Ok(Explanation::Withheld) };
        let answer = known.within(|known| known.ask(&target, RecordType::Txt))?;
        let Some(text) = only_text(&answer) else { return Ok(Explanation::Withheld) };
        let client_name = self.name_for(known, &text, decision.domain())?;
        let values = self.values(decision, client_name.as_ref());
        let text = values.text(&text, self.check.options().limits.explanation);
        let shown = text.filter(|text| text.iter().all(|c| matches!(c, b' '..=b'~')));
        let shown = shown.and_then(|text| String::from_utf8(text).ok());
        Ok(shown.map_or(Explanation::Withheld, |text| Explanation::Text(text.into())))
    }

    fn values<'v>(
        &'v self,
        decision: &'v Decision<'_>,
        client_name: Option<&'v Name>,
    ) -> Values<'v> {
        Values { check: self.check, domain: decision.domain(), client_name }
    }

    /// The name of the client, if the text uses it; with its own limits, as of a separate
    /// evaluation.
    fn name_for(
        &self,
        known: &mut Known<'_>,
        text: &MacroString,
        domain: &Name,
    ) -> Result<Option<Name>, Unanswered> {
        if !text.has_p() {
            return Ok(None);
        }
        match Evaluation::new(self.check).client_name(known, domain) {
            Ok(name) => Ok(name),
            Err(EvaluationStop::Unanswered(unanswered)) => Err(unanswered),
            Err(EvaluationStop::Failed(_)) => Ok(None),
        }
    }
}

/// The text, if there is exactly one and it is valid.
fn only_text(answer: &Answer) -> Option<MacroString> {
    let mut texts = answer.texts()?.iter();
    let text = texts.next().filter(|_| texts.len() == 0)?;
    str::from_utf8(text).ok()?.parse().ok()
}
