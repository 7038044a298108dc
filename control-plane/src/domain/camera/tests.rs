//! Names and addresses of cameras: what is taken, and how it is tidied.

use rstest::rstest;

use super::*;

#[rstest]
#[case("rtsp://10.0.0.5/stream1", "rtsp://10.0.0.5/stream1")]
#[case("  rtsps://cam.example:322/a?b=c  ", "rtsps://cam.example:322/a?b=c")]
#[case("RTSP://CAM.example/Path", "rtsp://cam.example/Path")]
#[case("rtsp://127.0.0.1:8554/cam/0", "rtsp://127.0.0.1:8554/cam/0")]
#[case("rtsp://[2001:db8::7]:554/x", "rtsp://[2001:db8::7]:554/x")]
#[case("rtsp://0x0a000005/", "rtsp://10.0.0.5/")]
#[case("rtsp://cam_1.lan", "rtsp://cam_1.lan")]
fn takes_addresses(#[case] text: &str, #[case] url: &str) {
    let address = address(text, true).unwrap();
    assert_eq!((address.url.as_str(), address.credentials), (url, None));
}

#[rstest]
#[case("rtsp://admin:secret@10.0.0.5/s", "admin", "secret")]
#[case("rtsp://a%40b:p%3Aw%2F%23%40@10.0.0.5/s", "a@b", "p:w/#@")]
#[case("rtsp://admin:p@ss@10.0.0.5/s", "admin", "p@ss")]
#[case("rtsp://admin@10.0.0.5/s", "admin", "")]
#[case("rtsp://admin:%C3%A4+%20@10.0.0.5/s", "admin", "ä+ ")]
fn takes_credentials_out(#[case] text: &str, #[case] username: &str, #[case] password: &str) {
    let address = address(text, true).unwrap();
    assert_eq!(address.url, "rtsp://10.0.0.5/s");
    let expected = Credentials {
        username: username.to_owned(),
        password: password.to_owned(),
    };
    assert!(address.credentials == Some(expected));
}

#[rstest]
#[case::empty("")]
#[case::word("camera")]
#[case::file("file:///etc/passwd")]
#[case::http("http://10.0.0.5/")]
#[case::gopher("gopher://10.0.0.5/")]
#[case::no_host("rtsp:///stream")]
#[case::opaque("rtsp:10.0.0.5")]
#[case::port("rtsp://10.0.0.5:99999/")]
#[case::port_zero("rtsp://10.0.0.5:0/")]
#[case::fragment("rtsp://10.0.0.5/#x")]
#[case::blank("rtsp://10.0.0.5/a b")]
#[case::line("rtsp://10.0.0.5/a\r\nTEARDOWN")]
#[case::metadata("rtsp://169.254.169.254/latest/meta-data")]
#[case::metadata_dot("rtsp://169.254.169.254./")]
#[case::decimal("rtsp://2852039166/")]
#[case::hexadecimal("rtsp://0xa9fea9fe/")]
#[case::hexadecimal_parts("rtsp://0xA9.0xFE.0xA9.0xFE/")]
#[case::octal("rtsp://0251.0376.0251.0376/")]
#[case::short("rtsp://169.254.43518/")]
#[case::percent("rtsp://%31%36%39.254.169.254/")]
#[case::full_width("rtsp://１６９.254.169.254/")]
#[case::link_local("rtsp://169.254.0.1/")]
#[case::mapped("rtsp://[::ffff:169.254.169.254]/")]
#[case::mapped_hexadecimal("rtsp://[::ffff:a9fe:a9fe]/")]
#[case::compatible("rtsp://[::169.254.169.254]/")]
#[case::nat64("rtsp://[64:ff9b::a9fe:a9fe]/")]
#[case::six_to_four("rtsp://[2002:a9fe:a9fe::1]/")]
#[case::link_local_6("rtsp://[fe80::1]/")]
#[case::metadata_6("rtsp://[fd00:ec2::254]/")]
#[case::multicast("rtsp://224.0.0.1/")]
#[case::multicast_6("rtsp://[ff02::1]/")]
#[case::unspecified("rtsp://0.0.0.0/")]
#[case::unspecified_short("rtsp://0/")]
#[case::unspecified_6("rtsp://[::]/")]
#[case::broadcast("rtsp://255.255.255.255/")]
#[case::bad_octets("rtsp://1.2.3.400/")]
#[case::line_in_password("rtsp://a:b%0d%0a@10.0.0.5/")]
#[case::not_utf8("rtsp://a:%ff@10.0.0.5/")]
#[case::lone_password("rtsp://:secret@10.0.0.5/")]
fn refuses(#[case] text: &str) {
    let error = address(text, true).unwrap_err();
    assert_eq!(error.field, "url");
    assert!(!error.title.is_empty());
}

#[rstest]
#[case("rtsp://127.0.0.1/")]
#[case("rtsp://127.1/")]
#[case("rtsp://2130706433/")]
#[case("rtsp://[::1]/")]
#[case("rtsp://[::ffff:7f00:1]/")]
#[case("rtsp://localhost/")]
#[case("rtsp://LOCALHOST./")]
#[case("rtsp://x.localhost/")]
fn loopback_only_where_allowed(#[case] text: &str) {
    assert!(address(text, true).is_ok());
    assert!(address(text, false).is_err());
}

#[test]
fn names() {
    assert_eq!(name("  Front door ").unwrap(), "Front door");
    assert_eq!(name(&"é".repeat(100)).unwrap().chars().count(), 100);
    for bad in ["", "   ", &"x".repeat(101), "a\nb", "a\0b", "a\u{202e}b"] {
        assert_eq!(name(bad).unwrap_err().field, "name", "{bad:?}");
    }
}

#[test]
fn credential_fields() {
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(credentials(None, None).unwrap(), None);
    assert_eq!(credentials(some(""), some("")).unwrap(), None);
    assert!(credentials(some("admin"), None).unwrap().is_some());
    for (username, password, field) in [
        (None, some("x"), "username"),
        (some("a:b"), some("x"), "username"),
        (some("a\r\n"), some("x"), "username"),
        (some("a"), some("x\n"), "password"),
        (some("a"), some(&"x".repeat(257)), "password"),
    ] {
        assert_eq!(credentials(username, password).unwrap_err().field, field);
    }
}

#[test]
fn one_login_opens_both_streams() {
    let sub = |text: &str, given| sub_address(text, true, given);
    let some = |name: &str, word: &str| {
        Some(Credentials {
            username: name.to_owned(),
            password: word.to_owned(),
        })
    };
    let url = "rtsp://10.0.0.5/s2".to_owned();
    assert!(sub("rtsp://10.0.0.5/s2", None).unwrap() == (url.clone(), None));
    assert!(sub("rtsp://a:b@10.0.0.5/s2", None).unwrap() == (url.clone(), some("a", "b")));
    assert!(sub("rtsp://a:b@10.0.0.5/s2", some("a", "b")).unwrap() == (url, some("a", "b")));
    for (text, given) in [("rtsp://a:b@10.0.0.5/s2", some("a", "c")), ("gopher://x/", None)] {
        assert_eq!(sub(text, given).unwrap_err().field, "sub_url", "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn hostile_text_never_panics(text in "\\PC{0,60}") {
        let _ = address(&text, false);
        let _ = address(&format!("rtsp://{text}"), false);
        let _ = name(&text);
    }
}
