//! State of one simulated camera: its clock, its faults and what it has sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::live::Live;
use super::loops::Loop;
use super::sound::Audio;

/// What a camera does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Keeps the connection and sends nothing more.
    Stall,
    /// Cuts every connection as soon as the camera is named.
    Drop,
    /// Answers 503.
    Refuse,
    /// Answers 401 whatever the password.
    Unauthorized,
    /// Answers 404.
    NotFound,
    /// Never answers DESCRIBE.
    Mute,
    /// Leaves keyframes out.
    NoKeyframe,
    /// RTP timestamps and the clock of the sender reports step once by so many milliseconds.
    TimeJump(i64),
    /// Declares its frame rate but sends 21 for each 25 frames, timestamps as if it sent 25.
    WrongFps,
    /// RTP timestamps run 2 % fast against the sender reports' clock.
    FastClock,
    /// Sends bytes that are neither RTP nor RTSP.
    Garbage,
    /// Switches to another resolution.
    CodecChange,
    /// Sends a byte a second.
    Trickle,
    /// Sends no sender reports.
    NoSenderReports,
}

/// Frame numbers against time: frame `frame` is captured at `capture_us` and stamped `rtp`.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    frame: u64,
    capture_us: u64,
    rtp: u64,
    /// Frames in a second of true time.
    fps: f64,
    /// RTP ticks from one frame to the next.
    ticks: f64,
}

impl Pace {
    fn capture_us(&self, frame: u64) -> u64 {
        let frames = frame as f64 - self.frame as f64;
        (self.capture_us as f64 + frames * 1e6 / self.fps).round() as u64
    }

    fn rtp(&self, frame: u64) -> u32 {
        let ticks = (frame as f64 - self.frame as f64) * self.ticks;
        self.rtp.wrapping_add_signed(ticks.round() as i64) as u32
    }

    fn rtp_at(&self, now_us: u64) -> u32 {
        let seconds = (now_us as f64 - self.capture_us as f64) / 1e6;
        self.rtp
            .wrapping_add_signed((seconds * self.fps * self.ticks).round() as i64) as u32
    }

    /// The first frame captured at or after a time.
    fn frame_at(&self, now_us: u64) -> u64 {
        let seconds = (now_us as f64 - self.capture_us as f64) / 1e6;
        (self.frame as f64 + seconds * self.fps).ceil().max(0.0) as u64
    }
}

/// Frames sent in one go: first to last without one missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Number of the first frame.
    pub first: u64,
    /// Number of the last frame.
    pub last: u64,
    /// When the last one was written to the socket, microseconds since 1970.
    pub last_us: u64,
}

/// Where pictures come from.
pub enum Pictures {
    /// A pre-encoded loop, and another one with other parameters.
    Loop(Arc<Loop>, Arc<Loop>),
    /// An encoder that runs now.
    Live(Arc<Live>),
}

/// One camera of the process.
pub struct Camera {
    /// Where its pictures come from.
    pub pictures: Pictures,
    /// Its sound.
    pub audio: Audio,
    /// The AAC loop, when the sound is AAC.
    pub aac: Vec<Bytes>,
    /// `user:password`, when it asks for them.
    pub login: Option<(String, String)>,
    /// Start of its time: a full second, microseconds since 1970.
    pub epoch_us: u64,
    state: Mutex<State>,
    fault: watch::Sender<Fault>,
}

struct State {
    pace: Pace,
    /// Camera clock minus true time.
    clock_offset_us: i64,
    sent: Vec<Run>,
}

