//! The crate edges of ARCHITECTURE.md, asserted from `cargo metadata` and from the `use` lines.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What a package must never depend on, directly.
const FORBIDDEN_DEPENDENCIES: &[(&str, &[&str])] = &[
    (
        "wire",
        &[
            "diesel",
            "actix-web",
            "tokio",
            "gstreamer",
            "async-nats",
            "reqwest",
        ],
    ),
    (
        "media-core",
        &[
            "wire",
            "diesel",
            "actix-web",
            "async-nats",
            "reqwest",
            "rust-s3",
            "recorder-node",
            "control-plane",
        ],
    ),
    (
        "recorder-node",
        &["control-plane", "player", "ui", "rust-s3", "actix-web"],
    ),
    (
        "control-plane",
        &["media-core", "recorder-node", "player", "ui", "gstreamer"],
    ),
    (
        "player",
        &["control-plane", "recorder-node", "media-core", "ui", "tokio"],
    ),
    ("ui", &["control-plane", "recorder-node", "media-core", "tokio"]),
];

/// Folders whose sources must not mention a path.
const FORBIDDEN_PATHS: &[(&str, &[&str])] = &[
    (
        "control-plane/src/domain",
        &[
            "diesel::",
            "actix_web::",
            "async_nats::",
            "tokio::",
            "SystemTime::now",
            "Instant::now",
            "Timestamp::now",
            "crate::store",
            "crate::http",
            "crate::bus",
        ],
    ),
    ("control-plane/src/http", &["diesel::", "store::schema"]),
    (
        "control-plane/src/store",
        &["actix_web::", "async_nats::", "crate::http"],
    ),
    (
        "media-core/src/clock",
        &["gstreamer", "tokio::", "Instant::now", "SystemTime::now"],
    ),
    (
        "media-core/src/cut",
        &["gstreamer", "tokio::", "Instant::now", "SystemTime::now"],
    ),
    (
        "media-core/src/fmp4",
        &["gstreamer", "tokio::", "Instant::now", "SystemTime::now"],
    ),
];

/// Where routes are served that the list of routes does not have, and their paths: each has its rows in the
/// reviewed table beside. Everything else goes through the macro `routes!`.
const UNLISTED_ROUTES: &[(&str, &[&str])] = &[
    ("footage.rs", &["\"/footage/{object}.mp4\""]),
    ("health.rs", &["\"/healthz\"", "\"/readyz\""]),
    // What answers everything else: the pages.
    ("mod.rs", &[]),
    ("objects.rs", &["\"/objects/{key:.*}\""]),
    (
        "openapi.rs",
        &[
            "\"/api/docs\"",
            "\"/api/docs/{file:.*}\"",
            "\"/api/v1/openapi.json\"",
        ],
    ),
    ("playlist.rs", &["\"/playlist/{camera}/{file}.m3u8\"", "GAP_PATH"]),
    // The macro.
    ("routes.rs", &["$path"]),
];
const ADDRESSES: &str = "control-plane/tests/core/authorization/addresses.txt";

fn metadata() -> serde_json::Value {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(ROOT)
        .output()
        .expect("cargo runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("cargo metadata prints JSON")
}

/// Direct dependencies of each package; those for its tests and build script left out.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    metadata()["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| {
            let normal = package["dependencies"].as_array().expect("dependencies").iter();
            let names = normal
                .filter(|d| d["kind"].is_null())
                .map(|d| text(&d["name"]))
                .collect();
            (text(&package["name"]), names)
        })
        .collect()
}

#[test]
fn packages_depend_only_where_they_may() {
    let dependencies = dependencies();
    for (package, forbidden) in FORBIDDEN_DEPENDENCIES {
        let found = dependencies
            .get(*package)
            .unwrap_or_else(|| panic!("no package {package}"));
        for name in *forbidden {
            assert!(
                !found.iter().any(|d| d == name),
                "{package} must never depend on {name}"
            );
        }
    }
    for (package, found) in &dependencies {
        assert!(!found.iter().any(|d| d == "tests"), "{package} depends on tests");
    }
}

