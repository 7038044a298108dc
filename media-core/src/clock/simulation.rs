//! Simulated cameras for the clock's tests: what they capture, and how it arrives.

use super::*;

/// A camera and its network; the defaults are a good camera at 25 fps.
#[derive(Debug, Clone)]
pub(super) struct Camera {
    pub(super) seconds: i64,
    /// Pictures per second, truly.
    pub(super) fps: f64,
    /// RTP ticks between pictures; 3600 is honest for 25 fps.
    pub(super) ticks: f64,
    pub(super) first_rtp: u32,
    pub(super) gop: usize,
    /// Presentation order within four pictures of a GOP is I P B B.
    pub(super) b_frames: bool,
    pub(super) reorder_depth: Option<u8>,
    /// Camera clock minus true time.
    pub(super) offset_ns: i64,
    /// Sender reports: first at, then every; none when None.
    pub(super) reports: Option<(i64, i64)>,
    /// Least network delay, and jitter above it.
    pub(super) delay_ns: i64,
    pub(super) jitter_ns: i64,
    /// Sockets are read once in this time; 0 for at once.
    pub(super) tick_ns: i64,
    /// From this second on, for so many: nothing arrives; then all of it at once.
    pub(super) stall: Option<(i64, i64)>,
    /// From this second on so many pictures per second, with the same RTP ticks between them.
    pub(super) slows: Option<(i64, f64)>,
    /// This much of what was captured before the session arrives in a burst.
    pub(super) burst_ns: i64,
    /// At this second: ticks added to the RTP timestamps, nanoseconds added to the camera's and to our clock.
    pub(super) jump: Option<(i64, i64, i64, i64)>,
    /// Sample rate of AAC sound.
    pub(super) sound_hz: Option<u32>,
    pub(super) seed: u64,
}

impl Default for Camera {
    fn default() -> Self {
        Self {
            seconds: 60,
            fps: 25.0,
            ticks: 3600.0,
            first_rtp: 1_000_000,
            gop: 50,
            b_frames: false,
            reorder_depth: None,
            offset_ns: 0,
            reports: Some((0, 5 * SECOND_NS)),
            delay_ns: 5 * MS_NS,
            jitter_ns: 20 * MS_NS,
            tick_ns: 0,
            stall: None,
            slows: None,
            burst_ns: 0,
            jump: None,
            sound_hz: None,
            seed: 1,
        }
    }
}

/// True time at which the session begins; far from every origin.
pub(super) const BEGIN_NS: i64 = 1_769_846_400 * SECOND_NS;

#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// Sound, RTP timestamp, true capture time, random access.
    Unit {
        sound: bool,
        rtp: u32,
        captured: i64,
        random_access: bool,
    },
    Report {
        sound: bool,
        report: SenderReport,
    },
}

impl Camera {
    /// Events in order of arrival, with true time of arrival.
    pub(super) fn events(&self) -> Vec<(i64, Event)> {
        let mut random = Random(self.seed);
        let mut events = self.pictures(&mut random);
        if let Some(hz) = self.sound_hz {
            events.extend(self.sounds(hz, &mut random));
        }
        // A stable sort by arrival: TCP delivers each track in order.
        events.sort_by_key(|(arrival, _)| *arrival);
        events
    }

    fn pictures(&self, random: &mut Random) -> Vec<(i64, Event)> {
        let (mut events, mut latest) = (Vec::new(), 0);
        let interval = 1e9 / self.fps;
        let count = ((self.seconds * SECOND_NS + self.burst_ns) as f64 / interval) as usize;
        for index in 0..count {
            let shown = self.shown(index);
            let captured = self.captured(shown);
            // Sent when everything that it depends on was captured.
            let sent = self.captured(shown.max(index));
            let rtp = self.rtp(shown, captured);
            latest = self.arrival(sent, random).max(latest);
            events.push((
                latest,
                Event::Unit {
                    sound: false,
                    rtp,
                    captured,
                    random_access: index % self.gop == 0,
                },
            ));
        }
        self.report(&mut events, false, |at| {
            self.rtp_at(self.shown_at(at) * self.ticks, at)
        });
        events
    }

