//! Key files: read whole, replaced whole, for their owner's eyes only.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, bail};

use super::{Key, Ring};

/// Keys of a ring: more were never rotated, but written by accident.
const KEYS_MAX: usize = 100;

/// Makes a folder that only its owner enters, with its parents.
///
/// # Errors
/// When it cannot be made.
pub fn private_dir(dir: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("cannot create {}", dir.display()))
}

/// Writes a file that only its owner reads and that was not there before; durable on return. Whoever sees
/// it sees all of it: servers that share a folder may start at the same moment.
///
/// # Errors
/// When it is there, or cannot be written.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let random: [u8; 8] = super::random().map_err(std::io::Error::other)?;
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}", hex::encode(random)));
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        // Fails when the file is there; a rename would not.
        .and_then(|()| fs::hard_link(&unfinished, path));
    let _ = fs::remove_file(&unfinished);
    written
}

/// Makes a key file unless there is one.
///
/// # Errors
/// When it cannot be written.
pub(super) fn ensure(path: &Path) -> anyhow::Result<()> {
    match write_private(path, &text(&Ring::ephemeral()?)) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other.with_context(|| format!("cannot write {}", path.display())),
    }
}

/// Reads a key file. The error says the file and the line, never what stands there.
///
/// # Errors
/// When it is missing or damaged.
pub fn read(path: &Path) -> anyhow::Result<Ring> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut keys = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        match hex::decode(line).ok().and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) if keys.len() < KEYS_MAX => keys.push(Key(bytes)),
            Some(_) => bail!("{} is damaged: more than {KEYS_MAX} keys", path.display()),
            None => bail!(
                "{} is damaged in line {}: expected 64 hexadecimal digits",
                path.display(),
                number + 1
            ),
        }
    }
    let mut keys = keys.into_iter();
    let Some(present) = keys.next() else {
        bail!("{} is damaged: there is no key in it", path.display());
    };
    Ok(Ring {
        present,
        former: keys.collect(),
    })
}

/// Puts other keys in the place of a file's, in one step: whoever reads sees the old ones or the new
/// ones. The file keeps its owner, so that an administrator can do it for the server.
///
/// # Errors
/// When it cannot be written; the old keys stay then.
pub fn replace(path: &Path, ring: &Ring) -> anyhow::Result<()> {
    let new = path.with_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot remove {}", new.display()));
        }
        _ => {}
    }
    let written = write_private(&new, &text(ring)).and_then(|()| {
        let (old, made) = (fs::metadata(path)?, fs::metadata(&new)?);
        if (old.uid(), old.gid()) != (made.uid(), made.gid()) {
            std::os::unix::fs::chown(&new, Some(old.uid()), Some(old.gid()))?;
        }
        fs::rename(&new, path)?;
        match path.parent() {
            Some(dir) => fs::File::open(dir)?.sync_all(),
            None => Ok(()),
        }
    });
    written.with_context(|| format!("cannot replace {}", path.display()))
}

fn text(ring: &Ring) -> String {
    ring.all().map(|key| hex::encode(key.0) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn rings_come_back_and_files_of_one_key_stay_valid() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("jwt");
        fs::write(&path, "ab".repeat(32)).unwrap();
        let one = read(&path).unwrap();
        assert_eq!(one.present, Key([0xab; 32]));
        assert!(one.former.is_empty());
        let two = one.rotated().unwrap();
        replace(&path, &two).unwrap();
        assert_eq!(read(&path).unwrap(), two);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_an_interrupted_rotation_left_is_in_nobodys_way() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("jwt");
        ensure(&path).unwrap();
        fs::write(dir.path().join("jwt.new"), "half").unwrap();
        let ring = read(&path).unwrap().rotated().unwrap();
        replace(&path, &ring).unwrap();
        assert_eq!(read(&path).unwrap(), ring);
    }

    #[test]
    fn damage_is_said_with_its_line_and_without_the_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("jwt");
        for (text, says) in [
            (String::new(), "no key"),
            (format!("{}\n{}", "ab".repeat(32), "cd".repeat(31)), "line 2"),
            (format!("{}\n", "ab".repeat(32)).repeat(101), "more than 100"),
        ] {
            fs::write(&path, text).unwrap();
            let error = format!("{:#}", read(&path).unwrap_err());
            assert!(error.contains(says) && !error.contains("abab"), "{error}");
        }
    }
}
