//! Bits of a parameter set: fixed-width numbers and Exp-Golomb codes (ITU-T H.264 §9.1).
//!
//! Every read is bounded; the end of the data is an error, never a panic.

use super::CodecError;

/// Reads bits from the most significant one on.
pub(super) struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    part: &'static str,
}

impl<'a> Bits<'a> {
    /// `part` names what is read, for errors.
    pub(super) fn new(data: &'a [u8], part: &'static str) -> Self {
        Self { data, at: 0, part }
    }

    /// Up to 32 bits.
    pub(super) fn u(&mut self, count: usize) -> Result<u32, CodecError> {
        (0..count).try_fold(0_u32, |value, _| Ok(value << 1 | u32::from(self.flag()?)))
    }

    pub(super) fn flag(&mut self) -> Result<bool, CodecError> {
        let byte = self.data.get(self.at / 8).ok_or(CodecError::Invalid(self.part))?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Ok(bit == 1)
    }

    pub(super) fn skip(&mut self, count: usize) -> Result<(), CodecError> {
        (0..count).try_for_each(|_| self.flag().map(drop))
    }

    pub(super) fn ue(&mut self) -> Result<u32, CodecError> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return Err(CodecError::Invalid(self.part));
            }
        }
        Ok((1_u32 << zeros) - 1 + self.u(zeros)?)
    }

    /// As [`ue`](Self::ue), refused above `max`.
    pub(super) fn ue_max(&mut self, max: u32) -> Result<u32, CodecError> {
        let value = self.ue()?;
        if value > max {
            return Err(CodecError::Invalid(self.part));
        }
        Ok(value)
    }

    pub(super) fn se(&mut self) -> Result<i64, CodecError> {
        let code = i64::from(self.ue()?);
        Ok(if code % 2 == 1 {
            (code + 1) / 2
        } else {
            -(code / 2)
        })
    }
}

/// The payload of a NAL unit without its emulation prevention bytes (ITU-T H.264 §7.4.1).
pub(super) fn unescape(nal: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(nal.len());
    let mut zeros = 0;
    for &byte in nal {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_exp_golomb() {
        // 1 | 010 | 011 | 00100 | 00101
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000], "test");
        assert_eq!((0..3).map(|_| bits.ue().unwrap()).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!((bits.se().unwrap(), bits.se().unwrap()), (2, -2));
        assert!(Bits::new(&[0; 20], "zeros").ue().is_err());
        assert!(Bits::new(&[], "nothing").flag().is_err());
    }

    #[test]
    fn drops_emulation_prevention() {
        assert_eq!(
            unescape(&[1, 0, 0, 3, 1, 0, 0, 3, 0, 0, 3]),
            [1, 0, 0, 1, 0, 0, 0, 0]
        );
    }
}
