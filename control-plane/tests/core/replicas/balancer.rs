//! A simple balancer, as operators put before several servers: takes turns, leaves out who is not ready, and
//! asks another one when a server is gone.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, to};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use futures::stream;
use reqwest::{Client, Method, Response};
use tokio::task::JoinHandle;

/// Headers of requests that servers need.
const PASSED: [&str; 5] = [
    "authorization",
    "content-type",
    "if-match",
    "idempotency-key",
    "last-event-id",
];
/// Between two looks at who is ready.
const LOOK: Duration = Duration::from_millis(100);

pub(crate) struct Balancer {
    pub(crate) base: String,
    handle: ServerHandle,
    looking: JoinHandle<()>,
}

struct Servers {
    all: Vec<(String, AtomicBool)>,
    turn: AtomicUsize,
    client: Client,
}

impl Balancer {
    pub(crate) fn start(servers: &[SocketAddr]) -> Self {
        let all = servers.iter().map(|address| {
            let base = format!("http://{address}");
            (base, AtomicBool::new(true))
        });
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(1))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let servers = Arc::new(Servers {
            all: all.collect(),
            turn: AtomicUsize::new(0),
            client,
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let looking = tokio::spawn(look(Arc::clone(&servers)));
        let shared = Data::from(servers);
        let server = HttpServer::new(move || {
            let app = App::new().app_data(shared.clone());
            app.default_service(to(pass))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        Self {
            base,
            handle,
            looking,
        }
    }

    pub(crate) async fn stop(self) {
        self.looking.abort();
        self.handle.stop(false).await;
    }
}

async fn look(servers: Arc<Servers>) {
    loop {
        for (base, is_ready) in &servers.all {
            let asked = servers.client.get(format!("{base}/readyz"));
            let answer = asked.timeout(Duration::from_secs(2)).send().await;
            let ready = answer.is_ok_and(|answer| answer.status().is_success());
            is_ready.store(ready, Ordering::Relaxed);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Each server once, whose turn it is first, those that are not ready last.
fn order(servers: &Servers) -> Vec<&(String, AtomicBool)> {
    let turn = servers.turn.fetch_add(1, Ordering::Relaxed);
    let count = servers.all.len();
    let mut order: Vec<_> = (0..count)
        .map(|index| &servers.all[(turn + index) % count])
        .collect();
    order.sort_by_key(|(_, is_ready)| !is_ready.load(Ordering::Relaxed));
    order
}

async fn pass(request: HttpRequest, body: Bytes, servers: Data<Servers>) -> HttpResponse {
    let method: Method = request.method().as_str().parse().unwrap();
    // A PATCH of the tests sets fields to values: twice is the same as once.
    let may_be_repeated = method != Method::POST || request.headers().contains_key("idempotency-key");
    for (base, is_ready) in order(&servers) {
        let mut passed = servers
            .client
            .request(method.clone(), format!("{base}{}", request.uri()));
        for name in PASSED {
            if let Some(value) = request.headers().get(name) {
                passed = passed.header(name, value.as_bytes());
            }
        }
        let answer = match passed.body(body.to_vec()).send().await {
            Ok(answer) if is_endless(&answer) => return streamed(answer),
            Ok(answer) => {
                let status = answer.status().as_u16();
                answer.bytes().await.map(|body| (status, body))
            }
            Err(error) => Err(error),
        };
        match answer {
            Ok((status, body)) => {
                let status = StatusCode::from_u16(status).unwrap();
                return HttpResponse::build(status)
                    .content_type("application/json")
                    .body(body);
            }
            Err(error) => {
                is_ready.store(false, Ordering::Relaxed);
                if !may_be_repeated && !error.is_connect() {
                    break;
                }
            }
        }
    }
    HttpResponse::BadGateway().finish()
}

/// Whether an answer is passed on as it comes: who follows it comes back by itself.
fn is_endless(answer: &Response) -> bool {
    let kind = answer.headers().get("content-type");
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

fn streamed(answer: Response) -> HttpResponse {
    let pieces = stream::try_unfold(answer, async |mut answer| {
        let piece = answer.chunk().await?;
        Ok::<_, reqwest::Error>(piece.map(|piece| (piece, answer)))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .streaming(pieces)
}
