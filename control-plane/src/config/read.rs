//! Reads a configuration and finds everything that is wrong with it, not only the first.

use std::collections::BTreeSet;
use std::path::Path;

use figment::Figment;
use figment::error::Kind;
use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, Value};

use super::{Config, ENV_PREFIX};

/// Keys whose values are in no message.
const SECRET: [&str; 3] = ["bus.url", "bus.public_url", "database.url"];

/// Reads the file and the environment.
///
/// # Errors
/// One sentence for each unknown, missing or wrong key.
pub(super) fn read(path: &Path) -> Result<Config, Vec<String>> {
    if !path.is_file() {
        return Err(vec![format!("there is no configuration file {}", path.display())]);
    }
    let given = Figment::new()
        .merge(Toml::file_exact(path))
        .merge(Env::prefixed(ENV_PREFIX).split("__"));
    let mut values: Dict = given.extract().map_err(|errors| {
        errors
            .into_iter()
            .map(|error| error.to_string())
            .collect::<Vec<_>>()
    })?;
    let mut found = Vec::new();
    let mut wrong: BTreeSet<String> = BTreeSet::new();
    loop {
        let errors = match Figment::from(Serialized::defaults(&values)).extract::<Config>() {
            Ok(config) => {
                found.extend(config.contradictions());
                return if found.is_empty() { Ok(config) } else { Err(found) };
            }
            Err(errors) => errors,
        };
        for error in errors {
            let key = key(&error);
            // Once a key is known to be wrong it is taken out, and then missing.
            let is_told = wrong
                .iter()
                .any(|told| key == *told || key.starts_with(&format!("{told}.")));
            wrong.insert(key.clone());
            if !is_told {
                found.push(sentence(&error, &key, &given));
            }
            if !mend(&mut values, &error, &key) {
                return Err(found);
            }
        }
    }
}

/// The whole name of the key that an error is about.
fn key(error: &figment::Error) -> String {
    let mut path = error.path.clone();
    // Other errors name the key as the end of the path already.
    if let Kind::MissingField(name) = &error.kind {
        path.push(name.to_string());
    }
    path.join(".")
}

/// One sentence that names the key and where it was set.
fn sentence(error: &figment::Error, key: &str, given: &Figment) -> String {
    let place = given
        .find_metadata(key)
        .map_or_else(String::new, |place| format!(" (set in {})", place.name));
    match &error.kind {
        Kind::MissingField(_) => format!("the key {key} is missing"),
        Kind::UnknownField(_, known) => {
            format!("unknown key {key}{place}; known are {}", known.join(", "))
        }
        // The kind repeats the value.
        _ if SECRET.contains(&key) => format!("{key} must be text, in quotes{place}"),
        kind => format!("{key}: {kind}{place}"),
    }
}

/// Takes the key out, or gives one that is missing a value that is right, so that the rest can be read.
/// Whether that helps.
fn mend(values: &mut Dict, error: &figment::Error, key: &str) -> bool {
    let (parents, name) = match key.rsplit_once('.') {
        Some((parents, name)) => (parents.split('.').collect(), name),
        None => (Vec::new(), key),
    };
    let mut folder = values;
    for parent in parents {
        match folder.get_mut(parent) {
            Some(Value::Dict(_, inner)) => folder = inner,
            _ => return false,
        }
    }
    if !matches!(error.kind, Kind::MissingField(_)) {
        return folder.remove(name).is_some();
    }
    let stand_in = match key {
        "data_dir" => Value::from("/"),
        "bus" => Value::from(Dict::new()),
        "bus.url" => Value::from("nats://localhost"),
        _ => return false,
    };
    folder.insert(name.to_owned(), stand_in).is_none()
}
