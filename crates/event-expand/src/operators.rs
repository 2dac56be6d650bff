//! Applies operators.

pub(crate) mod address;
pub(crate) mod arithmetic;
pub(crate) mod base;
pub(crate) mod codec;
pub(crate) mod digest;
pub(crate) mod field;
pub(crate) mod idna;
pub(crate) mod imap_folder;
pub(crate) mod ip;
pub(crate) mod json;
pub(crate) mod list;
pub(crate) mod number;
pub(crate) mod operator;
pub(crate) mod pattern;
pub(crate) mod punycode;
pub(crate) mod quoting;
pub(crate) mod rfc2047;
pub(crate) mod substring;
pub(crate) mod text;
pub(crate) mod time;

use mail_types::exim::{ByteList, LookupResult, Trust, Value};

use crate::call::HostCall;
use crate::evaluate::function::{Part, Problem, copy};
use crate::evaluate::{Evaluation, Halt};
use crate::expansion::Ask;
use crate::operators::operator::Operator;
use crate::operators::quoting::Quoting;
use crate::stop::ExpandError;
use crate::tree::{Function, Node, NodeKind, Sequence, Tree};
use crate::variables::ListKind;

impl<'e> Evaluation<'e> {
    pub(crate) fn operate(
        &mut self,
        tree: &Tree,
        at: usize,
        operator: Operator,
        argument: Option<&str>,
        operand: Sequence,
    ) -> Result<Trust, Halt> {
        match (operator, argument) {
            (Operator::Expand, _) => return self.expand_again(tree, at, operand),
            (Operator::RandomInteger, _) => {
                return self.ask_for(tree, at, HostCall::RandInt, operand);
            }
            (Operator::Stat, _) => return self.ask_for(tree, at, HostCall::Stat, operand),
            (Operator::ListNamed, kind) => return self.list_named(tree, at, kind, operand),
            (Operator::Quote, Some(_)) => {
                let expected = "a lookup name after quote_";
                return Err(ExpandError::Operand { at, expected }.into());
            }
            _ => {}
        }
        let certificate = self.certificate(tree, operator, operand);
        let (start, trust) = match certificate {
            Some(certificate) => {
                let start = self.out.len();
                self.push(certificate, at)?;
                (start, Trust::Untrusted)
            }
            None => self.argument(tree, operand)?,
        };
        let end = self.out.len();
        if operator == Operator::ListCount {
            let written = match tree.nodes(operand).first().map(|node| &node.kind) {
                Some(NodeKind::Text(text)) => ByteList::names_separator(text),
                _ => false,
            };
            let named = written || trust == Trust::Trusted;
            let list = self.out.get(start..end).unwrap_or_default();
            let count = list::items(list, named).count();
            text::push_number(&mut self.out, count);
        } else {
            let deepest = self.options.limits.depth;
            let done = apply(&mut self.out, operator, argument, start..end, deepest);
            done.map_err(|problem| problem.at(at))?;
            // Exim writes the fingerprints of certificates in upper case, unlike the MD5 of a text.
            if certificate.is_some() && operator == Operator::Md5 {
                self.out.get_mut(end..).unwrap_or_default().make_ascii_uppercase();
            }
        }
        self.out.drain(start..end);
        self.settle(start, at)?;
        self.mark(start, trust, None);
        Ok(trust)
    }

