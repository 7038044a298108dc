//! Finds the RTP timestamp of a depayloaded unit again.
//!
//! A depayloader keeps the buffer timestamp of a unit's packets and drops the RTP timestamp, which the clock
//! needs. So packets are noted on their way in, and units looked up by their buffer timestamp.

use std::collections::VecDeque;
use std::time::Instant;

/// How many timestamps are kept: units inside a depayloader and a parser are few.
const KEPT: usize = 256;

/// A packet that went in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Noted {
    pts_ns: u64,
    pub(super) rtp: u32,
    pub(super) at: Instant,
}

/// Packets of one stream.
#[derive(Debug, Default)]
pub(super) struct Times {
    noted: VecDeque<Noted>,
}

impl Times {
    /// Notes a packet; later ones of the same timestamp add nothing.
    pub(super) fn note(&mut self, pts_ns: u64, packet: &[u8], at: Instant) {
        let Some(rtp) = packet
            .get(4..8)
            .and_then(|bytes| bytes.try_into().ok())
            .map(u32::from_be_bytes)
        else {
            return;
        };
        if self.noted.back().is_some_and(|last| last.rtp == rtp) {
            return;
        }
        if self.noted.len() >= KEPT {
            self.noted.pop_front();
        }
        self.noted.push_back(Noted { pts_ns, rtp, at });
    }

    /// The RTP timestamp of a unit and when its first packet came. Between noted ones it is computed: packets
    /// may hold several units.
    pub(super) fn find(&self, pts_ns: u64, clock_hz: u32) -> Option<(u32, Instant)> {
        if let Some(same) = self.noted.iter().rev().find(|noted| noted.pts_ns == pts_ns) {
            return Some((same.rtp, same.at));
        }
        let before = self
            .noted
            .iter()
            .rev()
            .find(|noted| noted.pts_ns < pts_ns)
            .or(self.noted.front())?;
        let ticks = (i128::from(pts_ns) - i128::from(before.pts_ns)) * i128::from(clock_hz) / 1_000_000_000;
        Some((before.rtp.wrapping_add(ticks as u32), before.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(rtp: u32) -> Vec<u8> {
        [&[0x80, 96, 0, 1], &rtp.to_be_bytes()[..], &[0, 0, 0, 9, 65]].concat()
    }

    #[test]
    fn finds_and_computes() {
        let (mut times, now) = (Times::default(), Instant::now());
        assert_eq!(times.find(5, 90_000), None);
        times.note(1_000, &[1, 2], now);
        times.note(1_000_000_000, &packet(u32::MAX - 10), now);
        times.note(1_000_000_000, &packet(u32::MAX - 10), now);
        times.note(1_040_000_000, &packet(3_589), now);
        assert_eq!(times.noted.len(), 2);
        assert_eq!(times.find(1_040_000_000, 90_000), Some((3_589, now)));
        assert_eq!(times.find(1_000_000_000, 90_000), Some((u32::MAX - 10, now)));
        assert_eq!(times.find(1_020_000_000, 90_000), Some((1_789, now)));
        for more in 0..1_000 {
            times.note(2_000_000_000 + more, &packet(more as u32 * 7), now);
        }
        assert_eq!(times.noted.len(), KEPT);
    }
}
