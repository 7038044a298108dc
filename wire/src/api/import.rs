//! Many cameras at once, from a file.

use serde::{Deserialize, Serialize};

/// Answer of `POST /api/v1/cameras/import`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ImportReport {
    /// Rows with a camera, without the header.
    pub rows: u64,
    /// Cameras created: all of them, or none when a row is wrong or it was a dry run.
    pub created: u64,
    /// What is wrong, by line.
    pub problems: Vec<ImportProblem>,
}

/// What is wrong with one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ImportProblem {
    /// Line of the file in which the row begins; the header is line 1.
    pub line: u64,
    /// The column, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Stable code, such as `duplicate_camera`.
    pub code: String,
    /// A sentence that the reader can act on; never repeats a secret.
    pub title: String,
}
