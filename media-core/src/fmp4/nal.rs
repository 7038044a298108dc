//! NAL units with 4-byte lengths: walking them, and telling random access points.

use super::VideoCodec;

/// Whether decoding can start at this access unit.
///
/// H.264: an IDR picture (NAL type 5). A recovery point SEI with an I picture (gradual refresh, open GOP) is not
/// taken: what follows may refer to pictures before it, and a player that starts there shows damage.
///
/// H.265: every IRAP picture (NAL types 16 to 23: BLA, IDR, CRA and the reserved ones). After a CRA the leading
/// pictures (RASL) refer to pictures before it; a decoder that starts there drops them by rule (ITU-T H.265
/// §8.1.3), so starting is clean.
#[must_use]
pub fn is_random_access(codec: VideoCodec, unit: &[u8]) -> bool {
    nal_units(unit).any(|nal| match (codec, nal.first()) {
        (VideoCodec::H264, Some(byte)) => byte & 0x1f == 5,
        (VideoCodec::H265, Some(byte)) => (16..=23).contains(&(byte >> 1 & 0x3f)),
        (_, None) => false,
    })
}

/// Whether no other picture needs this one: an H.264 picture with `nal_ref_idc` 0 (ITU-T H.264 §7.4.1). In H.265
/// that depends on the temporal layers, so none is.
#[must_use]
pub fn is_disposable(codec: VideoCodec, unit: &[u8]) -> bool {
    let header = nal_units(unit).filter_map(|nal| nal.first());
    let slice = header.copied().find(|byte| (1..=5).contains(&(byte & 0x1f)));
    codec == VideoCodec::H264 && slice.is_some_and(|byte| byte & 0x60 == 0)
}

/// The NAL units of an access unit with 4-byte lengths; ends at the first length that does not fit.
pub fn nal_units(mut unit: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = unit.split_first_chunk::<4>()?;
        let (nal, tail) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        unit = tail;
        Some(nal)
    })
}
