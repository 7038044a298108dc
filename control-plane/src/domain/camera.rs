//! What a camera may be called and where it may be.
//!
//! A camera's address makes a recorder connect to it, so it is checked like any request that a server
//! makes for a stranger. Names are not resolved here: the node that connects sees another network.

mod address_key;
mod check;
mod details;
mod secret;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use percent_encoding::percent_decode_str;
use url::{Host, Url};
use wire::source::Credentials;

pub use address_key::{address_key, origin};
pub use check::{Checked, check, filled};
pub use details::{copies, lengths, node_labels, notes, site, tag, tags, time_zone};

const NAME_MAX: usize = 100;
const URL_MAX: usize = 2048;
const CREDENTIAL_MAX: usize = 256;

/// The code of a field that does not do.
pub const INVALID_FIELD: &str = "invalid_field";

/// A field that does not do, and a sentence that says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{title}")]
pub struct InvalidCamera {
    /// Which field.
    pub field: &'static str,
    /// Stable code.
    pub code: &'static str,
    /// A sentence for its author.
    pub title: String,
}

fn invalid(field: &'static str, title: impl Into<String>) -> InvalidCamera {
    InvalidCamera {
        field,
        code: INVALID_FIELD,
        title: title.into(),
    }
}

/// A checked address: what to connect to, apart from the secrets that were inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `rtsp://` or `rtsps://` without credentials; an IPv4 host in its usual form.
    pub url: String,
    /// The credentials that were inside.
    pub credentials: Option<Credentials>,
}

/// A name without the blanks around it: 1 to 100 characters, none of them invisible.
///
/// # Errors
/// A sentence for field `name`.
pub fn name(text: &str) -> Result<String, InvalidCamera> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > NAME_MAX {
        return Err(invalid("name", "a name has 1 to 100 characters"));
    }
    if text.chars().any(is_invisible) {
        return Err(invalid("name", "a name has no control characters"));
    }
    Ok(text.to_owned())
}

/// Control characters, line separators, and marks that reorder what is around them.
fn is_invisible(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Checks an address and takes the credentials out of it.
///
/// # Errors
/// A sentence for field `url`.
pub fn address(text: &str, allow_loopback: bool) -> Result<Address, InvalidCamera> {
    let bad = |title: &str| invalid("url", title);
    let text = text.trim();
    if text.len() > URL_MAX || text.chars().any(|c| c.is_whitespace() || is_invisible(c)) {
        return Err(bad("an address has at most 2048 characters, none of them blank"));
    }
    let url = Url::parse(text).map_err(|error| invalid("url", format!("not an address: {error}")))?;
    if !matches!(url.scheme(), "rtsp" | "rtsps") {
        return Err(bad("an address starts with rtsp:// or rtsps://"));
    }
    if url.fragment().is_some() {
        return Err(bad(
            "an address has no #; write %23 where a name or password has one",
        ));
    }
    if url.port() == Some(0) {
        return Err(bad("port 0 cannot be connected to"));
    }
    let host = host(&url, allow_loopback)?;
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
    let rest = secret::without(&format!("{}{query}", url.path()))?;
    Ok(Address {
        url: format!("{}://{host}{port}{rest}", url.scheme()),
        credentials: inside(&url)?,
    })
}

fn inside(url: &Url) -> Result<Option<Credentials>, InvalidCamera> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    let decode = |text: &str| {
        percent_decode_str(text)
            .decode_utf8()
            .map(String::from)
            .map_err(|_| invalid("url", "the user name or password in the address is not UTF-8"))
    };
    let username = decode(url.username())?;
    let password = decode(url.password().unwrap_or_default())?;
    credentials(Some(username), Some(password))
        .map_err(|error| invalid("url", format!("in the address: {}", error.title)))
}

