//! The load: requests on kept connections, answers read and thrown away, the time of each.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::stream::{FuturesUnordered, StreamExt, TryStreamExt};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::seed;

/// Milliseconds of each request.
pub(crate) type Times = Vec<f64>;

/// Sends a request and reads the answer to its end.
async fn finish(request: RequestBuilder) -> Result<()> {
    let mut answer = request.send().await?;
    let status = answer.status();
    if !status.is_success() {
        bail!("{status}: {}", answer.text().await.unwrap_or_default());
    }
    while answer.chunk().await?.is_some() {}
    Ok(())
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// Signs in as the administrator of organization `number`; the access token.
pub(crate) async fn sign_in(client: &Client, base: &str, number: usize, password: &str) -> Result<String> {
    let body = json!({"login": seed::login(number), "password": password});
    let answer = client
        .post(format!("{base}/api/v1/session"))
        .json(&body)
        .send()
        .await?;
    let status = answer.status();
    let text = answer.text().await?;
    if !status.is_success() {
        bail!("signing in: {status}: {text}");
    }
    let session: Value = serde_json::from_str(&text)?;
    let token = session.get("access_token").and_then(Value::as_str);
    Ok(token.context("a session without a token")?.to_owned())
}

/// `count` sign-ins, two at a time, each as somebody else, from an address for every 20 of them: the server
/// limits attempts by address.
pub(crate) async fn sign_ins(
    base: &str,
    count: usize,
    organizations: usize,
    password: &str,
) -> Result<Times> {
    let clients: Vec<Client> = (0..count.div_ceil(20))
        .map(|index| {
            let host = u8::try_from(index % 250)? + 1;
            let address = IpAddr::V4(Ipv4Addr::new(127, 0, 1, host));
            Ok(Client::builder().local_address(address).build()?)
        })
        .collect::<Result<_>>()?;
    let clients = &clients;
    futures::stream::iter(0..count)
        .map(|index| async move {
            let begun = Instant::now();
            sign_in(&clients[index / 20], base, 1 + index % organizations, password).await?;
            Ok(milliseconds(begun))
        })
        .buffer_unordered(2)
        .try_collect()
        .await
}

/// Asks at a steady rate whether answers came or not, so that waiting in line counts: times are from when a
/// request was due.
pub(crate) async fn steadily(request: RequestBuilder, rate: u32, length: Duration) -> Result<Times> {
    let begun = Instant::now();
    let mut running = FuturesUnordered::new();
    let mut times = Times::new();
    let gap = Duration::from_secs(1) / rate;
    for number in 0.. {
        let due = begun + gap * number;
        if due > begun + length {
            break;
        }
        let request = request.try_clone().context("a request with a body to copy")?;
        running.push(async move {
            tokio::time::sleep_until(due).await;
            finish(request).await?;
            Ok::<_, anyhow::Error>(milliseconds(due))
        });
    }
    while let Some(time) = running.try_next().await? {
        times.push(time);
    }
    Ok(times)
}

/// The same request again and again, `width` at a time.
pub(crate) async fn flat_out(request: RequestBuilder, width: u32, length: Duration) -> Result<Times> {
    workers(width, length, |_| {
        request.try_clone().context("a request with a body to copy")
    })
    .await
}

/// Changes the notes of one camera after the other, `width` at a time.
pub(crate) async fn edits(
    client: &Client,
    base: &str,
    token: &str,
    cameras: u32,
    (width, length): (u32, Duration),
) -> Result<Times> {
    workers(width, length, |number| {
        let camera = seed::camera(1 + number % cameras)?;
        let body = json!({"notes": format!("Looked at {number} times.")});
        let url = format!("{base}/api/v1/cameras/{camera}");
        Ok(client.patch(url).bearer_auth(token).json(&body))
    })
    .await
}

async fn workers(
    width: u32,
    length: Duration,
    request: impl Fn(u32) -> Result<RequestBuilder>,
) -> Result<Times> {
    let end = Instant::now() + length;
    let next = Arc::new(AtomicU32::new(0));
    let (request, next) = (&request, &next);
    let workers = (0..width).map(|_| async move {
        let mut times = Times::new();
        while Instant::now() < end {
            let begun = Instant::now();
            finish(request(next.fetch_add(1, Ordering::Relaxed))?).await?;
            times.push(milliseconds(begun));
        }
        Ok::<_, anyhow::Error>(times)
    });
    Ok(futures::future::try_join_all(workers).await?.concat())
}
