//! Sets of bytes, and those that have a name.

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(super) const EMPTY: Self = Self([0; 4]);
    pub(super) const ALL: Self = Self([u64::MAX; 4]);

    pub(super) fn of(bytes: &[u8]) -> Self {
        bytes.iter().fold(Self::EMPTY, |set, byte| set.with(*byte, *byte))
    }

    pub(super) fn with(mut self, low: u8, high: u8) -> Self {
        for byte in low..=high {
            if let Some(word) = self.0.get_mut(usize::from(byte >> 6)) {
                *word |= 1 << (byte & 63);
            }
        }
        self
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| word(self, at) | word(other, at)))
    }

    #[must_use]
    pub(super) fn complement(self) -> Self {
        Self(self.0.map(|word| !word))
    }

    /// With the other case of each letter: of ASCII only, as in PCRE's own tables.
    pub(super) fn folded(self) -> Self {
        let letters =
            (b'a'..=b'z').filter(|b| self.contains(*b) || self.contains(b.to_ascii_uppercase()));
        letters.fold(self, |set, b| {
            set.with(b, b).with(b.to_ascii_uppercase(), b.to_ascii_uppercase())
        })
    }

    pub(super) fn contains(&self, byte: u8) -> bool {
        word(*self, usize::from(byte >> 6)) >> (byte & 63) & 1 == 1
    }

    pub(super) fn is_disjoint(self, other: Self) -> bool {
        self.0.iter().zip(other.0).all(|(a, b)| a & b == 0)
    }

    /// Its byte, if it has one only.
    pub(super) fn single(&self) -> Option<u8> {
        let count: u32 = self.0.iter().map(|word| word.count_ones()).sum();
        (0..=u8::MAX).find(|byte| count == 1 && self.contains(*byte))
    }

    fn of_ranges(ranges: &[(u8, u8)]) -> Self {
        ranges.iter().fold(Self::EMPTY, |set, (low, high)| set.with(*low, *high))
    }

    /// `\d`, `\H` and similar, by their letter.
    pub(super) fn escaped(letter: u8) -> Option<Self> {
        let set = match letter.to_ascii_lowercase() {
            b'd' => Self::EMPTY.with(b'0', b'9'),
            b'h' => Self::of(b"\t \xa0"),
            b's' => Self::EMPTY.with(9, 13).with(b' ', b' '),
            b'v' => Self::EMPTY.with(10, 13).with(0x85, 0x85),
            b'w' => Self::word(),
            _ => return None,
        };
        Some(if letter.is_ascii_uppercase() { set.complement() } else { set })
    }

    /// The bytes of `\w`.
    pub(super) fn word() -> Self {
        Self::EMPTY.with(b'0', b'9').with(b'A', b'Z').with(b'a', b'z').with(b'_', b'_')
    }

    /// `[:name:]`.
    pub(super) fn posix(name: &[u8]) -> Option<Self> {
        let is_member: fn(&u8) -> bool = match name {
            b"alpha" => u8::is_ascii_alphabetic,
            b"lower" => u8::is_ascii_lowercase,
            b"upper" => u8::is_ascii_uppercase,
            b"alnum" => u8::is_ascii_alphanumeric,
            b"ascii" => u8::is_ascii,
            b"blank" => |b| matches!(b, b'\t' | b' '),
            b"cntrl" => u8::is_ascii_control,
            b"digit" => u8::is_ascii_digit,
            b"graph" => u8::is_ascii_graphic,
            b"print" => |b| matches!(b, 32..=126),
            b"punct" => u8::is_ascii_punctuation,
            b"space" => return Self::escaped(b's'),
            b"word" => return Some(Self::word()),
            b"xdigit" => u8::is_ascii_hexdigit,
            _ => return None,
        };
        let members = (0..=u8::MAX).filter(is_member);
        Some(members.fold(Self::EMPTY, |set, byte| set.with(byte, byte)))
    }

    /// `\p{name}`: a byte is a character of Latin-1.
    pub(super) fn property(name: &[u8]) -> Option<Self> {
        let name = plain(name);
        let known = PROPERTIES.iter().find(|(known, _)| known.as_bytes() == name);
        known.map(|(_, ranges)| Self::of_ranges(ranges))
    }

    /// Tells whether `\p{name}` is the letters of one case.
    pub(super) fn is_of_one_case(name: &[u8]) -> bool {
        matches!(&*plain(name), b"ll" | b"lt" | b"lu")
    }
}