    /// The certificate for which an operand stands that is one variable, if the operator is for
    /// certificates too.
    fn certificate(&self, tree: &Tree, operator: Operator, operand: Sequence) -> Option<&'e [u8]> {
        use Operator::{Base64, Md5, Sha1, Sha2, Sha3};
        match tree.nodes(operand) {
            _ if !matches!(operator, Base64 | Md5 | Sha1 | Sha2 | Sha3) => None,
            [Node { kind: NodeKind::Variable(name), .. }] => {
                self.variables.certificate(tree.name(*name))
            }
            _ => None,
        }
    }

    /// `quote_<lookup>`: in a query the bytes are unchanged and marked.
    pub(crate) fn quote_for(
        &mut self,
        tree: &Tree,
        at: usize,
        quoting: Quoting,
        operand: Sequence,
    ) -> Result<Trust, Halt> {
        let (start, trust) = self.argument(tree, operand)?;
        if !self.querying {
            let end = self.out.len();
            quoting.write(&mut self.out, start..end);
            self.out.drain(start..end);
            self.settle(start, at)?;
        }
        self.mark(start, trust, Some(quoting.lookup));
        Ok(trust)
    }

    /// Asks the program about a text.
    fn ask_for(
        &mut self,
        tree: &Tree,
        at: usize,
        call: HostCall,
        operand: Sequence,
    ) -> Result<Trust, Halt> {
        let start = self.out.len();
        let found = match call {
            HostCall::RandInt => {
                let limit = self.limit_of_random(tree, at, operand)?;
                self.permit(at, call)?;
                self.ask(at, || Ask::Call { call, arguments: vec![limit] })?
            }
            _ => self.call(tree, at, call, &[operand])?,
        };
        match found.clone() {
            LookupResult::Value(bytes) => {
                self.push(&bytes, at)?;
                self.mark(start, Trust::Untrusted, None);
                Ok(Trust::Untrusted)
            }
            _ => Err(ExpandError::Failed { at, call }.into()),
        }
    }

    /// The limit of a random number, in decimal.
    fn limit_of_random(
        &mut self,
        tree: &Tree,
        at: usize,
        operand: Sequence,
    ) -> Result<Value<'static>, Halt> {
        let (from, trust) = self.argument(tree, operand)?;
        let limit = number::integer(self.out.get(from..).unwrap_or_default());
        self.truncate(from);
        let limit = limit.map_err(|error| Halt::from(error.at(at)))?;
        if limit < 0 {
            let expected = "a non-negative number";
            return Err(ExpandError::Operand { at, expected }.into());
        }
        Ok(Value::new(limit.to_string().into_bytes(), trust))
    }

    /// A named list, with the lists that it names inserted, between colons.
    fn list_named(
        &mut self,
        tree: &Tree,
        at: usize,
        kind: Option<&str>,
        operand: Sequence,
    ) -> Result<Trust, Halt> {
        let kinds = match kind {
            None => KINDS,
            Some(kind) => {
                let found = KINDS.iter().position(|(letter, _)| kind.starts_with(*letter));
                let expected = "a, d, h or l after listnamed_";
                let found = found.ok_or(ExpandError::Operand { at, expected })?;
                KINDS.get(found..=found).unwrap_or_default()
            }
        };
        let name = self.kept_argument(tree, operand)?;
        let start = self.out.len();
        let mut trust = name.trust;
        self.push_named(at, kinds, &name.bytes, &mut trust)?;
        self.mark(start, trust, None);
        Ok(trust)
    }

    fn push_named(
        &mut self,
        at: usize,
        kinds: &[(char, ListKind)],
        name: &[u8],
        trust: &mut Trust,
    ) -> Result<(), Halt> {
        self.enter(u32::try_from(at).unwrap_or(u32::MAX))?;
        let name = name.strip_prefix(b"+").unwrap_or(name);
        let found = kinds.iter().find_map(|(_, kind)| self.named_list(at, *kind, name).ok());
        let expected = "the name of a list";
        let list = found.ok_or(ExpandError::Operand { at, expected })?.into_owned();
        *trust = (*trust).max(list.trust());
        let mut count = 0;
        for item in list::items(list.as_bytes(), true) {
            self.count_item(&mut count, at)?;
            if count > 1 {
                self.push(b" : ", at)?;
            }
            if item.starts_with(b"+") {
                self.push_named(at, kinds, &item, trust)?;
            } else {
                let mut doubled = Vec::new();
                list::push_doubled(&mut doubled, &item, b':');
                self.push(&doubled, at)?;
            }
        }
        self.leave();
        Ok(())
    }
}

const KINDS: &[(char, ListKind)] = &[
    ('a', ListKind::Address),
    ('d', ListKind::Domain),
    ('h', ListKind::Host),
    ('l', ListKind::LocalPart),
];

