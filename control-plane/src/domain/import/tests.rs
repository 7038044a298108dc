//! Rows of an imported file.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

/// Line, field and code of each problem.
fn wrong(bytes: &[u8]) -> Vec<(u64, Option<String>, String)> {
    let problems = parse(bytes, false).problems.into_iter();
    problems.map(|one| (one.line, one.field, one.code)).collect()
}

fn one(line: u64, field: &str, code: &str) -> (u64, Option<String>, String) {
    let field = Some(field.to_owned()).filter(|field| !field.is_empty());
    (line, field, code.to_owned())
}

#[test]
fn every_column_is_taken() {
    let file = "\u{feff}Name, URL ,username,password,site,tags,group,time_zone,sub_url,transport,audio,recording,notes\r\n\
        \"Door, north\",rtsp://10.0.0.5/1,admin, p\"\"w ,Hall,North;indoor;, Yard ,europe/berlin,\
        rtsp://10.0.0.5/2,UDP,yes,0,\"two\r\nlines\"\r\n\
        \r\n\
        Gate,rtsp://a:b@10.0.0.6/,,,,,,,,,,,\r\n\
        ,,,,,,,,,,,,\r\n";
    let parsed = parse(file.as_bytes(), false);
    assert_eq!(parsed.problems, []);
    assert_eq!((parsed.rows, parsed.good.len()), (2, 2));
    let (door, gate) = (&parsed.good[0], &parsed.good[1]);
    assert_eq!(
        (door.line, gate.line),
        (2, 5),
        "a field of two lines, a blank one"
    );
    assert_eq!(door.checked.name, "Door, north");
    assert_eq!(door.checked.tags, ["north", "indoor"]);
    assert_eq!(door.group.as_deref(), Some("Yard"));
    assert_eq!(door.checked.time_zone, "Europe/Berlin");
    assert_eq!(door.checked.notes, "two\r\nlines");
    assert_eq!(
        (door.new.transport, door.new.audio, door.new.recording),
        (Transport::Udp, true, false)
    );
    assert_eq!(
        door.checked.credentials.as_ref().unwrap().password,
        " p\"\"w ",
        "a password is taken as it is"
    );
    assert_eq!(gate.checked.credentials.as_ref().unwrap().username, "a");
    assert_eq!(
        (gate.new.audio, gate.new.recording, &gate.group),
        (false, true, &None)
    );
    assert_eq!(gate.checked.time_zone, "UTC");
}

#[test]
fn lengths_are_taken_and_default_when_empty() {
    let file = "name,url,segment_s,object_s,copies\nx,rtsp://10.0.0.5/, 4 ,120,2\ny,rtsp://10.0.0.6/,,,\n";
    let parsed = parse(file.as_bytes(), false);
    assert_eq!(parsed.problems, []);
    let lengths = |row: &Row| (row.new.segment_s, row.new.object_s, row.new.copies);
    assert_eq!(lengths(&parsed.good[0]), (4, 120, 2));
    assert_eq!(lengths(&parsed.good[1]), (6, 60, 1));
}

#[rstest]
#[case::nothing(b"", one(1, "", "empty_file"))]
#[case::mark(b"\xef\xbb\xbf", one(1, "", "empty_file"))]
#[case::utf16(b"\xff\xfen\0a\0", one(1, "", "not_utf8"))]
#[case::latin1(b"name,url\nT\xfcr,rtsp://10.0.0.5/\n", one(2, "", "not_utf8"))]
#[case::semicolons(b"name;url;site\n", one(1, "", "wrong_separator"))]
#[case::tabs(b"url\tname\n", one(1, "", "wrong_separator"))]
#[case::missing(b"name,site\n", one(1, "url", "missing_column"))]
#[case::unknown(b"name,url,colour\n", one(1, "colour", "unknown_column"))]
#[case::twice(b"name,url,Name\n", one(1, "name", "duplicate_column"))]
#[case::short(b"name,url,site\nx,rtsp://10.0.0.5/\n", one(2, "", "wrong_field_count"))]
#[case::long(b"name,url\na,b,c\n", one(2, "", "wrong_field_count"))]
#[case::flag(
    b"name,url,audio\nx,rtsp://10.0.0.5/,loud\n",
    one(2, "audio", "invalid_field")
)]
#[case::transport(
    b"name,url,transport\nx,rtsp://10.0.0.5/,sctp\n",
    one(2, "transport", "invalid_field")
)]
#[case::copies(
    b"name,url,copies\nx,rtsp://10.0.0.5/,many\n",
    one(2, "copies", "invalid_field")
)]
#[case::segment(
    b"name,url,segment_s\nx,rtsp://10.0.0.5/,long\n",
    one(2, "segment_s", "invalid_field")
)]
#[case::object(
    b"name,url,object_s\nx,rtsp://10.0.0.5/,9999\n",
    one(2, "object_s", "invalid_field")
)]
#[case::field(b"name,url\n,rtsp://10.0.0.5/\n", one(2, "name", "invalid_field"))]
fn what_is_wrong_is_told(#[case] bytes: &[u8], #[case] expected: (u64, Option<String>, String)) {
    assert_eq!(wrong(bytes), [expected]);
}

#[test]
fn blank_cells_at_the_end_are_no_fields() {
    assert_eq!(wrong(b"name,url\nx,rtsp://10.0.0.5/,,\n"), []);
}

#[test]
fn every_bad_row_is_told_and_no_secret_is() {
    let file = "name,url,username,password\n\
        ,gopher://secret@x/,,secret\n\
        ok,rtsp://10.0.0.5/,,\n\
        x,rtsp://secret:secret@10.0.0.5:99999/,a:b,secret\n";
    assert_eq!(
        wrong(file.as_bytes()),
        [
            one(2, "name", "invalid_field"),
            one(2, "url", "invalid_field"),
            one(2, "username", "invalid_field"),
            one(4, "url", "invalid_field"),
            one(4, "username", "invalid_field"),
        ]
    );
    let parsed = parse(file.as_bytes(), false);
    assert_eq!((parsed.rows, parsed.good.len()), (3, 1));
    let headless = parse(b"Door,rtsp://admin:secret@10.0.0.5/,secret\n", false);
    for shown in [format!("{parsed:?}"), format!("{headless:?}")] {
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[test]
fn an_open_quote_is_found() {
    let found = wrong(b"name,url\n\"x,rtsp://10.0.0.5/\ny,rtsp://10.0.0.6/\n");
    assert_eq!(
        found,
        [one(2, "", "wrong_field_count"), one(2, "", "unbalanced_quotes")]
    );
}

#[test]
fn too_many_rows_end_the_reading() {
    let mut file = "name,url\n".to_owned();
    for row in 0..=ROWS_MAX {
        file.push_str(&format!("x,rtsp://10.0.0.5/{row}\n"));
    }
    assert_eq!(wrong(file.as_bytes()), [one(ROWS_MAX + 2, "", "too_many_rows")]);
}

proptest! {
    #[test]
    fn hostile_files_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[a,;\"\r\n ]{0,60}") {
        let _ = parse(&bytes, false);
        let parsed = parse(format!("name,url\n{text}").as_bytes(), false);
        let last = 2 + text.matches('\n').count() as u64;
        prop_assert!(parsed.problems.iter().all(|one| (1..=last).contains(&one.line)));
    }
}
