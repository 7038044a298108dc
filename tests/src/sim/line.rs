//! A camera's network port: packets leave one after the other, each for as long as the wire takes.
//!
//! One thread sends for all cameras of the process. Timers of an asynchronous runtime are too coarse: at
//! 100 Mbit/s a packet takes a tenth of a millisecond.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering as Memory};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::session::Writer;

/// Ethernet, IP and TCP around a packet: preamble 8, frame 18, gap 12, IP 20, TCP with timestamps 32.
const AROUND_BYTES: usize = 90;
/// Whoever takes nothing for so long is given up.
const PATIENCE: Duration = Duration::from_millis(500);
/// Nothing else to wait for.
const IDLE: Duration = Duration::from_secs(3600);

/// A packet on its way.
struct Packet {
    due: Instant,
    number: u64,
    bytes: Bytes,
    writer: Writer,
    is_broken: Arc<AtomicBool>,
}

impl PartialEq for Packet {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Packet {}

impl PartialOrd for Packet {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Packet {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due, self.number).cmp(&(other.due, other.number))
    }
}

/// The thread that sends, and how fast a port is.
#[derive(Debug, Clone)]
pub struct Pacer {
    packets: Sender<Packet>,
    bits_per_s: f64,
}

impl Pacer {
    /// Starts the thread; it ends when all clones and lines are gone.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(bits_per_s: f64) -> io::Result<Self> {
        let (packets, receiver) = channel();
        std::thread::Builder::new()
            .name("line".into())
            .spawn(move || run(&receiver))?;
        Ok(Self { packets, bits_per_s })
    }

    /// The port of one camera, for one session.
    #[must_use]
    pub fn line(&self) -> Line {
        Line {
            pacer: self.clone(),
            free: Instant::now(),
            number: 0,
            is_broken: Arc::default(),
        }
    }
}

/// One camera's port.
#[derive(Debug)]
pub struct Line {
    pacer: Pacer,
    /// When the last packet has left.
    free: Instant,
    number: u64,
    is_broken: Arc<AtomicBool>,
}

impl Line {
    /// Queues packets.
    ///
    /// # Errors
    /// When the connection failed, or nobody reads.
    pub fn send(&mut self, writer: &Writer, packets: impl Iterator<Item = Bytes>) -> io::Result<()> {
        if self.is_broken.load(Memory::Relaxed) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.free = self.free.max(Instant::now());
        for bytes in packets {
            let bits = (bytes.len() + AROUND_BYTES) as f64 * 8.0;
            // Switches and the camera's own processor: up to a third more.
            let late = 1.0 + rand::random_range(0.0..0.33);
            self.free += Duration::from_secs_f64(bits / self.pacer.bits_per_s * late);
            self.number += 1;
            let packet = Packet {
                due: self.free,
                number: self.number,
                bytes,
                writer: Arc::clone(writer),
                is_broken: Arc::clone(&self.is_broken),
            };
            if self.pacer.packets.send(packet).is_err() {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
        Ok(())
    }
}

fn run(packets: &Receiver<Packet>) {
    let mut waiting: BinaryHeap<Reverse<Packet>> = BinaryHeap::new();
    loop {
        while waiting.peek().is_some_and(|first| first.0.due <= Instant::now()) {
            let Some(Reverse(packet)) = waiting.pop() else {
                break;
            };
            if !packet.is_broken.load(Memory::Relaxed) && write(&packet).is_err() {
                packet.is_broken.store(true, Memory::Relaxed);
            }
        }
        let wait = waiting.peek().map_or(IDLE, |first| {
            first.0.due.saturating_duration_since(Instant::now())
        });
        match packets.recv_timeout(wait) {
            Ok(packet) => waiting.push(Reverse(packet)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        waiting.extend(packets.try_iter().map(Reverse));
    }
}

/// Writes a packet whole: half of one would garble all that follows.
fn write(packet: &Packet) -> io::Result<()> {
    let writer = packet.writer.blocking_lock();
    let mut left = &packet.bytes[..];
    let begun = Instant::now();
    while !left.is_empty() {
        match writer.try_write(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => left = &left[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && begun.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