/// Checks the address of a sub stream, and the credentials of the camera together with those inside it:
/// one login opens both streams.
///
/// # Errors
/// A sentence for field `sub_url`.
pub fn sub_address(
    text: &str,
    allow_loopback: bool,
    credentials: Option<Credentials>,
) -> Result<(String, Option<Credentials>), InvalidCamera> {
    let address = address(text, allow_loopback).map_err(|error| InvalidCamera {
        field: "sub_url",
        ..error
    })?;
    match (credentials, address.credentials) {
        (Some(given), Some(inside)) if given != inside => Err(invalid(
            "sub_url",
            "the sub stream is asked with the camera's user name and password: leave others out of its address",
        )),
        (given, inside) => Ok((address.url, given.or(inside))),
    }
}

/// Checks credentials given in fields; no user name, or an empty one, means none.
///
/// # Errors
/// A sentence for field `username` or `password`.
pub fn credentials(
    username: Option<String>,
    password: Option<String>,
) -> Result<Option<Credentials>, InvalidCamera> {
    let username = username.unwrap_or_default();
    let password = password.unwrap_or_default();
    if username.is_empty() {
        return if password.is_empty() {
            Ok(None)
        } else {
            Err(invalid("username", "a password needs a user name"))
        };
    }
    for (field, text) in [("username", &username), ("password", &password)] {
        if text.len() > CREDENTIAL_MAX || text.chars().any(char::is_control) {
            return Err(invalid(field, "at most 256 bytes and no control characters"));
        }
    }
    // Basic authentication cannot carry it (RFC 7617 §2).
    if username.contains(':') {
        return Err(invalid("username", "a user name has no colon"));
    }
    Ok(Some(Credentials { username, password }))
}

/// The host in its usual form, if a camera may be there.
///
/// For schemes that are not the web's, the URL standard leaves hosts as they are written, and resolvers
/// take `0xa9fea9fe` and `2852039166` for addresses. Reading the host once more as the web does
/// (WHATWG URL §3.5) finds every such spelling.
fn host(url: &Url, allow_loopback: bool) -> Result<String, InvalidCamera> {
    let bad = |title: &str| invalid("url", title);
    let text = url.host_str().unwrap_or_default();
    if text.is_empty() {
        return Err(bad("an address names a host"));
    }
    if text.contains('%') {
        return Err(bad("a host name is written without % and in ASCII"));
    }
    let web =
        Url::parse(&format!("http://{text}/")).map_err(|_| bad("the host is no name and no IP address"))?;
    let refused = |ip: IpAddr| -> Result<(), InvalidCamera> {
        match why_not(ip, allow_loopback) {
            Some(title) => Err(bad(title)),
            None => Ok(()),
        }
    };
    match web.host() {
        Some(Host::Ipv4(ip)) => refused(IpAddr::V4(ip))?,
        Some(Host::Ipv6(ip)) => refused(IpAddr::V6(ip))?,
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            if !allow_loopback && (name == "localhost" || name.ends_with(".localhost")) {
                return Err(bad("a camera is not on the recorder's own host"));
            }
        }
        None => return Err(bad("an address names a host")),
    }
    Ok(web.host_str().unwrap_or_default().to_owned())
}

/// Why no camera may be at `ip`.
fn why_not(ip: IpAddr, allow_loopback: bool) -> Option<&'static str> {
    let ip = match ip {
        IpAddr::V6(v6) => inner_v4(v6).map_or(ip, IpAddr::V4),
        v4 @ IpAddr::V4(_) => v4,
    };
    let link_local = match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        // fd00:ec2::254 is a cloud's metadata service.
        IpAddr::V6(v6) => {
            v6.segments()[0] & 0xffc0 == 0xfe80 || v6 == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)
        }
    };
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast() || v4.octets()[0] == 0);
    if link_local {
        Some("a camera is not at a link-local or metadata address")
    } else if ip.is_multicast() || ip.is_unspecified() || broadcast {
        Some("a camera has a single host's address")
    } else if ip.is_loopback() && !allow_loopback {
        Some("a camera is not on the recorder's own host")
    } else {
        None
    }
}

/// The IPv4 address inside an IPv6 one: mapped, compatible, NAT64 (RFC 6052) or 6to4 (RFC 3056).
fn inner_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = ip.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match s {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
