//! Parses templates: texts, escapes, names and variables.

pub(crate) mod branch;
pub(crate) mod condition;
pub(crate) mod item;

use crate::Limits;
use crate::operators::list::is_blank;
use crate::operators::operator::Operator;
use crate::operators::pattern::Pattern;
use crate::operators::quoting::Quoting;
use crate::template::TemplateError;
use crate::tree::{Arguments, Node, NodeKind, PatternId, Sequence, Tree, index};
use crate::variables::HeaderForm;

pub(crate) struct Parser<'t> {
    text: &'t [u8],
    pub(crate) pos: usize,
    pub(crate) tree: Tree,
    depth: usize,
    limits: &'t Limits,
}

/// The meaning of `$` and `}` in a text.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Reading {
    /// A whole template: `}` is an ordinary byte.
    Whole,
    /// Up to a `}`.
    Braced,
    /// Up to a `}`, and `$` is an ordinary byte.
    Plain,
    /// Up to a `}` or a blank.
    Word,
}

impl<'t> Parser<'t> {
    pub(crate) fn parse(text: &'t [u8], limits: &'t Limits) -> Result<Tree, TemplateError> {
        let limit = limits.template.min(MOST_BYTES);
        if text.len() > limit {
            return Err(TemplateError::TooLong { limit });
        }
        let mut parser = Self { text, pos: 0, tree: Tree::default(), depth: 0, limits };
        parser.tree.root = parser.sequence(Reading::Whole)?;
        Ok(parser.tree)
    }

    /// Reads up to a `}`, which is not consumed, or to the end.
    pub(crate) fn sequence(&mut self, reading: Reading) -> Result<Sequence, TemplateError> {
        self.enter()?;
        let from = index(self.pos);
        let (mut nodes, mut text, mut text_at) = (Vec::new(), Vec::new(), self.pos);
        loop {
            let kind = match self.peek() {
                None if reading == Reading::Whole => break,
                None => return Err(self.expected("}")),
                Some(b'}') if reading != Reading::Whole => break,
                Some(byte) if reading == Reading::Word && is_blank(byte) => break,
                Some(b'\\') => {
                    if self.escape(&mut text)? {
                        continue;
                    }
                    NodeKind::End
                }
                Some(b'$') if reading != Reading::Plain => {
                    let at = self.pos;
                    push_text(&mut nodes, &mut text, text_at);
                    text_at = at;
                    self.dollar()?
                }
                Some(byte) => {
                    text.push(byte);
                    self.pos += 1;
                    continue;
                }
            };
            push_text(&mut nodes, &mut text, text_at);
            nodes.push(Node { at: index(text_at), kind });
            text_at = self.pos;
        }
        push_text(&mut nodes, &mut text, text_at);
        self.leave();
        let start = index(self.tree.nodes.len());
        self.tree.nodes.append(&mut nodes);
        let (end, to) = (index(self.tree.nodes.len()), index(self.pos));
        Ok(Sequence { start, end, from, to })
    }

