//! Footage on this node's disk: `spool/<camera>/<object>.part`, sealed to `<object>.mp4`.
//!
//! | file | does |
//! |---|---|
//! | `intake` | takes an attempt's facts on the reading thread, never blocks |
//! | `writer` | one thread: appends and hashes |
//! | `flush` | one thread: what was appended reaches the disk within about a second |
//! | `commit`, `seal` | one thread: fsync → rename → fsync of the folder → one transaction for many cameras |
//! | `repair` | at start: what a power cut left behind |
//! | `erase` | deletes the files of erased footage |
//! | `space` | frees the disk by policy |
//! | `read` | ranges of objects, growing or sealed |
//!
//! Nothing here talks to the bus or decides when to record.

pub mod commit;
pub mod erase;
pub mod flush;
pub mod heads;
pub mod intake;
mod part;
pub mod read;
pub mod repair;
mod seal;
pub mod space;
pub mod stream;
#[cfg(test)]
pub(crate) mod tests;
pub mod writer;

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use wire::{CameraId, ObjectId, UnixMs};

/// Where files are. Ids are types, so no name from outside can lead out of the folder.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The spool below `data_dir`; makes the folders, mode 700.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn create(data_dir: &Path) -> io::Result<Self> {
        let layout = Self {
            root: data_dir.join("spool"),
        };
        make_dir(&layout.root)?;
        make_dir(&layout.quarantine())?;
        Ok(layout)
    }

    /// `spool/`.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `spool/quarantine/`: files that are of no use but were not thrown away.
    #[must_use]
    pub fn quarantine(&self) -> PathBuf {
        self.root.join("quarantine")
    }

    /// `spool/<camera>/`.
    #[must_use]
    pub fn camera(&self, camera: CameraId) -> PathBuf {
        self.root.join(camera.to_string())
    }

    /// The file of an object that is being written.
    #[must_use]
    pub fn part(&self, camera: CameraId, object: ObjectId) -> PathBuf {
        self.camera(camera).join(format!("{object}.part"))
    }

    /// The file of a sealed object.
    #[must_use]
    pub fn sealed(&self, camera: CameraId, object: ObjectId) -> PathBuf {
        self.camera(camera).join(format!("{object}.mp4"))
    }

    /// Moves a file aside; it is never looked at again by this program.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub fn set_aside(&self, path: &Path) -> io::Result<PathBuf> {
        let folder = path
            .parent()
            .and_then(Path::file_name)
            .unwrap_or_default()
            .to_string_lossy();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let to = self.quarantine().join(format!("{folder}-{name}"));
        std::fs::rename(path, &to)?;
        Ok(to)
    }
}

fn make_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes names in a folder durable.
fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The node's clock.
#[must_use]
pub fn now() -> UnixMs {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    UnixMs(since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
}
