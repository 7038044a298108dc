//! RTP packets and RTCP sender reports.

use bytes::{BufMut, Bytes, BytesMut};

use super::h26x::Codec;

/// Payload of one packet at most; fits an Ethernet frame.
const MAX_PAYLOAD: usize = 1400;

/// One RTP stream of a session.
#[derive(Debug)]
pub struct Packetizer {
    payload_type: u8,
    ssrc: u32,
    sequence: u16,
    packets: u32,
    octets: u32,
}

impl Packetizer {
    /// A stream that starts shortly before its sequence numbers wrap.
    #[must_use]
    pub const fn new(payload_type: u8, ssrc: u32) -> Self {
        Self {
            payload_type,
            ssrc,
            sequence: 0xff00,
            packets: 0,
            octets: 0,
        }
    }

    /// Sequence number of the next packet.
    #[must_use]
    pub const fn sequence(&self) -> u16 {
        self.sequence
    }

    fn packet(&mut self, timestamp: u32, marker: bool, parts: &[&[u8]]) -> Bytes {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut packet = BytesMut::with_capacity(12 + length);
        packet.put_u8(0x80);
        packet.put_u8(u8::from(marker) << 7 | self.payload_type);
        packet.put_u16(self.sequence);
        packet.put_u32(timestamp);
        packet.put_u32(self.ssrc);
        for part in parts {
            packet.put_slice(part);
        }
        self.sequence = self.sequence.wrapping_add(1);
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(length as u32);
        packet.freeze()
    }

    /// The packets of one access unit (RFC 6184 §5.6, §5.8; RFC 7798 §4.4.1, §4.4.3).
    pub fn picture(&mut self, codec: Codec, nals: &[Bytes], timestamp: u32) -> Vec<Bytes> {
        let mut packets = Vec::new();
        for (index, nal) in nals.iter().enumerate() {
            let last_nal = index + 1 == nals.len();
            if nal.len() <= MAX_PAYLOAD {
                packets.push(self.packet(timestamp, last_nal, &[nal]));
                continue;
            }
            let header = if codec == Codec::H264 { 1 } else { 2 };
            let count = (nal.len() - header).div_ceil(MAX_PAYLOAD - 3);
            for (part, body) in nal[header..].chunks(MAX_PAYLOAD - 3).enumerate() {
                let (first, last) = (part == 0, part + 1 == count);
                let flags = u8::from(first) << 7 | u8::from(last) << 6;
                let kind = codec.nal_type(nal);
                let unit: &[u8] = match codec {
                    Codec::H264 => &[nal[0] & 0xe0 | 28, flags | kind],
                    Codec::H265 => &[nal[0] & 0x81 | 49 << 1, nal[1], flags | kind],
                };
                packets.push(self.packet(timestamp, last && last_nal, &[unit, body]));
            }
        }
        packets
    }

    /// One AAC frame with its header section (RFC 3640 §3.3.6).
    pub fn aac(&mut self, frame: &[u8], timestamp: u32) -> Bytes {
        let size = (frame.len() as u16) << 3;
        self.packet(
            timestamp,
            true,
            &[&16_u16.to_be_bytes(), &size.to_be_bytes(), frame],
        )
    }

    /// One packet of samples (RFC 3551 §4.5.14).
    pub fn samples(&mut self, samples: &[u8], timestamp: u32) -> Bytes {
        self.packet(timestamp, false, &[samples])
    }

    /// A sender report with a source description (RFC 3550 §6.4.1, §6.5).
    #[must_use]
    pub fn sender_report(&self, clock_us: u64, timestamp: u32) -> Bytes {
        let mut report = BytesMut::with_capacity(52);
        report.put_u16(0x80c8);
        report.put_u16(6);
        report.put_u32(self.ssrc);
        report.put_u32((clock_us / 1_000_000 + 2_208_988_800) as u32);
        report.put_u32(((clock_us % 1_000_000) * (1 << 32) / 1_000_000) as u32);
        report.put_u32(timestamp);
        report.put_u32(self.packets);
        report.put_u32(self.octets);
        report.put_u16(0x81ca);
        report.put_u16(4);
        report.put_u32(self.ssrc);
        report.put_slice(&[1, 8]);
        report.put_slice(b"simcam@c");
        report.put_slice(&[0, 0]);
        report.freeze()
    }
}

/// Wraps a packet for the RTSP connection (RFC 2326 §10.12).
pub fn interleave(out: &mut BytesMut, channel: u8, packet: &[u8]) {
    out.reserve(packet.len() + 4);
    out.put_u8(b'$');
    out.put_u8(channel);
    out.put_u16(packet.len() as u16);
    out.put_slice(packet);
}
