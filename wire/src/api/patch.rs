//! Fields of a patch that can be cleared: absent, `null` and a value mean three things.

use serde::{Deserialize, Deserializer};

/// Reads a field that is there: `null` as `Some(None)`. With `#[serde(default)]` beside it, an absent
/// field stays `None`.
///
/// # Errors
/// Those of the value.
pub(super) fn clearable<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}
