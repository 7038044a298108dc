//! The web interface, embedded at build time: the panel at `/`, the player at `/player/`.

use actix_web::http::Method;
use actix_web::http::header::ACCEPT_ENCODING;
use actix_web::{HttpRequest, HttpResponse};

use crate::Error;

/// An embedded file, and its compressed forms.
struct Embedded {
    path: &'static str,
    plain: &'static [u8],
    br: Option<&'static [u8]>,
    gz: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Nothing inline, nothing from elsewhere; `wasm-unsafe-eval` lets WebAssembly compile.
const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; worker-src 'self'; \
    font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>CloudCam</title>\
    <h1>The web interface is not in this build</h1>\
    <p>Run <code>cargo xtask ui</code> and build the server again. The API is at <code>/api/v1</code>.</p></html>\n";

/// What answers every path that no other route takes.
///
/// # Errors
/// [`Error::NotFound`] for what is not embedded.
pub async fn serve(request: HttpRequest) -> Result<HttpResponse, Error> {
    let path = request.path();
    if is_other(path) {
        return Err(Error::not_found("page"));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(HttpResponse::MethodNotAllowed()
            .insert_header(("Allow", "GET, HEAD"))
            .finish());
    }
    if path == "/player" {
        return Ok(HttpResponse::PermanentRedirect()
            .insert_header(("Location", "/player/"))
            .finish());
    }
    let accepted = request
        .headers()
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    let name = path.trim_start_matches('/');
    if let Some(file) = find(name) {
        return Ok(answer(file, accepted.unwrap_or_default()));
    }
    if name.rsplit('/').next().is_some_and(|last| last.contains('.')) {
        return Err(Error::not_found("page"));
    }
    // Pages of the single-page applications are routed in the browser.
    let index = if path.starts_with("/player/") {
        "player/index.html"
    } else {
        "index.html"
    };
    Ok(find(index).map_or_else(not_built, |file| answer(file, accepted.unwrap_or_default())))
}

/// Paths that belong to programs: they never get a page.
fn is_other(path: &str) -> bool {
    ["/api/", "/player-api/", "/playlist/", "/footage/", "/objects/"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
}

fn find(name: &str) -> Option<&'static Embedded> {
    FILES.iter().find(|file| file.path == name)
}

fn answer(file: &'static Embedded, accepted: &str) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header(("Content-Type", content_type(file.path)));
    answer.insert_header(("Vary", "Accept-Encoding"));
    let caching = if is_hashed(file.path) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    answer.insert_header(("Cache-Control", caching));
    if file.path.ends_with(".html") {
        guard(&mut answer);
    }
    match (file.br, file.gz) {
        (Some(br), _) if accepts(accepted, "br") => answer.insert_header(("Content-Encoding", "br")).body(br),
        (_, Some(gz)) if accepts(accepted, "gzip") => {
            answer.insert_header(("Content-Encoding", "gzip")).body(gz)
        }
        _ => answer.body(file.plain),
    }
}

fn not_built() -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    guard(&mut answer);
    answer
        .insert_header(("Content-Type", "text/html; charset=utf-8"))
        .insert_header(("Cache-Control", "no-store"))
        .body(NOT_BUILT)
}

pub(super) fn guard(answer: &mut actix_web::HttpResponseBuilder) {
    answer
        .insert_header(("Content-Security-Policy", CSP))
        .insert_header(("Referrer-Policy", "no-referrer"))
        .insert_header(("Cross-Origin-Opener-Policy", "same-origin"));
}

/// Whether an `Accept-Encoding` takes `wanted` (RFC 9110 §12.5.3); `q=0` refuses it.
fn accepts(header: &str, wanted: &str) -> bool {
    header.split(',').any(|part| {
        let (name, weight) = part.split_once(';').unwrap_or((part, ""));
        let refused = weight
            .trim()
            .strip_prefix("q=")
            .is_some_and(|q| q.trim().parse() == Ok(0.0_f32));
        name.trim().eq_ignore_ascii_case(wanted) && !refused
    })
}

/// Whether the name holds a digest, so that its content never changes.
fn is_hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split(['.', '-', '_']).any(|part| {
        part.len() >= 8
            && part.bytes().all(|b| b.is_ascii_hexdigit())
            && part.bytes().any(|b| b.is_ascii_digit())
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_accepted_encodings() {
        assert!(accepts("gzip, deflate, br", "br"));
        assert!(accepts("br;q=0.5", "br"));
        assert!(!accepts("br;q=0, gzip", "br"));
        assert!(!accepts("", "gzip"));
    }

    #[test]
    fn only_hashed_names_are_immutable() {
        assert!(is_hashed("player/player-0123456789abcdef_bg.wasm"));
        assert!(is_hashed("app.8f3a2b1c.css"));
        for name in ["index.html", "player/index.html", "favicon.ico", "deadbeef.js"] {
            assert!(!is_hashed(name), "{name}");
        }
    }
}
