//! Reads by Retina: RTSP over TCP, RTP interleaved or by UDP.
//!
//! Retina's own clock and keyframe marks are not used: the timeline is ours, and it does not mark every point at
//! which H.265 can be decoded from.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use retina::client::{
    Demuxed, Described as DescribedState, InitialTimestampPolicy, PlayOptions, Session, SessionOptions,
    SetupOptions, Transport as RetinaTransport, UnassignedChannelDataPolicy, UnknownRtcpSsrcPolicy,
};
use retina::codec::{AudioFrame, CodecItem, FrameFormat, ParametersRef, VideoFrame};

use super::choose::{Chosen, Described, choose};
use super::{Media, Opened, STEP_LIMIT, Source, SourceEvent, SourceUnit, arrival, error};
use crate::clock::SenderReport;
use crate::engine::Shared;
use crate::facts::{Failure, SourceSpec, Transport};
use crate::fanout::CodecParams;
use crate::fmp4::{AudioTrack, VideoTrack};
use crate::reading::{OftenGuard, Reason};

/// Handshakes are read eagerly for this long.
const EAGER: Duration = Duration::from_millis(500);
/// So many packets in a row may be damaged; then the camera is given up.
const MAX_DAMAGED: u32 = 50;

/// The source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retina;

impl Source for Retina {
    fn name(&self) -> &'static str {
        "retina"
    }

    fn open<'a>(
        &'a self,
        shared: &'a Arc<Shared>,
        spec: &'a SourceSpec,
    ) -> BoxFuture<'a, Result<Opened, Failure>> {
        Box::pin(open(shared, spec))
    }
}

async fn open(shared: &Arc<Shared>, spec: &SourceSpec) -> Result<Opened, Failure> {
    let group = shared.memories.get(spec).sessions;
    shared.reading.tick().eager(EAGER);
    // A camera that keeps sending for a session which was cut would mix both streams (live555's old fault).
    let stale = group.stale_sessions();
    if stale.num_sessions > 0 {
        let _ = tokio::time::timeout(STEP_LIMIT, group.await_stale_sessions(&stale)).await;
    }
    let creds = spec
        .credentials
        .as_ref()
        .map(|credentials| retina::client::Credentials {
            username: credentials.username.clone(),
            password: credentials.password.clone(),
        });
    let options = SessionOptions::default()
        .creds(creds)
        .user_agent("CloudCam".to_owned())
        .session_group(group)
        .unassigned_channel_data(UnassignedChannelDataPolicy::Ignore);
    let mut session = step("describe", Session::describe(spec.url.clone(), options)).await?;
    let chosen = choose_streams(&session, spec.audio)?;
    for index in std::iter::once(chosen.video).chain(chosen.audio) {
        shared.reading.tick().eager(EAGER);
        let options = SetupOptions::default()
            .transport(transport(spec))
            .frame_format(FrameFormat::MP4);
        step("setup", session.setup(index, options)).await?;
    }
    shared.reading.tick().eager(EAGER);
    let options = PlayOptions::default()
        .initial_timestamp(InitialTimestampPolicy::Ignore)
        .unknown_rtcp_ssrc(UnknownRtcpSsrcPolicy::DropPackets);
    let demuxed = step("play", session.play(options))
        .await?
        .demuxed()
        .map_err(|e| error::failure(&e))?;
    let clock_hz = |index: usize| {
        demuxed
            .streams()
            .get(index)
            .map_or(90_000, |stream| stream.clock_rate_hz())
    };
    let (video_clock_hz, audio_clock_hz) = (clock_hz(chosen.video), chosen.audio.map(clock_hz));
    let udp = matches!(spec.transport, Transport::Udp).then(|| shared.reading.tick().often(Reason::Udp));
    let reader = Reader {
        shared: Arc::clone(shared),
        demuxed,
        chosen,
        video: None,
        audio: None,
        damaged: 0,
        _udp: udp,
    };
    let events = futures::stream::unfold(Some(reader), next_event).boxed();
    Ok(Opened {
        reader: Retina.name(),
        video_clock_hz,
        audio_clock_hz,
        events,
    })
}

fn transport(spec: &SourceSpec) -> RetinaTransport {
    match spec.transport {
        Transport::Tcp => RetinaTransport::Tcp(retina::client::TcpTransportOptions::default()),
        Transport::Udp => RetinaTransport::Udp(retina::client::UdpTransportOptions::default()),
    }
}

async fn step<T>(name: &str, work: impl Future<Output = Result<T, retina::Error>>) -> Result<T, Failure> {
    match tokio::time::timeout(STEP_LIMIT, work).await {
        Ok(result) => result.map_err(|e| error::failure(&e)),
        Err(_) if name == "describe" => Err(Failure::Unreachable("the camera does not answer".into())),
        Err(_) => Err(Failure::Silent(STEP_LIMIT)),
    }
}

fn choose_streams(session: &Session<DescribedState>, audio: bool) -> Result<Chosen, Failure> {
    let described: Vec<_> = session
        .streams()
        .iter()
        .map(|stream| Described {
            media: stream.media(),
            encoding: stream.encoding_name(),
        })
        .collect();
    choose(&described, audio)
}

/// A session that plays, and what is known of its streams.
struct Reader {
    shared: Arc<Shared>,
    demuxed: Demuxed,
    chosen: Chosen,
    video: Option<Arc<CodecParams>>,
    audio: Option<Arc<CodecParams>>,
    damaged: u32,
    _udp: Option<OftenGuard>,
}

