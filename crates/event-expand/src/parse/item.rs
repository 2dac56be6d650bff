//! Parses items: `${if …}`, `${lookup …}`, `${map …}` and so on.

use crate::call::HostCall;
use crate::evaluate::text_condition::Comparison;
use crate::operators::field;
use crate::operators::json::JsonList;
use crate::operators::list::is_blank;
use crate::parse::{Parser, Reading};
use crate::template::TemplateError;
use crate::tree::lookup::Lookup;
use crate::tree::{
    Arguments, Choice, Extract, Function, LookupItem, NodeKind, Otherwise, Sequence, index,
};

/// Items that the program answers: their least and most strings.
const CALLS: &[(&str, HostCall, usize, usize)] = &[
    ("acl", HostCall::Acl, 1, 10),
    ("authresults", HostCall::AuthResults, 1, 1),
    ("dlfunc", HostCall::DlFunc, 2, 10),
    ("perl", HostCall::Perl, 1, 9),
    ("prvs", HostCall::Prvs, 2, 3),
    ("prvscheck", HostCall::PrvsCheck, 2, 3),
    ("readfile", HostCall::ReadFile, 1, 2),
    ("readsocket", HostCall::ReadSocket, 2, 5),
    ("srs_encode", HostCall::SrsEncode, 3, 3),
];

/// Items that need no request: their least and most strings.
const FUNCTIONS: &[(&str, Function, usize, usize)] = &[
    ("hash", Function::Hash, 2, 3),
    ("hmac", Function::Hmac, 3, 3),
    ("imapfolder", Function::ImapFolder, 1, 3),
    ("length", Function::Length, 2, 2),
    ("listquote", Function::ListQuote, 2, 2),
    ("nhash", Function::NumericHash, 2, 3),
    ("substr", Function::Substring, 2, 3),
    ("tr", Function::Translate, 3, 3),
];