    fn sounds(&self, hz: u32, random: &mut Random) -> Vec<(i64, Event)> {
        let (mut events, mut latest) = (Vec::new(), 0);
        let interval = 1024.0 / f64::from(hz) * 1e9;
        let origin = 77_777_u32;
        for index in 0..(self.seconds as f64 * 1e9 / interval) as u32 {
            let captured = BEGIN_NS + (f64::from(index) * interval) as i64;
            latest = self.arrival(captured, random).max(latest);
            let rtp = origin.wrapping_add(index * 1024);
            events.push((
                latest,
                Event::Unit {
                    sound: true,
                    rtp,
                    captured,
                    random_access: true,
                },
            ));
        }
        self.report(&mut events, true, |at| {
            origin.wrapping_add(((at - BEGIN_NS) as f64 / 1e9 * f64::from(hz)) as i64 as u32)
        });
        events
    }

    /// Presentation order of the picture at this place of decode order: I P B B P B B …
    fn shown(&self, index: usize) -> usize {
        let in_gop = index % self.gop;
        let whole = (self.gop - 1) / 3 * 3;
        if !self.b_frames || in_gop == 0 || in_gop > whole {
            return index;
        }
        if in_gop % 3 == 1 { index + 2 } else { index - 1 }
    }

    fn rtp(&self, shown: usize, captured: i64) -> u32 {
        self.rtp_at(shown as f64 * self.ticks, captured)
    }

    fn rtp_at(&self, ticks: f64, at: i64) -> u32 {
        let jump = self.jumped(at).map_or(0, |jump| jump.1);
        self.first_rtp.wrapping_add((ticks as i64 + jump) as u32)
    }

    fn jumped(&self, at: i64) -> Option<(i64, i64, i64, i64)> {
        self.jump.filter(|jump| at >= BEGIN_NS + jump.0 * SECOND_NS)
    }

    fn arrival(&self, sent: i64, random: &mut Random) -> i64 {
        let mut at = sent.max(BEGIN_NS) + self.delay_ns + random.below(self.jitter_ns + 1);
        if let Some((from, lasts)) = self.stall {
            let from = BEGIN_NS + from * SECOND_NS;
            if (from..from + lasts * SECOND_NS).contains(&at) {
                at = from + lasts * SECOND_NS;
            }
        }
        if self.tick_ns > 0 {
            (at / self.tick_ns + 1) * self.tick_ns
        } else {
            at
        }
    }

    /// When a picture is taken.
    fn captured(&self, shown: usize) -> i64 {
        let (begin, interval) = (BEGIN_NS - self.burst_ns, 1e9 / self.fps);
        let honest = begin + (shown as f64 * interval) as i64;
        match self.slows {
            Some((second, fps)) if honest > BEGIN_NS + second * SECOND_NS => {
                let slow = BEGIN_NS + second * SECOND_NS;
                slow + ((honest - slow) as f64 * self.fps / fps) as i64
            }
            _ => honest,
        }
    }

    /// Which picture is taken at a time, in parts.
    fn shown_at(&self, at: i64) -> f64 {
        let begin = BEGIN_NS - self.burst_ns;
        match self.slows {
            Some((second, fps)) if at > BEGIN_NS + second * SECOND_NS => {
                let slow = BEGIN_NS + second * SECOND_NS;
                (slow - begin) as f64 / 1e9 * self.fps + (at - slow) as f64 / 1e9 * fps
            }
            _ => (at - begin) as f64 / 1e9 * self.fps,
        }
    }

    /// The camera's clock at a true time.
    pub(super) fn camera_ns(&self, at: i64) -> i64 {
        at + self.offset_ns + self.jumped(at).map_or(0, |jump| jump.2)
    }

    /// Our clock at a true time.
    pub(super) fn our_ns(&self, at: i64) -> i64 {
        at + self.jumped(at).map_or(0, |jump| jump.3)
    }