impl Camera {
    /// A camera without a fault, whose time starts at `epoch_us`.
    #[must_use]
    pub fn new(
        pictures: Pictures,
        audio: Audio,
        aac: Vec<Bytes>,
        login: Option<(String, String)>,
        epoch_us: u64,
    ) -> Self {
        let fps = match &pictures {
            Pictures::Loop(first, _) => f64::from(first.spec.fps),
            Pictures::Live(live) => f64::from(live.fps),
        };
        // A start near the wrap of 32 bits, so that every longer test sees it.
        let rtp = u64::from(u32::MAX) - 90_000 * 20;
        let pace = Pace {
            frame: 0,
            capture_us: epoch_us,
            rtp,
            fps,
            ticks: 90_000.0 / fps,
        };
        let state = State {
            pace,
            clock_offset_us: 0,
            sent: Vec::new(),
        };
        Self {
            pictures,
            audio,
            aac,
            login,
            epoch_us,
            state: Mutex::new(state),
            fault: watch::Sender::new(Fault::None),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault in force.
    #[must_use]
    pub fn fault(&self) -> Fault {
        *self.fault.borrow()
    }

    /// Tells when the fault changes.
    #[must_use]
    pub fn faults(&self) -> watch::Receiver<Fault> {
        self.fault.subscribe()
    }

    /// Puts a fault in force, or none.
    pub fn set_fault(&self, fault: Fault) {
        let mut state = self.state();
        let gop = self.gop();
        let frame = state.pace.frame_at(now_us()).div_ceil(gop) * gop;
        let old = state.pace;
        let nominal = self.nominal_fps();
        let (fps, ticks) = match fault {
            Fault::WrongFps => (nominal * 21.0 / 25.0, 90_000.0 / nominal),
            Fault::FastClock => (nominal, 90_000.0 / nominal * 1.02),
            _ => (nominal, 90_000.0 / nominal),
        };
        let mut rtp = u64::from(old.rtp(frame));
        if let Fault::TimeJump(ms) = fault {
            rtp = rtp.wrapping_add_signed(ms * 90);
            state.clock_offset_us += ms * 1000;
        }
        state.pace = Pace {
            frame,
            capture_us: old.capture_us(frame),
            rtp,
            fps,
            ticks,
        };
        drop(state);
        self.fault.send_replace(fault);
    }

    fn nominal_fps(&self) -> f64 {
        match &self.pictures {
            Pictures::Loop(first, _) => f64::from(first.spec.fps),
            Pictures::Live(live) => f64::from(live.fps),
        }
    }

    fn gop(&self) -> u64 {
        match &self.pictures {
            Pictures::Loop(first, _) => u64::from(first.spec.gop),
            Pictures::Live(_) => 1,
        }
    }

    /// The loop in use.
    #[must_use]
    pub fn current_loop(&self) -> Option<Arc<Loop>> {
        match &self.pictures {
            Pictures::Loop(first, other) => Some(Arc::clone(if self.fault() == Fault::CodecChange {
                other
            } else {
                first
            })),
            Pictures::Live(_) => None,
        }
    }

    /// Number of the next keyframe's frame.
    #[must_use]
    pub fn next_keyframe(&self) -> u64 {
        self.state().pace.frame_at(now_us()).div_ceil(self.gop()) * self.gop()
    }

    /// True capture time of a frame, microseconds since 1970.
    #[must_use]
    pub fn capture_us(&self, frame: u64) -> u64 {
        self.state().pace.capture_us(frame)
    }

    /// Capture time of a frame on the camera's own, maybe wrong, clock.
    #[must_use]
    pub fn clock_us(&self, true_us: u64) -> u64 {
        true_us.saturating_add_signed(self.state().clock_offset_us)
    }

    /// RTP timestamp of a frame.
    #[must_use]
    pub fn rtp(&self, frame: u64) -> u32 {
        self.state().pace.rtp(frame)
    }

    /// RTP timestamp of the video clock at a true time.
    #[must_use]
    pub fn rtp_at(&self, true_us: u64) -> u32 {
        self.state().pace.rtp_at(true_us)
    }

    /// Notes that a frame was written to the socket.
    pub fn note_sent(&self, frame: u64) {
        let mut state = self.state();
        let last_us = now_us();
        match state.sent.last_mut() {
            Some(run) if frame == run.last + 1 => (run.last, run.last_us) = (frame, last_us),
            _ => state.sent.push(Run {
                first: frame,
                last: frame,
                last_us,
            }),
        }
    }

    /// All frames sent so far, over all connections, in order of sending.
    #[must_use]
    pub fn sent(&self) -> Vec<Run> {
        self.state().sent.clone()
    }
}

/// Microseconds since 1970 UTC.
#[must_use]
pub fn now_us() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_micros() as u64)
}
