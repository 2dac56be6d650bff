//! Texts from a seed: mostly valid, and some broken.

/// Makes texts; the same for the same seed.
pub(crate) struct Generator(u64);

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A text of one line, without blanks at its end.
    pub(crate) fn text(&mut self) -> String {
        let pieces = 1 + self.below(3);
        let mut text: String = (0..pieces).map(|_| self.piece(4)).collect();
        // Broken, some texts end Exim 4.96: an empty item to be sorted, a divisor
        // of 0, an array that is none.
        let fragile =
            ["${sort{", "${nh", "${addresses", "_json{"].iter().any(|item| text.contains(item));
        if self.below(8) == 0 && !fragile {
            self.break_up(&mut text);
        }
        // What Exim 4.96 leaves in `$value` is a part of this and that, or memory that is used again.
        if ["match_address{", "${reduce{"].iter().any(|item| text.contains(item)) {
            text = text.replace("def:value", "def:item");
        }
        // A capital and an equals sign would be a macro, `set` a command, and a backslash at the end
        // goes on with the next line.
        format!("t{}.", text.trim_end())
    }

    /// Takes a character away, or doubles it.
    fn break_up(&mut self, text: &mut String) {
        let places: Vec<_> = text.char_indices().map(|(place, _)| place).collect();
        let count = u64::try_from(places.len()).unwrap_or(1).max(1);
        let place = self.below(count);
        let Some(place) = usize::try_from(place).ok().and_then(|place| places.get(place)) else {
            return;
        };
        let taken = text.remove(*place);
        if self.below(2) == 0 {
            text.insert(*place, taken);
            text.insert(*place, taken);
        }
    }

    fn piece(&mut self, depth: u64) -> String {
        if depth == 0 {
            return self.word();
        }
        match self.below(13) {
            0..=2 => self.word(),
            3 => self.addresses(depth - 1),
            4..=6 => self.operator(depth - 1),
            7..=9 => self.condition_item(depth - 1),
            _ => self.item(depth - 1),
        }
    }

    fn word(&mut self) -> String {
        self.pick(WORDS).to_owned()
    }

    fn operator(&mut self, depth: u64) -> String {
        let name = self.pick(OPERATORS);
        let operand = match name {
            "eval" | "eval10" => self.expression(2),
            "mask" | "mask_n" | "reverse_ip" => self.pick(ADDRESSES).to_owned(),
            "time_eval" => self.pick(&["1h30m", "5s", "2w", "x", "1d1"]).to_owned(),
            _ => self.piece(depth),
        };
        format!("${{{name}:{operand}}}")
    }

    /// In Exim a group that is found open stays so, for what stands behind: this closes it.
    fn addresses(&mut self, depth: u64) -> String {
        format!("${{addresses:{}}}${{addresses:g:;}}", self.piece(depth))
    }

    fn expression(&mut self, depth: u64) -> String {
        if depth == 0 || self.below(3) == 0 {
            return self.pick(&["0", "1", "7", "0x1f", "010", "3k", "-2", "~5", "10"]).to_owned();
        }
        let operator = self.pick(&["+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^"]);
        let (a, b) = (self.expression(depth - 1), self.expression(depth - 1));
        if self.below(3) == 0 {
            format!("({a} {operator} {b})")
        } else {
            format!("{a}{operator}{b}")
        }
    }

    fn condition_item(&mut self, depth: u64) -> String {
        let condition = self.condition(depth);
        let (yes, no) = (self.piece(depth), self.piece(depth));
        match self.below(5) {
            0 => format!("${{if {condition}}}"),
            1 => format!("${{if {condition}{{{yes}}}}}"),
            2 => format!("${{if {condition}{{{yes}}}fail}}"),
            _ => format!("${{if {condition} {{{yes}}} {{{no}}}}}"),
        }
    }

    fn condition(&mut self, depth: u64) -> String {
        let not = self.pick(&["", "", "!", "! !"]);
        let (a, b) = (self.piece(depth.min(1)), self.piece(depth.min(1)));
        let number = self.pick(NUMBERS);
        let condition = match self.below(18) {
            0 | 1 => {
                let word =
                    self.pick(&["eq", "eqi", "lt", "lti", "le", "lei", "gt", "gti", "ge", "gei"]);
                format!("{word}{{{a}}}{{{b}}}")
            }
            2 | 3 => {
                let word = self.pick(&["<", "<=", "=", "==", ">=", ">"]);
                format!("{word}{{{number}}}{{{}}}", self.pick(NUMBERS))
            }
            4 => format!("match{{{a}}}{{{}}}", self.pick(PATTERNS)),
            5 => format!("inlisti{{{a}}}{{{}}}", self.pick(LISTS)),
            6 => format!("isip{{{}}}", self.pick(ADDRESSES)),
            7 => format!("bool_lax{{{a}}}"),
            8 => format!("bool{{{}}}", self.pick(&["true", "no", "", "0", "7", "x"])),
            9 if depth > 0 => {
                let (a, b) = (self.condition(depth - 1), self.condition(depth - 1));
                format!("{}{{{{{a}}}{{{b}}}}}", self.pick(&["and", "or"]))
            }
            10 => self.membership(&a),
            11 => format!("def:{}", self.pick(&["value", "item", "1", "0"])),
            12 => format!("{}{{{a}}}", self.pick(&["isip4", "isip6"])),
            13 => format!("inlist{{{a}}}{{{}}}", self.pick(LISTS)),
            14 => {
                let (word, list) = (self.pick(&["forany_json", "forall_json"]), self.pick(ARRAYS));
                format!("{word}{{{list}}}{{eq{{$item}}{{{}}}}}", self.pick(WORDS))
            }
            15 | 16 => {
                format!("forany{{{}}}{{eq{{$item}}{{{}}}}}", self.pick(LISTS), self.pick(WORDS))
            }
            _ => format!("forall{{{}}}{{match{{$item}}{{[a-c]}}}}", self.pick(LISTS)),
        };
        format!("{not}{condition}")
    }

    /// Whether something is on a list of patterns.
    fn membership(&mut self, subject: &str) -> String {
        let (word, list) = match self.below(4) {
            0 => ("match_address", self.pick(&["joe@ex.com", "*@ex.com : ^a", "!joe@* : *", ""])),
            1 => ("match_domain", self.pick(&["abc : *.com", "^a", "!abc : *", "a b"])),
            2 => ("match_local_part", self.pick(&["joe : abc", "^[a-c]", "!joe : *"])),
            _ => (
                "match_ip",
                self.pick(&["192.0.2.0/24", "<; ::1 ; 2001:db8::/32", "!10.0.0.1 : *"]),
            ),
        };
        format!("{word}{{{subject}}}{{{list}}}")
    }

    fn item(&mut self, depth: u64) -> String {
        let (a, b) = (self.piece(depth), self.piece(depth.min(1)));
        let list = self.pick(LISTS);
        match self.below(18) {
            11 => format!("${{imapfolder{{{a}}}{{{}}}}}", self.pick(&["/", ".", ""])),
            12 => format!("${{length{{{}}}{{{a}}}}}", self.pick(&["1", "3", "40"])),
            13 => format!("${{listquote{{{}}}{{{a}}}}}", self.pick(&[":", ";", ","])),
            14 => {
                format!("${{nhash{{{}}}{{{}}}{{{a}}}}}", self.pick(&["2", "9"]), self.pick(&["5"]))
            }
            15 => {
                let (key, text) = (self.pick(&["a", "b", "1", "2", "-1", "n"]), self.pick(JSON));
                let word = self.pick(&["json", "jsons"]);
                format!("${{extract {word}{{{key}}}{{{text}}}{{<$value>}}{{{b}}}}}")
            }
            16 => format!("${{hash{{{}}}{{26}}{{{a}}}}}", self.pick(&["2", "5"])),
            0 => format!("${{extract{{{}}}{{:,}}{{{a}}}}}", self.pick(NUMBERS)),
            1 => format!("${{extract{{b}}{{a=1 b=\"2 3\" c={b}}}{{[$value]}}{{none}}}}"),
            2 => {
                format!("${{listextract{{{}}}{{{list}}}{{<$value>}}{{none}}}}", self.pick(NUMBERS))
            }
            3 => format!("${{map{{{list}}}{{<$item>{b}}}}}"),
            4 => format!("${{filter{{{list}}}{{{}}}}}", self.condition(depth.min(1))),
            5 => format!("${{reduce{{{list}}}{{{b}}}{{$value-$item}}}}"),
            6 => {
                let order = self.pick(&["lt", "lti", "ge", "gt", "<", ">="]);
                format!("${{sort{{{list}}}{{{order}}}{{x$item}}}}")
            }
            7 => {
                let (pattern, replacement) = (self.pick(PATTERNS), self.pick(REPLACEMENTS));
                format!("${{sg{{{a}}}{{{pattern}}}{{{replacement}}}}}")
            }
            8 => format!("${{tr{{{a}}}{{abc1}}{{xyz}}}}"),
            9 => format!(
                "${{substr{{{}}}{{{}}}{{{a}}}}}",
                self.pick(&["-3", "0", "2"]),
                self.pick(&["1", "9"])
            ),
            10 => format!("${{hash{{{}}}{{{a}}}}}", self.pick(&["2", "5", "9"])),
            _ => format!("${{hmac{{{}}}{{{b}}}{{{a}}}}}", self.pick(&["md5", "sha1"])),
        }
    }

    pub(crate) fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        let place = self.below(u64::try_from(from.len()).unwrap_or(1));
        usize::try_from(place).ok().and_then(|place| from.get(place)).copied().unwrap_or_default()
    }

    /// A number below this one: xorshift64*.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound.max(1)
    }
}

