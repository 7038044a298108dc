//! The RTSP server (RFC 2326): requests, authentication, SDP and set-up of sessions.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use md5::{Digest, Md5};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::camera::{Camera, Fault, Pictures};
use super::h26x::Codec;
use super::line::Pacer;
use super::rtp::Packetizer;
use super::session::{Lane, Player, Writer};
use super::sound::Audio;

/// How credentials are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Scheme {
    /// RFC 7617.
    Basic,
    /// RFC 7616 with MD5, as cameras do it.
    Digest,
}

/// What all connections share.
pub struct Server {
    /// The cameras, at `/cam/<index>`.
    pub cameras: Vec<Arc<Camera>>,
    /// How credentials are asked for.
    pub scheme: Scheme,
    /// One write a packet.
    pub write_each_packet: bool,
    /// The ports that packets leave by, over TCP; without them they leave at once.
    pub pacer: Option<Pacer>,
}

const NONCE: &str = "8b1f3f5d9c2e4a60";
const REALM: &str = "camera";

/// Serves until the listener fails.
///
/// # Errors
/// When the listener does.
pub async fn serve(server: Arc<Server>, listener: TcpListener) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            if let Err(error) = Connection::new(server, stream).run().await {
                eprintln!("connection: {error:#}");
            }
        });
    }
}

struct Request {
    method: String,
    url: String,
    headers: HashMap<String, String>,
}

struct Connection {
    server: Arc<Server>,
    reader: BufReader<OwnedReadHalf>,
    writer: Writer,
    peer: SocketAddr,
    lanes: [Option<Lane>; 2],
    player: Option<JoinHandle<()>>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(player) = &self.player {
            player.abort();
        }
    }
}

