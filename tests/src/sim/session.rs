//! One PLAY: sends pictures, sound and sender reports until the connection ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncWriteExt;
use tokio::net::UdpSocket;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{Mutex, broadcast};

use super::camera::{Camera, Fault, Pictures, now_us};
use super::h26x::{Codec, Stamp};
use super::line::Line;
use super::live::LivePicture;
use super::rtp::{Packetizer, interleave};
use super::sound::{self, Audio};

/// The writing half of the RTSP connection, shared with the answers to requests.
pub type Writer = Arc<Mutex<OwnedWriteHalf>>;

/// How the packets of one track travel.
#[derive(Debug, Clone)]
pub enum Lane {
    /// Interleaved, on this channel and the one after it.
    Tcp(u8),
    /// To these addresses of RTP and RTCP.
    Udp(Arc<UdpSocket>, SocketAddr, Arc<UdpSocket>, SocketAddr),
}

/// A session that plays.
pub struct Player {
    /// The camera.
    pub camera: Arc<Camera>,
    /// The RTSP connection.
    pub writer: Writer,
    /// The video track, when it was set up.
    pub video: Option<(Lane, Packetizer)>,
    /// The audio track, when it was set up.
    pub audio: Option<(Lane, Packetizer)>,
    /// One write a packet instead of one a picture.
    pub write_each_packet: bool,
    /// The port that packets leave by, over TCP; without one they leave at once.
    pub line: Option<Line>,
}

/// Sender reports come this often.
const REPORT_US: u64 = 1_000_000;
/// Keeps audio timestamps apart from video timestamps.
const AUDIO_RTP_BASE: u32 = 0x1234_5678;

impl Player {
    /// RTP timestamps of the first picture and of the first sound, for the RTP-Info header.
    #[must_use]
    pub fn start(&self) -> (u64, u64) {
        let packet = self.camera.audio.packet_samples();
        let elapsed = now_us().saturating_sub(self.camera.epoch_us);
        let samples = elapsed * u64::from(self.camera.audio.rate_hz()) / 1_000_000;
        (self.camera.next_keyframe(), samples.div_ceil(packet))
    }

    /// Plays until the connection fails.
    pub async fn run(mut self, start: (u64, u64)) {
        let (mut picture, mut sound) = start;
        let mut report_us = 0;
        let mut live = match &self.camera.pictures {
            Pictures::Live(live) => Some(live.subscribe()),
            Pictures::Loop(..) => None,
        };
        let mut faults = self.camera.faults();
        loop {
            if faults.has_changed().unwrap_or(false) {
                // The pace may have moved: go on at a keyframe.
                faults.mark_unchanged();
                picture = picture.max(self.camera.next_keyframe());
            }
            let picture_us = self.send_time(picture);
            let sound_us = self.sound_time(sound);
            let sent = if let Some(live) = &mut live {
                self.live(live).await
            } else if self.audio.is_some() && sound_us < picture_us {
                sleep_until(sound_us).await;
                sound += 1;
                self.sound(sound - 1).await
            } else {
                sleep_until(picture_us).await;
                picture += 1;
                self.picture(picture - 1).await
            };
            if sent.is_err() {
                return;
            }
            if now_us() >= report_us {
                report_us = now_us() + REPORT_US;
                if self.reports().await.is_err() {
                    return;
                }
            }
        }
    }

    /// When the picture that stands `index` places from the start in decode order goes out.
    fn send_time(&self, index: u64) -> u64 {
        let reorder = self
            .camera
            .current_loop()
            .map_or(0, |current| u64::from(current.reorder));
        self.camera.capture_us(index + reorder)
    }

    fn sound_time(&self, packet: u64) -> u64 {
        // A packet leaves when its last sample was captured.
        let samples = (packet + 1) * self.camera.audio.packet_samples();
        self.camera.epoch_us + samples * 1_000_000 / u64::from(self.camera.audio.rate_hz())
    }

    async fn picture(&mut self, index: u64) -> std::io::Result<()> {
        let Some(current) = self.camera.current_loop() else {
            return Ok(());
        };
        let length = current.pictures.len() as u64;
        let picture = &current.pictures[(index % length) as usize];
        let frame = index - index % length + u64::from(picture.display);
        let clock_us = self.camera.clock_us(self.camera.capture_us(frame));
        let codec = current.spec.codec;
        let stamp = codec.stamp(Stamp {
            frame,
            capture_us: clock_us,
        });
        let nals = with_stamp(codec, &picture.nals, stamp);
        if picture.keyframe && self.camera.fault() == Fault::NoKeyframe {
            return Ok(());
        }
        self.send_picture(codec, &nals, self.camera.rtp(frame), frame)
            .await
    }