impl Parser<'_> {
    /// Reads the item of a name, which was read before; `None` if there is no such item.
    pub(crate) fn item(
        &mut self,
        name: &str,
        at: usize,
    ) -> Result<Option<NodeKind>, TemplateError> {
        if let Some((name, call, least, most)) = CALLS.iter().find(|row| row.0 == name) {
            let strings = self.strings(name, *least, *most)?;
            return Ok(Some(NodeKind::Call(*call, strings, None)));
        }
        if let Some((name, function, least, most)) = FUNCTIONS.iter().find(|row| row.0 == name) {
            let strings = self.strings(name, *least, *most)?;
            return Ok(Some(NodeKind::Function(*function, strings)));
        }
        Ok(Some(match name {
            "certextract" => self.cert_extract()?,
            "env" => {
                let strings = vec![self.braced("{ of the name")?];
                let strings = self.keep_arguments(strings);
                NodeKind::Call(HostCall::Env, strings, Some(self.choice()?))
            }
            "extract" => self.extract()?,
            "filter" => {
                let list = self.braced("{ of the list")?;
                self.open("{ of the condition")?;
                let condition = self.condition()?;
                self.end_of_body()?;
                NodeKind::Filter(list, condition)
            }
            "if" => {
                let condition = self.condition()?;
                NodeKind::If(condition, self.choice()?)
            }
            "listextract" => self.list_extract()?,
            "lookup" => self.lookup()?,
            "map" => {
                let list = self.braced("{ of the list")?;
                NodeKind::Map(list, self.body()?)
            }
            "reduce" => {
                let list = self.braced("{ of the list")?;
                let start = self.braced("{ of the first value")?;
                NodeKind::Reduce(list, start, self.body()?)
            }
            "run" => self.run(at)?,
            "sg" => {
                let strings = self.strings("sg", 3, 3)?;
                let pattern = self.tree.arguments(strings).get(1).copied();
                NodeKind::Substitute(strings, pattern.and_then(|p| self.keep_pattern(p)))
            }
            "sort" => self.sort()?,
            _ => return Ok(None),
        }))
    }

    fn list_extract(&mut self) -> Result<NodeKind, TemplateError> {
        let number = self.braced("{ of the number")?;
        // Exim refuses it in a skipped text too.
        let literal = self.tree.literal(number).map(crate::operators::list::trim);
        if literal.is_some_and(|text| !text.is_empty() && field::number(text).is_none()) {
            let expected = "the number of an item";
            return Err(TemplateError::Expected { at: number.from as usize, expected });
        }
        let list = self.braced("{ of the list")?;
        Ok(NodeKind::ListExtract(number, list, self.choice()?))
    }

    /// Reads `{text}{text}…}`.
    pub(crate) fn strings(
        &mut self,
        item: &'static str,
        least: usize,
        most: usize,
    ) -> Result<Arguments, TemplateError> {
        let mut strings = Vec::new();
        self.skip_blanks();
        while self.peek() == Some(b'{') && strings.len() < most {
            strings.push(self.braced("{")?);
            self.skip_blanks();
        }
        if strings.len() < least {
            return Err(TemplateError::TooFew { at: self.pos, item, least });
        }
        if self.peek() == Some(b'{') {
            return Err(TemplateError::TooMany { at: self.pos, item, most });
        }
        self.close("}")?;
        Ok(self.keep_arguments(strings))
    }

    /// Reads the strings after a condition or a lookup, and the last `}`.
    fn choice(&mut self) -> Result<Choice, TemplateError> {
        self.skip_blanks();
        if self.take(b'}') {
            return Ok(Choice::Implied);
        }
        let yes = self.braced("{ or }")?;
        self.skip_blanks();
        let otherwise = match self.peek() {
            Some(b'}') => Otherwise::Nothing,
            Some(b'{') => Otherwise::String(self.braced("{")?),
            _ => {
                self.fail()?;
                Otherwise::Fail
            }
        };
        self.skip_blanks();
        self.close("}")?;
        Ok(Choice::Given(yes, otherwise))
    }

    fn fail(&mut self) -> Result<(), TemplateError> {
        let at = self.pos;
        match &*self.name(b"_") {
            "fail" => Ok(()),
            _ => Err(TemplateError::Expected { at, expected: "{, } or fail" }),
        }
    }

    fn extract(&mut self) -> Result<NodeKind, TemplateError> {
        self.skip_blanks();
        let json = match self.rest() {
            [b'j', b's', b'o', b'n', b's', ..] => Some((5, JsonList::Strings)),
            [b'j', b's', b'o', b'n', ..] => Some((4, JsonList::Items)),
            _ => None,
        };
        self.pos += json.map_or(0, |(length, _)| length);
        if json.is_some() && self.peek().is_some_and(is_blank) {
            // Exim accepts no blank there when it skips the item, and reports a missing `}`.
            self.tree.unskippable.push(index(self.pos));
        }
        // The number of strings is checked only if the item is not skipped.
        let mut strings = Vec::new();
        self.skip_blanks();
        while self.peek() == Some(b'{') && strings.len() < 5 {
            strings.push(self.braced("{")?);
            self.skip_blanks();
        }
        let fail = self.peek() != Some(b'}');
        if fail {
            self.fail()?;
            self.skip_blanks();
        }
        self.close("}")?;
        let json = json.map(|(_, json)| json);
        let strings = self.keep_arguments(strings);
        Ok(NodeKind::Extract(Box::new(Extract { json, strings, fail })))
    }

    fn lookup(&mut self) -> Result<NodeKind, TemplateError> {
        self.skip_blanks();
        let key = if self.peek() == Some(b'{') { Some(self.braced("{")?) } else { None };
        self.skip_blanks();
        let (at, rest) = (self.pos, self.rest());
        if !rest.first().is_some_and(u8::is_ascii_alphabetic) {
            return Err(self.expected("the type of the lookup"));
        }
        let length = rest.iter().take_while(|b| **b != b'{' && !is_blank(**b)).count();
        let name = rest.get(..length).unwrap_or_default();
        let lookup = Lookup::find(name).ok_or_else(|| {
            let name = String::from_utf8_lossy(name).into();
            TemplateError::Lookup { at, name }
        })?;
        let takes = !lookup.is_query();
        if key.is_some() != takes {
            return Err(TemplateError::Key { at, name: lookup.name, takes });
        }
        self.pos += length;
        let query = self.braced("{ of the file or query")?;
        let choice = self.choice()?;
        Ok(NodeKind::Lookup(Box::new(LookupItem { lookup, key, query, choice })))
    }

    /// The command is split before it is expanded, so that no value becomes two words.
    fn run(&mut self, at: usize) -> Result<NodeKind, TemplateError> {
        if self.peek() == Some(b',') {
            return Err(TemplateError::Operator { at, name: "run,".into() });
        }
        self.open("{ of the command")?;
        let mut words = Vec::new();
        loop {
            self.skip_blanks();
            if self.take(b'}') {
                break;
            }
            words.push(self.sequence(Reading::Word)?);
        }
        let words = self.keep_arguments(words);
        Ok(NodeKind::Call(HostCall::Run, words, Some(self.choice()?)))
    }

    fn cert_extract(&mut self) -> Result<NodeKind, TemplateError> {
        let field = self.braced("{ of the field")?;
        self.open("{ of the certificate")?;
        if !self.take(b'$') {
            return Err(self.expected("a variable that holds a certificate"));
        }
        let variable = self.sequence(Reading::Plain)?;
        self.close("}")?;
        let strings = self.keep_arguments(vec![field, variable]);
        Ok(NodeKind::Call(HostCall::CertExtract, strings, Some(self.choice()?)))
    }

    fn sort(&mut self) -> Result<NodeKind, TemplateError> {
        let list = self.braced("{ of the list")?;
        self.open("{ of the comparison")?;
        let at = self.pos;
        let word = self.condition_word();
        self.sequence(Reading::Plain)?; // The text after the word is ignored.
        self.close("}")?;
        let comparison = Comparison::find(&word).filter(|found| found.sorts());
        let comparison = comparison.ok_or(TemplateError::Order { at })?;
        let key = self.braced("{ of the key")?;
        self.close("}")?;
        Ok(NodeKind::Sort(list, comparison, key))
    }

    /// Reads the last string of an item, and its end.
    fn body(&mut self) -> Result<Sequence, TemplateError> {
        self.open("{ of the expression")?;
        let body = self.sequence(Reading::Braced)?;
        self.end_of_body()?;
        Ok(body)
    }

    fn end_of_body(&mut self) -> Result<(), TemplateError> {
        self.skip_blanks();
        self.close("}")?;
        self.skip_blanks();
        self.close("}")
    }
}