/// The name of a property without what does not count in it.
fn plain(name: &[u8]) -> Vec<u8> {
    let is_ignored = |b: &u8| matches!(b, b'\t'..=b'\r' | b' ' | b'-' | b'_');
    name.iter().filter(|b| !is_ignored(b)).map(u8::to_ascii_lowercase).collect()
}

fn word(set: ByteSet, at: usize) -> u64 {
    set.0.get(at).copied().unwrap_or_default()
}

/// The characters of Latin-1 in each category of Unicode, and in the few other properties that are
/// supported.
#[rustfmt::skip]
const PROPERTIES: &[(&str, &[(u8, u8)])] = &[
    ("any", &[(0, 255)]),
    ("lc", &[(65, 90), (97, 122), (181, 181), (192, 214), (216, 246), (248, 255)]),
    ("l&", &[(65, 90), (97, 122), (181, 181), (192, 214), (216, 246), (248, 255)]),
    ("xan", &[(48, 57), (65, 90), (97, 122), (170, 170), (178, 179), (181, 181), (185, 186), (188, 190), (192, 214), (216, 246), (248, 255)]),
    ("xps", &[(9, 13), (32, 32), (133, 133), (160, 160)]),
    ("xsp", &[(9, 13), (32, 32), (133, 133), (160, 160)]),
    ("xuc", &[(36, 36), (64, 64), (96, 96), (160, 255)]),
    ("xwd", &[(48, 57), (65, 90), (95, 95), (97, 122), (170, 170), (178, 179), (181, 181), (185, 186), (188, 190), (192, 214), (216, 246), (248, 255)]),
    ("latin", &[(65, 90), (97, 122), (170, 170), (186, 186), (192, 214), (216, 246), (248, 255)]),
    ("common", &[(0, 64), (91, 96), (123, 169), (171, 185), (187, 191), (215, 215), (247, 247)]),
    ("c", &[(0, 31), (127, 159), (173, 173)]),
    ("cc", &[(0, 31), (127, 159)]),
    ("cf", &[(173, 173)]),
    ("cn", &[]),
    ("co", &[]),
    ("cs", &[]),
    ("l", &[(65, 90), (97, 122), (170, 170), (181, 181), (186, 186), (192, 214), (216, 246), (248, 255)]),
    ("ll", &[(97, 122), (181, 181), (223, 246), (248, 255)]),
    ("lm", &[]),
    ("lo", &[(170, 170), (186, 186)]),
    ("lt", &[]),
    ("lu", &[(65, 90), (192, 214), (216, 222)]),
    ("m", &[]),
    ("mc", &[]),
    ("me", &[]),
    ("mn", &[]),
    ("n", &[(48, 57), (178, 179), (185, 185), (188, 190)]),
    ("nd", &[(48, 57)]),
    ("nl", &[]),
    ("no", &[(178, 179), (185, 185), (188, 190)]),
    ("p", &[(33, 35), (37, 42), (44, 47), (58, 59), (63, 64), (91, 93), (95, 95), (123, 123), (125, 125), (161, 161), (167, 167), (171, 171), (182, 183), (187, 187), (191, 191)]),
    ("pc", &[(95, 95)]),
    ("pd", &[(45, 45)]),
    ("pe", &[(41, 41), (93, 93), (125, 125)]),
    ("pf", &[(187, 187)]),
    ("pi", &[(171, 171)]),
    ("po", &[(33, 35), (37, 39), (42, 42), (44, 44), (46, 47), (58, 59), (63, 64), (92, 92), (161, 161), (167, 167), (182, 183), (191, 191)]),
    ("ps", &[(40, 40), (91, 91), (123, 123)]),
    ("s", &[(36, 36), (43, 43), (60, 62), (94, 94), (96, 96), (124, 124), (126, 126), (162, 166), (168, 169), (172, 172), (174, 177), (180, 180), (184, 184), (215, 215), (247, 247)]),
    ("sc", &[(36, 36), (162, 165)]),
    ("sk", &[(94, 94), (96, 96), (168, 168), (175, 175), (180, 180), (184, 184)]),
    ("sm", &[(43, 43), (60, 62), (124, 124), (126, 126), (172, 172), (177, 177), (215, 215), (247, 247)]),
    ("so", &[(166, 166), (169, 169), (174, 174), (176, 176)]),
    ("z", &[(32, 32), (160, 160)]),
    ("zl", &[]),
    ("zp", &[]),
    ("zs", &[(32, 32), (160, 160)]),
];