/// The next event and, unless the stream is over, the reader.
async fn next_event(reader: Option<Reader>) -> Option<(Result<SourceEvent, Failure>, Option<Reader>)> {
    let mut reader = reader?;
    match reader.next().await {
        Ok(Some(event)) => Some((Ok(event), Some(reader))),
        Ok(None) => None,
        Err(failure) => Some((Err(failure), None)),
    }
}

impl Reader {
    async fn next(&mut self) -> Result<Option<SourceEvent>, Failure> {
        loop {
            let event = match self.demuxed.next().await {
                None => {
                    return if self.damaged > 0 {
                        Err(damaged())
                    } else {
                        Ok(None)
                    };
                }
                Some(Err(error)) => {
                    self.survive(&error)?;
                    continue;
                }
                Some(Ok(CodecItem::VideoFrame(frame))) => self.picture(frame)?,
                Some(Ok(CodecItem::AudioFrame(frame))) => self.sound(&frame),
                Some(Ok(CodecItem::Rtcp(packet))) => self.report(&packet),
                Some(Ok(_)) => None,
            };
            if event.is_some() {
                self.damaged = 0;
                return Ok(event);
            }
        }
    }

    /// A damaged packet costs a picture, not the session; a lost or garbled connection is the end.
    fn survive(&mut self, error: &retina::Error) -> Result<(), Failure> {
        let text = error::text(error);
        if error::is_connection(&text) || error::is_framing(&text) {
            return Err(error::failure(error));
        }
        self.damaged += 1;
        if self.damaged > MAX_DAMAGED {
            return Err(Failure::Invalid(text));
        }
        tracing::debug!(%text, "damaged packet");
        Ok(())
    }

    fn picture(&mut self, frame: VideoFrame) -> Result<Option<SourceEvent>, Failure> {
        if frame.has_new_parameters() || self.video.is_none() {
            self.take_video_params()?;
        }
        let Some(params) = &self.video else {
            // No SPS and PPS yet: nothing could decode it.
            return Ok(None);
        };
        let (rtp, received, lost_packets) = (
            frame.timestamp().timestamp() as u32,
            frame.start_ctx().received(),
            frame.loss(),
        );
        // It grew with each packet; units stay in memory for a whole GOP, so the room to grow is given back.
        let mut data = frame.into_data();
        data.shrink_to_fit();
        Ok(Some(SourceEvent::Unit(SourceUnit {
            media: Media::Video,
            rtp,
            arrival: arrival(&self.shared, received),
            lost_packets,
            params: Arc::clone(params),
            bytes: Bytes::from(data),
        })))
    }

    fn take_video_params(&mut self) -> Result<(), Failure> {
        let Some(stream) = self.demuxed.streams().get(self.chosen.video) else {
            return Ok(());
        };
        let Some(ParametersRef::Video(params)) = stream.parameters() else {
            return Ok(());
        };
        let track = match stream.encoding_name() {
            "h265" => VideoTrack::from_hvcc(params.extra_data()),
            _ => VideoTrack::from_avcc(params.extra_data()),
        };
        let new = CodecParams::Video(track.map_err(|e| Failure::Invalid(e.to_string()))?);
        if self.video.as_deref() != Some(&new) {
            self.video = Some(Arc::new(new));
        }
        Ok(())
    }

    fn sound(&mut self, frame: &AudioFrame) -> Option<SourceEvent> {
        if self.audio.is_none() {
            self.audio = self.audio_params().map(Arc::new);
        }
        Some(SourceEvent::Unit(SourceUnit {
            media: Media::Audio,
            rtp: frame.timestamp().timestamp() as u32,
            arrival: arrival(&self.shared, frame.ctx().received()),
            lost_packets: frame.loss(),
            params: Arc::clone(self.audio.as_ref()?),
            bytes: Bytes::copy_from_slice(frame.data()),
        }))
    }

    fn audio_params(&self) -> Option<CodecParams> {
        let stream = self.demuxed.streams().get(self.chosen.audio?)?;
        let Some(ParametersRef::Audio(params)) = stream.parameters() else {
            return None;
        };
        let (sample_rate_hz, channels) = (params.clock_rate(), params.channels().get());
        match stream.encoding_name() {
            "pcma" => Some(CodecParams::Alaw {
                sample_rate_hz,
                channels,
            }),
            "pcmu" => Some(CodecParams::Mulaw {
                sample_rate_hz,
                channels,
            }),
            _ => AudioTrack::aac(params.extra_data()).ok().map(CodecParams::Aac),
        }
    }

    fn report(&self, packet: &retina::rtcp::ReceivedCompoundPacket) -> Option<SourceEvent> {
        let media = if packet.stream_id() == self.chosen.video {
            Media::Video
        } else {
            Media::Audio
        };
        let report = packet
            .pkts()
            .find_map(|part| part.as_sender_report().ok().flatten())?;
        let report = SenderReport {
            ntp: report.ntp_timestamp().0,
            rtp: report.rtp_timestamp(),
        };
        Some(SourceEvent::Report(
            media,
            report,
            arrival(&self.shared, packet.ctx().received()),
        ))
    }
}

fn damaged() -> Failure {
    Failure::Invalid("a packet that cannot be understood ended the stream".into())
}