const WORDS: &[&str] = &[
    "",
    "a",
    "abc",
    "Hello",
    "a b",
    "x:y",
    "1",
    "42",
    "007",
    "-5",
    "3k",
    "<;a;b",
    "joe@ex.com",
    "Joe <joe@ex.com>",
    "g: a@b.c, d@e;",
    "192.0.2.1",
    "2001:db8::1",
    "YWJj",
    "616263",
    "k=v",
    "\\{",
    "\\}",
    "\\$x",
    "it's",
    "q\"q",
    "true",
    "no",
    "\\N$x\\N",
];

const NUMBERS: &[&str] = &["0", "1", "2", "3", "-1", "-2", "10", "1k", "08", " 5 ", "", "x"];

const LISTS: &[&str] = &["a:b:c", "<; 1;2;10", "a::b:c", "", "c : b : a", "<, x,y , z", "Ab:aB:1"];

/// What is no array ends Exim 4.96 where its items are looked at.
const ARRAYS: &[&str] = &["[\"a\",\"b c\",1]", "[]", "[1,[2,3],\\{\"a\":4\\}]"];

const JSON: &[&str] = &[
    "[\"a\",\"b c\",1]",
    "\\{\"a\":\"x\",\"b\":[1,\"2\"],\"n\":null\\}",
    "[]",
    "[1,[2,3],\\{\"a\":4\\}]",
    "x",
];

