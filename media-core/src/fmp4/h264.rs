//! H.264 parameter sets (ITU-T H.264 §7.3.2.1) and `avcC` (ISO/IEC 14496-15 §5.3.3).
//!
//! What cameras get wrong most is the VUI, so damage there costs only what it says.

use bytes::Bytes;

use super::bits::{Bits, unescape};
use super::{CodecError, VideoCodec, VideoTrack};

struct Sps {
    width: u32,
    height: u32,
    chroma_format: u32,
    bit_depth_luma: u32,
    bit_depth_chroma: u32,
    reorder_depth: Option<u8>,
    frame_interval_ns: Option<i64>,
}

pub(super) fn track(sps: &[u8], pps: &[u8]) -> Result<VideoTrack, CodecError> {
    let parsed = parse_sps(sps)?;
    let avcc = avcc(sps, pps, &parsed)?;
    Ok(from_parts(sps, &parsed, avcc.into()))
}

pub(super) fn from_avcc(avcc: &[u8]) -> Result<VideoTrack, CodecError> {
    let invalid = CodecError::Invalid("avcC");
    let [1, _, _, _, lengths, counts, rest @ ..] = avcc else {
        return Err(invalid);
    };
    if lengths & 3 != 3 {
        return Err(CodecError::Unsupported("NAL lengths of fewer than 4 bytes"));
    }
    let Some((length, rest)) = rest.split_first_chunk::<2>().filter(|_| counts & 0x1f > 0) else {
        return Err(invalid);
    };
    let sps = rest
        .get(..usize::from(u16::from_be_bytes(*length)))
        .ok_or(invalid)?;
    Ok(from_parts(sps, &parse_sps(sps)?, Bytes::copy_from_slice(avcc)))
}

fn from_parts(sps: &[u8], parsed: &Sps, configuration: Bytes) -> VideoTrack {
    VideoTrack {
        codec: VideoCodec::H264,
        width: parsed.width,
        height: parsed.height,
        rfc6381: format!("avc1.{:02x}{:02x}{:02x}", sps[1], sps[2], sps[3]),
        reorder_depth: parsed.reorder_depth,
        frame_interval_ns: parsed.frame_interval_ns,
        configuration,
    }
}

fn avcc(sps: &[u8], pps: &[u8], parsed: &Sps) -> Result<Vec<u8>, CodecError> {
    let sps_len = u16::try_from(sps.len()).map_err(|_| CodecError::Invalid("SPS"))?;
    let pps_len = u16::try_from(pps.len()).map_err(|_| CodecError::Invalid("PPS"))?;
    if pps.first().is_none_or(|byte| byte & 0x1f != 8) {
        return Err(CodecError::Invalid("PPS"));
    }
    let mut out = vec![1, sps[1], sps[2], sps[3], 0xff, 0xe1];
    out.extend(sps_len.to_be_bytes());
    out.extend(sps);
    out.push(1);
    out.extend(pps_len.to_be_bytes());
    out.extend(pps);
    if !matches!(sps[1], 66 | 77 | 88) {
        out.push(0xfc | parsed.chroma_format as u8);
        out.push(0xf8 | (parsed.bit_depth_luma - 8) as u8);
        out.push(0xf8 | (parsed.bit_depth_chroma - 8) as u8);
        out.push(0);
    }
    Ok(out)
}

/// An SPS with its NAL header. At least 4 bytes long when this succeeds.
fn parse_sps(nal: &[u8]) -> Result<Sps, CodecError> {
    if nal.len() < 4 || nal[0] & 0x1f != 7 {
        return Err(CodecError::Invalid("SPS"));
    }
    let rbsp = unescape(&nal[1..]);
    let mut bits = Bits::new(&rbsp, "SPS");
    let profile = bits.u(8)?;
    bits.skip(16)?;
    bits.ue_max(31)?;
    let (mut chroma_format, mut separate_planes) = (1, false);
    let (mut bit_depth_luma, mut bit_depth_chroma) = (8, 8);
    if matches!(
        profile,
        100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135
    ) {
        chroma_format = bits.ue_max(3)?;
        separate_planes = chroma_format == 3 && bits.flag()?;
        bit_depth_luma = 8 + bits.ue_max(6)?;
        bit_depth_chroma = 8 + bits.ue_max(6)?;
        bits.skip(1)?;
        if bits.flag()? {
            skip_scaling_lists(&mut bits, if chroma_format == 3 { 12 } else { 8 })?;
        }
    }
    bits.ue_max(12)?;
    let order_type = skip_picture_order(&mut bits)?;
    bits.ue()?;
    bits.skip(1)?;
    let width_mbs = bits.ue_max(4095)? + 1;
    let map_units = bits.ue_max(4095)? + 1;
    let fields = u32::from(!bits.flag()?);
    if fields == 1 {
        bits.skip(1)?;
    }
    bits.skip(1)?;
    let sub = if separate_planes { 0 } else { chroma_format };
    let unit_x = if matches!(sub, 1 | 2) { 2 } else { 1 };
    let unit_y = if sub == 1 { 2 } else { 1 } * (1 + fields);
    let (crop_x, crop_y) = cropping(&mut bits)?;
    let size = |full: u32, crop: u64, unit: u32| {
        u32::try_from(u64::from(full).saturating_sub(crop * u64::from(unit)))
            .ok()
            .filter(|size| *size > 0)
    };
    let invalid = CodecError::Invalid("SPS picture size");
    let width = size(width_mbs * 16, crop_x, unit_x).ok_or(invalid.clone())?;
    let height = size(map_units * 16 * (1 + fields), crop_y, unit_y).ok_or(invalid)?;
    let (declared, frame_interval_ns) = parse_vui(&mut bits).unwrap_or_default();
    // Baseline has no B pictures; order type 2 says that output order is decode order (§7.4.2.1.1).
    let in_order = profile == 66 || order_type == 2;
    Ok(Sps {
        width,
        height,
        chroma_format,
        bit_depth_luma,
        bit_depth_chroma,
        reorder_depth: if in_order { Some(0) } else { declared },
        frame_interval_ns,
    })
}

