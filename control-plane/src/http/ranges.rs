//! Byte ranges (RFC 9110 §14): one range a request; what cannot be understood is ignored, as it says.

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_RANGES, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, RANGE};
use actix_web::{HttpResponse, HttpResponseBuilder};

/// Which part of a body is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// All of it.
    Whole,
    /// From this byte up to and including that one, or the end.
    From(u64, Option<u64>),
    /// This many bytes at the end.
    Last(u64),
}

impl Asked {
    /// What the headers ask for.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let header = headers.get(RANGE).and_then(|value| value.to_str().ok());
        header.and_then(parse).unwrap_or(Self::Whole)
    }

    /// First byte and length in a body of `size` bytes; none when there is no such part.
    #[must_use]
    pub fn part(self, size: u64) -> Option<(u64, u64)> {
        match self {
            Self::Whole => Some((0, size)),
            Self::From(first, _) if first >= size => None,
            Self::From(first, last) => {
                let end = last.map_or(size, |last| last.saturating_add(1).min(size));
                Some((first, end - first))
            }
            Self::Last(count) => (count > 0 && size > 0).then(|| {
                let length = count.min(size);
                (size - length, length)
            }),
        }
    }

    /// The head of an answer with that part of an MP4 file of `size` bytes.
    #[must_use]
    pub fn answer(self, size: u64, (first, length): (u64, u64)) -> HttpResponseBuilder {
        let mut answer = if self == Self::Whole {
            HttpResponse::Ok()
        } else {
            let last = (first + length).saturating_sub(1);
            let mut answer = HttpResponse::PartialContent();
            answer.insert_header((CONTENT_RANGE, format!("bytes {first}-{last}/{size}")));
            answer
        };
        answer
            .insert_header((ACCEPT_RANGES, "bytes"))
            .insert_header((CONTENT_TYPE, "video/mp4"));
        answer
    }
}

/// The answer to a range that a body of `size` bytes does not have.
#[must_use]
pub fn unsatisfiable(size: u64) -> HttpResponse {
    HttpResponse::build(StatusCode::RANGE_NOT_SATISFIABLE)
        .insert_header((CONTENT_RANGE, format!("bytes */{size}")))
        .finish()
}

fn parse(header: &str) -> Option<Asked> {
    let number = |text: &str| -> Option<u64> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match header.strip_prefix("bytes=")?.trim().split_once('-')? {
        ("", count) => number(count).map(Asked::Last),
        (first, "") => number(first).map(|first| Asked::From(first, None)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Asked::From(first, Some(last)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_rfc_9110_allows_and_ignores_the_rest() {
        for (header, size, part) in [
            ("bytes=0-9", 100, Some((0, 10))),
            ("bytes=90-200", 100, Some((90, 10))),
            ("bytes=90-", 100, Some((90, 10))),
            ("bytes=-5", 100, Some((95, 5))),
            ("bytes=-500", 100, Some((0, 100))),
            ("bytes=99-99999999999999999999999", 100, Some((99, 1))),
            ("bytes=100-", 100, None),
            ("bytes=99999999999999999999999-", 100, None),
            ("bytes=-0", 100, None),
            ("bytes=0-", 0, None),
        ] {
            let asked = parse(header);
            assert!(asked.is_some(), "{header}");
            assert_eq!(asked.and_then(|asked| asked.part(size)), part, "{header}");
        }
        for header in [
            "bytes=5-1",
            "bytes=0-1,3-4",
            "bytes=",
            "bytes=a-b",
            "bytes=-",
            "items=0-1",
            "bytes=+1-2",
            "",
        ] {
            assert_eq!(parse(header), None, "{header}");
        }
    }
}
