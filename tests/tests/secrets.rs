//! Types that derive `Debug` have no field that is called like a secret, or somebody has said why it is none.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const PACKAGES: [&str; 4] = ["wire", "control-plane", "recorder-node", "media-core"];
/// Parts of the names of secrets.
const NAMES: [&str; 14] = [
    "bearer",
    "code",
    "cookie",
    "credential",
    "hash",
    "jwt",
    "link",
    "password",
    "recovery",
    "seed",
    "secret",
    "signature",
    "token",
    "_key",
];
/// What may hold one.
const HOLDS: [&str; 5] = ["String", "str", "[u8", "Vec<u8>", "Url"];

/// Fields with such a name that hold no secret, and why.
const NO_SECRETS: &[(&str, &[&str])] = &[
    (
        "codes of problems are for everybody",
        &[
            "control-plane/src/domain/camera.rs: InvalidCamera.code",
            "control-plane/src/error.rs: Error.code",
            "recorder-node/src/enrol.rs: AskError.code",
            "wire/src/api/import.rs: ImportProblem.code",
            "wire/src/api/mod.rs: Problem.code",
        ],
    ),
    (
        "names of codecs",
        &[
            "control-plane/src/domain/playlist/multivariant.rs: Variant.codecs",
            "media-core/src/facts.rs: Track.codec",
            "wire/src/media.rs: Track.codec",
        ],
    ),
    (
        "public halves of keys, and keys by which rows are found",
        &[
            "control-plane/src/domain/nats_jwt.rs: Account.signing_keys",
            "control-plane/src/store/cameras/row.rs: CameraRow.address_key",
            "control-plane/src/store/nodes.rs: NewNode.public_key",
            "control-plane/src/store/nodes.rs: NodeKey.public_key",
        ],
    ),
    (
        "sealed, or the digest of 32 random bytes",
        &[
            "control-plane/src/store/cameras/row.rs: CameraRow.credentials",
            "control-plane/src/store/one_time.rs: OneTimeRow.hash",
            "control-plane/src/store/sessions.rs: RefreshRow.hash",
        ],
    ),
];

#[test]
fn nothing_that_is_called_like_a_secret_is_shown_by_debug() {
    let root = Path::new(ROOT);
    let mut found = BTreeSet::new();
    for package in PACKAGES {
        for file in sources(&root.join(package).join("src")) {
            let text = std::fs::read_to_string(&file).expect("a source file is readable");
            let name = file
                .strip_prefix(root)
                .expect("it is in the repository")
                .display();
            found.extend(shown(&text).into_iter().map(|field| format!("{name}: {field}")));
        }
    }
    let reviewed: BTreeSet<String> = NO_SECRETS
        .iter()
        .flat_map(|(_, fields)| *fields)
        .map(|field| (*field).to_owned())
        .collect();
    let unknown: Vec<&String> = found.difference(&reviewed).collect();
    assert!(
        unknown.is_empty(),
        "write `Debug` by hand and add the type to control-plane/tests/core/debug.rs, or say here why it is \
         no secret: {unknown:#?}"
    );
    let gone: Vec<&String> = reviewed.difference(&found).collect();
    assert!(gone.is_empty(), "no such fields: {gone:#?}");
}

/// `Type.field` of each field that is called like a secret, of types that derive `Debug`.
fn shown(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut derives, mut inside) = (false, None::<String>);
    for line in source.lines() {
        let text = line.trim();
        if let Some(name) = &inside {
            if line == "}" {
                inside = None;
            } else if let Some(field) = field(text) {
                found.push(format!("{name}.{field}"));
            }
        } else if let Some(list) = text.strip_prefix("#[derive(") {
            derives = list.contains("Debug");
        } else if !text.starts_with('#') && !text.starts_with("//") {
            if derives && text.ends_with('{') {
                inside = declared(text);
            }
            derives = false;
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The name of the type that a line declares.
fn declared(line: &str) -> Option<String> {
    let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.find(|word| matches!(*word, "struct" | "enum"))?;
    words.next().map(str::to_owned)
}

/// The name of a field that may hold a secret.
fn field(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
    let line = line.strip_prefix("pub(super) ").unwrap_or(line);
    let (name, kind) = line.split_once(": ")?;
    let is_name = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let is_called = NAMES.iter().any(|part| name.contains(part));
    let holds = HOLDS.iter().any(|part| kind.contains(part));
    (is_name && is_called && holds).then_some(name)
}

/// The Rust sources of a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in std::fs::read_dir(folder)
        .expect("a folder is readable")
        .map(|entry| entry.expect("a folder is readable").path())
    {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_search_finds_what_it_is_for() {
    let source = "#[derive(Clone, Debug)]\n#[serde(x)]\npub struct A {\n    /// Doc.\n    pub api_token: Option<String>,\n\
                  \x20   count: u64,\n}\n#[derive(Clone)]\nstruct B {\n    token: String,\n}\n\
                  #[derive(Debug)]\nenum C {\n    D {\n        code: String,\n    },\n}\n";
    assert_eq!(shown(source), ["A.api_token", "C.code"]);
}
