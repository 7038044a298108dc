//! Embeds the web interface: the folder named by `CLOUDCAM_WEB_DIST`, or `web-dist` in the target folder,
//! where `cargo xtask ui` puts it. Without one the server shows a page that says so.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let dist = dist(&out)?;
    println!("cargo::rerun-if-env-changed=CLOUDCAM_WEB_DIST");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=migrations");
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut files = Vec::new();
    collect(&dist, &dist, &mut files)?;
    files.sort();
    let mut code = String::from("static FILES: &[Embedded] = &[\n");
    for file in &files {
        let compressed = |suffix: &str| {
            let path = dist.join(format!("{file}.{suffix}"));
            if path.is_file() {
                format!("Some(include_bytes!({path:?}))")
            } else {
                "None".to_owned()
            }
        };
        let (br, gz) = (compressed("br"), compressed("gz"));
        let plain = dist.join(file);
        writeln!(
            code,
            "    Embedded {{ path: {file:?}, plain: include_bytes!({plain:?}), br: {br}, gz: {gz} }},"
        )?;
    }
    code.push_str("];\n");
    fs::write(out.join("embedded.rs"), code)?;
    Ok(())
}

fn dist(out: &Path) -> Result<PathBuf, Box<dyn Error>> {
    if let Ok(folder) = env::var("CLOUDCAM_WEB_DIST") {
        return Ok(fs::canonicalize(folder)?);
    }
    // <target>[/<triple>]/<profile>/build/<package>/out; cargo tags the target folder.
    let target = out
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file())
        .or_else(|| out.ancestors().nth(4))
        .ok_or("no target folder")?;
    let dist = target.join("web-dist");
    // An empty folder can be watched; a missing one would run this script on every build.
    fs::create_dir_all(&dist)?;
    Ok(dist)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if !path
            .extension()
            .is_some_and(|extension| extension == "br" || extension == "gz")
        {
            let name = path
                .strip_prefix(root)?
                .to_str()
                .ok_or("a file name that is not UTF-8")?;
            files.push(name.to_owned());
        }
    }
    Ok(())
}