    /// Reads `\` and the escaped text; `false` if that is a NUL.
    fn escape(&mut self, text: &mut Vec<u8>) -> Result<bool, TemplateError> {
        let at = self.pos;
        self.pos += 1;
        let byte = self.peek().ok_or(TemplateError::Backslash { at })?;
        self.pos += 1;
        let byte = match byte {
            b'N' => {
                while let Some(byte) = self.peek() {
                    if self.rest().starts_with(b"\\N") {
                        self.pos += 2;
                        break;
                    }
                    text.push(byte);
                    self.pos += 1;
                }
                return Ok(true);
            }
            b'0'..=b'7' => {
                let mut value = u32::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else { break };
                    value = value * 8 + u32::from(digit - b'0');
                    self.pos += 1;
                }
                value.to_le_bytes()[0]
            }
            b'x' => {
                let mut value = 0_u8;
                for _ in 0..2 {
                    let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
                    let Some(digit) = digit.and_then(|d| u8::try_from(d).ok()) else { break };
                    value = value << 4 | digit;
                    self.pos += 1;
                }
                value
            }
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            byte => byte,
        };
        if byte != 0 {
            text.push(byte);
        }
        Ok(byte != 0)
    }

    /// Reads `$` and the text after it.
    fn dollar(&mut self) -> Result<NodeKind, TemplateError> {
        self.pos += 1;
        match self.peek() {
            Some(byte) if byte.is_ascii_alphabetic() => Ok(self.plain_variable()),
            Some(byte) if byte.is_ascii_digit() => Ok(NodeKind::Capture(self.number())),
            Some(b'{') => {
                self.pos += 1;
                self.in_braces()
            }
            _ => Err(self.expected("a letter, a digit or {")),
        }
    }

    fn plain_variable(&mut self) -> NodeKind {
        let at = self.pos;
        let name = self.name(b"_");
        match HeaderForm::of(&name) {
            Some((form, prefix)) => NodeKind::Header(form, self.header_name(&name, prefix)),
            None => self.variable(name, at),
        }
    }

    pub(crate) fn variable(&mut self, name: Box<str>, at: usize) -> NodeKind {
        match &*name {
            "value" => NodeKind::Value,
            "item" => NodeKind::Item,
            _ => NodeKind::Variable(self.tree.add_name(name, at)),
        }
    }

    /// Continues up to the colon or blank that ends the name of a header field.
    pub(crate) fn header_name(&mut self, name: &str, prefix: usize) -> Box<str> {
        let mut header = name.get(prefix..).unwrap_or_default().to_ascii_lowercase();
        while let Some(byte) = self.peek().filter(|b| b.is_ascii_graphic() && *b != b':') {
            header.push(char::from(byte.to_ascii_lowercase()));
            self.pos += 1;
        }
        self.take(b':');
        header.into()
    }

    /// Reads the text after `${`.
    fn in_braces(&mut self) -> Result<NodeKind, TemplateError> {
        let at = self.pos;
        match self.peek() {
            Some(byte) if byte.is_ascii_digit() => {
                let number = self.number();
                self.close("} after the number")?;
                return Ok(NodeKind::Capture(number));
            }
            Some(byte) if byte.is_ascii_alphabetic() => {}
            _ => return Err(self.expected("a letter or a digit")),
        }
        let name = self.name(b"_-");
        if let Some(item) = self.item(&name, at)? {
            return Ok(item);
        }
        match self.peek() {
            Some(b':') => {
                self.pos += 1;
                let found = Operator::find(&name);
                let (operator, argument) =
                    found.ok_or_else(|| TemplateError::Operator { at, name: name.clone() })?;
                let quoting = match (operator, argument) {
                    (Operator::Quote, Some(lookup)) => Quoting::find(lookup),
                    _ => None,
                };
                let argument = argument.map(Box::from);
                let operand = self.sequence(Reading::Braced)?;
                self.close("}")?;
                Ok(match quoting {
                    Some(quoting) => NodeKind::QuoteFor(quoting, operand),
                    None => NodeKind::Operator(operator, argument, operand),
                })
            }
            Some(b'}') => {
                self.pos += 1;
                Ok(self.variable(name, at))
            }
            _ => Err(TemplateError::Operator { at, name }),
        }
    }

    /// Reads `{text}`, with blanks before it.
    pub(crate) fn braced(&mut self, expected: &'static str) -> Result<Sequence, TemplateError> {
        self.open(expected)?;
        let sequence = self.sequence(Reading::Braced)?;
        self.close("}")?;
        Ok(sequence)
    }

    pub(crate) fn open(&mut self, expected: &'static str) -> Result<(), TemplateError> {
        self.skip_blanks();
        if self.take(b'{') { Ok(()) } else { Err(self.expected(expected)) }
    }

    pub(crate) fn close(&mut self, expected: &'static str) -> Result<(), TemplateError> {
        if self.take(b'}') { Ok(()) } else { Err(self.expected(expected)) }
    }

    /// Reads letters, digits and `others`; the name may be empty.
    pub(crate) fn name(&mut self, others: &[u8]) -> Box<str> {
        let mut name = String::new();
        while let Some(b) = self.peek().filter(|b| b.is_ascii_alphanumeric() || others.contains(b))
        {
            name.push(char::from(b));
            self.pos += 1;
        }
        name.into()
    }

    fn number(&mut self) -> u32 {
        let mut number = 0_u32;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            number = number.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
            self.pos += 1;
        }
        number
    }

    pub(crate) fn keep_arguments(&mut self, strings: Vec<Sequence>) -> Arguments {
        let from = index(self.tree.arguments.len());
        self.tree.arguments.extend(strings);
        Arguments(from, index(self.tree.arguments.len()))
    }

    /// Compiles a pattern that has nothing to expand, once for all expansions.
    pub(crate) fn keep_pattern(&mut self, sequence: Sequence) -> Option<PatternId> {
        let text: Box<[u8]> = self.tree.literal(sequence)?.into();
        let limits = self.limits;
        self.tree.add_pattern(|| Pattern::new(&text, limits))
    }

    pub(crate) fn enter(&mut self) -> Result<(), TemplateError> {
        self.depth += 1;
        let limit = self.limits.depth;
        if self.depth > limit {
            Err(TemplateError::TooDeep { at: self.pos, limit })
        } else {
            Ok(())
        }
    }

    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }

    pub(crate) fn skip_blanks(&mut self) {
        self.pos += self.rest().iter().take_while(|b| is_blank(**b)).count();
    }

    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.pos += usize::from(is_there);
        is_there
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.pos).copied()
    }

    pub(crate) fn rest(&self) -> &'t [u8] {
        self.text.get(self.pos..).unwrap_or_default()
    }

    pub(crate) fn expected(&self, expected: &'static str) -> TemplateError {
        TemplateError::Expected { at: self.pos, expected }
    }
}

fn push_text(nodes: &mut Vec<Node>, text: &mut Vec<u8>, at: usize) {
    if !text.is_empty() {
        let kind = NodeKind::Text(std::mem::take(text).into());
        nodes.push(Node { at: index(at), kind });
    }
}

/// The longest template, whatever its limit: positions have 32 bits.
pub(crate) const MOST_BYTES: usize = 1 << 30;
