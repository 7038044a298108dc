//! Chunks: `moof` + `mdat`.

use bytes::Bytes;

/// One access unit to be written.
#[derive(Debug, Clone)]
pub struct Sample {
    /// NAL units with 4-byte lengths, or one raw AAC frame.
    pub data: Bytes,
    /// Decode time, nanoseconds since 1970 UTC.
    pub dts_ns: i64,
    /// Presentation time.
    pub pts_ns: i64,
    /// Decoding can start here.
    pub random_access: bool,
}

/// One finished chunk.
#[derive(Debug, Clone)]
pub struct Fragment {
    /// `moof` + `mdat`.
    pub bytes: Bytes,
    /// Capture time of its first picture, milliseconds since 1970 UTC. [`scan`](super::scan) finds the same.
    pub start_ms: i64,
    /// Capture time of the end of its last picture; never before `start_ms`.
    pub end_ms: i64,
    /// Pictures inside.
    pub frames: u32,
    /// Its first picture is a random access point.
    pub random_access: bool,
}

/// Collects samples and writes them as chunks. One builder serves an attempt: it carries the end of one chunk
/// over into the next, also across objects.
///
/// The last audio frame waits for the next one, which tells its duration, unless the object ends.
#[derive(Debug)]
pub struct FragmentBuilder {
    audio_rate_hz: Option<u32>,
}

impl FragmentBuilder {
    /// For objects without sound (None) or with sound of this sample rate.
    #[must_use]
    pub fn new(audio_rate_hz: Option<u32>) -> Self {
        Self { audio_rate_hz }
    }

    /// A new object begins: sequence numbers start again. Whatever was not finished is dropped.
    pub fn begin_object(&mut self, audio_rate_hz: Option<u32>) {
        self.audio_rate_hz = audio_rate_hz;
        unimplemented!()
    }

    /// Adds a picture, in decode order.
    pub fn push_video(&mut self, sample: Sample) {
        let _ = sample;
        unimplemented!()
    }

    /// Adds an AAC frame; ignored when the object has no sound.
    pub fn push_audio(&mut self, sample: Sample) {
        let _ = sample;
        unimplemented!()
    }

    /// Pictures waiting.
    #[must_use]
    pub fn frames(&self) -> usize {
        unimplemented!()
    }

    /// Writes what was collected. `next_dts_ns` is the decode time of the picture that follows; None gives the
    /// last picture the duration of the one before it, as at the end of an attempt. `last` ends the object.
    /// None when no picture waits.
    pub fn finish(&mut self, next_dts_ns: Option<i64>, last: bool) -> Option<Fragment> {
        let _ = (next_dts_ns, last);
        unimplemented!()
    }
}
