//! H.265 parameter sets (ITU-T H.265 §7.3.2.2) and `hvcC` (ISO/IEC 14496-15 §8.3.3).

use bytes::Bytes;

use super::bits::{Bits, unescape};
use super::{CodecError, VideoCodec, VideoTrack};

const SPS: u8 = 33;

struct Sps {
    /// General profile, tier and level: 12 bytes as in `hvcC`.
    profile: [u8; 12],
    width: u32,
    height: u32,
    chroma_format: u32,
    bit_depth_luma: u32,
    bit_depth_chroma: u32,
    layers: u32,
    nested: bool,
    reorder_depth: u8,
}

pub(super) fn track(vps: &[u8], sps: &[u8], pps: &[u8]) -> Result<VideoTrack, CodecError> {
    let parsed = parse_sps(sps)?;
    let hvcc = hvcc([vps, sps, pps], &parsed)?;
    Ok(from_parts(&parsed, hvcc.into()))
}

pub(super) fn from_hvcc(hvcc: &[u8]) -> Result<VideoTrack, CodecError> {
    let invalid = CodecError::Invalid("hvcC");
    if hvcc.len() < 23 || hvcc[0] != 1 {
        return Err(invalid);
    }
    if hvcc[21] & 3 != 3 {
        return Err(CodecError::Unsupported("NAL lengths of fewer than 4 bytes"));
    }
    let mut rest = &hvcc[23..];
    for _ in 0..hvcc[22] {
        let (&[kind, high, low], mut nals) = rest.split_first_chunk::<3>().ok_or(invalid.clone())?;
        for _ in 0..u16::from_be_bytes([high, low]) {
            let (length, tail) = nals.split_first_chunk::<2>().ok_or(invalid.clone())?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (nal, tail) = tail.split_at_checked(length).ok_or(invalid.clone())?;
            if kind & 0x3f == SPS {
                return Ok(from_parts(&parse_sps(nal)?, Bytes::copy_from_slice(hvcc)));
            }
            nals = tail;
        }
        rest = nals;
    }
    Err(CodecError::Invalid("hvcC: no SPS"))
}

fn from_parts(sps: &Sps, configuration: Bytes) -> VideoTrack {
    VideoTrack {
        codec: VideoCodec::H265,
        width: sps.width,
        height: sps.height,
        rfc6381: rfc6381(&sps.profile),
        reorder_depth: Some(sps.reorder_depth),
        frame_interval_ns: None,
        configuration,
    }
}

/// ISO/IEC 14496-15 annex E.3: profile, compatibility (bits reversed), tier and level, constraint bytes
/// without trailing zero bytes.
fn rfc6381(profile: &[u8; 12]) -> String {
    let space = match profile[0] >> 6 {
        0 => "",
        1 => "A",
        2 => "B",
        _ => "C",
    };
    let compatibility = u32::from_be_bytes([profile[1], profile[2], profile[3], profile[4]]).reverse_bits();
    let tier = if profile[0] & 0x20 == 0 { 'L' } else { 'H' };
    let mut text = format!(
        "hvc1.{space}{}.{compatibility:X}.{tier}{}",
        profile[0] & 0x1f,
        profile[11]
    );
    let constraints = &profile[5..11];
    let used = constraints
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    for byte in &constraints[..used] {
        text.push_str(&format!(".{byte:X}"));
    }
    text
}

fn hvcc(sets: [&[u8]; 3], sps: &Sps) -> Result<Vec<u8>, CodecError> {
    let mut out = vec![1];
    out.extend(sps.profile);
    out.extend([0xf0, 0, 0xfc, 0xfc | sps.chroma_format as u8]);
    out.extend([
        0xf8 | (sps.bit_depth_luma - 8) as u8,
        0xf8 | (sps.bit_depth_chroma - 8) as u8,
        0,
        0,
    ]);
    out.push((sps.layers as u8) << 3 | u8::from(sps.nested) << 2 | 3);
    out.push(3);
    for (set, kind, name) in [(sets[0], 32, "VPS"), (sets[1], SPS, "SPS"), (sets[2], 34, "PPS")] {
        let length = u16::try_from(set.len()).map_err(|_| CodecError::Invalid(name))?;
        if set.len() < 2 || set[0] >> 1 & 0x3f != kind {
            return Err(CodecError::Invalid(name));
        }
        out.extend([0x80 | kind, 0, 1]);
        out.extend(length.to_be_bytes());
        out.extend(set);
    }
    Ok(out)
}

fn parse_sps(nal: &[u8]) -> Result<Sps, CodecError> {
    if nal.len() < 3 || nal[0] >> 1 & 0x3f != SPS {
        return Err(CodecError::Invalid("SPS"));
    }
    let rbsp = unescape(&nal[2..]);
    let mut bits = Bits::new(&rbsp, "SPS");
    bits.skip(4)?;
    let sub_layers = bits.u(3)?;
    let nested = bits.flag()?;
    let mut profile = [0; 12];
    for byte in &mut profile {
        *byte = bits.u(8)? as u8;
    }
    skip_sub_layers(&mut bits, sub_layers)?;
    bits.ue_max(15)?;
    let chroma_format = bits.ue_max(3)?;
    let separate_planes = chroma_format == 3 && bits.flag()?;
    let (full_width, full_height) = (bits.ue_max(65_535)?, bits.ue_max(65_535)?);
    let (mut crop_x, mut crop_y) = (0, 0);
    if bits.flag()? {
        crop_x = u64::from(bits.ue()?) + u64::from(bits.ue()?);
        crop_y = u64::from(bits.ue()?) + u64::from(bits.ue()?);
    }
    let sub = if separate_planes { 0 } else { chroma_format };
    let unit_x = if matches!(sub, 1 | 2) { 2 } else { 1 };
    let unit_y = if sub == 1 { 2 } else { 1 };
    let size = |full: u32, crop: u64, unit: u64| {
        u32::try_from(u64::from(full).saturating_sub(crop * unit))
            .ok()
            .filter(|size| *size > 0)
    };
    let invalid = CodecError::Invalid("SPS picture size");
    let width = size(full_width, crop_x, unit_x).ok_or(invalid.clone())?;
    let height = size(full_height, crop_y, unit_y).ok_or(invalid)?;
    let (bit_depth_luma, bit_depth_chroma) = (8 + bits.ue_max(8)?, 8 + bits.ue_max(8)?);
    bits.ue_max(12)?;
    let first = if bits.flag()? { 0 } else { sub_layers };
    let mut reorder_depth = 0;
    for _ in first..=sub_layers {
        bits.ue_max(16)?;
        reorder_depth = bits.ue_max(16)? as u8;
        bits.ue()?;
    }
    let layers = sub_layers + 1;
    Ok(Sps {
        profile,
        width,
        height,
        chroma_format,
        bit_depth_luma,
        bit_depth_chroma,
        layers,
        nested,
        reorder_depth,
    })
}

/// What `profile_tier_level` says of the layers below (§7.3.3).
fn skip_sub_layers(bits: &mut Bits<'_>, sub_layers: u32) -> Result<(), CodecError> {
    let mut present = Vec::new();
    for _ in 0..sub_layers {
        present.push((bits.flag()?, bits.flag()?));
    }
    if sub_layers > 0 {
        bits.skip(2 * (8 - sub_layers as usize))?;
    }
    for (profile, level) in present {
        bits.skip(if profile { 88 } else { 0 } + if level { 8 } else { 0 })?;
    }
    Ok(())
}
