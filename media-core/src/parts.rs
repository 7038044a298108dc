//! Bytes that lie in pieces: pictures are written from where they arrived, not copied together first.

use std::io::{self, IoSlice, Write};

use bytes::Bytes;

/// So many pieces go into one system call; `IOV_MAX` of Linux is 1024.
const AT_ONCE: usize = 256;

/// Pieces, in order.
#[derive(Debug, Clone, Default)]
pub struct Parts(Vec<Bytes>);

impl Parts {
    /// Bytes in all pieces.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Bytes::is_empty)
    }

    /// The pieces.
    pub fn iter(&self) -> std::slice::Iter<'_, Bytes> {
        self.0.iter()
    }

    /// All of it in one piece, copied.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        self.0.concat()
    }

    /// Writes all of it, with as few calls as can be.
    ///
    /// # Errors
    /// Those of the writer; some of it may have been written.
    pub fn write_to(&self, mut writer: impl Write) -> io::Result<()> {
        for some in self.0.chunks(AT_ONCE) {
            let mut slices: Vec<IoSlice<'_>> = some.iter().map(|part| IoSlice::new(part)).collect();
            let mut left = &mut slices[..];
            IoSlice::advance_slices(&mut left, 0);
            while !left.is_empty() {
                match writer.write_vectored(left) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(count) => IoSlice::advance_slices(&mut left, count),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

impl From<Bytes> for Parts {
    fn from(bytes: Bytes) -> Self {
        Self(vec![bytes])
    }
}

impl FromIterator<Bytes> for Parts {
    fn from_iter<I: IntoIterator<Item = Bytes>>(parts: I) -> Self {
        Self(parts.into_iter().collect())
    }
}

impl IntoIterator for Parts {
    type Item = Bytes;
    type IntoIter = std::vec::IntoIter<Bytes>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Parts {
    type Item = &'a Bytes;
    type IntoIter = std::slice::Iter<'a, Bytes>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a few bytes at a time, and is interrupted.
    struct Slow(Vec<u8>, usize);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1.is_multiple_of(3) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let count = bytes.len().min(2);
            self.0.extend(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn writes_all_of_it_in_order_however_little_is_taken() {
        let piece = |number: usize| Bytes::from(vec![number as u8; number % 7]);
        let parts: Parts = (0..AT_ONCE * 2 + 3).map(piece).collect();
        let mut slow = Slow(Vec::new(), 0);
        parts.write_to(&mut slow).unwrap();
        assert_eq!(slow.0, parts.to_vec());
        assert_eq!(slow.0.len(), parts.len());
        assert!(!parts.is_empty() && Parts::from(Bytes::new()).is_empty());
    }

    #[test]
    fn a_writer_that_takes_nothing_is_an_error() {
        let mut full = &mut [0_u8; 3][..];
        let error = Parts::from(Bytes::from_static(b"four")).write_to(&mut full);
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::WriteZero);
    }
}
