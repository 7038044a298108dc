//! One spelling of where a camera is: two cameras with the same key are the same camera.
//!
//! Only compared, never connected to. Scheme and credentials are not part of it: the same stream can be
//! reached with and without TLS, and as anybody.

use std::net::IpAddr;

use sha2::{Digest, Sha256};
use url::{Host, Url};

use super::inner_v4;

/// A longer key is replaced by its digest, so that it fits into an index.
const KEY_MAX: usize = 512;

/// The key of an address that [`super::address`] took: host, port, path and query in one spelling.
#[must_use]
pub fn address_key(url: &str) -> String {
    let Ok(parsed) = Url::parse(url) else {
        return shortened(url.to_owned());
    };
    let port = port(&parsed);
    let path = match parsed.path() {
        "" => "/",
        path => path,
    };
    let query = parsed.query().filter(|query| !query.is_empty());
    let query = query.map_or_else(String::new, |query| format!("?{}", decoded(query)));
    let host = host(parsed.host_str().unwrap_or_default());
    shortened(format!("{host}:{port}{}{query}", decoded(path)))
}

/// Who is asked at an address that [`super::address`] took: scheme, host and port in one spelling. What is
/// told to one is not for another.
#[must_use]
pub fn origin(url: &str) -> String {
    match Url::parse(url) {
        Ok(parsed) => {
            let host = host(parsed.host_str().unwrap_or_default());
            format!("{}://{host}:{}", parsed.scheme(), port(&parsed))
        }
        Err(_) => url.to_owned(),
    }
}

fn port(url: &Url) -> u16 {
    url.port().unwrap_or(match url.scheme() {
        "rtsps" => 322,
        _ => 554,
    })
}

fn host(text: &str) -> String {
    let web = Url::parse(&format!("http://{text}/"));
    match web.as_ref().ok().and_then(Url::host) {
        Some(Host::Ipv4(ip)) => ip.to_string(),
        Some(Host::Ipv6(ip)) => match inner_v4(ip) {
            Some(v4) => v4.to_string(),
            None => format!("[{}]", IpAddr::V6(ip)),
        },
        Some(Host::Domain(name)) => name.trim_end_matches('.').to_ascii_lowercase(),
        None => text.to_ascii_lowercase(),
    }
}

/// With every needless escape undone and every needed one in upper case (RFC 3986 §6.2.2).
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut rest = text.char_indices();
    while let Some((at, c)) = rest.next() {
        let escaped = bytes
            .get(at + 1..at + 3)
            .filter(|_| c == '%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    out.push(char::from(byte));
                } else {
                    out.push_str(&format!("%{byte:02X}"));
                }
                rest.nth(1);
            }
            None => out.push(c),
        }
    }
    out
}

fn shortened(key: String) -> String {
    if key.len() <= KEY_MAX {
        key
    } else {
        format!("sha256:{}", hex::encode(Sha256::digest(key)))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::address;
    use super::*;

    fn key(text: &str) -> String {
        address_key(&address(text, true).unwrap().url)
    }

    #[rstest]
    #[case::port("rtsp://10.0.0.5/s1", "rtsp://10.0.0.5:554/s1")]
    #[case::tls_port("rtsps://10.0.0.5/s1", "rtsps://10.0.0.5:322/s1")]
    #[case::scheme("rtsp://10.0.0.5:322/s1", "rtsps://10.0.0.5/s1")]
    #[case::credentials("rtsp://a:b@10.0.0.5/s1", "rtsp://10.0.0.5/s1")]
    #[case::case("rtsp://CAM.Example/s1", "RTSP://cam.example/s1")]
    #[case::dot("rtsp://cam.example./s1", "rtsp://cam.example/s1")]
    #[case::ipv4("rtsp://0x0a000005/s1", "rtsp://10.0.0.5/s1")]
    #[case::ipv6("rtsp://[2001:DB8:0:0::7]/s1", "rtsp://[2001:db8::7]/s1")]
    #[case::mapped("rtsp://[::ffff:10.0.0.5]/s1", "rtsp://10.0.0.5/s1")]
    #[case::escapes("rtsp://10.0.0.5/%73%31%2fa?u=%7Ex", "rtsp://10.0.0.5/s1%2Fa?u=~x")]
    #[case::unicode("rtsp://10.0.0.5/tür", "rtsp://10.0.0.5/t%c3%bcr")]
    #[case::root("rtsp://10.0.0.5", "rtsp://10.0.0.5/")]
    #[case::empty_query("rtsp://10.0.0.5/a?", "rtsp://10.0.0.5/a")]
    #[case::dots("rtsp://10.0.0.5/x/../a", "rtsp://10.0.0.5/a")]
    fn the_same_camera(#[case] one: &str, #[case] other: &str) {
        assert_eq!(key(one), key(other));
    }

    #[rstest]
    #[case::host("rtsp://10.0.0.5/a", "rtsp://10.0.0.6/a")]
    #[case::port("rtsp://10.0.0.5:8554/a", "rtsp://10.0.0.5/a")]
    #[case::path("rtsp://10.0.0.5/a", "rtsp://10.0.0.5/A")]
    #[case::slash("rtsp://10.0.0.5/a", "rtsp://10.0.0.5/a/")]
    #[case::escaped_slash("rtsp://10.0.0.5/a/b", "rtsp://10.0.0.5/a%2Fb")]
    #[case::query("rtsp://10.0.0.5/a?channel=1", "rtsp://10.0.0.5/a?channel=2")]
    #[case::ipv6("rtsp://[2001:db8::7]/", "rtsp://[2001:db8::8]/")]
    fn another_camera(#[case] one: &str, #[case] other: &str) {
        assert_ne!(key(one), key(other));
    }

    #[rstest]
    #[case::path("rtsp://10.0.0.5/a?b=c", "rtsp://10.0.0.5:554/d", true)]
    #[case::case("rtsps://CAM.example./", "rtsps://cam.example:322/", true)]
    #[case::host("rtsp://10.0.0.5/a", "rtsp://10.0.0.6/a", false)]
    #[case::port("rtsp://10.0.0.5/a", "rtsp://10.0.0.5:555/a", false)]
    #[case::scheme("rtsps://10.0.0.5:554/a", "rtsp://10.0.0.5:554/a", false)]
    fn who_is_asked(#[case] one: &str, #[case] other: &str, #[case] same: bool) {
        let origin = |text: &str| origin(&address(text, true).unwrap().url);
        assert_eq!(origin(one) == origin(other), same);
    }

    #[test]
    fn long_keys_stay_short_and_apart() {
        let long = |last: char| key(&format!("rtsp://10.0.0.5/{}{last}", "é".repeat(600)));
        assert!(long('a').len() <= KEY_MAX);
        assert_ne!(long('a'), long('b'));
    }

    proptest::proptest! {
        #[test]
        fn hostile_text_never_panics(text in "\\PC{0,60}") {
            let _ = address_key(&text);
            let key = address_key(&format!("rtsp://10.0.0.5/{text}"));
            proptest::prop_assert!(key.len() <= KEY_MAX);
        }
    }
}
