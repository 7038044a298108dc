//! Which cameras a list shows: the filters of its query.

use std::str::FromStr;

use serde::Deserialize;
use utoipa::IntoParams;
use wire::{GroupId, NodeId};

use crate::Error;
use crate::domain::camera::tag;
use crate::store::cameras::Filter;

/// Longest text that lists are searched for, in characters.
const SEARCH_MAX: usize = 100;

/// Which cameras; those that fit every part given.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CameraQuery {
    /// A part of name, site or notes, whatever the case.
    #[param(max_length = 100)]
    q: Option<String>,
    /// The site, spelled as it is.
    #[param(max_length = 100)]
    site: Option<String>,
    /// A tag.
    #[param(max_length = 40)]
    tag: Option<String>,
    /// Id of a group.
    #[param(value_type = Option<GroupId>)]
    group: Option<String>,
    /// Id of the node that records.
    #[param(value_type = Option<NodeId>)]
    node: Option<String>,
    /// Whether it is to be recorded.
    #[param(value_type = Option<bool>)]
    recording: Option<String>,
}

impl CameraQuery {
    /// The filter that is meant.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the field.
    pub(super) fn filter(self) -> Result<Filter, Error> {
        Ok(Filter {
            q: self.q.map(|text| searched("q", &text)).transpose()?,
            site: self.site.map(|text| searched("site", &text)).transpose()?,
            tag: self
                .tag
                .map(|text| tag(&text).ok_or_else(|| Error::field("tag", "not a tag")))
                .transpose()?,
            group: given(self.group.as_deref(), "group", "not the id of a group")?,
            node: given(self.node.as_deref(), "node", "not the id of a node")?,
            recording: given(self.recording.as_deref(), "recording", "true or false")?,
        })
    }
}

fn given<T: FromStr>(text: Option<&str>, field: &'static str, wrong: &str) -> Result<Option<T>, Error> {
    text.map(|text| text.parse().map_err(|_| Error::field(field, wrong)))
        .transpose()
}

/// A text to compare with; PostgreSQL takes no NUL.
fn searched(field: &'static str, text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.chars().count() > SEARCH_MAX || text.contains('\0') {
        return Err(Error::field(field, "at most 100 characters"));
    }
    Ok(text.to_owned())
}
