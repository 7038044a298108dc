//! Files of the web interface: named by their content, compressed beside themselves.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

/// First 16 hexadecimal digits of the SHA-256.
pub(crate) fn short_hash(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes)[..8])
}

/// Writes `assets/<stem>.<hash>.<extension>` and its compressed copies; gives its absolute URL path.
pub(crate) fn write_hashed(dist: &Path, stem: &str, extension: &str, bytes: &[u8]) -> Result<String> {
    let name = format!("assets/{stem}.{}.{extension}", short_hash(bytes));
    write_compressed(&dist.join(&name), bytes)?;
    Ok(format!("/{name}"))
}

/// Writes a file, and beside it its Brotli and gzip forms.
pub(crate) fn write_compressed(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().context("a file in a folder")?;
    fs::create_dir_all(folder)?;
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    let name = path.to_string_lossy();
    let mut brotli = Vec::new();
    let settings = brotli::enc::BrotliEncoderParams {
        quality: 10,
        lgwin: 22,
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &*bytes, &mut brotli, &settings)?;
    fs::write(format!("{name}.br"), brotli)?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(bytes)?;
    fs::write(format!("{name}.gz"), gzip.finish()?)?;
    Ok(())
}

/// Reads a vendored file and holds it against `SHA256SUMS` beside it.
pub(crate) fn read_vendored(folder: &Path, name: &str) -> Result<Vec<u8>> {
    let bytes = fs::read(folder.join(name)).with_context(|| format!("cannot read {name}"))?;
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).context("cannot read SHA256SUMS")?;
    let line = format!("{}  {name}", hex::encode(Sha256::digest(&bytes)));
    ensure!(
        sums.lines().any(|known| known == line),
        "{name} is not the file that SHA256SUMS names"
    );
    Ok(bytes)
}
