//! The types of lookups, with their modifiers.

/// A type of lookup with its modifiers, as in `partial-lsearch*@,ret=full`.
///
/// ```
/// use event_expand::{Ask, Capabilities, Capability, Expansion, Options, Progress, Template, Variables};
/// use mail_types::exim::Variable;
///
/// struct Nothing;
/// impl Variables for Nothing {
///     fn variable(&self, _: &str) -> Variable<'_> {
///         Variable::Unknown
///     }
/// }
///
/// let kind = |text: &str| -> Result<_, event_expand::TemplateError> {
///     let options = Options::default().with_capabilities(Capabilities::NONE.with(Capability::Files));
///     let template: Template = text.parse()?;
///     let Progress::Request(request) = Expansion::new(&template, &Nothing, &options).poll() else { unreachable!() };
///     let Ask::Lookup { lookup, .. } = request.ask else { unreachable!() };
///     Ok((lookup.name, lookup.is_query(), lookup.is_file()))
/// };
/// assert_eq!(kind("${lookup pgsql{SELECT 1}}")?, ("pgsql", true, false));
/// assert_eq!(kind("${lookup{key}lsearch{/etc/aliases}}")?, ("lsearch", false, true));
/// # Ok::<(), event_expand::TemplateError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Lookup {
    /// The name: `pgsql`, `lsearch`.
    pub name: &'static str,
    /// The number of components of the key that a partial match must keep; `partial-` means 2.
    pub partial: Option<u8>,
    /// The prefix of a shortened key in a partial match: `*.` unless `partial(…)` sets another.
    pub affix: Box<[u8]>,
    /// The keys to look up if the key is not found.
    pub fallback: Fallback,
    /// The options after the name and a comma: `ret=full`, `cache=no_rd`, `servers=…`.
    pub options: Option<Box<[u8]>>,
}

/// The keys to look up if a key is not found.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Fallback {
    /// No other key.
    None,
    /// `*`: the key `*`.
    Star,
    /// `*@`: first `*@` and the domain of the key, then `*`.
    StarAt,
}

impl Lookup {
    /// Tells whether it takes a query, rather than a key and a file.
    #[must_use]
    pub fn is_query(&self) -> bool {
        self.style() == Some(Style::Query)
    }

    /// Tells whether it reads the file in the template.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.style() == Some(Style::File)
    }

    fn style(&self) -> Option<Style> {
        LOOKUPS.iter().find(|(name, ..)| *name == self.name).map(|(_, style)| *style)
    }

    /// Parses the type in a template; `None` if it is unknown.
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

/// Splits off `partial-`, `partialN-` or `partialN(affix)`.
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

/// The name of a lookup as a constant of this crate.
pub(crate) fn known(name: &[u8]) -> Option<&'static str> {
    LOOKUPS.iter().map(|(known, _)| *known).find(|known| known.as_bytes() == name)
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Style {
    /// `${lookup{key}type{file}}`.
    File,
    /// `${lookup{key}type{map}}`: the map is not a file.
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
