//! `cargo xtask ui`: both browser crates become hashed, compressed files without an inline script.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::assets::{read_vendored, write_compressed, write_hashed};

/// Crates with a page of their own: package, where its page goes, its style sheets.
const PAGES: [Page; 2] = [
    Page {
        package: "ui",
        index: "index.html",
        styles: &["player/styles/base.css", "ui/styles/panel.css"],
    },
    Page {
        package: "player",
        index: "player/index.html",
        styles: &["player/styles/base.css", "player/styles/player.css"],
    },
];

/// What the result depends on.
const INPUTS: [&str; 5] = ["player", "ui", "wire", "xtask/src", "Cargo.lock"];

struct Page {
    package: &'static str,
    index: &'static str,
    styles: &'static [&'static str],
}

/// Builds everything into `out`, by default `<target folder>/web-dist`.
pub(crate) fn build(dev: bool, force: bool, out: Option<PathBuf>) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("the workspace's folder")?;
    let target = target_folder(root)?;
    let dist = out.unwrap_or_else(|| target.join("web-dist"));
    let stamp_file = target.join("web-dist.stamp");
    let stamp = format!("{} {dev} {}", digest(root)?, dist.display());
    if !force
        && dist.join("index.html").is_file()
        && fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp)
    {
        println!("the web interface is up to date: {}", dist.display());
        return Ok(());
    }
    let profile = if dev { "dev" } else { "wasm" };
    compile(root, profile)?;
    let built = target
        .join("wasm32-unknown-unknown")
        .join(if dev { "debug" } else { profile });
    let fresh = tempfile::tempdir_in(&target)?;
    for page in &PAGES {
        write_page(root, &built, fresh.path(), page)?;
    }
    replace(fresh.path(), &dist)?;
    fs::write(stamp_file, stamp)?;
    println!("the web interface is built: {}", dist.display());
    Ok(())
}

fn target_folder(root: &Path) -> Result<PathBuf> {
    // <target>/<profile>/xtask
    let folder = match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root.join(folder),
        None => env::current_exe()?
            .ancestors()
            .nth(2)
            .context("the target folder")?
            .to_owned(),
    };
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Digest of every input file's path and content.
fn digest(root: &Path) -> Result<String> {
    let mut files = Vec::new();
    for input in INPUTS {
        collect(&root.join(input), &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.to_string_lossy().as_bytes());
        hash.update(fs::read(&file)?);
    }
    Ok(hex::encode(hash.finalize()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
        collect(&entry?.path(), files)?;
    }
    Ok(())
}

fn compile(root: &Path, profile: &str) -> Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args([
            "build",
            "--locked",
            "--target",
            "wasm32-unknown-unknown",
            "--profile",
            profile,
        ])
        .args(["-p", "player", "-p", "ui", "--bins"])
        .status()
        .context("cargo cannot be started")?;
    ensure!(
        status.success(),
        "the browser crates do not build; 'rustup target add wasm32-unknown-unknown' may help"
    );
    Ok(())
}

fn write_page(root: &Path, built: &Path, dist: &Path, page: &Page) -> Result<()> {
    let bindings = tempfile::tempdir()?;
    Bindgen::new()
        .input_path(built.join(format!("{}.wasm", page.package)))
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .out_name(page.package)
        .generate(bindings.path())?;
    let wasm = fs::read(bindings.path().join(format!("{}_bg.wasm", page.package)))?;
    let wasm = write_hashed(dist, page.package, "wasm", &wasm)?;
    let script = fs::read(bindings.path().join(format!("{}.js", page.package)))?;
    let script = write_hashed(dist, page.package, "js", &script)?;
    let boot = format!("import init from '{script}';\ninit({{ module_or_path: '{wasm}' }});\n");
    let boot = write_hashed(dist, &format!("{}-boot", page.package), "js", boot.as_bytes())?;
    let mut styles = Vec::new();
    for style in page.styles {
        styles.extend(fs::read(root.join(style)).with_context(|| format!("cannot read {style}"))?);
    }
    let style = write_hashed(dist, page.package, "css", &styles)?;
    let vendor = root.join("player/vendor");
    let hls = write_hashed(dist, "hls", "js", &read_vendored(&vendor, "hls.light.min.js")?)?;
    let worker = write_hashed(
        dist,
        "hls-worker",
        "js",
        &read_vendored(&vendor, "hls.worker.js")?,
    )?;
    let template = fs::read_to_string(root.join(page.package).join("page/index.html"))?;
    let html = template
        .replace("{style}", &style)
        .replace("{boot}", &boot)
        .replace("{script}", &script)
        .replace("{wasm}", &wasm)
        .replace("{hls}", &hls)
        .replace("{hls-worker}", &worker);
    ensure!(
        !html.contains('{'),
        "{}/page/index.html has an unknown placeholder",
        page.package
    );
    write_compressed(&dist.join(page.index), html.as_bytes())
}

/// Puts the fresh files in the place of the old ones.
fn replace(fresh: &Path, dist: &Path) -> Result<()> {
    if dist.exists() {
        ensure!(
            dist.join("index.html").is_file() || fs::read_dir(dist)?.next().is_none(),
            "{} is not a folder of a web interface; it is left alone",
            dist.display()
        );
        fs::remove_dir_all(dist)?;
    }
    copy(fresh, dist)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().context("a file name")?);
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}
