//! Where a soak's uploads go: they are read to their end and forgotten.

use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::{Context, Result};
use futures::StreamExt;
use tokio::task::JoinHandle;
use wire::ObjectId;

/// A running store.
pub(crate) struct Store {
    port: u16,
    server: JoinHandle<std::io::Result<()>>,
}

impl Drop for Store {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Store {
    /// Starts it on a free port of the loopback interface.
    pub(crate) fn start() -> Result<Self> {
        let app = || App::new().default_service(web::put().to(forget));
        let server = HttpServer::new(app)
            .workers(1)
            .disable_signals()
            .bind(("127.0.0.1", 0))
            .context("a port for uploads")?;
        let port = server.addrs().first().context("a port for uploads")?.port();
        Ok(Self {
            port,
            server: tokio::spawn(server.run()),
        })
    }

    /// Where an object is to be sent.
    pub(crate) fn url(&self, object: ObjectId) -> String {
        format!("http://127.0.0.1:{}/{object}", self.port)
    }
}

async fn forget(mut body: web::Payload) -> HttpResponse {
    while let Some(part) = body.next().await {
        if part.is_err() {
            return HttpResponse::BadRequest().finish();
        }
    }
    HttpResponse::Ok().finish()
}
