//! Parses conditions.

use std::sync::Arc;

use crate::call::HostCall;
use crate::evaluate::text_condition::Comparison;
use crate::match_list::MatchList;
use crate::operators::json::JsonList;
use crate::parse::{Parser, Reading};
use crate::template::TemplateError;
use crate::tree::condition::{Condition, ListText, Test};
use crate::tree::{ConditionId, NodeKind, Sequence, index};
use crate::variables::{HeaderForm, ListKind, ProgramState};

impl Parser<'_> {
    /// Reads a condition.
    pub(crate) fn condition(&mut self) -> Result<ConditionId, TemplateError> {
        self.enter()?;
        let mut negated = false;
        self.skip_blanks();
        while self.take(b'!') {
            negated = !negated;
            self.skip_blanks();
        }
        let at = self.pos;
        let word = self.condition_word();
        if word.is_empty() {
            return Err(self.expected("a condition"));
        }
        let test = self.test(&word, at)?;
        self.leave();
        let (at, end) = (index(at), index(self.pos));
        Ok(self.tree.add_condition(Condition { at, end, negated, test }))
    }

    pub(crate) fn condition_word(&mut self) -> Box<str> {
        match self.rest() {
            [b'<' | b'=' | b'>', b'=', ..] => {
                let word = self.rest().get(..2).unwrap_or_default();
                self.pos += 2;
                String::from_utf8_lossy(word).into()
            }
            [byte @ (b'<' | b'=' | b'>'), ..] => {
                self.pos += 1;
                char::from(*byte).to_string().into()
            }
            _ => self.name(b"_"),
        }
    }

    fn test(&mut self, word: &str, at: usize) -> Result<Test, TemplateError> {
        if let Some(comparison) = Comparison::find(word) {
            let (a, b) = self.two()?;
            return Ok(Test::Compare(comparison, a, b));
        }
        Ok(match word {
            "def" => self.defined()?,
            "first_delivery" => Test::State(ProgramState::FirstDelivery),
            "queue_running" => Test::State(ProgramState::QueueRunning),
            "isip" => Test::IsIp([true, true], self.one()?),
            "isip4" => Test::IsIp([true, false], self.one()?),
            "isip6" => Test::IsIp([false, true], self.one()?),
            "match" => {
                let (subject, pattern) = self.two()?;
                Test::Match(subject, pattern, self.keep_pattern(pattern))
            }
            "match_address" => self.match_list(ListKind::Address)?,
            "match_domain" => self.match_list(ListKind::Domain)?,
            "match_ip" => self.match_list(ListKind::Host)?,
            "match_local_part" => self.match_list(ListKind::LocalPart)?,
            "inlist" | "inlisti" => {
                let (text, list) = self.two()?;
                Test::InList { folded: word == "inlisti", text, list }
            }
            "and" => Test::All(self.group()?),
            "or" => Test::Any(self.group()?),
            "forall" => self.for_each(false, None)?,
            "forall_json" => self.for_each(false, Some(JsonList::Items))?,
            "forall_jsons" => self.for_each(false, Some(JsonList::Strings))?,
            "forany" => self.for_each(true, None)?,
            "forany_json" => self.for_each(true, Some(JsonList::Items))?,
            "forany_jsons" => self.for_each(true, Some(JsonList::Strings))?,
            "bool" => Test::Bool { lax: false, text: self.one()? },
            "bool_lax" => Test::Bool { lax: true, text: self.one()? },
            _ => self.call(word, at)?,
        })
    }

    fn call(&mut self, word: &str, at: usize) -> Result<Test, TemplateError> {
        let (call, strings) = match word {
            "acl" => (HostCall::Acl, self.wrapped("acl", 1, 10)?),
            "saslauthd" => (HostCall::SaslAuthd, self.wrapped("saslauthd", 2, 4)?),
            "crypteq" | "inbound_srs" => {
                let (a, b) = self.two()?;
                let call = if word == "crypteq" { HostCall::CryptEq } else { HostCall::InboundSrs };
                (call, self.keep_arguments(vec![a, b]))
            }
            _ => {
                let call = match word {
                    "exists" => HostCall::Exists,
                    "ldapauth" => HostCall::LdapAuth,
                    "pam" => HostCall::Pam,
                    "pwcheck" => HostCall::PwCheck,
                    "radius" => HostCall::Radius,
                    _ => return Err(TemplateError::Condition { at, name: word.into() }),
                };
                let text = self.one()?;
                (call, self.keep_arguments(vec![text]))
            }
        };
        Ok(Test::Call(call, strings))
    }

    fn defined(&mut self) -> Result<Test, TemplateError> {
        if !self.take(b':') {
            return Err(self.expected(":"));
        }
        let at = self.pos;
        let name = self.name(b"_");
        if let Some((_, prefix)) = HeaderForm::of(&name) {
            return Ok(Test::DefinedHeader(self.header_name(&name, prefix)));
        }
        if name.is_empty() {
            return Err(self.expected("the name of a variable"));
        }
        Ok(match self.variable(name, at) {
            NodeKind::Variable(name) => Test::Defined(name),
            NodeKind::Item => Test::DefinedItem,
            _ => Test::DefinedValue,
        })
    }

    fn one(&mut self) -> Result<Sequence, TemplateError> {
        self.braced("{")
    }

    fn two(&mut self) -> Result<(Sequence, Sequence), TemplateError> {
        Ok((self.braced("{")?, self.braced("{ of the second string")?))
    }

    /// Reads `{{text}{text}…}`.
    fn wrapped(
        &mut self,
        word: &'static str,
        least: usize,
        most: usize,
    ) -> Result<crate::tree::Arguments, TemplateError> {
        self.open("{")?;
        self.strings(word, least, most)
    }

    /// Reads a text and a list, in which `$` is an ordinary byte: a value from outside must not
    /// choose a lookup.
    fn match_list(&mut self, kind: ListKind) -> Result<Test, TemplateError> {
        let subject = self.one()?;
        self.open("{ of the list")?;
        let list = self.sequence(Reading::Plain)?;
        self.close("}")?;
        let text: Box<[u8]> = self.tree.literal(list).unwrap_or_default().into();
        // The text is within the limit of a template; an expansion counts the evaluated items.
        let list = Arc::new(MatchList::of_template(&text, kind));
        Ok(Test::MatchList(subject, Box::new(ListText { text, list })))
    }

    fn group(&mut self) -> Result<Box<[ConditionId]>, TemplateError> {
        self.open("{")?;
        let mut conditions = Vec::new();
        loop {
            self.skip_blanks();
            if self.take(b'}') {
                return Ok(conditions.into());
            }
            self.open("{ of a condition, or }")?;
            conditions.push(self.condition()?);
            self.skip_blanks();
            self.close("} of the condition")?;
        }
    }

    fn for_each(&mut self, any: bool, json: Option<JsonList>) -> Result<Test, TemplateError> {
        let list = self.braced("{ of the list")?;
        self.open("{ of the condition")?;
        let condition = self.condition()?;
        self.skip_blanks();
        self.close("} of the condition")?;
        Ok(Test::ForEach { any, json, list, condition })
    }
}
