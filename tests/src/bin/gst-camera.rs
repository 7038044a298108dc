//! A camera served by gst-rtsp-server: the same counted pictures through a server that we did not write.
//!
//! Serves `rtsp://127.0.0.1:<port>/cam/0`, prints one JSON line when it is ready, runs until it is stopped.

use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Parser;
use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_app::AppSrc;
use gstreamer_rtsp_server as server;
use gstreamer_rtsp_server::prelude::*;
use tests::sim::camera::now_us;
use tests::sim::h26x::{Codec, Stamp};
use tests::sim::loops::{self, Loop, LoopSpec};
use tests::sim::sound::{self, Audio};

/// Serves a simulated camera through gst-rtsp-server on loopback.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// RTSP port; 0 takes a free one, which the ready line tells.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Video codec.
    #[arg(long, value_enum, default_value = "h264")]
    codec: Codec,
    /// Pixels, WIDTHxHEIGHT.
    #[arg(long, default_value = "640x360")]
    size: String,
    /// Frames in a second.
    #[arg(long, default_value_t = 15)]
    fps: u32,
    /// Frames between keyframes.
    #[arg(long, default_value_t = 30)]
    gop: u32,
    /// Kilobits in a second.
    #[arg(long, default_value_t = 500)]
    bitrate: u32,
    /// Sound.
    #[arg(long, value_enum, default_value = "none")]
    audio: Audio,
}

/// What a media feeds from, shared by all of its sessions.
struct Show {
    pictures: Arc<Loop>,
    audio: Audio,
    aac: Vec<bytes::Bytes>,
    epoch_us: u64,
}

fn main() -> Result<()> {
    let args = Args::parse();
    gst::init()?;
    let (width, height) = args.size.split_once('x').context("--size wants WIDTHxHEIGHT")?;
    let spec = LoopSpec {
        codec: args.codec,
        width: width.parse().context("the width of --size")?,
        height: height.parse().context("the height of --size")?,
        fps: args.fps,
        gop: args.gop,
        bitrate_kbps: args.bitrate,
        b_frames: 0,
    };
    let aac = if args.audio == Audio::Aac {
        sound::aac_loop(&loops::cache_folder())?
    } else {
        Vec::new()
    };
    let show = Arc::new(Show {
        pictures: loops::load(&spec)?,
        audio: args.audio,
        aac,
        epoch_us: now_us() / 1_000_000 * 1_000_000,
    });
    serve(args.port, show)
}

fn serve(port: u16, show: Arc<Show>) -> Result<()> {
    let factory = server::RTSPMediaFactory::new();
    factory.set_launch(&launch(&show));
    factory.set_shared(true);
    // A live media is prepared once it has data: the sources must be fed from the start.
    factory.connect_media_configure(move |_, media| {
        media.connect_prepared(report_capture_times);
        if let Err(error) = feed_all(media, &show) {
            eprintln!("media: {error:#}");
        }
    });
    let rtsp = server::RTSPServer::new();
    rtsp.set_address("127.0.0.1");
    rtsp.set_service(&port.to_string());
    let mounts = rtsp.mount_points().context("the server has mount points")?;
    mounts.add_factory("/cam/0", factory);
    let _source = rtsp
        .attach(None)
        .with_context(|| format!("port {port} of 127.0.0.1 is taken"))?;
    let urls = [format!("rtsp://127.0.0.1:{}/cam/0", rtsp.bound_port())];
    println!("{}", serde_json::json!({ "event": "ready", "urls": urls }));
    glib::MainLoop::new(None, false).run();
    Ok(())
}

/// Sender reports shall tie RTP time to the time of capture. By default they tie it to the time of sending,
/// which for sound is later by the length of a packet.
fn report_capture_times(media: &server::RTSPMedia) {
    let pipeline = media.element().parent().and_downcast::<gst::Bin>();
    let rtpbin = pipeline.and_then(|pipeline| {
        let mut children = pipeline.iterate_elements().into_iter().flatten();
        children.find(|element| element.has_property("rtcp-sync-send-time"))
    });
    match rtpbin {
        Some(rtpbin) => rtpbin.set_property("rtcp-sync-send-time", false),
        None => eprintln!("media: there is no rtpbin"),
    }
}

