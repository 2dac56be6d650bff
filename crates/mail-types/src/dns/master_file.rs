//! The records of a master file: RFC 1035 section 5, RFC 2308 section 4 for `$TTL`, whose units are those of BIND.

use crate::dns::zone::{MasterFileError, ZoneError};
use crate::dns::{Mx, Name, RecordType, Records, Texts, Zone};

/// The reader of a master file.
pub(crate) struct MasterFile<'a> {
    rest: &'a str,
    line: usize,
    /// The line where the current record begins.
    began: usize,
    /// `None` before the first `$ORIGIN`: names are relative to the root, and `@` is an error.
    origin: Option<Name>,
    owner: Option<Name>,
    ttl: u32,
}

impl<'a> MasterFile<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        // The mark of some editors would be a part of the first name.
        let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { rest, line: 1, began: 1, origin: None, owner: None, ttl: Zone::TTL }
    }

    /// The line where the last record began.
    pub(crate) fn record_line(&self) -> usize {
        self.began
    }

    /// The next record: its owner, its time to live, and its data if its type is a [`RecordType`].
    pub(crate) fn next_record(
        &mut self,
    ) -> Result<Option<(Name, u32, Option<Records>)>, MasterFileError> {
        loop {
            self.began = self.line;
            let read = self.entry().and_then(|entry| match entry {
                Some((indented, words)) => self.record(indented, &words).map(Some),
                None => Ok(None),
            });
            match read.map_err(|error| MasterFileError { line: self.began, error })? {
                Some(Some(record)) => return Ok(Some(record)),
                Some(None) => {}
                None => return Ok(None),
            }
        }
    }

    /// The words up to the end of a line outside parentheses, and whether the line begins with a
    /// blank.
    fn entry(&mut self) -> Result<Option<(bool, Vec<&'a str>)>, ZoneError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let indented = self.rest.starts_with([' ', '\t']);
        let (mut words, mut open) = (Vec::new(), false);
        while let Some(c) = self.rest.chars().next() {
            let used = match c {
                '\n' => {
                    self.line += 1;
                    if !open {
                        self.skip(1);
                        break;
                    }
                    1
                }
                '(' | ')' if open == (c == '(') => return Err(ZoneError::Unbalanced),
                '(' | ')' => {
                    open = !open;
                    1
                }
                ';' => self.rest.find('\n').unwrap_or(self.rest.len()),
                c if c.is_ascii_whitespace() => 1,
                _ => {
                    let length = word_length(self.rest)?;
                    words.push(self.rest.get(..length).unwrap_or_default());
                    length
                }
            };
            self.skip(used);
        }
        if open { Err(ZoneError::Unbalanced) } else { Ok(Some((indented, words))) }
    }

    fn skip(&mut self, octets: usize) {
        self.rest = self.rest.get(octets..).unwrap_or_default();
    }

    fn record(
        &mut self,
        indented: bool,
        words: &[&str],
    ) -> Result<Option<(Name, u32, Option<Records>)>, ZoneError> {
        let mut words = match words {
            [] => return Ok(None),
            [directive, name] if directive.eq_ignore_ascii_case("$ORIGIN") => {
                self.origin = Some(absolute(name, self.origin.as_ref())?);
                return Ok(None);
            }
            [directive, time] if directive.eq_ignore_ascii_case("$TTL") => {
                self.ttl = time_to_live(time)?;
                return Ok(None);
            }
            [directive, ..] if directive.eq_ignore_ascii_case("$INCLUDE") => {
                return Err(ZoneError::Include);
            }
            [directive, ..] if directive.eq_ignore_ascii_case("$GENERATE") => {
                return Err(ZoneError::Generate);
            }
            [first, ..] if first.starts_with('$') => return Err(ZoneError::Line),
            [first, rest @ ..] if !indented => {
                self.owner = Some(absolute(first, self.origin.as_ref())?);
                rest
            }
            words => words,
        };
        let owner = self.owner.clone().ok_or(ZoneError::Line)?;
        let mut ttl = self.ttl;
        loop {
            match words {
                [class, rest @ ..] if class.eq_ignore_ascii_case("IN") => words = rest,
                [time, rest @ ..] if time.starts_with(|c: char| c.is_ascii_digit()) => {
                    ttl = time_to_live(time)?;
                    words = rest;
                }
                [kind, data @ ..] => {
                    let records = match kind.parse() {
                        Ok(kind) => Some(rdata(kind, data, self.origin.as_ref())?),
                        // Without it, the names below would seem to be missing.
                        Err(_) if kind.eq_ignore_ascii_case("DNAME") => {
                            return Err(ZoneError::Dname);
                        }
                        Err(_) if is_type(kind) => None,
                        Err(_) => return Err(ZoneError::Line),
                    };
                    return Ok(Some((owner, ttl, records)));
                }
                [] => return Err(ZoneError::Line),
            }
        }
    }
}