    async fn live(&mut self, live: &mut broadcast::Receiver<LivePicture>) -> std::io::Result<()> {
        match live.recv().await {
            Ok(LivePicture {
                nals,
                frame,
                capture_us,
                ..
            }) => {
                let stamp = Codec::H264.stamp(Stamp { frame, capture_us });
                let nals = with_stamp(Codec::H264, &nals, stamp);
                self.send_picture(Codec::H264, &nals, self.camera.rtp_at(capture_us), frame)
                    .await
            }
            Err(broadcast::error::RecvError::Lagged(_)) => Ok(()),
            Err(broadcast::error::RecvError::Closed) => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    }

    async fn send_picture(
        &mut self,
        codec: Codec,
        nals: &[Bytes],
        rtp: u32,
        frame: u64,
    ) -> std::io::Result<()> {
        let Some((lane, packetizer)) = &mut self.video else {
            return Ok(());
        };
        let packets = packetizer.picture(codec, nals, rtp);
        let lane = lane.clone();
        if self.send(&lane, &packets).await? {
            self.camera.note_sent(frame);
        }
        Ok(())
    }

    async fn sound(&mut self, packet: u64) -> std::io::Result<()> {
        let audio = self.camera.audio;
        let first = packet * audio.packet_samples();
        let rtp = AUDIO_RTP_BASE.wrapping_add(first as u32);
        let Some((lane, packetizer)) = &mut self.audio else {
            return Ok(());
        };
        let payload = match audio {
            Audio::Aac => {
                let frames = &self.camera.aac;
                packetizer.aac(&frames[(packet % frames.len().max(1) as u64) as usize], rtp)
            }
            _ => packetizer.samples(&sound::g711(audio, first), rtp),
        };
        let lane = lane.clone();
        self.send(&lane, &[payload]).await.map(drop)
    }

    async fn reports(&mut self) -> std::io::Result<()> {
        if matches!(self.camera.fault(), Fault::NoSenderReports | Fault::Stall) {
            return Ok(());
        }
        let now = now_us();
        let clock_us = self.camera.clock_us(now);
        let samples =
            (now - self.camera.epoch_us) as u128 * u128::from(self.camera.audio.rate_hz()) / 1_000_000;
        let video = self
            .video
            .as_ref()
            .map(|(lane, p)| (lane.clone(), p.sender_report(clock_us, self.camera.rtp_at(now))));
        let audio_rtp = AUDIO_RTP_BASE.wrapping_add(samples as u32);
        let audio = self
            .audio
            .as_ref()
            .map(|(lane, p)| (lane.clone(), p.sender_report(clock_us, audio_rtp)));
        for (lane, report) in video.into_iter().chain(audio) {
            match lane {
                Lane::Tcp(channel) => {
                    let mut out = BytesMut::new();
                    interleave(&mut out, channel + 1, &report);
                    match &mut self.line {
                        Some(line) => line.send(&self.writer, std::iter::once(out.freeze()))?,
                        None => self.writer.lock().await.write_all(&out).await?,
                    }
                }
                Lane::Udp(_, _, socket, to) => drop(socket.send_to(&report, to).await),
            }
        }
        Ok(())
    }

    /// Sends packets as the camera's fault allows; false when they did not go out whole.
    async fn send(&mut self, lane: &Lane, packets: &[Bytes]) -> std::io::Result<bool> {
        match self.camera.fault() {
            Fault::Stall => return Ok(false),
            Fault::Drop => return Err(std::io::ErrorKind::ConnectionReset.into()),
            Fault::Garbage => return self.garbage(packets).await.map(|()| false),
            Fault::Trickle => return self.trickle(packets).await.map(|()| false),
            _ => {}
        }
        match lane {
            Lane::Tcp(channel) => {
                let mut out = BytesMut::new();
                let whole = packets.iter().map(|packet| {
                    interleave(&mut out, *channel, packet);
                    out.split()
                });
                if let Some(line) = &mut self.line {
                    line.send(&self.writer, whole.map(BytesMut::freeze))?;
                } else if self.write_each_packet {
                    for packet in whole {
                        self.writer.lock().await.write_all(&packet).await?;
                    }
                } else {
                    let picture: Vec<BytesMut> = whole.collect();
                    self.writer.lock().await.write_all(&picture.concat()).await?;
                }
            }
            Lane::Udp(socket, to, ..) => {
                for packet in packets {
                    let _ = socket.send_to(packet, to).await;
                }
            }
        }
        Ok(true)
    }

    /// The packets' bytes, shuffled, without any frame around them.
    async fn garbage(&self, packets: &[Bytes]) -> std::io::Result<()> {
        let bytes: Vec<u8> = packets
            .iter()
            .flatten()
            .rev()
            .map(|byte| byte.rotate_left(3) ^ 0xa5)
            .collect();
        self.writer.lock().await.write_all(&bytes).await
    }

    async fn trickle(&self, packets: &[Bytes]) -> std::io::Result<()> {
        let mut out = BytesMut::new();
        packets.iter().for_each(|packet| interleave(&mut out, 0, packet));
        for byte in out {
            if self.camera.fault() != Fault::Trickle {
                // Half a packet is out already: the connection cannot go on.
                return Err(std::io::ErrorKind::ConnectionReset.into());
            }
            self.writer.lock().await.write_all(&[byte]).await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    }
}

/// Puts the stamp between the parameter sets and the slices.
fn with_stamp(codec: Codec, nals: &[Bytes], stamp: Bytes) -> Vec<Bytes> {
    let at = nals
        .iter()
        .position(|nal| codec.is_slice(nal))
        .unwrap_or(nals.len());
    let mut out = nals.to_vec();
    out.insert(at, stamp);
    out
}

async fn sleep_until(at_us: u64) {
    let now = now_us();
    if at_us > now {
        tokio::time::sleep(Duration::from_micros(at_us - now)).await;
    }
}
