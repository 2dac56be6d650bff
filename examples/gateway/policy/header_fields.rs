//! The modifiers `add_header` and `remove_header`.

use mail_types::exim::List;

use super::context::Context;
use super::rules::Problem;
use super::text::Text;
use crate::gateway::message::header_edits::{AddedField, Position, RemovedName};

/// Reads an `add_header` that is written like this.
pub(super) fn check_added(
    written: &str,
    text: impl FnOnce() -> Result<Text, Problem>,
) -> Result<Text, Problem> {
    let (_, field) = Position::of(written);
    let name = field.split_once(':').map(|(name, _)| name);
    let is_name = |name: &str| is_field_name(name) && !name.contains('$');
    if !WHOLE_FIELDS.contains(&field.trim()) && !name.is_some_and(is_name) {
        return Err(Problem::FieldName);
    }
    let text = text()?;
    match text.literal_lines() {
        Some(lines) if fields(&lines).iter().any(Result::is_err) => Err(Problem::FieldName),
        _ => Ok(text),
    }
}

/// Reads a `remove_header`.
pub(super) fn check_removed(text: Text) -> Result<Text, Problem> {
    let Some(literal) = text.literal() else { return Ok(text) };
    let literal = String::from_utf8_lossy(literal);
    let names: Vec<_> = names(&literal).collect();
    if names.is_empty() {
        return Err(Problem::RemovedName { item: String::new() });
    }
    for name in names {
        match name {
            Ok(name) if name.is_received() => return Err(Problem::RemovedReceived),
            Ok(_) => {}
            Err(item) => return Err(Problem::RemovedName { item }),
        }
    }
    Ok(text)
}

/// Adds the fields of a text.
pub(super) async fn add(text: &Text, context: &mut Context<'_>) {
    let lines = text.expand_lines(context).await.unwrap_or_default();
    // Of a whole field that has no value, nothing is left.
    for field in fields(&lines).into_iter().filter(|field| *field != Err("")) {
        match field {
            Ok(field) => context.state.add_header(field, context.stage.lasts()),
            Err(line) => {
                let fault = format!("a line is not NAME: text, and is left out: {line}");
                context.state.text_log().add_fault(fault);
            }
        }
    }
}

/// Removes the fields that a text names.
pub(super) async fn remove(text: &Text, context: &mut Context<'_>) {
    let Ok(list) = text.expand(context).await else { return };
    for name in names(&String::from_utf8_lossy(list.as_bytes())) {
        let fault = match name {
            Ok(name) if name.is_received() => Some("Received fields stay".to_owned()),
            Ok(name) => (!context.state.remove_header(name)).then(|| "too many names".to_owned()),
            Err(item) => Some(format!("{item:?} is not the name of a field")),
        };
        if let Some(fault) = fault {
            context.state.text_log().add_fault(fault);
        }
    }
}

/// The field names in a list; an error holds an item that is not a field name. Empty items do not count.
fn names(list: &str) -> impl Iterator<Item = Result<RemovedName, String>> {
    let items = List::new(list).filter(|item| !item.trim().is_empty());
    items.map(|item| RemovedName::read(item.trim()).ok_or_else(|| item.trim().to_owned()))
}

/// Header fields of lines, each cut to the 998 octets of RFC 5322 section 2.1.1. A line that begins
/// with a blank goes on with the one before.
fn fields(lines: &[String]) -> Vec<Result<AddedField, &str>> {
    let mut fields: Vec<Result<AddedField, &str>> = Vec::new();
    for line in lines {
        let rest = line.trim_start();
        match fields.last_mut() {
            Some(Ok(field)) if rest.len() < line.len() => {
                if !rest.is_empty() {
                    field.text.extend([" ", rest]);
                }
            }
            _ => fields.push(field(line)),
        }
    }
    let cut = |field: AddedField| AddedField { text: cut(field.text), ..field };
    fields.into_iter().map(|field| field.map(cut)).collect()
}

fn field(line: &str) -> Result<AddedField, &str> {
    let (position, field) = Position::of(line);
    match field.split_once(':') {
        Some((name, body)) if is_field_name(name) => {
            Ok(AddedField { position, text: format!("{name}: {}", body.trim()) })
        }
        _ => Err(field),
    }
}

/// RFC 5322 section 3.6.8.
fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|c| c.is_ascii_graphic() && c != b':')
}

pub(super) fn cut(mut field: String) -> String {
    let end = (0..=MAX_FIELD.min(field.len())).rev().find(|&end| field.is_char_boundary(end));
    field.truncate(end.unwrap_or_default());
    field
}

/// Variables that are a whole field, its name too; nothing is added where one has no value.
const WHOLE_FIELDS: &[&str] =
    &["$spf_received", "${spf_received}", "$dmarc_ar_header", "${dmarc_ar_header}"];

/// The longest field that is added, in octets without its CRLF.
const MAX_FIELD: usize = 998;