/// Applies an operator to a part of the buffer, and writes the result after it.
fn apply(
    out: &mut Vec<u8>,
    operator: Operator,
    argument: Option<&str>,
    part: Part,
    deepest: usize,
) -> Result<(), Problem> {
    match operator {
        Operator::Lower => text::each(out, part, |out, b| out.push(b.to_ascii_lowercase())),
        Operator::Upper => text::each(out, part, |out, b| out.push(b.to_ascii_uppercase())),
        Operator::Escape => text::each(out, part, text::escape),
        Operator::Escape8Bit => text::each(out, part, text::escape_8bit),
        Operator::HexQuote => text::each(out, part, text::hex_quote),
        Operator::RegexQuote => text::each(out, part, text::regex_quote),
        Operator::Quote => text::quote(out, part),
        Operator::QuoteLocalPart => text::quote_local_part(out, part),
        Operator::Utf8Clean => text::utf8_clean(out, part),
        Operator::FromUtf8 => text::from_utf8(out, part),
        Operator::HeaderWrap => text::header_wrap(out, argument, part)?,
        Operator::XtextDecode => codec::xtext_decode(out, part)?,
        Operator::Base32 => base::encode_32(out, part)?,
        Operator::Base32Decode => base::decode_32(out, part)?,
        Operator::Base62 => base::encode_62(out, part)?,
        Operator::Base62Decode => base::decode_62(out, part)?,
        Operator::Base64 => codec::base64(out, part),
        Operator::Base64Decode => codec::base64_decode(out, part)?,
        Operator::HexToBase64 => codec::hex_to_base64(out, part)?,
        Operator::Eval => arithmetic::evaluate(out, part, false, deepest)?,
        Operator::Eval10 => arithmetic::evaluate(out, part, true, deepest)?,
        Operator::Hash | Operator::Length | Operator::NumericHash | Operator::Substring => {
            substring::operator(out, part_of(operator), argument, part)?;
        }
        Operator::Md5 => digest::md5(out, part)?,
        Operator::Sha1 => digest::sha1(out, part)?,
        Operator::Sha2 => digest::sha2(out, argument, part)?,
        Operator::Sha3 => digest::sha3(out, argument, part)?,
        Operator::TimeEval => time::evaluate(out, part)?,
        Operator::TimeInterval => time::interval(out, part)?,
        Operator::Rfc2047 => rfc2047::encode(out, part),
        Operator::Rfc2047Decode => rfc2047::decode(out, part),
        Operator::Address => address::whole(out, part),
        Operator::Domain => address::domain(out, part),
        Operator::LocalPart => address::local_part(out, part),
        Operator::Addresses => address::all(out, part)?,
        Operator::DomainToALabels => idna::domain_to_a_labels(out, part)?,
        Operator::DomainFromALabels => idna::domain_from_a_labels(out, part)?,
        Operator::LocalPartToALabel => idna::local_part_to_a_label(out, part)?,
        Operator::LocalPartFromALabel => idna::local_part_from_a_label(out, part)?,
        Operator::StringLength => text::push_number(out, part.len()),
        // Handled in `operate`.
        Operator::Expand
        | Operator::ListCount
        | Operator::ListNamed
        | Operator::RandomInteger
        | Operator::Stat => {}
        ip => apply_to_ip(out, ip, argument, part)?,
    }
    Ok(())
}

/// The item that has the same effect as an operator on parts of a text.
fn part_of(operator: Operator) -> Function {
    match operator {
        Operator::Hash => Function::Hash,
        Operator::Length => Function::Length,
        Operator::NumericHash => Function::NumericHash,
        _ => Function::Substring,
    }
}

/// Applies an operator to an IP address, and writes the result after it.
fn apply_to_ip(
    out: &mut Vec<u8>,
    operator: Operator,
    argument: Option<&str>,
    part: Part,
) -> Result<(), Problem> {
    let address = copy(out, part);
    let done = match operator {
        Operator::Mask => {
            let normal = argument.is_some_and(|argument| argument.starts_with('n'));
            ip::mask(&address, normal, out)
        }
        Operator::ReverseIp => ip::reverse(&address, out),
        _ => ip::ipv6(&address, operator == Operator::Ipv6Normal, out),
    };
    done.map_err(Problem::Expected)
}
