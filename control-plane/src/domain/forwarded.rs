//! For whom a proxy asks. A header that a stranger can write must not let them around limits, nor blame others
//! in the audit log: only what trusted proxies wrote counts.

use std::net::{IpAddr, SocketAddr};

use super::assign::Network;

/// Who asks: the peer, unless it is a trusted proxy. Each proxy appends who asked it to `X-Forwarded-For`, so
/// the list is read from its end, for as long as the one who wrote is trusted.
#[must_use]
pub fn client(peer: IpAddr, hops: &[&str], trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    for hop in hops.iter().rev() {
        if !is_trusted(client) {
            break;
        }
        // What is no address was not written by a proxy that knows whom it serves.
        let Some(before) = address(hop.trim()) else { break };
        client = before;
    }
    client
}

/// An address, perhaps with a port or in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let with_port = || text.parse().ok().map(|both: SocketAddr| both.ip());
    let address = bare.unwrap_or(text).parse().ok().or_else(with_port)?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::no_header("10.0.0.1", "", "10.0.0.1")]
    #[case::stranger("203.0.113.7", "198.51.100.1", "203.0.113.7")]
    #[case::one_proxy("10.0.0.1", "198.51.100.1", "198.51.100.1")]
    #[case::forged_before("10.0.0.1", "192.0.2.9, 198.51.100.1", "198.51.100.1")]
    #[case::two_proxies("10.0.0.1", "192.0.2.9, 198.51.100.1 ,10.0.0.2", "198.51.100.1")]
    #[case::all_trusted("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3")]
    #[case::junk("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1")]
    #[case::junk_behind_a_proxy("10.0.0.1", "<script>, 10.0.0.2", "10.0.0.2")]
    #[case::empty("10.0.0.1", "198.51.100.1,,", "10.0.0.1")]
    #[case::port("10.0.0.1", "198.51.100.1:4711", "198.51.100.1")]
    #[case::ipv6("10.0.0.1", "2001:db8::7", "2001:db8::7")]
    #[case::ipv6_port("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7")]
    #[case::brackets("10.0.0.1", "[2001:db8::7]", "2001:db8::7")]
    #[case::mapped("::ffff:10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1")]
    fn names_the_client(#[case] peer: &str, #[case] header: &str, #[case] expected: &str) {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let hops: Vec<&str> = header.split(',').filter(|_| !header.is_empty()).collect();
        let client = client(peer.parse().unwrap(), &hops, &trusted);
        assert_eq!(client, expected.parse::<IpAddr>().unwrap());
    }

    proptest::proptest! {
        #[test]
        fn who_is_not_trusted_is_not_believed(header in "\\PC{0,80}") {
            let hops: Vec<&str> = header.split(',').collect();
            let peer = IpAddr::from([203, 0, 113, 7]);
            proptest::prop_assert_eq!(client(peer, &hops, &["10.0.0.0/8".parse().unwrap()]), peer);
            let _ = client(IpAddr::from([10, 0, 0, 1]), &hops, &["0.0.0.0/0".parse().unwrap()]);
        }
    }
}
