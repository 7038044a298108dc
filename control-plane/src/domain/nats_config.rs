//! The configuration of nats-server, written from the installation's keys: for one server or a cluster.
//!
//! Nothing here reads files or makes keys.

use std::fmt::Write as _;
use std::path::Path;

/// What the servers of an installation share: no secret but the routes' password.
#[derive(Clone)]
pub struct Trust {
    /// The operator's token.
    pub operator: String,
    /// Accounts, by public key, and their tokens: the system's first.
    pub accounts: Vec<(String, String)>,
    /// What servers of a cluster say to each other.
    pub routes_password: String,
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trust").finish_non_exhaustive()
    }
}

/// One server.
#[derive(Debug, Clone)]
pub struct Server<'a> {
    /// Unique in its cluster.
    pub name: &'a str,
    /// `host:port` for nodes and control planes.
    pub listen: &'a str,
    /// Streams, and the accounts that it was told.
    pub store: &'a Path,
    /// Most bytes of streams on disk, such as `2GB`; three quarters of the disk unless given.
    pub max_store: Option<&'a str>,
    /// Certificates.
    pub tls: Option<Tls<'a>>,
    /// The other servers.
    pub cluster: Option<Cluster<'a>>,
}

/// Certificates of a server, as paths of PEM files.
#[derive(Debug, Clone, Copy)]
pub struct Tls<'a> {
    /// Its own certificate.
    pub certificate: &'a Path,
    /// The key.
    pub key: &'a Path,
    /// Who signs the servers of the cluster; needed for routes only.
    pub ca: Option<&'a Path>,
}

/// The other servers of a cluster.
#[derive(Debug, Clone)]
pub struct Cluster<'a> {
    /// The same on all.
    pub name: &'a str,
    /// `host:port` for the other servers.
    pub listen: &'a str,
    /// Where they are: `host:port`.
    pub routes: &'a [String],
}

/// User name of the routes.
const ROUTES_USER: &str = "routes";
/// Larger than any message; footage travels in pieces.
const MAX_PAYLOAD: &str = "8MB";
/// Status and heads live in memory.
const MAX_MEMORY: &str = "1GB";

/// The file.
#[must_use]
pub fn text(trust: &Trust, server: &Server<'_>) -> String {
    let mut text = String::from(
        "# nats-server for CloudCam, written by `control-plane nats-config`. Keep its mode at 600.\n",
    );
    let mut line = |line: String| {
        let _ = writeln!(text, "{line}");
    };
    line(format!("server_name: {}", quoted(server.name)));
    line(format!("listen: {}", quoted(server.listen)));
    line(format!("max_payload: {MAX_PAYLOAD}"));
    line("jetstream {".to_owned());
    line(format!("    store_dir: {}", path(server.store)));
    line(format!("    max_memory_store: {MAX_MEMORY}"));
    if let Some(max) = server.max_store {
        line(format!("    max_file_store: {max}"));
    }
    line("}".to_owned());
    if let Some(tls) = &server.tls {
        line(format!("tls {{ {} }}", certificate(tls)));
    }
    line(format!("operator: {}", quoted(&trust.operator)));
    if let Some((system, _)) = trust.accounts.first() {
        line(format!("system_account: {system}"));
    }
    let accounts = path(&server.store.join("accounts"));
    line(format!(
        "resolver {{ type: full, dir: {accounts}, allow_delete: false, interval: \"2m\" }}"
    ));
    line("resolver_preload {".to_owned());
    for (account, token) in &trust.accounts {
        line(format!("    {account}: {}", quoted(token)));
    }
    line("}".to_owned());
    if let Some(cluster) = &server.cluster {
        line(routes(trust, server, cluster));
    }
    text
}

fn routes(trust: &Trust, server: &Server<'_>, cluster: &Cluster<'_>) -> String {
    let password = &trust.routes_password;
    let mut text = format!(
        "cluster {{\n    name: {}\n    listen: {}\n    authorization {{ user: {ROUTES_USER}, password: {}, \
         timeout: 5 }}\n",
        quoted(cluster.name),
        quoted(cluster.listen),
        quoted(password),
    );
    if let Some(tls) = &server.tls
        && let Some(ca) = tls.ca
    {
        // Each server shows its certificate to the other.
        let _ = writeln!(
            text,
            "    tls {{ {}, ca_file: {}, verify: true, timeout: 5 }}",
            certificate(tls),
            path(ca)
        );
    }
    let urls: Vec<String> = cluster
        .routes
        .iter()
        .map(|route| quoted(&format!("nats-route://{ROUTES_USER}:{password}@{route}")))
        .collect();
    let _ = write!(text, "    routes: [{}]\n}}", urls.join(", "));
    text
}

fn certificate(tls: &Tls<'_>) -> String {
    format!(
        "cert_file: {}, key_file: {}",
        path(tls.certificate),
        path(tls.key)
    )
}

fn path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

/// Text as nats-server reads it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust() -> Trust {
        Trust {
            operator: "ojwt".to_owned(),
            accounts: vec![
                ("ASYS".to_owned(), "sjwt".to_owned()),
                ("AAPP".to_owned(), "ajwt".to_owned()),
            ],
            routes_password: "pw".to_owned(),
        }
    }

    #[test]
    fn one_server_has_no_cluster_and_no_password() {
        let server = Server {
            name: "one",
            listen: "127.0.0.1:4222",
            store: Path::new("/s \"x\""),
            max_store: Some("2GB"),
            tls: None,
            cluster: None,
        };
        let text = text(&trust(), &server);
        assert!(
            text.contains("system_account: ASYS\n") && text.contains("    AAPP: \"ajwt\"\n"),
            "{text}"
        );
        assert!(text.contains(r#"store_dir: "/s \"x\"""#), "{text}");
        assert!(
            !text.contains("cluster") && !text.contains("password") && !text.contains("tls"),
            "{text}"
        );
    }

    #[test]
    fn servers_of_a_cluster_check_each_other() {
        let tls = Tls {
            certificate: Path::new("/c"),
            key: Path::new("/k"),
            ca: Some(Path::new("/ca")),
        };
        let routes = ["b:6222".to_owned()];
        let server = Server {
            name: "one",
            listen: "0.0.0.0:4222",
            store: Path::new("/s"),
            max_store: None,
            tls: Some(tls),
            cluster: Some(Cluster {
                name: "site",
                listen: "0.0.0.0:6222",
                routes: &routes,
            }),
        };
        let text = text(&trust(), &server);
        assert!(
            text.contains("verify: true") && text.contains("nats-route://routes:pw@b:6222"),
            "{text}"
        );
    }
}
