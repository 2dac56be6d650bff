//! The trust of values and queries, as far as it is known before an expansion.

use mail_types::exim::{Query, Trust};

use crate::call::HostCall;
use crate::need::Need;
use crate::operators::operator::Operator;
use crate::template::Template;
use crate::tree::condition::Test;
use crate::tree::lookup::Lookup;
use crate::tree::{Arguments, Choice, ConditionId, Node, NodeKind, Otherwise, Sequence, Tree};

impl Template {
    /// Returns the queries of its lookups, as far as they are known before expansion, each with its
    /// position and its lookup. An expanded part is a value without octets, with its mark if it is
    /// quoted for a lookup. Other values are untrusted if it is known that they will be: those of
    /// header fields, of variables that `is_untrusted` names, and what operators make of these. A
    /// program can test by them whether a query makes a statement.
    ///
    /// ```
    /// use event_expand::{Dialect, Statement, StatementError, Template};
    ///
    /// let text = "${lookup sqlite{SELECT 1 FROM t WHERE a = '${quote_sqlite:$domain}}}";
    /// let template: Template = text.parse()?;
    /// let (at, lookup, query) = template.queries(|_| true).next().unwrap();
    /// assert_eq!((at, lookup.name), (0, "sqlite"));
    /// assert_eq!(Statement::new(&query, Dialect::Sqlite), Err(StatementError::Open));
    /// # Ok::<(), event_expand::TemplateError>(())
    /// ```
    pub fn queries(
        &self,
        is_untrusted: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = (usize, &Lookup, Query)> {
        Known::of(&self.tree, &is_untrusted).queries.into_iter()
    }

    /// Returns the needs that an expansion will refuse, each with its position: as far as [`Self::queries`] knows, the name of their
    /// file or list of rules is untrusted.
    ///
    /// ```
    /// use event_expand::{Need, Template};
    ///
    /// let text = "${lookup{key}lsearch{/tables/$domain}}${lookup{$domain}lsearch{/tables/all}}";
    /// let template: Template = text.parse()?;
    /// let refused: Vec<_> = template.refused_needs(|name| name == "domain").collect();
    /// assert!(matches!(refused[..], [(0, Need::Lookup { file: None, .. })]));
    /// # Ok::<(), event_expand::TemplateError>(())
    /// ```
    pub fn refused_needs(
        &self,
        is_untrusted: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = (usize, Need<'_>)> {
        Known::of(&self.tree, &is_untrusted).refused.into_iter()
    }

    /// Returns its texts and the values between them, as far as they are known before expansion, like a query of
    /// [`Self::queries`].
    ///
    /// ```
    /// use event_expand::Template;
    /// use mail_types::exim::{Segment, Trust};
    ///
    /// let template: Template = "mx.$domain".parse()?;
    /// let known = template.known_segments(|_| true);
    /// let value = Segment::Value { bytes: b"", trust: Trust::Untrusted, quoted: None };
    /// assert_eq!(known.segments().collect::<Vec<_>>(), [Segment::Literal(b"mx."), value]);
    /// # Ok::<(), event_expand::TemplateError>(())
    /// ```
    #[must_use]
    pub fn known_segments(&self, is_untrusted: impl Fn(&str) -> bool) -> Query {
        Known::segments(&self.tree, &is_untrusted)
    }
}

/// The queries and needs of a tree.
pub(crate) struct Known<'t, 'u> {
    tree: &'t Tree,
    is_untrusted: &'u dyn Fn(&str) -> bool,
    /// Each with its position and its lookup.
    pub(crate) queries: Vec<(usize, &'t Lookup, Query)>,
    /// Those of an untrusted name, each with its position.
    pub(crate) refused: Vec<(usize, Need<'t>)>,
}

/// The variables of items that are surely untrusted at a place.
#[derive(Clone, Copy, Debug, Default)]
struct Scope {
    /// `$item`.
    item: bool,
    /// `$0`, `$1` and so on.
    captures: bool,
}

impl<'t, 'u> Known<'t, 'u> {
    /// Walks a tree. A name that `is_untrusted` tells is that of a variable whose values all are.
    pub(crate) fn of(tree: &'t Tree, is_untrusted: &'u dyn Fn(&str) -> bool) -> Self {
        let mut known = Self { tree, is_untrusted, queries: Vec::new(), refused: Vec::new() };
        known.sequence(tree.root, Scope::default());
        known
    }

    /// The whole of a tree as a query.
    pub(crate) fn segments(tree: &'t Tree, is_untrusted: &'u dyn Fn(&str) -> bool) -> Query {
        let known = Self { tree, is_untrusted, queries: Vec::new(), refused: Vec::new() };
        known.query(tree.root, Scope::default())
    }

    fn sequence(&mut self, sequence: Sequence, scope: Scope) {
        let tree = self.tree;
        tree.nodes(sequence).iter().for_each(|node| self.node(node, scope));
    }

    fn sequences(&mut self, arguments: Arguments, scope: Scope) {
        let tree = self.tree;
        tree.arguments(arguments).iter().for_each(|string| self.sequence(*string, scope));
    }

    fn node(&mut self, node: &'t Node, scope: Scope) {
        match &node.kind {
            NodeKind::Operator(_, _, operand) | NodeKind::QuoteFor(_, operand) => {
                self.sequence(*operand, scope);
            }
            NodeKind::If(condition, choice) => {
                let holding = self.condition(*condition, scope);
                self.choice(*choice, holding, Scope { captures: false, ..scope });
            }
            NodeKind::Function(_, strings) | NodeKind::Substitute(strings, _) => {
                self.sequences(*strings, scope);
            }
            NodeKind::Extract(extract) => self.sequences(extract.strings, scope),
            NodeKind::ListExtract(number, list, choice) => {
                self.sequence(*number, scope);
                self.sequence(*list, scope);
                self.choice(*choice, scope, scope);
            }
            NodeKind::Filter(list, condition) => {
                self.sequence(*list, scope);
                self.condition(*condition, self.within(*list, scope));
            }
            NodeKind::Map(list, body) | NodeKind::Sort(list, _, body) => {
                self.sequence(*list, scope);
                self.sequence(*body, self.within(*list, scope));
            }
            NodeKind::Reduce(list, first, body) => {
                self.sequence(*list, scope);
                self.sequence(*first, scope);
                self.sequence(*body, self.within(*list, scope));
            }
            NodeKind::Lookup(item) => {
                if let Some(key) = item.key {
                    self.sequence(key, scope);
                }
                self.sequence(item.query, scope);
                if item.lookup.is_query() {
                    let query = self.query(item.query, scope);
                    self.queries.push((node.at as usize, &item.lookup, query));
                } else if self.has_untrusted(item.query, scope) {
                    let need = Need::Lookup { lookup: &item.lookup, file: None };
                    self.refused.push((node.at as usize, need));
                }
                self.choice(item.choice, scope, scope);
            }
            NodeKind::Call(call, strings, choice) => {
                self.call(node.at, *call, *strings, scope);
                if let Some(choice) = choice {
                    self.choice(*choice, scope, scope);
                }
            }
            _ => {}
        }
    }

    fn choice(&mut self, choice: Choice, yes_scope: Scope, no_scope: Scope) {
        let Choice::Given(yes, otherwise) = choice else { return };
        self.sequence(yes, yes_scope);
        if let Otherwise::String(no) = otherwise {
            self.sequence(no, no_scope);
        }
    }

    fn call(&mut self, at: u32, call: HostCall, strings: Arguments, scope: Scope) {
        self.sequences(strings, scope);
        let name = self.tree.arguments(strings).first();
        if call == HostCall::Acl && name.is_some_and(|name| self.has_untrusted(*name, scope)) {
            self.refused.push((at as usize, Need::Acl(None)));
        }
    }

    /// Walks a condition; returns what is known where it holds.
    fn condition(&mut self, id: ConditionId, scope: Scope) -> Scope {
        let tree = self.tree;
        let Ok(condition) = tree.condition(id) else { return scope };
        let unknown = Scope { captures: false, ..scope };
        match &condition.test {
            Test::Match(subject, pattern, _) => {
                self.sequence(*subject, scope);
                self.sequence(*pattern, scope);
                let captures = self.has_untrusted(*subject, scope) && !condition.negated;
                Scope { captures, ..scope }
            }
            Test::Compare(_, a, b) | Test::InList { text: a, list: b, .. } => {
                self.sequence(*a, scope);
                self.sequence(*b, scope);
                scope
            }
            Test::MatchList(text, _) => {
                self.sequence(*text, scope);
                unknown
            }
            Test::IsIp(_, text) | Test::Bool { text, .. } => {
                self.sequence(*text, scope);
                scope
            }
            Test::All(conditions) | Test::Any(conditions) => {
                let mut holding = scope;
                for condition in conditions {
                    holding = self.condition(*condition, holding);
                }
                let is_all = matches!(condition.test, Test::All(_)) && !condition.negated;
                if is_all { holding } else { unknown }
            }
            Test::ForEach { list, condition, .. } => {
                self.sequence(*list, scope);
                self.condition(*condition, self.within(*list, scope));
                unknown
            }
            Test::Call(call, strings) => {
                self.call(condition.at, *call, *strings, scope);
                unknown
            }
            _ => scope,
        }
    }

    fn within(&self, list: Sequence, scope: Scope) -> Scope {
        Scope { item: self.has_untrusted(list, scope), ..scope }
    }

    /// An expanded part becomes a value without octets, with the mark of its lookup if it is quoted.
    fn query(&self, sequence: Sequence, scope: Scope) -> Query {
        let mut query = Query::default();
        for node in self.tree.nodes(sequence) {
            match &node.kind {
                NodeKind::Text(text) => query.push_literal(text),
                NodeKind::End => break,
                NodeKind::QuoteFor(quoting, _) => {
                    query.push_quoted(b"", Trust::Untrusted, quoting.lookup);
                }
                NodeKind::Operator(Operator::Quote, Some(_), _) => {
                    query.push_value(b"", Trust::Untrusted);
                }
                kind => {
                    let untrusted = self.untrusted(kind, scope);
                    query
                        .push_value(b"", if untrusted { Trust::Untrusted } else { Trust::Trusted });
                }
            }
        }
        query
    }

    fn has_untrusted(&self, sequence: Sequence, scope: Scope) -> bool {
        self.tree.nodes(sequence).iter().any(|node| self.untrusted(&node.kind, scope))
    }

    /// Tells whether a value is untrusted in any case: one from outside, and the result of an operator or item on one.
    fn untrusted(&self, kind: &NodeKind, scope: Scope) -> bool {
        match kind {
            NodeKind::Header(..) => true,
            NodeKind::Variable(name) => (self.is_untrusted)(self.tree.name(*name)),
            NodeKind::Item => scope.item,
            NodeKind::Capture(_) => scope.captures,
            NodeKind::Operator(
                Operator::Expand | Operator::RandomInteger | Operator::Stat | Operator::ListNamed,
                ..,
            ) => false,
            NodeKind::Operator(_, _, operand) | NodeKind::QuoteFor(_, operand) => {
                self.has_untrusted(*operand, scope)
            }
            NodeKind::Substitute(strings, _) => {
                let subject = self.tree.arguments(*strings).first();
                subject.is_some_and(|subject| self.has_untrusted(*subject, scope))
            }
            NodeKind::Filter(list, _) | NodeKind::Map(list, _) | NodeKind::Sort(list, ..) => {
                self.has_untrusted(*list, scope)
            }
            _ => false,
        }
    }
}
