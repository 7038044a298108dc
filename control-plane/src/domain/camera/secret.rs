//! Secrets in the path or the query of an address: they are refused, as addresses are shown and logged.
//!
//! Cameras that want them there get them all the same: [`PASSWORD_PLACE`] and [`USERNAME_PLACE`] stand in
//! the address, and the node fills them in with what is kept encrypted.

use percent_encoding::percent_decode_str;
use wire::source::{PASSWORD_PLACE, USERNAME_PLACE};

use super::{InvalidCamera, invalid};

/// The code of an address that holds a secret.
const SECRET_IN_ADDRESS: &str = "secret_in_address";

/// Path and query as they are kept, the places for user name and password in their own spelling.
///
/// # Errors
/// A sentence for field `url` when there is a secret inside.
pub(super) fn without(rest: &str) -> Result<String, InvalidCamera> {
    let kept = [USERNAME_PLACE, PASSWORD_PLACE]
        .into_iter()
        .fold(rest.to_owned(), |text, place| {
            text.replace(&escaped(place), place)
        });
    if is_secret(&percent_decode_str(&kept).decode_utf8_lossy()) {
        return Err(InvalidCamera {
            code: SECRET_IN_ADDRESS,
            ..invalid(
                "url",
                "the address holds a password: write {password} in its place, {username} in the user's, \
                 and enter both in their own fields",
            )
        });
    }
    Ok(kept)
}

/// A place as the URL standard escapes it in a path.
fn escaped(place: &str) -> String {
    place.replace('{', "%7B").replace('}', "%7D")
}

/// Whether something called like a password has a value, be it between `?` and `&` or in a path such as
/// `/user=admin_password=secret_channel=1`.
fn is_secret(text: &str) -> bool {
    text.match_indices('=').any(|(at, _)| {
        let (before, after) = text.split_at(at);
        let name = before
            .rsplit(|c: char| !c.is_ascii_alphabetic())
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let value = after.trim_start_matches('=');
        let is_empty = value.is_empty() || value.starts_with(['&', ';', '/', '?']);
        names_secret(&name) && !is_empty && !value.starts_with(PASSWORD_PLACE)
    })
}

fn names_secret(name: &str) -> bool {
    matches!(name, "pass" | "psw")
        || ["password", "passwd", "pwd", "token", "secret"]
            .iter()
            .any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::address;
    use super::*;

    #[rstest]
    #[case("/live?user=admin&password=planted")]
    #[case("/live?PWD=planted&channel=1")]
    #[case("/live?a=b;passwd=planted")]
    #[case("/live?access_token=planted")]
    #[case("/live?loginPassword=planted")]
    #[case("/live?pass%77ord=planted")]
    #[case("/live?password%3Dplanted")]
    #[case("/live?password==planted")]
    #[case("/live?password=&password=planted")]
    #[case("/user=admin_password=planted_channel=1_stream=0.sdp")]
    #[case("/user=admin&psw=planted&channel=1?real_stream")]
    fn secrets_are_refused_and_not_repeated(#[case] rest: &str) {
        let error = address(&format!("rtsp://10.0.0.5{rest}"), true).unwrap_err();
        assert_eq!((error.field, error.code), ("url", SECRET_IN_ADDRESS));
        assert!(!error.title.contains("planted"));
    }

    #[rstest]
    #[case("/live?channel=1&subtype=0")]
    #[case("/live?user=admin&password=&channel=1")]
    #[case("/live?password=")]
    #[case("/live?user={username}&password={password}")]
    #[case("/user={username}_password={password}_channel=1_stream=0.sdp")]
    #[case("/bypass=1/compass=2?passage=3")]
    #[case("/password/token")]
    fn other_addresses_are_kept(#[case] rest: &str) {
        let url = format!("rtsp://10.0.0.5{rest}");
        assert_eq!(address(&url, true).unwrap().url, url);
    }
}
