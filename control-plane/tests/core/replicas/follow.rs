//! Somebody who follows the facts through the balancer, and goes on at another server when one is gone.

use std::time::Duration;

use reqwest::{Client, Response};
use tokio::sync::watch;

/// A server that is gone may be found out by asking it.
const AGAIN: Duration = Duration::from_millis(100);

/// What a follower has seen.
#[derive(Debug, Default, Clone)]
pub(crate) struct Followed {
    /// The numbers of the facts, as they came.
    pub(crate) facts: Vec<i64>,
    /// What should never come: that something was missed, or that the token is over.
    pub(crate) complaints: Vec<String>,
    /// How often it began again after the last number.
    pub(crate) resumed: usize,
}

/// Follows from the first fact on, until it is dropped.
pub(crate) async fn follow(base: &str, token: &str, seen: watch::Sender<Followed>) {
    let (http, mut last) = (Client::new(), None);
    loop {
        let mut request = http
            .get(format!("{base}/api/v1/events?after=0"))
            .bearer_auth(token);
        if let Some(last) = &last {
            request = request.header("Last-Event-ID", last);
        }
        // A server notices late that somebody went, and says that there are too many.
        match request.send().await {
            Ok(answer) if answer.status().is_success() => {
                if last.is_some() {
                    seen.send_modify(|seen| seen.resumed += 1);
                }
                read(answer, &mut last, &seen).await;
            }
            _ => tokio::time::sleep(AGAIN).await,
        }
    }
}

/// Reads until the answer ends or breaks off.
async fn read(mut answer: Response, last: &mut Option<String>, seen: &watch::Sender<Followed>) {
    let mut text = String::new();
    while let Ok(Some(piece)) = answer.chunk().await {
        text.push_str(std::str::from_utf8(&piece).unwrap());
        // What is not whole is not dispatched (WHATWG HTML §9.2.6).
        while let Some(end) = text.find("\n\n") {
            let block: String = text.drain(..end + 2).collect();
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
            if let Some(id) = field("id: ") {
                *last = Some(id.to_owned());
            }
            match field("event: ") {
                Some("reset" | "end") => seen.send_modify(|seen| seen.complaints.push(block.clone())),
                Some(_) => {
                    let id = last.as_ref().unwrap().parse().unwrap();
                    seen.send_modify(|seen| seen.facts.push(id));
                }
                None => {}
            }
        }
    }
}