const PATTERNS: &[&str] = &[
    "a",
    "b+",
    "\\N^(\\w+)@(.*)$\\N",
    "\\N\\d+\\N",
    "[a-c]",
    "(a)(b)?",
    "(?i)ABC",
    "x*",
    "a|b",
    "(",
    "a.c",
    "\\N(.)\\1\\N",
    "\\N^(?!a)\\N",
];

const REPLACEMENTS: &[&str] = &["", "X", "[\\$0]", "\\$1-\\$2", "y\\${lc:\\$0\\}"];

const ADDRESSES: &[&str] =
    &["192.0.2.77/28", "192.0.2.1", "2001:db8::1/32", "::1", "10.0.0.1/8", "1.2.3.256", "x", ""];

/// Not `ipv6norm`: Exim 4.96 puts a NUL behind what that makes, and loses the rest.
/// Not `base64d`: Exim 4.96 loses what follows a NUL. Neither `headerwrap` nor `xtextd`: Exim 4.96 has them not yet.
const OPERATORS: &[&str] = &[
    "lc",
    "uc",
    "strlen",
    "quote",
    "quote_local_part",
    "rxquote",
    "escape",
    "escape8bit",
    "hexquote",
    "base64",
    "str2b64",
    "hex2b64",
    "base62",
    "base32",
    "base62d",
    "base32d",
    "md5",
    "sha1",
    "sha256",
    "sha3",
    "length_3",
    "l_2",
    "substr_1_2",
    "s_-2",
    "hash_3",
    "h_2_62",
    "nh_9",
    "nhash_7_11",
    "listcount",
    "local_part",
    "domain",
    "address",
    "mask",
    "mask_n",
    "reverse_ip",
    "time_eval",
    "time_interval",
    "eval",
    "eval10",
    "rfc2047",
    "rfc2047d",
    "utf8clean",
    "from_utf8",
    "expand",
    "sha2_512",
    "ipv6denorm",
    "utf8_domain_to_alabel",
    "utf8_localpart_to_alabel",
];
