//! Names of charsets in encoded words.

/// Tells whether a charset is known not to be based on ASCII: UTF-7, EBCDIC, and forms with escapes
/// such as `\x40`.
pub(crate) fn is_opaque(name: &[u8]) -> bool {
    let name = normalized(name);
    let named = ["utf7", "ebcdic", "escape", "punycode"].iter().any(|kind| name.contains(kind));
    named || name == "u7" || code_page(&name).is_some_and(|number| !is_ascii_code_page(number))
}

/// Tells whether a charset is known to be based on ASCII, or to be read without its zero octets.
pub(crate) fn is_known(name: &[u8]) -> bool {
    let name = normalized(name);
    code_page(&name).is_some_and(is_ascii_code_page)
        || FAMILIES.iter().any(|family| name.starts_with(family))
}

/// The start of the names of charsets that have ASCII at its numbers, or in all but an escape.
const FAMILIES: [&str; 28] = [
    "ascii",
    "usascii",
    "ansi",
    "utf8",
    "utf16",
    "utf32",
    "ucs",
    "iso8859",
    "iso646",
    "iso2022",
    "latin",
    "koi8",
    "mac",
    "gb",
    "hz",
    "big5",
    "euc",
    "shiftjis",
    "sjis",
    "windows31j",
    "windowsshiftjis",
    "ksc",
    "johab",
    "tis620",
    "viscii",
    "armscii",
    "georgian",
    "unknown",
];

/// Returns a name in lower case, without its language (RFC 2231 section 5), punctuation and the
/// `x-` or `cs` before it.
fn normalized(name: &[u8]) -> String {
    let name = name.split(|&octet| octet == b'*').next().unwrap_or_default();
    let name = String::from_utf8_lossy(name).trim().to_ascii_lowercase();
    let name = name.strip_prefix("x-").or(name.strip_prefix("cs")).unwrap_or(&name);
    name.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Returns the number of a charset that is named by one: `cp437`, `IBM-1047`, `windows-65000`.
fn code_page(name: &str) -> Option<u32> {
    let digits = name.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let kind = name.strip_suffix(digits)?;
    let is_kind = ["", "ibm", "cp", "windows", "win", "ms", "ccsid", "codepage"].contains(&kind);
    is_kind.then(|| digits.parse().ok()).flatten()
}

/// The code pages of PCs and of Windows that have ASCII at its numbers.
fn is_ascii_code_page(number: u32) -> bool {
    matches!(
        number,
        437 | 720
            | 737
            | 775
            | 850..=869
            | 874
            | 932
            | 936
            | 943
            | 949
            | 950
            | 1250..=1258
            | 20_127
            | 20_866
            | 21_866
            | 28_591..=28_606
            | 54_936
            | 65_001
    )
}
