//! The types of lookups, and what may stand before and behind their names.

/// A type of lookup with its modifiers, as `partial-lsearch*@,ret=full` says.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Lookup {
    /// The name: `pgsql`, `lsearch`.
    pub name: &'static str,
    /// How many components of the key a partial match must keep; `partial-` means 2.
    pub partial: Option<u8>,
    /// What a partial match puts before the shortened key: `*.` unless `partial(…)` says otherwise.
    pub affix: Box<[u8]>,
    /// What is looked up where the key is not found.
    pub fallback: Fallback,
    /// What stands behind the name and a comma: `ret=full`, `cache=no_rd`, `servers=…`.
    pub options: Option<Box<[u8]>>,
}

/// What is looked up where a key is not found.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Fallback {
    /// Nothing.
    None,
    /// `*`: the key `*`.
    Star,
    /// `*@`: first `*@` and the domain of the key, then `*`.
    StarAt,
}

impl Lookup {
    /// Whether it takes a query, rather than a key and a file.
    #[must_use]
    pub fn is_query(&self) -> bool {
        self.style() == Some(Style::Query)
    }

    /// Whether it reads the file that the template names.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.style() == Some(Style::File)
    }

    fn style(&self) -> Option<Style> {
        LOOKUPS.iter().find(|(name, ..)| *name == self.name).map(|(_, style)| *style)
    }

    /// Takes the type as a template has it; `None` if there is none of that name.
    pub(crate) fn find(text: &[u8]) -> Option<Self> {
        let comma = text.iter().position(|&b| b == b',');
        let (text, options) = match comma.and_then(|at| text.split_at_checked(at)) {
            Some((text, options)) => (text, Some(options.get(1..)?.into())),
            None => (text, None),
        };
        let (partial, affix, text) = partial(text)?;
        let (fallback, text) = match text {
            [text @ .., b'*', b'@'] => (Fallback::StarAt, text),
            [text @ .., b'*'] => (Fallback::Star, text),
            _ => (Fallback::None, text),
        };
        let name = known(text)?;
        Some(Self { name, partial, affix: affix.into(), fallback, options })
    }
}

/// Splits `partial-`, `partialN-` and `partialN(affix)` off.
fn partial(text: &[u8]) -> Option<(Option<u8>, &[u8], &[u8])> {
    let Some(rest) = text.strip_prefix(b"partial") else { return Some((None, b"*.", text)) };
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let (number, rest) = rest.split_at_checked(digits)?;
    let number = match std::str::from_utf8(number).ok()? {
        "" => 2,
        number => number.parse().ok()?,
    };
    if let Some(rest) = rest.strip_prefix(b"-") {
        return Some((Some(number), b"*.", rest));
    }
    let rest = rest.strip_prefix(b"(")?;
    let end = rest.iter().position(|&b| b == b')')?;
    Some((Some(number), rest.get(..end)?, rest.get(end + 1..)?))
}

/// The name of a lookup as this crate has it.
pub(crate) fn known(name: &[u8]) -> Option<&'static str> {
    LOOKUPS.iter().map(|(known, _)| *known).find(|known| known.as_bytes() == name)
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Style {
    /// `${lookup{key}type{file}}`.
    File,
    /// `${lookup{key}type{map}}`: the map is no file.
    Key,
    /// `${lookup type{query}}`.
    Query,
}

/// Exim's lookups.
const LOOKUPS: &[(&str, Style)] = &[
    ("cdb", Style::File),
    ("dbm", Style::File),
    ("dbmjz", Style::File),
    ("dbmnz", Style::File),
    ("dnsdb", Style::Query),
    ("dsearch", Style::File),
    ("ibase", Style::Query),
    ("iplsearch", Style::File),
    ("json", Style::File),
    ("ldap", Style::Query),
    ("ldapdn", Style::Query),
    ("ldapm", Style::Query),
    ("lmdb", Style::File),
    ("lsearch", Style::File),
    ("mysql", Style::Query),
    ("nis", Style::Key),
    ("nis0", Style::Key),
    ("nisplus", Style::Query),
    ("nwildlsearch", Style::File),
    ("oracle", Style::Query),
    ("passwd", Style::Query),
    ("pgsql", Style::Query),
    ("redis", Style::Query),
    ("spf", Style::Key),
    ("sqlite", Style::Query),
    ("testdb", Style::Query),
    ("whoson", Style::Query),
    ("wildlsearch", Style::File),
];
