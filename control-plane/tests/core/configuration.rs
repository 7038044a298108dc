//! Configuration files: what is wrong is named.

use control_plane::config::Config;
use rstest::rstest;

fn load(text: &str) -> Result<Config, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Config::load(file.path()).map_err(|error| format!("{error:#}"))
}

const BUS: &str = "[bus]\nurl = \"nats://127.0.0.1:4222\"\n";

#[test]
fn little_is_enough() {
    let config = load(&format!("data_dir = \"/var/lib/x\"\n{BUS}")).unwrap();
    assert_eq!(config.http.bind.to_string(), "127.0.0.1:8080");
    assert_eq!(config.database_url(), "sqlite:/var/lib/x/control-plane.sqlite");
    assert_eq!(
        config.public_url(config.http.bind).unwrap().as_str(),
        "http://127.0.0.1:8080/"
    );
}

#[rstest]
#[case("", "the key data_dir is missing")]
#[case("data_dir = \"x\"\n", "the key bus is missing")]
#[case("data_dir = \"x\"\n[bus]\n", "the key bus.url is missing")]
#[case("data_dir = 5\n[bus]\nurl = \"nats://x\"\n", "data_dir")]
#[case(
    "data_dir = \"x\"\ncolour = 1\n[bus]\nurl = \"nats://x\"\n",
    "unknown key colour"
)]
#[case(
    "data_dir = \"x\"\n[bus]\nurl = \"nats://x\"\nuser = \"x\"\n",
    "unknown key bus.user"
)]
#[case("data_dir = \"x\"\n[bus]\nurl = \"nats://u:p@x\"\n", "no credentials")]
#[case("data_dir = \"x\"\n[bus]\nurl = \"http://x\"\n", "bus.url must start with")]
#[case(
    "data_dir = \"x\"\n[bus]\nurl = \"nats://x\"\nreplicas = 2\n",
    "bus.replicas must be 1, 3 or 5"
)]
#[case(
    "data_dir = \"x\"\n[http]\nbind = \"here\"\n[bus]\nurl = \"nats://x\"\n",
    "http.bind"
)]
#[case(
    "data_dir = \"x\"\n[http]\npublic_url = \"ftp://x/\"\n[bus]\nurl = \"nats://x\"\n",
    "http.public_url"
)]
#[case(
    "data_dir = \"x\"\n[database]\nurl = \"mysql://x\"\n[bus]\nurl = \"nats://x\"\n",
    "sqlite:<path>"
)]
#[case(
    "data_dir = \"x\"\n[objects]\nkind = \"tape\"\n[bus]\nurl = \"nats://x\"\n",
    "objects.kind"
)]
#[case(
    "data_dir = \"x\"\n[http]\ntrusted_proxies = [\"10.0.0.0/33\"]\n[bus]\nurl = \"nats://x\"\n",
    "http.trusted_proxies"
)]
#[case("data_dir = [\n", "control")]
fn says_what_is_wrong(#[case] text: &str, #[case] sentence: &str) {
    let error = load(text).unwrap_err();
    assert!(error.contains(sentence) || sentence == "control", "{error}");
}

#[test]
fn secrets_are_not_shown() {
    let text = format!("data_dir = \"x\"\n{BUS}[database]\nurl = \"postgres://u:hunter2@h/x\"\n");
    assert!(!format!("{:?}", load(&text).unwrap()).contains("hunter2"));
}

#[test]
fn a_missing_file_is_named() {
    let error = Config::load("/nowhere/control.toml".as_ref())
        .unwrap_err()
        .to_string();
    assert!(error.contains("/nowhere/control.toml"));
}