impl Connection {
    fn new(server: Arc<Server>, stream: TcpStream) -> Self {
        let peer = stream
            .peer_addr()
            .unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 0)));
        let (reader, writer) = stream.into_split();
        let writer = Arc::new(Mutex::new(writer));
        Self {
            server,
            reader: BufReader::new(reader),
            writer,
            peer,
            lanes: [None, None],
            player: None,
        }
    }

    async fn run(mut self) -> Result<()> {
        while let Some(request) = self.request().await? {
            let Some(camera) = self.camera(&request.url) else {
                self.answer(&request, "404 Not Found", &[], "").await?;
                continue;
            };
            if self.misbehave(&camera, &request).await? {
                continue;
            }
            match request.method.as_str() {
                "OPTIONS" => {
                    let methods = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN";
                    self.answer(&request, "200 OK", &[("Public", methods)], "")
                        .await?;
                }
                "DESCRIBE" => {
                    let base = format!("{}/", request.url.trim_end_matches('/'));
                    let headers = [
                        ("Content-Base", base.as_str()),
                        ("Content-Type", "application/sdp"),
                    ];
                    let sdp = sdp(&camera);
                    self.answer(&request, "200 OK", &headers, &sdp).await?;
                }
                "SETUP" => self.setup(&request).await?,
                "PLAY" => self.play(&request, camera).await?,
                "GET_PARAMETER" | "SET_PARAMETER" => {
                    self.answer(&request, "200 OK", &[("Session", "1")], "").await?;
                }
                "TEARDOWN" => {
                    self.answer(&request, "200 OK", &[("Session", "1")], "").await?;
                    return Ok(());
                }
                _ => self.answer(&request, "501 Not Implemented", &[], "").await?,
            }
        }
        Ok(())
    }

    /// The next request; interleaved packets from the client are skipped.
    async fn request(&mut self) -> Result<Option<Request>> {
        let mut line = String::new();
        loop {
            let Some(&first) = self
                .reader
                .fill_buf()
                .await
                .ok()
                .and_then(|buffer| buffer.first())
            else {
                return Ok(None);
            };
            if first == b'$' {
                let mut header = [0; 4];
                self.reader.read_exact(&mut header).await?;
                let mut packet = vec![0; usize::from(u16::from_be_bytes([header[2], header[3]]))];
                self.reader.read_exact(&mut packet).await?;
                continue;
            }
            line.clear();
            self.reader.read_line(&mut line).await?;
            if !line.trim().is_empty() {
                break;
            }
        }
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, url) = (words.next().context("a method")?, words.next().context("a URL")?);
        let mut headers = HashMap::new();
        loop {
            line.clear();
            self.reader.read_line(&mut line).await?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers
            .get("content-length")
            .map_or(Ok(0), |text| text.parse::<usize>())?;
        ensure!(length < 65_536, "a body of {length} bytes");
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).await?;
        Ok(Some(Request { method, url, headers }))
    }

    fn camera(&self, url: &str) -> Option<Arc<Camera>> {
        let (_, path) = url.split_once("/cam/")?;
        let index: usize = path.split(['/', '?']).next()?.parse().ok()?;
        self.server.cameras.get(index).map(Arc::clone)
    }

    /// Whether a fault or missing credentials took the request.
    async fn misbehave(&mut self, camera: &Camera, request: &Request) -> Result<bool> {
        match camera.fault() {
            Fault::Drop => bail!("dropped on purpose"),
            Fault::Refuse => self.answer(request, "503 Service Unavailable", &[], "").await?,
            Fault::NotFound => self.answer(request, "404 Not Found", &[], "").await?,
            Fault::Mute if request.method == "DESCRIBE" => {
                tokio::time::sleep(Duration::from_secs(3600)).await;
            }
            Fault::Unauthorized => self.challenge(request).await?,
            _ if !self.authorized(camera, request) => self.challenge(request).await?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    async fn challenge(&self, request: &Request) -> Result<()> {
        let value = match self.server.scheme {
            Scheme::Basic => format!("Basic realm=\"{REALM}\""),
            Scheme::Digest => format!("Digest realm=\"{REALM}\", nonce=\"{NONCE}\", algorithm=MD5"),
        };
        self.answer(request, "401 Unauthorized", &[("WWW-Authenticate", &value)], "")
            .await
    }

    fn authorized(&self, camera: &Camera, request: &Request) -> bool {
        let Some((user, password)) = &camera.login else {
            return true;
        };
        let Some(given) = request.headers.get("authorization") else {
            return false;
        };
        match self.server.scheme {
            Scheme::Basic => *given == format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))),
            Scheme::Digest => {
                let field = |name: &str| {
                    let rest = given.split_once(&format!("{name}=\""))?.1;
                    rest.split('"').next().map(str::to_owned)
                };
                let ha1 = md5_hex(&format!("{user}:{REALM}:{password}"));
                let ha2 = md5_hex(&format!(
                    "{}:{}",
                    request.method,
                    field("uri").unwrap_or_default()
                ));
                field("username").as_ref() == Some(user)
                    && field("response") == Some(md5_hex(&format!("{ha1}:{NONCE}:{ha2}")))
            }
        }
    }

    async fn setup(&mut self, request: &Request) -> Result<()> {
        let track = usize::from(request.url.trim_end_matches('/').ends_with("track1"));
        let transport = request
            .headers
            .get("transport")
            .context("SETUP without Transport")?
            .clone();
        let field = |name: &str| {
            let value = transport
                .split(';')
                .find_map(|part| part.trim().strip_prefix(name))?;
            let (a, b) = value.split_once('-')?;
            Some((a.parse::<u16>().ok()?, b.parse::<u16>().ok()?))
        };
        let (lane, answer) = if let Some((rtp, rtcp)) = field("client_port=") {
            let [a, b] = [
                UdpSocket::bind((self.peer.ip(), 0)).await?,
                UdpSocket::bind((self.peer.ip(), 0)).await?,
            ];
            let ports = format!("{}-{}", a.local_addr()?.port(), b.local_addr()?.port());
            let [to_rtp, to_rtcp] = [rtp, rtcp].map(|port| SocketAddr::new(self.peer.ip(), port));
            let answer = format!("RTP/AVP;unicast;client_port={rtp}-{rtcp};server_port={ports}");
            (Lane::Udp(Arc::new(a), to_rtp, Arc::new(b), to_rtcp), answer)
        } else {
            let (channel, _) = field("interleaved=").unwrap_or((2 * track as u16, 0));
            let channel = u8::try_from(channel)?;
            let answer = format!("RTP/AVP/TCP;unicast;interleaved={channel}-{}", channel + 1);
            (Lane::Tcp(channel), answer)
        };
        let ssrc = 0x5eed_0000 + track as u32;
        let answer = format!("{answer};ssrc={ssrc:08X}");
        self.lanes[track] = Some(lane);
        self.answer(
            request,
            "200 OK",
            &[("Transport", &answer), ("Session", "1;timeout=60")],
            "",
        )
        .await
    }

    async fn play(&mut self, request: &Request, camera: Arc<Camera>) -> Result<()> {
        let [video, audio] = std::mem::take(&mut self.lanes);
        let player = Player {
            writer: Arc::clone(&self.writer),
            video: video.map(|lane| (lane, Packetizer::new(96, 0x5eed_0000))),
            audio: audio.map(|lane| {
                (
                    lane,
                    Packetizer::new(audio_payload_type(camera.audio), 0x5eed_0001),
                )
            }),
            write_each_packet: self.server.write_each_packet,
            line: self.server.pacer.as_ref().map(Pacer::line),
            camera,
        };
        let start = player.start();
        self.answer(request, "200 OK", &[("Session", "1"), ("Range", "npt=0-")], "")
            .await?;
        self.player = Some(tokio::spawn(player.run(start)));
        Ok(())
    }

    async fn answer(
        &self,
        request: &Request,
        status: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<()> {
        let cseq = request.headers.get("cseq").map_or("0", String::as_str);
        let mut text = format!("RTSP/1.0 {status}\r\nCSeq: {cseq}\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        text.push_str(body);
        Ok(self.writer.lock().await.write_all(text.as_bytes()).await?)
    }
}

fn md5_hex(text: &str) -> String {
    hex::encode(Md5::digest(text.as_bytes()))
}

const fn audio_payload_type(audio: Audio) -> u8 {
    match audio {
        Audio::Pcmu => 0,
        Audio::Pcma => 8,
        Audio::None | Audio::Aac => 97,
    }
}

/// The session description (RFC 8866; RFC 6184 §8.2.1; RFC 7798 §7.2.1; RFC 3640 §4.1).
fn sdp(camera: &Camera) -> String {
    let mut text =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=simulated camera\r\nt=0 0\r\na=control:*\r\n".to_owned();
    let (codec, sets, fps) = match &camera.pictures {
        Pictures::Live(live) => (Codec::H264, live.parameter_sets.clone(), live.fps),
        Pictures::Loop(first, _) => {
            let current = camera.current_loop().unwrap_or_else(|| Arc::clone(first));
            (
                current.spec.codec,
                current.parameter_sets.clone(),
                current.spec.fps,
            )
        }
    };
    text.push_str("m=video 0 RTP/AVP 96\r\n");
    match codec {
        Codec::H264 => {
            let joined: Vec<String> = sets.iter().map(|set| STANDARD.encode(set)).collect();
            let profile = sets
                .first()
                .and_then(|sps: &Bytes| sps.get(1..4))
                .map(hex::encode)
                .unwrap_or_default();
            text.push_str(&format!(
                "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={}\r\n",
                joined.join(",")
            ));
        }
        Codec::H265 => {
            let set = |kind: u8| {
                let found = sets.iter().find(|set| Codec::H265.nal_type(set) == kind);
                found.map(|set| STANDARD.encode(set)).unwrap_or_default()
            };
            text.push_str(&format!(
                "a=rtpmap:96 H265/90000\r\na=fmtp:96 sprop-vps={};sprop-sps={};sprop-pps={}\r\n",
                set(32),
                set(33),
                set(34)
            ));
        }
    }
    text.push_str(&format!("a=framerate:{fps}\r\na=control:track0\r\n"));
    text.push_str(match camera.audio {
        Audio::None => "",
        Audio::Pcmu => "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=control:track1\r\n",
        Audio::Pcma => "m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=control:track1\r\n",
        Audio::Aac => {
            "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/16000/1\r\n\
             a=fmtp:97 streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;\
             indexdeltalength=3;config=1408\r\na=control:track1\r\n"
        }
    });
    text
}
