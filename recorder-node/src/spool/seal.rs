//! The order that survives a power cut.
//!
//! 1. The bytes of the `.part` file are on disk (fsync).
//! 2. It is renamed to `.mp4`.
//! 3. The folder is on disk (fsync): the name is durable.
//! 4. Then, by the caller, one transaction: the object's row, its event and the ledger's new end.
//!
//! A crash between two steps leaves a `.part`, or a `.mp4` without a row; `repair` finishes both. A failed
//! fsync never counts: the file is set aside, and its time becomes a gap.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use wire::event::SealedObject;

use super::part::PartFile;
use super::{Layout, sync_dir};

/// An object whose last byte was written.
pub(super) struct Finished {
    pub(super) sealed: SealedObject,
    /// Pictures inside.
    pub(super) frames: u64,
    pub(super) file: Arc<PartFile>,
}

/// Steps 1 and 2 for one object; returns the folder for step 3.
pub(super) fn rename(layout: &Layout, finished: &Finished) -> io::Result<PathBuf> {
    let PartFile {
        file, path, failed, ..
    } = &*finished.file;
    if failed.load(Ordering::Acquire) {
        return Err(io::Error::other("a flush of this file failed before"));
    }
    if let Err(error) = file.sync_all() {
        failed.store(true, Ordering::Release);
        return Err(error);
    }
    let target = layout.sealed(finished.sealed.camera, finished.sealed.id);
    std::fs::rename(path, target)?;
    Ok(layout.camera(finished.sealed.camera))
}

/// Step 3 for many objects: the folders whose names did not become durable.
pub(super) fn sync_folders(folders: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
    let failed = folders.iter().filter(|folder| {
        sync_dir(folder)
            .inspect_err(|error| tracing::error!(%error, folder = %folder.display(), "fsync"))
            .is_err()
    });
    failed.cloned().collect()
}

/// A file that cannot be sealed goes aside, whatever it is called by now, so that no restart takes it for
/// footage whose time is already a gap.
pub(super) fn set_aside(layout: &Layout, finished: &Finished) {
    let sealed = layout.sealed(finished.sealed.camera, finished.sealed.id);
    for path in [&finished.file.path, &sealed] {
        match layout.set_aside(path) {
            Ok(to) => tracing::error!(file = %to.display(), "could not be sealed and was set aside"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::error!(%error, file = %path.display(), "could not be set aside"),
        }
    }
}
