//! Keys of stored objects: relative paths that can be nothing else.

use wire::{CameraId, ObjectId, OrganizationId, StreamKind, UnixMs};

use crate::store::ObjectRow;

/// Longest key in bytes.
const MAX_KEY: usize = 512;
/// Longest part of a key in bytes.
const MAX_PART: usize = 128;

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a key: expected parts of letters, digits, '-', '_' and '.', not starting with '.', joined by '/'"
)]
pub struct InvalidKey;

/// Checks a key that came from outside. What passes cannot leave the store's folder, name a hidden file
/// or mean something else when decoded once more.
///
/// # Errors
/// [`InvalidKey`] for anything else.
pub fn check(key: &str) -> Result<(), InvalidKey> {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.len() <= MAX_PART
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    // A part of its own is the store's: its flag file lies there.
    if key.len() <= MAX_KEY && key.contains('/') && key.split('/').all(is_part) {
        Ok(())
    } else {
        Err(InvalidKey)
    }
}

/// The key of an object: `<org>/<camera>/<stream>/<yyyy>/<mm>/<dd>/<object>.mp4`, by the UTC day of its start.
#[must_use]
pub fn key(row: &ObjectRow) -> String {
    key_of(row.organization, row.camera, row.stream, row.start, row.id)
}

/// The key of an object of which only this is known.
#[must_use]
pub fn key_of(
    organization: OrganizationId,
    camera: CameraId,
    stream: StreamKind,
    start: UnixMs,
    id: ObjectId,
) -> String {
    let day = start.to_string();
    let day = day.get(..10).unwrap_or("1970-01-01").replace('-', "/");
    format!("{organization}/{camera}/{}/{day}/{id}.mp4", stream.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_the_folder() {
        assert_eq!(check("o/c/main/2026/01/31/x.mp4"), Ok(()));
        let long = format!("a/{}", "b".repeat(MAX_PART + 1));
        let deep = "a/".repeat(400) + "b";
        for bad in [
            "",
            "/",
            "a",
            "maintenance",
            "/etc/passwd",
            "a/../b",
            "a/./b",
            "a//b",
            "a/",
            "../a/b",
            "a/.tmp",
            "a/b\\c",
            "a/b c",
            "a/%2e%2e",
            "a/b\0",
            "a/ü",
            "C:/x",
            ".incoming/x",
            &long,
            &deep,
        ] {
            assert_eq!(check(bad), Err(InvalidKey), "{bad}");
        }
    }
}
