//! The configuration of nats-server, written from the installation's keys: for one server or a cluster.
//!
//! Nothing here reads files or makes keys.

use std::fmt::Write as _;
use std::net::IpAddr;
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
}

/// The other servers of a cluster.
#[derive(Debug, Clone)]
pub struct Cluster<'a> {
    /// The same on all.
    pub name: &'a str,
    /// `host:port` for the other servers.
    pub listen: &'a str,
    /// Where they are, all of them: `host:port`.
    pub routes: &'a [String],
    /// What this one shows them.
    pub tls: Tls<'a>,
    /// Who signs the certificates of all.
    pub ca: &'a Path,
}

impl Cluster<'_> {
    /// Whether all of the others have names, which are in their certificates.
    fn has_names(&self) -> bool {
        let is_address = |route: &String| {
            let host = route.rsplit_once(':').map_or(route.as_str(), |(host, _)| host);
            host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
        };
        !self.routes.is_empty() && !self.routes.iter().any(is_address)
    }
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
        line(routes(trust, cluster));
    }
    text
}

/// Servers show each other certificates. With names of servers in `routes`, whose certificate is for one of them
/// is let in; with addresses, nats-server cannot tell servers from others that the authority signed.
fn routes(trust: &Trust, cluster: &Cluster<'_>) -> String {
    let mut text = String::from("cluster {");
    let mut line = |line: String| {
        let _ = write!(text, "\n    {line}");
    };
    line(format!("name: {}", quoted(cluster.name)));
    line(format!("listen: {}", quoted(cluster.listen)));
    let (user, check) = if cluster.has_names() {
        line("# Let in is who shows a certificate that ca_file signed for a name in routes.".to_owned());
        (String::new(), "verify_cert_and_check_known_urls")
    } else {
        let password = &trust.routes_password;
        line(
            "# nats-server compares certificates with the names in routes, not with addresses. So this"
                .to_owned(),
        );
        line("# password is asked for, too; with names in all routes there is none.".to_owned());
        line(format!(
            "authorization {{ user: {ROUTES_USER}, password: {}, timeout: 5 }}",
            quoted(password)
        ));
        (format!("{ROUTES_USER}:{password}@"), "verify")
    };
    line(format!(
        "tls {{ {}, ca_file: {}, {check}: true, timeout: 5 }}",
        certificate(&cluster.tls),
        path(cluster.ca)
    ));
    let urls: Vec<String> = cluster
        .routes
        .iter()
        .map(|route| quoted(&format!("nats-route://{user}{route}")))
        .collect();
    line(format!("routes: [{}]", urls.join(", ")));
    text.push_str("\n}");
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
        };
        let written = |routes: &[&str]| {
            let routes: Vec<String> = routes.iter().map(|route| (*route).to_owned()).collect();
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
                    tls,
                    ca: Path::new("/ca"),
                }),
            };
            text(&trust(), &server)
        };
        let names = written(&["b.example:6222", "c:6222"]);
        assert!(
            names.contains("ca_file: \"/ca\", verify_cert_and_check_known_urls: true")
                && names.contains("\"nats-route://b.example:6222\"")
                && !names.contains("authorization")
                && !names.contains("pw"),
            "{names}"
        );
        for other in ["192.0.2.1:6222", "[2001:db8::1]:6222"] {
            let addresses = written(&["b.example:6222", other]);
            assert!(
                addresses.contains("ca_file: \"/ca\", verify: true")
                    && addresses.contains("password: \"pw\"")
                    && addresses.contains(&format!("nats-route://routes:pw@{other}")),
                "{addresses}"
            );
        }
    }
}
