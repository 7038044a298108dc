//! A camera that we did not write: gst-rtsp-server, on a thread with a main loop of its own.

use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;

use gstreamer::glib;
use gstreamer_rtsp_server as server;
use server::prelude::*;

/// What the camera asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Auth {
    None,
    Basic,
    Digest,
}

/// The only user.
pub(crate) const USER: &str = "viewer";
/// Whose password holds what URLs must escape.
pub(crate) const PASSWORD: &str = "p@ss:w/ord#1";

/// A running camera with the path `/cam`.
pub(crate) struct Camera {
    pub(crate) port: u16,
    main: glib::MainLoop,
    thread: Option<JoinHandle<()>>,
}

impl Camera {
    /// Serves what a GStreamer description gives.
    pub(crate) fn start(launch: &str, auth: Auth) -> Self {
        Self::start_with(launch, auth, None)
    }

    /// The same over TLS.
    pub(crate) fn start_with(launch: &str, auth: Auth, certificate: Option<&Path>) -> Self {
        media_core::init().unwrap();
        let (launch, certificate) = (format!("( {launch} )"), certificate.map(Path::to_owned));
        let (sender, started) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let context = glib::MainContext::new();
            let main = glib::MainLoop::new(Some(&context), false);
            let camera = server::RTSPServer::new();
            camera.set_address("127.0.0.1");
            camera.set_service("0");
            let factory = server::RTSPMediaFactory::new();
            factory.set_launch(&launch);
            if auth != Auth::None || certificate.is_some() {
                camera.set_auth(Some(&guard(&factory, auth, certificate.as_deref())));
            }
            camera.mount_points().unwrap().add_factory("/cam", factory);
            camera.attach(Some(&context)).unwrap();
            sender.send((camera.bound_port() as u16, main.clone())).unwrap();
            main.run();
            camera.client_filter(Some(&mut |_, _| server::RTSPFilterResult::Remove));
        });
        let (port, main) = started.recv().unwrap();
        Self {
            port,
            main,
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/cam", self.port)
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.main.quit();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn guard(factory: &server::RTSPMediaFactory, auth: Auth, certificate: Option<&Path>) -> server::RTSPAuth {
    let guard = server::RTSPAuth::new();
    let role = if auth == Auth::None { "anonymous" } else { "user" };
    let permissions = gstreamer::Structure::builder(role)
        .field("media.factory.access", true)
        .field("media.factory.construct", true)
        .build();
    factory.add_role_from_structure(&permissions);
    let token = server::RTSPToken::builder()
        .field("media.factory.role", role)
        .build();
    match auth {
        Auth::None => guard.set_default_token(Some(&mut token.clone())),
        Auth::Basic => guard.add_basic(&server::RTSPAuth::make_basic(USER, PASSWORD), &token),
        Auth::Digest => {
            guard.set_supported_methods(gstreamer_rtsp::RTSPAuthMethod::Digest);
            guard.add_digest(USER, PASSWORD, &token);
        }
    }
    if let Some(pem) = certificate {
        let certificate = server::gio::TlsCertificate::from_file(pem).unwrap();
        guard.set_tls_certificate(Some(&certificate));
    }
    guard
}
