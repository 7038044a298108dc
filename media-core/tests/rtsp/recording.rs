//! Takes the facts of an attempt, and keeps the objects as files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use media_core::facts::{
    AttemptEnd, Chunk, CloseReason, Credentials, Fact, FactSink, Reader, RecordSettings, SourceSpec, Track,
    Transport,
};

/// One object as it was handed out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object {
    pub(crate) init: Vec<u8>,
    pub(crate) tracks: Vec<Track>,
    pub(crate) start_ms: i64,
    pub(crate) continues: bool,
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) closed: Option<CloseReason>,
}

impl Object {
    pub(crate) fn frames(&self) -> u32 {
        self.chunks.iter().map(|chunk| chunk.frames).sum()
    }

    pub(crate) fn write(&self, path: &Path) {
        let mut bytes = self.init.clone();
        self.chunks
            .iter()
            .for_each(|chunk| bytes.extend(chunk.bytes.to_vec()));
        std::fs::write(path, bytes).unwrap();
    }
}

/// Everything that was said.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) reader: Option<&'static str>,
    pub(crate) objects: Vec<Object>,
    pub(crate) degraded: Vec<Option<String>>,
    pub(crate) end: Option<AttemptEnd>,
}

impl Said {
    pub(crate) fn frames(&self) -> u32 {
        self.objects.iter().map(Object::frames).sum()
    }

    /// All objects in one file: the inits after the first are left out, as in a playlist.
    pub(crate) fn write_all(&self, path: &Path) -> PathBuf {
        let mut all = Object {
            init: self.objects[0].init.clone(),
            ..Object::default()
        };
        for object in &self.objects {
            assert_eq!(object.init, all.init, "the same parameters give the same init");
            all.chunks.extend(object.chunks.iter().cloned());
        }
        all.write(path);
        path.to_owned()
    }
}

/// The recorder's end of an attempt.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    said: Mutex<Said>,
    news: Condvar,
}

impl Recording {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Waits for a fact, up to a deadline, and looks at everything said so far.
    pub(crate) fn wait<T>(&self, limit_s: u64, what: &str, mut look: impl FnMut(&Said) -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(limit_s);
        let mut said = self.said.lock().unwrap();
        loop {
            if let Some(found) = look(&said) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "no {what} within {limit_s} s; end {:?}, {} frames",
                said.end,
                said.frames()
            );
            said = self.news.wait_timeout(said, left).unwrap().0;
        }
    }

    pub(crate) fn end(&self, limit_s: u64) -> AttemptEnd {
        self.wait(limit_s, "end", |said| said.end.clone())
    }

    pub(crate) fn look<T>(&self, look: impl FnOnce(&Said) -> T) -> T {
        look(&self.said.lock().unwrap())
    }
}

impl FactSink for Recording {
    fn fact(&self, fact: Fact) {
        let mut said = self.said.lock().unwrap();
        assert_eq!(said.end, None, "nothing follows the end");
        let open = said.objects.last().is_some_and(|object| object.closed.is_none());
        match fact {
            Fact::Playing { reader } => said.reader = Some(reader),
            Fact::ObjectOpened {
                init,
                tracks,
                start_ms,
                continues,
            } => {
                assert!(!open, "an object is open already");
                let init = init.to_vec();
                said.objects.push(Object {
                    init,
                    tracks,
                    start_ms,
                    continues,
                    ..Object::default()
                });
            }
            Fact::Chunk(chunk) => {
                assert!(open, "no object is open");
                said.objects.last_mut().unwrap().chunks.push(chunk);
            }
            Fact::ObjectClosed { reason } => {
                assert!(open, "no object is open");
                said.objects.last_mut().unwrap().closed = Some(reason);
            }
            Fact::Degraded { detail } => said.degraded.push(detail),
            Fact::Ended(end) => {
                assert!(!open, "the object is closed before the end");
                said.end = Some(end);
            }
        }
        self.news.notify_all();
    }
}

pub(crate) fn spec(url: &str) -> SourceSpec {
    SourceSpec {
        url: url.parse().unwrap(),
        credentials: None,
        transport: Transport::Tcp,
        reader: Reader::Auto,
        audio: true,
    }
}

pub(crate) fn credentials(password: &str) -> Option<Credentials> {
    Some(Credentials {
        username: crate::camera::USER.into(),
        password: password.into(),
    })
}

/// Segments of 2 s, objects of 4 s, patience of 3 s.
pub(crate) fn quick() -> RecordSettings {
    RecordSettings {
        segment_target: Duration::from_secs(2),
        object_target: Duration::from_secs(4),
        silence_limit: Duration::from_secs(3),
        ..RecordSettings::default()
    }
}
