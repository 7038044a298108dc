//! Which of a camera's streams are taken.

use crate::facts::Failure;

/// A stream as the camera describes it; names in lower case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Described<'a> {
    pub(super) media: &'a str,
    pub(super) encoding: &'a str,
}

/// Positions of the streams that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) video: usize,
    pub(super) audio: Option<usize>,
}

/// The first video and, when wanted, the first sound that can be recorded.
///
/// # Errors
/// [`Failure::Unsupported`] without such a video stream. Sound in another codec is left out.
pub(super) fn choose(streams: &[Described<'_>], audio: bool) -> Result<Chosen, Failure> {
    let is_video = |s: &Described<'_>| s.media == "video" && matches!(s.encoding, "h264" | "h265");
    let is_audio =
        |s: &Described<'_>| s.media == "audio" && matches!(s.encoding, "mpeg4-generic" | "pcma" | "pcmu");
    let Some(video) = streams.iter().position(is_video) else {
        let found: Vec<_> = streams
            .iter()
            .map(|s| format!("{}/{}", s.media, s.encoding))
            .take(8)
            .collect();
        let found = if found.is_empty() {
            "nothing".to_owned()
        } else {
            found.join(", ")
        };
        return Err(Failure::Unsupported(format!(
            "neither H.264 nor H.265, but {found}"
        )));
    };
    let audio = if audio {
        streams.iter().position(is_audio)
    } else {
        None
    };
    Ok(Chosen { video, audio })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(text: &str) -> Described<'_> {
        let (media, encoding) = text.split_once('/').unwrap();
        Described { media, encoding }
    }

    #[test]
    fn takes_what_can_be_recorded() {
        let streams = [
            "application/vnd.onvif.metadata",
            "video/jpeg",
            "video/h265",
            "audio/g722",
            "audio/pcma",
        ];
        let streams = streams.map(described);
        assert_eq!(
            choose(&streams, true),
            Ok(Chosen {
                video: 2,
                audio: Some(4)
            })
        );
        assert_eq!(
            choose(&streams, false),
            Ok(Chosen {
                video: 2,
                audio: None
            })
        );
        assert!(
            matches!(choose(&streams[..2], true), Err(Failure::Unsupported(text)) if text.contains("jpeg"))
        );
        assert!(matches!(choose(&[], true), Err(Failure::Unsupported(text)) if text.contains("nothing")));
    }
}
