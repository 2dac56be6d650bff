//! The policy that applies to an author domain: section 4.10.1 of RFC 9989.

use mail_types::dns::{Answer, Known, Name, RecordType, Unanswered};

use crate::owner::Owner;
use crate::walk::{DnsTrouble, FoundRecord, Memo, Walk};
use crate::{Discovery, Policy, Record, SuffixList};

/// The data for the alignment of one author domain.
pub(crate) struct Ground<'d> {
    /// The start of the organizational domain in the author domain's text; 0 until it is needed.
    pub(crate) org: usize,
    /// The record that applies, and the start of its domain in the text.
    pub(crate) policy: Option<(usize, FoundRecord)>,
    /// The walk of the author domain, once it was needed.
    pub(crate) walk: Option<Walk<'d>>,
    /// Whether the DNS did not answer for a name whose record would have changed the policy.
    pub(crate) is_broken: bool,
}

impl<'d> Ground<'d> {
    pub(crate) fn find(
        author: &'d Owner,
        discovery: &Discovery,
        memo: &mut Memo<'d>,
        known: &mut Known<'_>,
    ) -> Result<Self, Unanswered> {
        if let Discovery::Psl(list) = discovery {
            return Self::by_list(author, &**list, memo, known);
        }
        if let Ok(Some(own)) = memo.record(known, &author.text)? {
            return Ok(Self { org: 0, policy: Some((0, own)), walk: None, is_broken: false });
        }
        let walk = memo.walk_past(known, &author.text, true)?;
        let (org, policy, is_broken) = (walk.org_at(), walk.policy(), walk.is_broken);
        Ok(Self { org, policy, walk: Some(walk), is_broken })
    }

    /// By RFC 7489 section 6.6.3: the author domain's record, else its organization's.
    fn by_list(
        author: &'d Owner,
        list: &dyn SuffixList,
        memo: &mut Memo<'d>,
        known: &mut Known<'_>,
    ) -> Result<Self, Unanswered> {
        let domain = author.stand_in();
        let length = domain.map_or(author.text.len(), |domain| list.org_domain(&domain).len());
        let org = author.text.len().saturating_sub(length);
        let mut is_broken = false;
        for at in [0, org] {
            match memo.record(known, author.text.get(at..).unwrap_or_default())? {
                Err(DnsTrouble) => is_broken = true,
                Ok(Some(found)) => {
                    return Ok(Self { org, policy: Some((at, found)), walk: None, is_broken });
                }
                Ok(None) => {}
            }
        }
        Ok(Self { org, policy: None, walk: None, is_broken })
    }

    /// Walks up from the author domain, once.
    pub(crate) fn walk(
        &mut self,
        author: &'d Owner,
        memo: &mut Memo<'d>,
        known: &mut Known<'_>,
    ) -> Result<&Walk<'d>, Unanswered> {
        let walk = match self.walk.take() {
            Some(walk) => walk,
            None => memo.walk(known, &author.text)?,
        };
        if !walk.is_broken {
            self.org = walk.org_at();
        }
        Ok(self.walk.insert(walk))
    }
}

/// The policy of a record above the author domain: `np` if that does not exist with any record type
/// (section 3.2.13). `Err` is the milder policy, if the DNS does not answer this question.
pub(crate) fn policy_below(
    author: &Name,
    record: &Record,
    own: Policy,
    known: &mut Known<'_>,
) -> Result<Result<Policy, Policy>, Unanswered> {
    let [existing, missing] =
        [true, false].map(|exists| record.subdomain_policy(exists).unwrap_or(own));
    if existing == missing {
        return Ok(Ok(existing));
    }
    Ok(match *known.ask(author, RecordType::A)? {
        Answer::Failed(_) => Err(existing.min(missing)),
        Answer::Absent { exists: false, .. } => Ok(missing),
        Answer::Absent { .. } | Answer::Records { .. } => Ok(existing),
    })
}
