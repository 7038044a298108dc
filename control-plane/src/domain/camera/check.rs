//! All of what is said of a new camera, checked at once.

use wire::api::NewCamera;
use wire::source::Credentials;

use super::{
    InvalidCamera, address, copies, credentials, lengths, name, node_labels, notes, site, sub_address, tags,
    time_zone,
};

/// What a new camera is, as it is kept. Its `Debug` shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Its name.
    pub name: String,
    /// Address without credentials.
    pub url: String,
    /// Address of the sub stream, without credentials.
    pub sub_url: Option<String>,
    /// What opens both.
    pub credentials: Option<Credentials>,
    /// Where it is, in words.
    pub site: String,
    /// Its tags, in lower case.
    pub tags: Vec<String>,
    /// The labels that its nodes must have, in lower case.
    pub node_labels: Vec<String>,
    /// IANA time zone.
    pub time_zone: String,
    /// Anything else worth knowing.
    pub notes: String,
}

/// Checks every field.
///
/// # Errors
/// Each field that does not do, in the order of the fields; never empty.
pub fn check(new: &NewCamera, allow_loopback: bool) -> Result<Checked, Vec<InvalidCamera>> {
    let mut wrong = Vec::new();
    let name = kept(name(&new.name), &mut wrong);
    let main = kept(address(&new.url, allow_loopback), &mut wrong);
    let given = kept(
        credentials(new.username.clone(), new.password.clone()),
        &mut wrong,
    );
    let (url, inside) = main.map(|main| (main.url, main.credentials)).unzip();
    let before_sub = given.flatten().or(inside.flatten());
    let (sub_url, credentials) = match filled(new.sub_url.as_deref()) {
        None => (None, before_sub),
        Some(sub) => kept(sub_address(sub, allow_loopback, before_sub), &mut wrong)
            .map_or((None, None), |(url, credentials)| (Some(url), credentials)),
    };
    let site = kept(site(&new.site), &mut wrong);
    let tags = kept(tags(&new.tags), &mut wrong);
    let time_zone = kept(time_zone(&new.time_zone), &mut wrong);
    kept(lengths(new.segment_s, new.object_s), &mut wrong);
    kept(copies(new.copies), &mut wrong);
    let node_labels = kept(node_labels(&new.node_labels), &mut wrong);
    let notes = kept(notes(&new.notes), &mut wrong);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(Checked {
        name: name.unwrap_or_default(),
        url: url.unwrap_or_default(),
        sub_url,
        credentials,
        site: site.unwrap_or_default(),
        tags: tags.unwrap_or_default(),
        node_labels: node_labels.unwrap_or_default(),
        time_zone: time_zone.unwrap_or_default(),
        notes: notes.unwrap_or_default(),
    })
}

/// An optional text; the empty one is none.
#[must_use]
pub fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}

fn kept<T>(checked: Result<T, InvalidCamera>, wrong: &mut Vec<InvalidCamera>) -> Option<T> {
    checked.map_err(|error| wrong.push(error)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_named() {
        let wrong = NewCamera {
            url: "gopher://x/".to_owned(),
            sub_url: Some("x".to_owned()),
            password: Some("x".to_owned()),
            site: "a\0".to_owned(),
            tags: vec!["a b".to_owned()],
            time_zone: "x".to_owned(),
            segment_s: 1,
            notes: "\u{7}".to_owned(),
            ..NewCamera::default()
        };
        let fields: Vec<&str> = check(&wrong, false)
            .unwrap_err()
            .iter()
            .map(|e| e.field)
            .collect();
        assert_eq!(
            fields,
            [
                "name",
                "url",
                "username",
                "sub_url",
                "site",
                "tags",
                "time_zone",
                "segment_s",
                "notes"
            ]
        );
    }

    #[test]
    fn fields_win_over_what_is_inside_the_address() {
        let new = NewCamera {
            name: "x".to_owned(),
            url: "rtsp://a:b@10.0.0.5/".to_owned(),
            sub_url: Some(" ".to_owned()),
            username: Some("c".to_owned()),
            ..NewCamera::default()
        };
        let checked = check(&new, false).unwrap();
        assert_eq!(
            (checked.url.as_str(), checked.sub_url),
            ("rtsp://10.0.0.5/", None)
        );
        assert_eq!(checked.credentials.unwrap().username, "c");
    }
}
