//! Exim's lists of texts, words and hosts; values with their trust; queries of lookups.

mod byte_list;
mod host_pattern;
mod host_set;
mod list;
mod query;
mod separator_hint;
mod value;
mod words;

pub use byte_list::ByteList;
pub use host_pattern::{HostPattern, HostPatternError};
pub use host_set::{HostSet, HostSetError};
pub use list::List;
pub use query::{LookupResult, Query, QueryError, Segment};
pub use separator_hint::SeparatorHint;
pub use value::{Trust, Value, Variable, is_invisible};
pub use words::{Semantics, Word, WordList, WordListError};