fn skip_scaling_lists(bits: &mut Bits<'_>, lists: usize) -> Result<(), CodecError> {
    for list in 0..lists {
        if !bits.flag()? {
            continue;
        }
        let (mut last, mut next) = (8_i64, 8_i64);
        for _ in 0..if list < 6 { 16 } else { 64 } {
            if next != 0 {
                next = (last + bits.se()? + 256).rem_euclid(256);
            }
            last = if next == 0 { last } else { next };
        }
    }
    Ok(())
}

fn skip_picture_order(bits: &mut Bits<'_>) -> Result<u32, CodecError> {
    let order_type = bits.ue_max(2)?;
    if order_type == 0 {
        bits.ue_max(12)?;
    } else if order_type == 1 {
        bits.skip(1)?;
        bits.se()?;
        bits.se()?;
        for _ in 0..bits.ue_max(255)? {
            bits.se()?;
        }
    }
    Ok(order_type)
}

/// Sums of left and right, top and bottom.
fn cropping(bits: &mut Bits<'_>) -> Result<(u64, u64), CodecError> {
    if !bits.flag()? {
        return Ok((0, 0));
    }
    let x = u64::from(bits.ue()?) + u64::from(bits.ue()?);
    let y = u64::from(bits.ue()?) + u64::from(bits.ue()?);
    Ok((x, y))
}

/// Reorder depth and frame interval (ITU-T H.264 §E.1.1), as far as they are there.
fn parse_vui(bits: &mut Bits<'_>) -> Result<(Option<u8>, Option<i64>), CodecError> {
    if !bits.flag()? {
        return Ok((None, None));
    }
    if bits.flag()? && bits.u(8)? == 255 {
        bits.skip(32)?;
    }
    if bits.flag()? {
        bits.skip(1)?;
    }
    if bits.flag()? {
        bits.skip(4)?;
        if bits.flag()? {
            bits.skip(24)?;
        }
    }
    if bits.flag()? {
        bits.ue()?;
        bits.ue()?;
    }
    let mut interval = None;
    if bits.flag()? {
        let (ticks, scale) = (i64::from(bits.u(32)?), i64::from(bits.u(32)?));
        interval = (ticks > 0 && scale > 0).then(|| ticks * 2 * 1_000_000_000 / scale);
        bits.skip(1)?;
    }
    Ok((
        parse_reordering(bits).unwrap_or_default(),
        interval.filter(|ns| *ns > 1_000_000),
    ))
}

fn parse_reordering(bits: &mut Bits<'_>) -> Result<Option<u8>, CodecError> {
    let nal_hrd = bits.flag()?;
    if nal_hrd {
        skip_hrd(bits)?;
    }
    let vcl_hrd = bits.flag()?;
    if vcl_hrd {
        skip_hrd(bits)?;
    }
    if nal_hrd || vcl_hrd {
        bits.skip(1)?;
    }
    bits.skip(1)?;
    if !bits.flag()? {
        return Ok(None);
    }
    bits.skip(1)?;
    for _ in 0..4 {
        bits.ue()?;
    }
    Ok(Some(bits.ue_max(16)? as u8))
}

fn skip_hrd(bits: &mut Bits<'_>) -> Result<(), CodecError> {
    let count = bits.ue_max(31)? + 1;
    bits.skip(8)?;
    for _ in 0..count {
        bits.ue()?;
        bits.ue()?;
        bits.skip(1)?;
    }
    bits.skip(20)
}