    fn report(&self, events: &mut Vec<(i64, Event)>, sound: bool, rtp: impl Fn(i64) -> u32) {
        let Some((first, every)) = self.reports else {
            return;
        };
        let mut at = BEGIN_NS + first;
        while at < BEGIN_NS + self.seconds * SECOND_NS {
            let report = SenderReport {
                ntp: unix_ns_to_ntp(self.camera_ns(at)),
                rtp: rtp(at),
            };
            events.push((at + self.delay_ns, Event::Report { sound, report }));
            at += every;
        }
    }
}

fn unix_ns_to_ntp(ns: i64) -> u64 {
    let seconds = (ns.div_euclid(SECOND_NS) + 2_208_988_800) as u64;
    let fraction = ((ns.rem_euclid(SECOND_NS) as u64) << 32) / SECOND_NS as u64;
    seconds << 32 | fraction
}

/// A small generator (xorshift), so that a simulation needs nothing from outside.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % limit.max(1) as u64) as i64
    }
}

/// What came out, with the true capture time as the unit.
pub(super) struct Run {
    pub(super) video: Vec<Timed<i64>>,
    pub(super) sound: Vec<Timed<i64>>,
    pub(super) stats: ClockStats,
    pub(super) prior: Option<Prior>,
}

impl Run {
    /// Plays a camera, and checks what always holds.
    pub(super) fn of(camera: &Camera, settings: ClockSettings) -> Self {
        let mut timeline = Timeline::new(settings);
        let video = timeline.add_track(TrackSpec {
            clock_rate_hz: 90_000,
            video: true,
            reorder_depth: camera.reorder_depth,
            nominal_ns: 0,
        });
        let sound = timeline.add_track(TrackSpec {
            clock_rate_hz: camera.sound_hz.unwrap_or(8000),
            video: false,
            reorder_depth: Some(0),
            nominal_ns: 0,
        });
        let (mut pushed, mut out) = (0, Vec::new());
        for (at, event) in camera.events() {
            let arrival = Arrival {
                mono_ns: at - BEGIN_NS + 77,
                utc_ns: camera.our_ns(at),
            };
            match event {
                Event::Unit {
                    sound: of_sound,
                    rtp,
                    captured,
                    random_access,
                } => {
                    pushed += 1;
                    timeline.push(
                        if of_sound { sound } else { video },
                        rtp,
                        arrival,
                        random_access,
                        captured,
                    );
                }
                Event::Report {
                    sound: of_sound,
                    report,
                } => {
                    timeline.sender_report(if of_sound { sound } else { video }, report, arrival);
                }
            }
            out.extend(std::iter::from_fn(|| timeline.pop()));
        }
        timeline.release();
        out.extend(std::iter::from_fn(|| timeline.pop()));
        assert_eq!(out.len(), pushed, "units were lost");
        let (video, sound): (Vec<_>, Vec<_>) = out.into_iter().partition(|timed| timed.track == video);
        let run = Self {
            video,
            sound,
            stats: timeline.stats(),
            prior: timeline.prior(),
        };
        run.check();
        run
    }

    fn check(&self) {
        for track in [&self.video, &self.sound] {
            for pair in track.windows(2) {
                assert!(pair[1].dts_ns - pair[0].dts_ns >= MS_NS, "no duration: {pair:?}");
            }
            for timed in track {
                assert!(timed.discontinuity.is_none() || timed.random_access);
                assert!(timed.uncertainty_ns >= 0);
            }
        }
    }

    /// Largest distance from `truth` of the pictures captured in these seconds.
    pub(super) fn error_ms(&self, camera: &Camera, seconds: std::ops::Range<i64>, ours: bool) -> i64 {
        let chosen = self
            .video
            .iter()
            .filter(|timed| seconds.contains(&((timed.unit - BEGIN_NS).div_euclid(SECOND_NS))));
        let errors = chosen.map(|timed| {
            let truth = if ours {
                camera.our_ns(timed.unit)
            } else {
                camera.camera_ns(timed.unit)
            };
            (timed.pts_ns - truth).abs()
        });
        errors.max().expect("no picture in these seconds") / MS_NS
    }
}
