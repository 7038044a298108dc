//! What is measured, by name. One entry serves both criterion and the instruction counts.
//!
//! A run does the same each time, on one thread, without disk, network or clock.

use anyhow::Result;
use criterion::Throughput;

use crate::{clock, coverage, cut, digest, json, mux, plans, playlists, rtp, segments};

/// Work that was prepared.
pub(crate) struct Work {
    /// How much of it a run does.
    pub(crate) size: Throughput,
    /// Does it once, and says how much came of it: the same number each time, never 0.
    pub(crate) run: Box<dyn FnMut() -> u64>,
}

impl Work {
    pub(crate) fn new(size: Throughput, run: impl FnMut() -> u64 + 'static) -> Result<Self> {
        let run = Box::new(run);
        Ok(Self { size, run })
    }
}

/// Prepares work.
pub(crate) type Make = fn() -> Result<Work>;

/// `subject/what`, and how it is prepared. Names are keys of the baseline, without commas.
pub(crate) const COUNTED: &[(&str, Make)] = &[
    ("cut/hour with sound", cut::hour),
    ("clock/ten minutes by reports", clock::by_reports),
    ("clock/ten minutes by arrival", clock::by_arrival),
    ("depacketise/minute of H.264", rtp::h264),
    ("depacketise/minute of H.265", rtp::h265),
    ("depacketise/minute of AAC", rtp::aac),
    ("mux/minute", mux::minute),
    ("mux/minute with sound", mux::minute_with_sound),
    ("mux/init", mux::init_of_both),
    ("mux/scan a minute", mux::scan_minute),
    ("digest/minute", digest::minute),
    ("segments/pack", segments::pack),
    ("segments/unpack", segments::unpack),
    ("segments/unpack a day", segments::unpack_day),
    ("playlist/hour", playlists::hour),
    ("playlist/day", playlists::day),
    ("plan/1 camera as before", plans::one),
    ("plan/32 cameras as before", plans::thirty_two),
    ("plan/1000 cameras as before", plans::thousand),
    ("plan/1000 cameras anew", plans::thousand_anew),
    ("coverage/day", coverage::day),
    ("coverage/figures of a day", coverage::figures_of_a_day),
    ("coverage/an hour of 32 cameras on a node", coverage::node),
    ("json/write an event", json::write_event),
    ("json/read an event", json::read_event),
    ("json/write a status of 32 cameras", json::write_status),
    ("json/read a status of 32 cameras", json::read_status),
    ("json/write a plan of 32 cameras", json::write_plan),
    ("json/read a plan of 32 cameras", json::read_plan),
];

/// Ends the bench: what it measures does not work.
pub(crate) fn failed(error: &anyhow::Error) -> ! {
    eprintln!("error: {error:#}");
    std::process::exit(1)
}
