//! A bad network: a TCP relay that can be told to misbehave, and servers that always do.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// What the relay does with what comes from the camera; at first it passes it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mode {
    /// The connection stays, nothing comes.
    Stall = 1,
    Cut = 2,
    /// A few bytes a second.
    Trickle = 3,
    /// Noise in place of packets.
    Garbage = 4,
}

pub(crate) struct Proxy {
    pub(crate) port: u16,
    mode: Arc<AtomicU8>,
}

impl Proxy {
    pub(crate) fn start(camera: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, mode) = (listener.local_addr().unwrap().port(), Arc::new(AtomicU8::new(0)));
        let shared = Arc::clone(&mode);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", camera)) else {
                    continue;
                };
                let (mut up_from, mut up_to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut up_from, &mut up_to);
                    let _ = up_to.shutdown(Shutdown::Both);
                });
                let mode = Arc::clone(&shared);
                std::thread::spawn(move || relay(server, client, &mode));
            }
        });
        Self { port, mode }
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::Relaxed);
    }

    pub(crate) fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/cam", self.port)
    }
}

fn relay(mut from: TcpStream, mut to: TcpStream, mode: &AtomicU8) {
    let mut bytes = [0; 16 * 1024];
    let mut noise: u32 = 1;
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let part = &mut bytes[..count];
        let sent = match mode.load(Ordering::Relaxed) {
            0 => to.write_all(part),
            1 => Ok(()),
            2 => break,
            3 => {
                std::thread::sleep(Duration::from_millis(300));
                to.write_all(&part[..1])
            }
            _ => {
                for byte in part.iter_mut() {
                    noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    *byte = (noise >> 24) as u8;
                }
                to.write_all(part)
            }
        };
        if sent.is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// Accepts, reads, and answers every request with the same bytes; empty: never answers.
pub(crate) fn answer(with: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(1..) = client.read(&mut bytes) {
                    if client.write_all(with).is_err() {
                        break;
                    }
                }
            });
        }
    });
    format!("rtsp://127.0.0.1:{port}/cam")
}

/// An address where nobody listens.
pub(crate) fn nobody() -> String {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    format!("rtsp://127.0.0.1:{port}/cam")
}
