//! What a node asks the control plane over HTTPS: to join, and for a new token when its last one has ended.
//!
//! The private key is made here and never leaves the machine.

use std::time::Duration;

use anyhow::{Context, bail};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use reqwest::{Client, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;
use wire::NodeId;
use wire::api::{Enrol, Enrolled, NodeChallenge, Problem, ProveNode};
use wire::bus::{BusAccess, token_statement};

use crate::config::{Config, Https};
use crate::db::{Db, settings};
use crate::https;
use crate::identity::Identity;

const LIMIT: Duration = Duration::from_secs(15);
/// The server's word for a node that was removed.
const REMOVED: &str = "node_removed";

/// Joins, and keeps what that gave in the data folder.
///
/// # Errors
/// One sentence: the folder has an identity already or cannot be written, the server does not answer or
/// refuses.
pub async fn enrol(config: &Config, server: &str, token: &str) -> anyhow::Result<Identity> {
    let data_dir = &config.data_dir;
    if let Some(known) = Identity::find(data_dir)? {
        bail!(
            "{} belongs to node {} of {} already: to join anew, stop the node, and move that folder away or name \
             another one in `data_dir`",
            data_dir.display(),
            known.node,
            known.server
        );
    }
    let server = address(server)?;
    let client = client(&config.https)?;
    // Opened before the token is used up: a folder that cannot be written costs nothing then.
    let node = Db::open(data_dir)?.with(settings::known_node)?;
    let key = KeyPair::new_user();
    let seed = key.seed().map_err(|error| anyhow::anyhow!("no key: {error}"))?;
    let body = Enrol {
        token: token.trim().to_owned(),
        public_key: key.public_key(),
        name: config.node_name().chars().take(100).collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        node,
    };
    let joined: Enrolled = match post(&client, &server, "api/v1/enrol", &body).await {
        Ok(joined) => joined,
        Err(AskError::Away(error)) => bail!("{server} does not answer: {error}"),
        Err(AskError::Refused { title, .. }) => bail!("{server} refused: {title}"),
    };
    let identity = Identity {
        node: joined.node,
        server: server.into(),
        seed,
        access: joined.access,
    };
    identity.save(data_dir)?;
    Ok(identity)
}

/// Why there is no new token.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody answers: ask again later.
    #[error("{0}")]
    Away(String),
    /// The server said no.
    #[error("{title}")]
    Refused {
        /// Its code.
        code: String,
        /// Its sentence.
        title: String,
    },
}

impl AskError {
    /// Whether the node was removed: it will never get a token again.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == REMOVED)
    }
}

/// Proves the key and gets a new token.
///
/// # Errors
/// [`AskError`].
pub async fn prove(https: &Https, server: &str, node: NodeId, key: &KeyPair) -> Result<BusAccess, AskError> {
    let away = |error: anyhow::Error| AskError::Away(format!("{error:#}"));
    let (server, client) = (address(server).map_err(away)?, client(https).map_err(away)?);
    let path = format!("api/v1/nodes/{node}");
    let NodeChallenge { challenge } = post(&client, &server, &format!("{path}/challenge"), &()).await?;
    let signature = key
        .sign(token_statement(node, &challenge).as_bytes())
        .map_err(|error| AskError::Away(error.to_string()))?;
    let proof = ProveNode {
        challenge,
        signature: BASE64_URL_SAFE_NO_PAD.encode(signature),
    };
    post(&client, &server, &format!("{path}/token"), &proof).await
}

fn address(text: &str) -> anyhow::Result<Url> {
    let mut url = Url::parse(text).with_context(|| format!("{text} is not an address"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        bail!("{text} is not the address of a control plane: expected https://host");
    }
    url.set_path("/");
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

fn client(config: &Https) -> anyhow::Result<Client> {
    https::client(config)?
        .timeout(LIMIT)
        .build()
        .context("no HTTP client")
}

async fn post<B: Serialize, A: DeserializeOwned>(
    client: &Client,
    server: &Url,
    path: &str,
    body: &B,
) -> Result<A, AskError> {
    let away = |error: &dyn std::fmt::Display| AskError::Away(error.to_string());
    let url = server.join(path).map_err(|error| away(&error))?;
    let answer = client.post(url).json(body).send().await;
    let answer = answer.map_err(|error| AskError::Away(https::explained(&error, "https.ca_file")))?;
    if answer.status() == StatusCode::OK {
        return answer.json().await.map_err(|error| away(&error));
    }
    Err(refusal(answer).await)
}

async fn refusal(answer: Response) -> AskError {
    let status = answer.status();
    let problem: Option<Problem> = answer.json().await.ok();
    match problem {
        Some(problem) if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
            AskError::Refused {
                code: problem.code,
                title: problem.title,
            }
        }
        Some(problem) => AskError::Away(problem.title),
        None => AskError::Away(format!("it answered {status}: is it a control plane?")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address_and_nothing_more() {
        let url = address("https://cameras.example.org/panel?x=1#y").unwrap();
        assert_eq!(url.as_str(), "https://cameras.example.org/");
        for bad in ["cameras.example.org", "nats://h", "", "https://"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
