//! Byte ranges of objects in the spool, growing or sealed.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

use wire::bus::{READ_MAX_BYTES, ReadReply, ReadRequest, ReplyCode, ReplyError};

use super::Layout;

/// Reads a range; fewer bytes than asked for mean the present end of the object.
///
/// # Errors
/// What the asker can do about it; texts name no path.
pub fn read(layout: &Layout, request: &ReadRequest) -> Result<(ReadReply, Vec<u8>), ReplyError> {
    if request.length == 0 || request.length > READ_MAX_BYTES {
        let detail = format!("the length must be between 1 and {READ_MAX_BYTES} bytes");
        return Err(ReplyError {
            code: ReplyCode::Invalid,
            detail,
        });
    }
    let mut file = open(layout, request).map_err(|error| refuse(&error))?;
    let size = file.metadata().map_err(|error| refuse(&error))?.len();
    let mut bytes = Vec::new();
    if request.offset < size {
        file.seek(SeekFrom::Start(request.offset))
            .map_err(|error| refuse(&error))?;
        file.take(u64::from(request.length))
            .read_to_end(&mut bytes)
            .map_err(|error| refuse(&error))?;
    }
    Ok((ReadReply { size }, bytes))
}

fn open(layout: &Layout, request: &ReadRequest) -> io::Result<File> {
    let sealed = layout.sealed(request.camera, request.object);
    // It may be sealed between the first two looks.
    for path in [&sealed, &layout.part(request.camera, request.object), &sealed] {
        match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            other => return other,
        }
    }
    Err(ErrorKind::NotFound.into())
}

fn refuse(error: &io::Error) -> ReplyError {
    let (code, detail) = match error.kind() {
        ErrorKind::NotFound => (ReplyCode::NotFound, "the node does not have this object"),
        _ => (ReplyCode::Unavailable, "the node cannot read this object now"),
    };
    ReplyError {
        code,
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use wire::{CameraId, ObjectId};

    use super::*;

    #[test]
    fn reads_growing_and_sealed_objects_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::create(dir.path()).unwrap();
        let (camera, object) = (CameraId::generate(), ObjectId::generate());
        std::fs::create_dir_all(layout.camera(camera)).unwrap();
        let ask = |object, offset, length| {
            read(
                &layout,
                &ReadRequest {
                    object,
                    camera,
                    offset,
                    length,
                },
            )
        };
        assert_eq!(ask(object, 0, 4).unwrap_err().code, ReplyCode::NotFound);
        std::fs::write(layout.part(camera, object), b"0123456789").unwrap();
        assert_eq!(
            ask(object, 2, 3).unwrap(),
            (ReadReply { size: 10 }, b"234".to_vec())
        );
        std::fs::rename(layout.part(camera, object), layout.sealed(camera, object)).unwrap();
        assert_eq!(ask(object, 8, 100).unwrap().1, b"89".to_vec());
        assert_eq!(ask(object, u64::MAX, 1).unwrap().1, Vec::<u8>::new());
        for length in [0, READ_MAX_BYTES + 1, u32::MAX] {
            assert_eq!(ask(object, 0, length).unwrap_err().code, ReplyCode::Invalid);
        }
        let other = CameraId::generate();
        let foreign = ReadRequest {
            object,
            camera: other,
            offset: 0,
            length: 1,
        };
        assert_eq!(read(&layout, &foreign).unwrap_err().code, ReplyCode::NotFound);
    }
}
