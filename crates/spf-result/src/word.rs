//! The text of a term, cut from its record eight octets at a time.

/// The text of a term, and its position.
#[derive(Clone, Copy)]
pub(crate) struct Word<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) at: usize,
    /// Whether it has a percent sign.
    pub(crate) percent: bool,
    /// The length of the text before the first colon, slash or equals sign.
    name: usize,
    /// The first eight octets of the text and of the record after it.
    head: u64,
}

impl<'a> Word<'a> {
    /// Takes the octets before the first blank of a text of printable ASCII.
    pub(crate) fn first(text: &'a [u8], at: usize) -> Self {
        let head = block(text);
        let (mut rest, mut octets, mut percent) = (text, head, false);
        let length = 'blank: loop {
            let mut marks = small(octets);
            while marks != 0 {
                let here = first(marks);
                match octets >> (8 * here) & 0xff {
                    BLANK => break 'blank text.len() - rest.len() + here,
                    octet => percent |= octet == PERCENT,
                }
                marks &= marks - 1;
            }
            rest = rest.get(BLOCK..).unwrap_or_default();
            octets = block(rest);
        };
        let text = text.get(..length).unwrap_or_default();
        let marks = equal(head, b':') | equal(head, b'/') | equal(head, b'=');
        let name = if marks == 0 && length > BLOCK {
            let mark = text.iter().position(|c| matches!(c, b':' | b'/' | b'='));
            mark.unwrap_or(length)
        } else {
            length.min(first(marks))
        };
        Self { text, at, percent, name, head }
    }

    /// The text before the first colon, slash or equals sign.
    pub(crate) fn name(self) -> &'a [u8] {
        self.text.get(..self.name).unwrap_or_default()
    }

    /// The position behind the name in the record.
    pub(crate) fn behind_name(self) -> usize {
        self.at + self.name
    }

    /// The text from the first colon, slash or equals sign on.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.text.get(self.name..).unwrap_or_default()
    }

    /// The name, from `start` on, as [`keyword`] has it; 0 if it is too long for one.
    pub(crate) fn keyword(self, start: usize) -> u64 {
        match MASKS.get(self.name) {
            Some(mask) => letters((self.head & mask) >> (8 * start)),
            None => 0,
        }
    }
}

/// A name in lower case as a number, so that one comparison decides.
pub(crate) const fn keyword(name: &[u8]) -> u64 {
    let (mut word, mut rest) = (0, name);
    while let [before @ .., octet] = rest {
        word = word << 8 | *octet as u64;
        rest = before;
    }
    letters(word)
}

/// Octets of a name in lower case: only capitals become letters by it.
const fn letters(octets: u64) -> u64 {
    octets | 0x2020_2020_2020_2020
}

const BLOCK: usize = 8;

/// The bits of so many octets.
static MASKS: [u64; BLOCK + 1] = [
    0,
    0xff,
    0xffff,
    0xff_ffff,
    0xffff_ffff,
    0xff_ffff_ffff,
    0xffff_ffff_ffff,
    0xff_ffff_ffff_ffff,
    u64::MAX,
];

/// The first eight octets, with blanks after the end; the first octet is the lowest.
fn block(text: &[u8]) -> u64 {
    if let Some(octets) = text.first_chunk::<BLOCK>() {
        return u64::from_le_bytes(*octets);
    }
    let mut octets = [b' '; BLOCK];
    for (octet, c) in octets.iter_mut().zip(text) {
        *octet = *c;
    }
    u64::from_le_bytes(octets)
}

/// The octets of ASCII up to the percent sign, the blank among them: of each the highest bit.
fn small(octets: u64) -> u64 {
    !(octets + u64::from_le_bytes([0x7f - b'%'; BLOCK])) & HIGH
}

/// The octets of ASCII that equal `octet`: of each the highest bit.
fn equal(octets: u64, octet: u8) -> u64 {
    !((octets ^ u64::from_le_bytes([octet; BLOCK])) + !HIGH) & HIGH
}

const BLANK: u64 = b' ' as u64;
const PERCENT: u64 = b'%' as u64;
const HIGH: u64 = u64::from_le_bytes([0x80; BLOCK]);

/// The position of the last dot of a text of ASCII.
pub(crate) fn last_dot(text: &[u8]) -> Option<usize> {
    if let Some(octets) = text.last_chunk::<BLOCK>() {
        let dots = equal(u64::from_be_bytes(*octets), b'.');
        if dots != 0 {
            return Some(text.len() - 1 - first(dots));
        }
    }
    text.iter().rposition(|c| *c == b'.')
}

/// The number of octets before the first that is marked.
fn first(marks: u64) -> usize {
    marks.trailing_zeros() as usize / BLOCK
}