fn launch(show: &Show) -> String {
    let (caps, payloader) = match show.pictures.spec.codec {
        Codec::H264 => ("video/x-h264", "h264parse ! rtph264pay"),
        Codec::H265 => ("video/x-h265", "h265parse ! rtph265pay"),
    };
    let fps = show.pictures.spec.fps;
    let source = "is-live=true format=time block=false max-bytes=8000000";
    let video = format!(
        "appsrc name=video {source} caps={caps},stream-format=byte-stream,alignment=au,framerate={fps}/1 \
         ! {payloader} name=pay0 pt=96"
    );
    let audio = match show.audio {
        Audio::None => return format!("( {video} )"),
        Audio::Aac => {
            "audio/mpeg,mpegversion=4,stream-format=raw,rate=16000,channels=1,codec_data=(buffer)1408 \
             ! rtpmp4gpay name=pay1 pt=97"
        }
        Audio::Pcmu => "audio/x-mulaw,rate=8000,channels=1 ! rtppcmupay name=pay1 pt=0",
        Audio::Pcma => "audio/x-alaw,rate=8000,channels=1 ! rtppcmapay name=pay1 pt=8",
    };
    format!("( {video} appsrc name=audio {source} caps={audio} )")
}

fn source(media: &server::RTSPMedia, name: &str) -> Option<AppSrc> {
    let bin = media.element().downcast::<gst::Bin>().ok()?;
    bin.by_name(name)?.downcast().ok()
}

/// Starts a thread for each source; it ends with the media.
fn feed_all(media: &server::RTSPMedia, show: &Arc<Show>) -> Result<()> {
    let video = source(media, "video").context("a source of pictures")?;
    let pictures = Arc::clone(show);
    std::thread::spawn(move || feed_pictures(&video, &pictures));
    if let Some(audio) = source(media, "audio") {
        let sounds = Arc::clone(show);
        std::thread::spawn(move || feed_sound(&audio, &sounds));
    }
    Ok(())
}

/// True time at running time zero, microseconds since 1970, once the source has a clock.
fn base_us(source: &AppSrc) -> Option<u64> {
    let running = source.current_running_time()?.useconds();
    now_us().checked_sub(running)
}

/// Polls for the pipeline's clock: it is there when the pipeline plays.
fn wait_for_base(source: &AppSrc) -> Option<u64> {
    for _ in 0..1000 {
        if let Some(base) = base_us(source) {
            return Some(base);
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    None
}

fn feed_pictures(source: &AppSrc, show: &Show) {
    let Some(base) = wait_for_base(source) else { return };
    let current = &show.pictures;
    let (fps, gop) = (u64::from(current.spec.fps), u64::from(current.spec.gop));
    let capture = |frame: u64| show.epoch_us + frame * 1_000_000 / fps;
    let elapsed = now_us().saturating_sub(show.epoch_us);
    let mut frame = (elapsed * fps).div_ceil(1_000_000).div_ceil(gop) * gop;
    loop {
        let picture = &current.pictures[(frame % current.pictures.len() as u64) as usize];
        let stamp = current.spec.codec.stamp(Stamp {
            frame,
            capture_us: capture(frame),
        });
        let slices = picture
            .nals
            .iter()
            .position(|nal| current.spec.codec.is_slice(nal));
        let mut nals = picture.nals.clone();
        nals.insert(slices.unwrap_or(nals.len()), stamp);
        let mut bytes = Vec::new();
        for nal in nals {
            bytes.extend([0, 0, 0, 1]);
            bytes.extend(nal);
        }
        sleep_until(capture(frame));
        if push(
            source,
            bytes,
            capture(frame).saturating_sub(base),
            1_000_000 / fps,
        )
        .is_err()
        {
            return;
        }
        frame += 1;
    }
}

fn feed_sound(source: &AppSrc, show: &Show) {
    let Some(base) = wait_for_base(source) else { return };
    let (rate, samples) = (u64::from(show.audio.rate_hz()), show.audio.packet_samples());
    let elapsed = now_us().saturating_sub(show.epoch_us);
    let mut packet = (elapsed * rate / 1_000_000).div_ceil(samples);
    loop {
        let first = packet * samples;
        let bytes = match show.audio {
            Audio::Aac => show.aac[(packet % show.aac.len() as u64) as usize].to_vec(),
            other => sound::g711(other, first).to_vec(),
        };
        let start = show.epoch_us + first * 1_000_000 / rate;
        let length = samples * 1_000_000 / rate;
        sleep_until(start + length);
        if push(source, bytes, start.saturating_sub(base), length).is_err() {
            return;
        }
        packet += 1;
    }
}

fn push(source: &AppSrc, bytes: Vec<u8>, at_us: u64, length_us: u64) -> Result<()> {
    let mut buffer = gst::Buffer::from_slice(bytes);
    let fresh = buffer.get_mut().context("a new buffer is writable")?;
    let at = gst::ClockTime::from_useconds(at_us);
    fresh.set_pts(at);
    fresh.set_dts(at);
    fresh.set_duration(gst::ClockTime::from_useconds(length_us));
    source.push_buffer(buffer)?;
    Ok(())
}

fn sleep_until(at_us: u64) {
    let now = now_us();
    if at_us > now {
        std::thread::sleep(std::time::Duration::from_micros(at_us - now));
    }
}
