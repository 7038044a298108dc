//! A whole read: a minute of pictures and sound over RTSP and TCP on the loopback interface, as fast as it goes,
//! by Retina with the options of media-core's source.
//!
//! The product reads in ticks of 50 ms and would mostly sleep here; `density` measures it that way.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use criterion::{Criterion, Throughput};
use futures::StreamExt;
use media_core::fmp4::VideoCodec;
use retina::client::{
    InitialTimestampPolicy, PlayOptions, Session, SessionOptions, SetupOptions, TcpTransportOptions,
    Transport, UnassignedChannelDataPolicy, UnknownRtcpSsrcPolicy,
};
use retina::codec::{CodecItem, FrameFormat};
use url::Url;

use crate::footage::Camera;
use crate::rtp;
use crate::work::failed;

const SECONDS: i64 = 60;

pub(crate) fn bench(criterion: &mut Criterion) -> Result<()> {
    let answers = answers();
    let bytes = answers.len() as u64;
    let address = serve(answers)?;
    let url = Url::parse(&format!("rtsp://{address}/"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut group = criterion.benchmark_group("depacketise");
    group.sample_size(20).throughput(Throughput::Bytes(bytes));
    group.bench_function("minute over RTSP with sound", |bencher| {
        bencher.iter(|| {
            runtime
                .block_on(read(&url))
                .unwrap_or_else(|error| failed(&error))
        });
    });
    group.finish();
    Ok(())
}

async fn read(url: &Url) -> Result<u64> {
    let options = SessionOptions::default()
        .user_agent("CloudCam".to_owned())
        .unassigned_channel_data(UnassignedChannelDataPolicy::Ignore);
    let mut session = Session::describe(url.clone(), options).await?;
    for index in 0..2 {
        let options = SetupOptions::default()
            .transport(Transport::Tcp(TcpTransportOptions::default()))
            .frame_format(FrameFormat::MP4);
        session.setup(index, options).await?;
    }
    let options = PlayOptions::default()
        .initial_timestamp(InitialTimestampPolicy::Ignore)
        .unknown_rtcp_ssrc(UnknownRtcpSsrcPolicy::DropPackets);
    let mut demuxed = session.play(options).await?.demuxed()?;
    let mut pictures = 0;
    while let Some(item) = demuxed.next().await {
        match item? {
            CodecItem::VideoFrame(frame) => {
                pictures += 1;
                drop(std::hint::black_box(frame.into_data()));
            }
            CodecItem::AudioFrame(_) => {}
            _ => bail!("neither a picture nor sound"),
        }
    }
    ensure!(pictures == 900, "{pictures} pictures of 900 arrived");
    Ok(pictures)
}

/// A camera that says all it has to say to whoever connects, without listening.
fn serve(answers: Vec<u8>) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let answers = Arc::new(answers);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answers = Arc::clone(&answers);
            std::thread::spawn(move || talk(&stream, &answers));
        }
    });
    Ok(address)
}

fn talk(mut stream: &TcpStream, answers: &[u8]) {
    if stream.write_all(answers).is_err() || stream.shutdown(std::net::Shutdown::Write).is_err() {
        return;
    }
    // Until the reader goes; what it asked was answered before.
    let mut asked = [0; 1024];
    while stream.read(&mut asked).is_ok_and(|count| count > 0) {}
}

/// To DESCRIBE, SETUP, SETUP and PLAY (RFC 2326 §10), and the footage (§10.12).
fn answers() -> Vec<u8> {
    let aac = rtp::AAC_FORMAT;
    let sdp = format!(
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
         m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n\
         a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0LAH9kAUAW7AWoCAgKAAAADAIAAAA8HjBjL,aMuDyyA=\r\n\
         a=control:trackID=1\r\n\
         m=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/48000/1\r\na=fmtp:97 {aac}\r\n\
         a=control:trackID=2\r\n"
    );
    let setup = |sequence: u8, channel: u8, ssrc: u8| {
        let last = channel + 1;
        format!(
            "RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\nSession: 1\r\n\
             Transport: RTP/AVP/TCP;unicast;interleaved={channel}-{last};ssrc=000000{ssrc:02x}\r\n\r\n"
        )
    };
    let mut out = format!(
        "RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    );
    out += &setup(2, 0, 96);
    out += &setup(3, 2, 97);
    out += "RTSP/1.0 200 OK\r\nCSeq: 4\r\nSession: 1\r\n\r\n";
    let mut out = out.into_bytes();
    let camera = Camera::new();
    let pictures = rtp::pictures(VideoCodec::H264, &camera.pictures(SECONDS));
    let sounds = rtp::sounds(&camera.sounds(SECONDS));
    let pictures = pictures.iter().map(|packet| (0, packet));
    let mut packets: Vec<_> = pictures.chain(sounds.iter().map(|packet| (2, packet))).collect();
    packets.sort_by_key(|(_, packet)| packet.at_ns);
    for (channel, packet) in packets {
        out.extend([b'$', channel]);
        out.extend((packet.bytes.len() as u16).to_be_bytes());
        out.extend(&packet.bytes);
    }
    out
}
