//! A disk that hangs, is full, or fails to sync: `tests/disk/disk.c` between the node and the C library.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskFault {
    /// Nothing.
    None,
    /// Writes and syncs do not return.
    Hang,
    /// Writes fail with ENOSPC.
    Full,
    /// Syncs fail with EIO.
    SyncError,
}

/// The disk below a folder.
#[derive(Debug)]
pub struct Disk {
    library: PathBuf,
    folder: PathBuf,
    fault: PathBuf,
}

impl Disk {
    /// The disk of all paths that begin with `folder`; its own files are in `world`.
    ///
    /// # Errors
    /// When there is no C compiler.
    pub(super) fn create(world: &Path, folder: &Path) -> Result<Self> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("disk/disk.c");
        let library = world.join("disk.so");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2", "-o"])
            .arg(&library)
            .arg(source)
            .arg("-ldl")
            .output()
            .context("cc is missing: tests/run.sh installs it")?;
        ensure!(
            compiled.status.success(),
            "cc: {}",
            String::from_utf8_lossy(&compiled.stderr)
        );
        let disk = Self {
            library,
            folder: folder.to_path_buf(),
            fault: world.join("disk-fault"),
        };
        disk.set(DiskFault::None)?;
        Ok(disk)
    }

    /// Variables of a program that writes to it.
    pub(super) fn environment(&self) -> [(&'static str, OsString); 3] {
        [
            ("LD_PRELOAD", self.library.clone().into()),
            ("CLOUDCAM_DISK_FOLDER", self.folder.clone().into()),
            ("CLOUDCAM_DISK_FAULT", self.fault.clone().into()),
        ]
    }

    /// Puts a fault in force, or none.
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn set(&self, fault: DiskFault) -> Result<()> {
        let text = match fault {
            DiskFault::None => "",
            DiskFault::Hang => "hang",
            DiskFault::Full => "full",
            DiskFault::SyncError => "sync-error",
        };
        // In one step: the program looks at any moment.
        let new = self.fault.with_extension("new");
        std::fs::write(&new, text)?;
        std::fs::rename(&new, &self.fault)?;
        Ok(())
    }
}
