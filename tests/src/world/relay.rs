//! A network between a program and a server that can stop carrying packets: nothing is refused, nothing is closed,
//! nothing arrives.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;

/// How often a connection that is held looks whether it still is.
const LOOK: Duration = Duration::from_millis(20);

/// Relays TCP connections to a port of this machine. Its threads end with the process.
#[derive(Debug)]
pub struct Relay {
    /// Where it listens, on loopback.
    pub port: u16,
    dropping: Arc<AtomicBool>,
}

impl Relay {
    /// Relays to `port` on loopback.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start(port: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let relay = Self {
            port: listener.local_addr()?.port(),
            dropping: Arc::default(),
        };
        let dropping = relay.dropping.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let dropping = dropping.clone();
                std::thread::spawn(move || connect(&client, port, &dropping));
            }
        });
        Ok(relay)
    }

    /// Drops all packets from now on, or carries them again. What was sent meanwhile arrives then, as after a
    /// retransmission, unless one side has given up.
    pub fn drop_packets(&self, on: bool) {
        self.dropping.store(on, Ordering::Release);
    }
}

fn connect(client: &TcpStream, port: u16, dropping: &Arc<AtomicBool>) {
    held(dropping);
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
        return;
    };
    let (Ok(up_from), Ok(up_to)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let up = dropping.clone();
    std::thread::spawn(move || carry(up_from, up_to, &up));
    if let Ok(client) = client.try_clone() {
        carry(server, client, dropping);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, dropping: &AtomicBool) {
    let mut bytes = [0; 64 * 1024];
    while let Ok(count) = from.read(&mut bytes) {
        // Also the news that one side has closed.
        held(dropping);
        if count == 0 || to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

fn held(dropping: &AtomicBool) {
    while dropping.load(Ordering::Acquire) {
        std::thread::sleep(LOOK);
    }
}
