//! Messages, by the crate `mailparse`.

use mailparse::{MailHeaderMap, ParsedMail};

use super::failure::{self, Failure};
use super::limits::OpenError;
use super::opening::{Content, Kind, Opening, join, name_of};

/// Opens all parts that may hold a report, by their octets, whatever their type says.
pub(super) fn open(opening: &mut Opening<'_>, octets: &[u8], within: &str, depth: usize) {
    // Each such line may begin a part, which takes memory.
    let boundaries = memchr::memmem::find_iter(octets, b"\n--").count();
    if !opening.count(boundaries.saturating_add(1), within) {
        return;
    }
    match mailparse::parse_mail(octets) {
        Ok(mail) => Walk { opening, within, depth, at: 0 }.part(&mail),
        Err(error) => opening.fault(within, OpenError::Encoding(error.to_string())),
    }
}

/// The way through the parts of a message.
struct Walk<'w, 'l> {
    opening: &'w mut Opening<'l>,
    within: &'w str,
    depth: usize,
    /// The number of the part.
    at: usize,
}

impl Walk<'_, '_> {
    /// The parser limits the depth of parts in parts.
    fn part(&mut self, part: &ParsedMail<'_>) {
        self.at += 1;
        if is_failure_report(part) {
            return self.failure(part);
        }
        if part.subparts.is_empty() { self.leaf(part) } else { self.parts(part) }
    }

    fn parts(&mut self, part: &ParsedMail<'_>) {
        part.subparts.iter().for_each(|part| self.part(part));
    }

    /// The message in a failure report is somebody else's: a report in it is not looked for.
    fn failure(&mut self, part: &ParsedMail<'_>) {
        let found = part.subparts.iter().find(|part| part.ctype.mimetype == failure::TYPE);
        let Some(Ok(fields)) = found.map(ParsedMail::get_body_raw) else {
            return self.parts(part);
        };
        let original = part.subparts.iter().find(|part| {
            ["text/rfc822-headers", "message/rfc822", "message/global", "message/global-headers"]
                .contains(&part.ctype.mimetype.as_str())
        });
        let original = original.and_then(|part| part.get_body_raw().ok()).unwrap_or_default();
        match Failure::of_fields(&fields, &original) {
            Ok(failure) => self.opening.add(self.within, Content::Failure(Box::new(failure))),
            Err(error) => self.opening.fault(self.within, error),
        }
    }

    fn leaf(&mut self, part: &ParsedMail<'_>) {
        let name = name(part).unwrap_or_else(|| format!("part {}", self.at));
        let place = join(self.within, &name);
        let content = match part.get_body_raw() {
            Ok(content) => content,
            Err(_) if part.ctype.mimetype.starts_with("text/plain") => return,
            Err(error) => {
                return self.opening.fault(&place, OpenError::Encoding(error.to_string()));
            }
        };
        let is_message = part.ctype.mimetype.starts_with("message/");
        let is_text = part.ctype.mimetype.starts_with("text/");
        let wanted = match Kind::of(&content) {
            Kind::Gzip | Kind::Zip => true,
            Kind::Xml => is_report(&content) || says_xml(part, &name),
            // Words with a colon are not a message because of it.
            Kind::Mail => is_message || !is_text,
            Kind::Other => false,
        };
        if wanted {
            self.opening.octets(&content, &place, self.depth + 1);
        } else if let Some(failure) = Failure::of_text(&content) {
            self.opening.add(&place, Content::Failure(Box::new(failure)));
        }
    }
}

fn is_failure_report(part: &ParsedMail<'_>) -> bool {
    let kind = part.ctype.params.get("report-type");
    part.ctype.mimetype == "multipart/report"
        && kind.is_some_and(|kind| kind.eq_ignore_ascii_case("feedback-report"))
}

/// Tells whether XML begins as an aggregate report does; a page of HTML does not.
fn is_report(content: &[u8]) -> bool {
    let start = content.get(..4096).unwrap_or(content);
    memchr::memmem::find(start, b"feedback").is_some_and(|at| {
        matches!(at.checked_sub(1).and_then(|before| start.get(before)), Some(b'<' | b':'))
    })
}

fn says_xml(part: &ParsedMail<'_>, name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    ["text/xml", "application/xml"].contains(&part.ctype.mimetype.as_str())
        || extension.is_some_and(|extension| extension.eq_ignore_ascii_case("xml"))
}

/// The file name of a part.
fn name(part: &ParsedMail<'_>) -> Option<String> {
    let disposition = part.headers.get_first_value("Content-Disposition");
    let params = disposition.map(|text| mailparse::parse_content_disposition(&text).params);
    let name = params.and_then(|params| params.get("filename").cloned());
    let name = name.or_else(|| part.ctype.params.get("name").cloned())?;
    Some(name_of(name.as_bytes())).filter(|name| !name.is_empty())
}