#[test]
fn modules_import_only_what_they_may() {
    for (folder, forbidden) in FORBIDDEN_PATHS {
        let files = rust_files(&Path::new(ROOT).join(folder));
        assert!(!files.is_empty(), "{folder} has no sources: correct the table");
        for file in files {
            let source = std::fs::read_to_string(&file).expect("a source file is readable");
            for (number, line) in product_lines(&source) {
                for path in *forbidden {
                    assert!(
                        !line.contains(path),
                        "{}:{number} mentions {path}",
                        file.display()
                    );
                }
            }
        }
    }
}

/// What a line must not hold that serves no route.
const SERVES: &[&str] = &[
    ".service(",
    ".route(",
    ".default_service(",
    "resource(",
    "web::scope(",
    "#[get(",
    "#[post(",
    "#[put(",
    "#[patch(",
    "#[delete(",
    "#[route(",
];

#[test]
fn routes_are_listed_or_reviewed() {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in rust_files(&Path::new(ROOT).join("control-plane/src")) {
        let source = std::fs::read_to_string(&file).expect("a source file is readable");
        let lines: Vec<&str> = product_lines(&source).map(|(_, line)| line).collect();
        if !lines
            .iter()
            .any(|line| SERVES.iter().any(|word| line.contains(word)))
        {
            continue;
        }
        let is_http = file
            .parent()
            .is_some_and(|parent| parent.ends_with("control-plane/src/http"));
        assert!(is_http, "{} serves a route", file.display());
        let text = lines.join("\n");
        let paths = text
            .split("resource(")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        let mut paths: Vec<String> = paths.map(str::to_owned).collect();
        paths.sort();
        let name = file.file_name().expect("a file has a name");
        found.insert(name.to_string_lossy().into_owned(), paths);
    }
    let reviewed: BTreeMap<String, Vec<String>> = UNLISTED_ROUTES
        .iter()
        .map(|(file, paths)| {
            (
                (*file).to_owned(),
                paths.iter().map(|path| (*path).to_owned()).collect(),
            )
        })
        .collect();
    assert_eq!(
        found, reviewed,
        "a route goes through the macro routes!, or into this table and {ADDRESSES}"
    );
}

#[test]
fn reviewed_routes_have_their_rows() {
    let table = std::fs::read_to_string(Path::new(ROOT).join(ADDRESSES)).expect("the table is readable");
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    let paths = UNLISTED_ROUTES.iter().flat_map(|(_, paths)| *paths);
    for path in paths.filter(|path| path.starts_with('"')) {
        // Up to the part that differs.
        let fixed = path.trim_matches('"').split('{').next().unwrap_or_default();
        assert!(
            rows.iter().any(|row| row.starts_with(fixed)),
            "{ADDRESSES} has no row for {path}"
        );
    }
}

#[test]
fn browser_crates_talk_http_in_their_api_module_only() {
    for folder in ["player/src", "ui/src"] {
        for file in rust_files(&Path::new(ROOT).join(folder)) {
            let is_api = file
                .components()
                .any(|part| part.as_os_str().to_string_lossy().starts_with("api"));
            let source = std::fs::read_to_string(&file).expect("a source file is readable");
            assert!(
                is_api || !source.contains("gloo_net"),
                "{} talks HTTP",
                file.display()
            );
        }
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    let packages = [
        "wire",
        "media-core",
        "recorder-node",
        "control-plane",
        "player",
        "ui",
        "benches",
        "tests",
        "xtask",
    ];
    for package in packages {
        for file in rust_files(&Path::new(ROOT).join(package).join("src")) {
            let source = std::fs::read_to_string(&file).expect("a source file is readable");
            assert!(
                source.starts_with("//!"),
                "{} does not open with //!",
                file.display()
            );
        }
    }
}

/// Lines with their numbers, without comments and without the tests at the end.
fn product_lines(source: &str) -> impl Iterator<Item = (usize, &str)> {
    source
        .lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The Rust sources of a folder, or the file `<folder>.rs`; modules of tests left out.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let single = folder.with_extension("rs");
    if single.is_file() {
        found.push(single);
    }
    let Ok(entries) = std::fs::read_dir(folder) else {
        return found;
    };
    for path in entries.map(|entry| entry.expect("a folder is readable").path()) {
        let is_tests = path.file_stem().is_some_and(|stem| stem == "tests");
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if !is_tests && path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