/// Reads the data of one record from its words.
pub(crate) fn rdata(
    kind: RecordType,
    words: &[&str],
    origin: Option<&Name>,
) -> Result<Records, ZoneError> {
    let wrong = ZoneError::Data { kind };
    Ok(match (kind, words) {
        // The form of unknown types (RFC 3597 section 5): no text begins with this word.
        (_, [r"\#", ..]) => return Err(wrong),
        (RecordType::A, [address]) => Records::A(vec![address.parse().map_err(|_| wrong)?]),
        (RecordType::Aaaa, [address]) => Records::Aaaa(vec![address.parse().map_err(|_| wrong)?]),
        (RecordType::Cname, [name]) => Records::Cname(absolute(name, origin)?),
        (RecordType::Ptr, [name]) => Records::Ptr(vec![absolute(name, origin)?]),
        (RecordType::Mx, [preference, exchange]) => {
            let preference = preference.parse().map_err(|_| wrong)?;
            Records::Mx(vec![Mx { preference, exchange: absolute(exchange, origin)? }])
        }
        (RecordType::Tlsa, [usage, selector, matching, hex @ ..]) => {
            let mut data = Vec::new();
            for number in [usage, selector, matching] {
                data.push(number.parse().map_err(|_| wrong)?);
            }
            octets(&hex.concat(), &mut data).ok_or(wrong)?;
            Records::Tlsa(vec![data.into()])
        }
        (RecordType::Txt, [_, ..]) => {
            let mut text = Vec::new();
            for word in words {
                let quoted = word.strip_prefix('"').and_then(|word| word.strip_suffix('"'));
                unescape(quoted.unwrap_or(word), &mut text).ok_or(wrong)?;
            }
            Records::Txt(Texts::new([text]))
        }
        _ => return Err(wrong),
    })
}

/// A time to live, in seconds or with the units of BIND: `1h`, `1d12h`.
fn time_to_live(text: &str) -> Result<u32, ZoneError> {
    if text.bytes().all(|c| c.is_ascii_digit()) {
        return text.parse().map_err(|_| ZoneError::Ttl);
    }
    let mut sum = 0_u32;
    for part in text.split_inclusive(|c: char| !c.is_ascii_digit()) {
        let (count, unit) = part.split_at_checked(part.len() - 1).ok_or(ZoneError::Ttl)?;
        let seconds: u32 = match unit.to_ascii_lowercase().as_str() {
            "w" => 604_800,
            "d" => 86_400,
            "h" => 3600,
            "m" => 60,
            "s" => 1,
            _ => return Err(ZoneError::Ttl),
        };
        let count: u32 = count.parse().map_err(|_| ZoneError::Ttl)?;
        let added = count.checked_mul(seconds).and_then(|part| sum.checked_add(part));
        sum = added.ok_or(ZoneError::Ttl)?;
    }
    Ok(sum)
}

/// A name; it is relative to the origin unless it ends in a dot.
fn absolute(text: &str, origin: Option<&Name>) -> Result<Name, ZoneError> {
    if text == "@" {
        return origin.cloned().ok_or(ZoneError::NoOrigin);
    }
    let name: Name = text.parse()?;
    let escaped = text.strip_suffix('.').map(|text| text.bytes().rev());
    let is_absolute =
        escaped.is_some_and(|mut rest| rest.position(|c| c != b'\\').unwrap_or_default() % 2 == 0);
    match origin.filter(|origin| !is_absolute && !origin.is_root()) {
        Some(origin) => Ok(Name::from_labels(name.labels().chain(origin.labels()))?),
        None => Ok(name),
    }
}

/// Tells whether a word is the name of a record type that is passed over, or the form of an unknown
/// type (RFC 3597). That form of a type that is read, or of `DNAME`, would seem missing.
fn is_type(word: &str) -> bool {
    let number = word.get(4..).filter(|_| word.to_ascii_uppercase().starts_with("TYPE"));
    OTHER_TYPES.split(' ').any(|known| known.eq_ignore_ascii_case(word))
        || number.and_then(|number| number.parse().ok()).is_some_and(|number: u16| {
            !matches!(number, A | CNAME | PTR | MX | TXT | AAAA | DNAME | TLSA)
        })
}

const A: u16 = 1;
const CNAME: u16 = 5;
const PTR: u16 = 12;
const MX: u16 = 15;
const TXT: u16 = 16;
const AAAA: u16 = 28;
const DNAME: u16 = 39;
const TLSA: u16 = 52;

/// The types of records that a zone of today has, beside those that are read.
const OTHER_TYPES: &str = "SOA NS SRV CAA DS DNSKEY RRSIG NSEC NSEC3 NSEC3PARAM CDS CDNSKEY CSYNC ZONEMD HINFO \
                           NAPTR SPF SSHFP HTTPS SVCB URI LOC CERT OPENPGPKEY SMIMEA RP AFSDB";

/// The length of the first word of a text, its quotes included.
fn word_length(text: &str) -> Result<usize, ZoneError> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' if quoted => return Ok(at + 1),
            '"' if at == 0 => quoted = true,
            '\n' if quoted => return Err(ZoneError::Unbalanced),
            '(' | ')' | ';' | '"' if !quoted => return Ok(at),
            c if !quoted && c.is_ascii_whitespace() => return Ok(at),
            _ => {}
        }
    }
    if quoted { Err(ZoneError::Unbalanced) } else { Ok(text.len()) }
}

fn unescape(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let mut rest = text.as_bytes();
    loop {
        rest = match *rest {
            [] => return Some(()),
            [b'\\', a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', ref rest @ ..] => {
                let digits = [a, b, c].map(|digit| u16::from(digit - b'0'));
                let octet = digits.iter().fold(0, |octet, digit| 10 * octet + digit);
                out.push(u8::try_from(octet).ok()?);
                rest
            }
            [b'\\', c, ref rest @ ..] if !c.is_ascii_digit() => {
                out.push(c);
                rest
            }
            [b'\\', ..] => return None,
            [c, ref rest @ ..] => {
                out.push(c);
                rest
            }
        };
    }
}

fn octets(hex: &str, out: &mut Vec<u8>) -> Option<()> {
    for pair in hex.as_bytes().chunks(2) {
        let [high, low] = *pair else { return None };
        let digit = |c: u8| char::from(c).to_digit(16);
        out.push(u8::try_from(16 * digit(high)? + digit(low)?).ok()?);
    }
    Some(())
}
