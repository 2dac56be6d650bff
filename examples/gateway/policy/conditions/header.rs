//! `header.NAME = LIST` and `header_raw.NAME = LIST`: whether a field of this name has a text that fits.

use event_expand::HeaderForm;
use mail_types::exim::List;
use mail_types::smtp::Header;
use memchr::memmem;

use crate::gateway::policy::condition::{Condition, RuleScope, Test, Truth};
use crate::gateway::policy::context::Context;
use crate::gateway::policy::field_text::decoded;
use crate::gateway::policy::rules::Problem;
use crate::gateway::policy::source::RuleEntry;
use crate::gateway::policy::stage::Stage;
use crate::gateway::policy::text::Unfinished;
use crate::gateway::policy::words::Words;

/// Each item is a text in which `*` stands for anything. It holds if an item fits one of the fields of
/// that name. `header` tests the text that a reader sees, as `$h_NAME:` has it: encoded words decoded,
/// unfolded, without blanks around it, without regard to case. `header_raw` compares the octets of the
/// field's body, unfolded and without blanks around it. `*` alone asks whether there is such a field.
#[derive(Debug)]
pub(crate) struct HeaderTest {
    name: String,
    form: HeaderForm,
    items: Words<Vec<Vec<u8>>>,
}

impl HeaderTest {
    pub(crate) fn read(
        entry: &RuleEntry,
        stage: Stage,
        home: &RuleScope<'_>,
        form: HeaderForm,
    ) -> Result<Self, Problem> {
        // RFC 5322 section 3.6.8.
        let named = |c: u8| c.is_ascii_graphic() && c != b':';
        let name = entry.of.clone().filter(|n| !n.is_empty() && n.bytes().all(named));
        let name = name.ok_or(Problem::FieldName)?;
        // What comes behind an expansion may be of its text. `\^` is the character.
        let written = entry.text.split('$').next().unwrap_or_default();
        if let Some(at) = List::new(written).position(|item| item.starts_with('^')) {
            let prefix = if form == HeaderForm::Raw { "rh_" } else { "h_" };
            return Err(Problem::NoExpression { item: at + 1, field: format!("{prefix}{name}") });
        }
        let items = Words::read(&entry.text, stage, home.language, move |list, _| {
            let items = list.map(|item| match form {
                HeaderForm::Raw => item.as_bytes().to_vec(),
                _ => item.to_lowercase().into_bytes(),
            });
            let items: Vec<_> = items.take(MAX_ITEMS + 1).collect();
            if items.len() > MAX_ITEMS { Err(Problem::TooMany) } else { Ok(items) }
        })?;
        if items.known().is_some_and(Vec::is_empty) {
            return Err(Problem::EmptyList { hint: "" });
        }
        Ok(Self { name, form, items })
    }

    fn holds(&self, message: &[u8], items: &[Vec<u8>]) -> Truth {
        let fits = |body: &[u8]| {
            let unfolded = unfold(body);
            let text = match self.form {
                HeaderForm::Raw => unfolded,
                _ => String::from_utf8_lossy(&decoded(&unfolded)).to_lowercase().into_bytes(),
            };
            items.iter().any(|item| fits(item, text.trim_ascii()))
        };
        Header::of(message).bodies(&self.name).any(fits).into()
    }

    /// A list that fails by its own word has nothing in it.
    async fn ask(&self, context: &mut Context<'_>) -> Truth {
        match self.items.now(context).await {
            Ok(items) => self.holds(context.message, &items),
            Err(Unfinished::Forced) => Truth::No,
            Err(Unfinished::Failed) => Truth::Later,
        }
    }
}

impl Condition for HeaderTest {
    fn test<'a>(&'a self, context: &'a mut Context<'_>) -> Test<'a> {
        match self.items.known() {
            Some(items) => Test::Known(self.holds(context.message, items)),
            None => Test::Pending(Box::pin(self.ask(context))),
        }
    }
}

fn unfold(body: &[u8]) -> Vec<u8> {
    let body = body.iter().copied().filter(|octet| !matches!(octet, b'\r' | b'\n'));
    body.collect::<Vec<_>>().trim_ascii().to_vec()
}

/// Tells whether a text fits a pattern with `*` in it.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let mut pieces = pattern.split(|&c| c == b'*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for piece in pieces {
        // The piece before was not the last: where it first occurs leaves most to the others.
        if let Some(piece) = last.replace(piece) {
            let Some(at) = memmem::find(rest, piece) else { return false };
            rest = rest.get(at + piece.len()..).unwrap_or_default();
        }
    }
    last.map_or(rest.is_empty(), |last: &[u8]| rest.ends_with(last))
}

/// The most items that a list has.
const MAX_ITEMS: usize = 1000;
