//! What people say of a camera: site, tags, time zone, notes, lengths of segments and objects.

use super::{InvalidCamera, NAME_MAX, invalid, is_invisible};
use crate::domain::schedule;

const TAGS_MAX: usize = 20;
const TAG_MAX: usize = 40;
const NOTES_MAX: usize = 4000;
const SEGMENT_S: std::ops::RangeInclusive<u32> = 2..=30;
const OBJECT_S: std::ops::RangeInclusive<u32> = 10..=600;

/// A site without the blanks around it: at most 100 characters, none of them invisible; may be empty.
///
/// # Errors
/// A sentence for field `site`.
pub fn site(text: &str) -> Result<String, InvalidCamera> {
    let text = text.trim();
    if text.chars().count() > NAME_MAX || text.chars().any(is_invisible) {
        return Err(invalid(
            "site",
            "a site has at most 100 characters and no control characters",
        ));
    }
    Ok(text.to_owned())
}

/// Tags in lower case, each once, in the order given.
///
/// # Errors
/// A sentence for field `tags`.
pub fn tags<T: AsRef<str>>(given: &[T]) -> Result<Vec<String>, InvalidCamera> {
    let mut tags = Vec::new();
    for text in given {
        let tag = tag(text.as_ref()).ok_or_else(|| {
            invalid(
                "tags",
                "a tag has 1 to 40 letters, digits, hyphens, dots and colons",
            )
        })?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if tags.len() > TAGS_MAX {
        return Err(invalid("tags", "a camera has at most 20 tags"));
    }
    Ok(tags)
}

/// One tag as it is kept; none when the text cannot be one.
#[must_use]
pub fn tag(text: &str) -> Option<String> {
    let tag = text.trim().to_lowercase();
    let fits = (1..=TAG_MAX).contains(&tag.chars().count());
    let spelled = tag.chars().all(|c| c.is_alphanumeric() || "-.:".contains(c));
    (fits && spelled).then_some(tag)
}

/// The name of an IANA time zone as the database spells it.
///
/// # Errors
/// A sentence for field `time_zone`.
pub fn time_zone(text: &str) -> Result<String, InvalidCamera> {
    let zone = schedule::zone(text.trim()).ok();
    zone.and_then(|zone| zone.iana_name().map(str::to_owned))
        .ok_or_else(|| {
            invalid(
                "time_zone",
                "unknown time zone, expected one such as Europe/Berlin",
            )
        })
}

/// How many nodes record a camera: one or two.
///
/// # Errors
/// A sentence for field `copies`.
pub fn copies(copies: u8) -> Result<u8, InvalidCamera> {
    if (1..=2).contains(&copies) {
        Ok(copies)
    } else {
        Err(invalid("copies", "a camera is recorded by 1 or 2 nodes"))
    }
}

/// Labels that a camera's nodes must have: like tags.
///
/// # Errors
/// A sentence for field `node_labels`.
pub fn node_labels<T: AsRef<str>>(given: &[T]) -> Result<Vec<String>, InvalidCamera> {
    tags(given).map_err(|wrong| InvalidCamera {
        field: "node_labels",
        ..wrong
    })
}

/// Notes: at most 4000 characters; lines are fine, other control characters are not.
///
/// # Errors
/// A sentence for field `notes`.
pub fn notes(text: &str) -> Result<String, InvalidCamera> {
    let text = text.trim();
    if text.chars().count() > NOTES_MAX {
        return Err(invalid("notes", "notes have at most 4000 characters"));
    }
    if text.chars().any(|c| c.is_control() && !"\n\r\t".contains(c)) {
        return Err(invalid("notes", "notes have no control characters"));
    }
    Ok(text.to_owned())
}

/// Checks the lengths of segments and objects in seconds.
///
/// # Errors
/// A sentence for field `segment_s` or `object_s`.
pub fn lengths(segment_s: u32, object_s: u32) -> Result<(), InvalidCamera> {
    if !SEGMENT_S.contains(&segment_s) {
        return Err(invalid("segment_s", "a segment has 2 to 30 seconds"));
    }
    if !OBJECT_S.contains(&object_s) {
        return Err(invalid("object_s", "an object has 10 to 600 seconds"));
    }
    if object_s < segment_s {
        return Err(invalid("object_s", "an object is not shorter than a segment"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_and_notes() {
        assert_eq!(site("  Hall 3 ").unwrap(), "Hall 3");
        assert_eq!(site("").unwrap(), "");
        for bad in ["x".repeat(101), "a\0".to_owned(), "a\nb".to_owned()] {
            assert_eq!(site(&bad).unwrap_err().field, "site");
        }
        assert_eq!(notes("a\nb\t").unwrap(), "a\nb");
        for bad in ["x".repeat(4001), "a\0".to_owned(), "\u{1b}[2J".to_owned()] {
            assert_eq!(notes(&bad).unwrap_err().field, "notes");
        }
    }

    #[test]
    fn tags_are_lower_case_and_each_once() {
        assert_eq!(
            tags(&["North", " north ", "v1.2:b-c", "Türen"]).unwrap(),
            ["north", "v1.2:b-c", "türen"]
        );
        assert_eq!(tags::<&str>(&[]).unwrap(), [""; 0]);
        let many: Vec<String> = (0..21).map(|i| format!("t{i}")).collect();
        for bad in [
            vec![String::new()],
            vec!["a b".to_owned()],
            vec!["a|b".to_owned()],
            vec!["a%".to_owned()],
            vec!["a;b".to_owned()],
            vec!["a\0".to_owned()],
            vec!["x".repeat(41)],
            many,
        ] {
            assert_eq!(tags(&bad).unwrap_err().field, "tags", "{bad:?}");
        }
    }

    #[test]
    fn zones_are_known_ones_in_one_spelling() {
        assert_eq!(time_zone("europe/berlin").unwrap(), "Europe/Berlin");
        assert_eq!(time_zone(" UTC ").unwrap(), "UTC");
        for bad in [
            "",
            "Mars/Olympus",
            "+02:00",
            "../../etc/passwd",
            "a\0b",
            "Etc/Unknown",
            "posix/Europe/Berlin",
            "right/UTC",
            "localtime",
        ] {
            assert_eq!(time_zone(bad).unwrap_err().field, "time_zone", "{bad:?}");
        }
    }

    #[test]
    fn lengths_have_borders() {
        for (segment_s, object_s, field) in [
            (2, 10, None),
            (30, 600, None),
            (6, 60, None),
            (1, 60, Some("segment_s")),
            (31, 60, Some("segment_s")),
            (6, 9, Some("object_s")),
            (6, 601, Some("object_s")),
            (30, 29, Some("object_s")),
        ] {
            assert_eq!(lengths(segment_s, object_s).err().map(|e| e.field), field);
        }
    }
}
