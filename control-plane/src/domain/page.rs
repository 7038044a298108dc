//! Pages of lists: where one ends and the next begins.
//!
//! A cursor names the last item seen by its sort key, so that items added or removed meanwhile neither
//! repeat nor hide others.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// Most items of a page.
pub const LIMIT_MAX: u32 = 1000;
/// Items of a page when nothing is said.
pub const LIMIT_DEFAULT: u32 = 100;

/// The sort key of an item: a time or number, then its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// First part, often the time of creation.
    pub at: i64,
    /// Second part, which no two items share.
    pub id: [u8; 16],
}

/// What part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Items after this one.
    pub after: Option<Cursor>,
    /// At most so many.
    pub limit: u32,
}

/// A cursor that was not given out here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: expected the `next` of the page before")]
pub struct InvalidCursor;

impl Cursor {
    /// As clients carry it.
    #[must_use]
    pub fn encode(self) -> String {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.at.to_be_bytes());
        bytes[8..].copy_from_slice(&self.id);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what [`Cursor::encode`] wrote.
    ///
    /// # Errors
    /// [`InvalidCursor`] for anything else.
    pub fn decode(text: &str) -> Result<Self, InvalidCursor> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor)?;
        let (at, id) = bytes.split_first_chunk::<8>().ok_or(InvalidCursor)?;
        Ok(Self {
            at: i64::from_be_bytes(*at),
            id: id.try_into().map_err(|_| InvalidCursor)?,
        })
    }
}

impl Part {
    /// Everything at once, for use inside the server.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            after: None,
            limit: u32::MAX,
        }
    }

    /// How many rows to load: one more than asked for tells whether there are more.
    #[must_use]
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Whether what [`Part::fetch`] loaded is the whole list.
    #[must_use]
    pub fn holds_all<T>(&self, rows: &[T]) -> bool {
        self.after.is_none() && u32::try_from(rows.len()).is_ok_and(|count| count <= self.limit)
    }

    /// Cuts what [`Part::fetch`] loaded to the page; the cursor of the next one when there is one.
    pub fn cut<T>(&self, rows: &mut Vec<T>, key: impl Fn(&T) -> Cursor) -> Option<String> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        if rows.len() <= limit {
            return None;
        }
        rows.truncate(limit);
        rows.last().map(|last| key(last).encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_and_others_are_refused() {
        let cursor = Cursor { at: -5, id: [7; 16] };
        assert_eq!(Cursor::decode(&cursor.encode()), Ok(cursor));
        for bad in ["", "x", "AAAA", "not base64!", &"A".repeat(40)] {
            assert_eq!(Cursor::decode(bad), Err(InvalidCursor), "{bad}");
        }
    }

    #[test]
    fn one_row_too_many_means_another_page() {
        let part = Part {
            after: None,
            limit: 2,
        };
        let key = |at: &i64| Cursor { at: *at, id: [0; 16] };
        let mut rows = vec![1, 2, 3];
        let next = part.cut(&mut rows, key);
        assert_eq!((rows, next), (vec![1, 2], Some(key(&2).encode())));
        assert_eq!(part.cut(&mut vec![1, 2], key), None);
    }
}
