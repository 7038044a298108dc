//! Records a camera to a folder, one file per object, and says what happens.
//!
//! `cargo run -p media-core --example record -- rtsp://host/path FOLDER [SECONDS [COPIES]]`; with copies it is a
//! quick look at what recording costs.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use media_core::facts::{Fact, FactSink, Reader, RecordSettings, SourceSpec, Transport};
use media_core::{Engine, EngineConfig};

/// Writes on the reading thread, which a recorder must not do.
struct Folder {
    folder: PathBuf,
    quiet: bool,
    file: Mutex<Option<File>>,
}

impl FactSink for Folder {
    fn fact(&self, fact: Fact) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = match &fact {
            Fact::ObjectOpened { init, start_ms, .. } => {
                *file = File::create(self.folder.join(format!("{start_ms}.mp4"))).ok();
                init.clone().into()
            }
            Fact::Chunk(chunk) => chunk.bytes.clone(),
            other => {
                eprintln!("{other:?}");
                return;
            }
        };
        if let Some(file) = file.as_mut()
            && let Err(error) = bytes.write_to(file)
        {
            eprintln!("cannot write: {error}");
        }
        match fact {
            Fact::ObjectOpened { tracks, .. } if !self.quiet => eprintln!("object: {tracks:?}"),
            _ => {}
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [url, folder, rest @ ..] = arguments.as_slice() else {
        return Err("usage: record rtsp://host/path FOLDER [SECONDS [COPIES]]".into());
    };
    let number = |at: usize, default: u64| rest.get(at).map_or(Ok(default), |text| text.parse());
    let (seconds, copies) = (number(0, 10)?, number(1, 1)?);
    let engine = Engine::new(EngineConfig::default())?;
    let mut attempts = Vec::new();
    for copy in 0..copies {
        let folder = PathBuf::from(folder).join(copy.to_string());
        fs::create_dir_all(&folder)?;
        let spec = SourceSpec {
            url: url.parse()?,
            credentials: None,
            transport: Transport::Tcp,
            reader: Reader::Auto,
            audio: true,
        };
        let sink = Folder {
            folder,
            quiet: copies > 1,
            file: Mutex::new(None),
        };
        attempts.push(engine.attempt(spec, RecordSettings::default(), Arc::new(sink)));
    }
    std::thread::sleep(Duration::from_secs(seconds));
    for attempt in attempts {
        eprintln!("{:?}", attempt.stats());
    }
    std::thread::sleep(Duration::from_secs(1));
    Ok(())
}
