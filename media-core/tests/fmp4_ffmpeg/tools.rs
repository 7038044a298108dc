//! FFmpeg and ffprobe, and what they tell of a file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;

/// Runs a tool; its standard output. Fails when it is missing, fails or warns.
pub(crate) fn tool(name: &str, arguments: &[&str], file: &Path) -> String {
    let run = Command::new(name).args(arguments).arg(file).output();
    let run = run.unwrap_or_else(|error| panic!("this test needs {name}: {error}"));
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(
        run.status.success() && said.is_empty(),
        "{name} {arguments:?} {}: {said}",
        file.display()
    );
    String::from_utf8(run.stdout).unwrap()
}

/// Encodes a moving picture and a tone to a plain MP4.
pub(crate) fn encode(folder: &Path, video: &[&str], sound: bool) -> PathBuf {
    let file = folder.join("source.mp4");
    let mut arguments = vec![
        "-v",
        "error",
        "-y",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x180:rate=25:duration=20",
    ];
    if sound {
        arguments.extend([
            "-f",
            "lavfi",
            "-i",
            "sine=frequency=440:sample_rate=48000:duration=20",
        ]);
    }
    arguments.extend(video);
    arguments.extend([
        "-pix_fmt",
        "yuv420p",
        "-g",
        "50",
        "-c:a",
        "aac",
        "-ac",
        "2",
        "-shortest",
    ]);
    tool("ffmpeg", &arguments, &file);
    file
}

#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) pts: i64,
    pub(crate) keyframe: bool,
    pub(crate) data: Bytes,
}

/// The packets of one stream, in decode order; times in units of `rate`.
pub(crate) fn packets(file: &Path, stream: &str, rate: i128) -> Vec<Packet> {
    let arguments = ["-v", "warning", "-select_streams", stream, "-of", "csv=p=0"];
    let entries = ["-show_entries", "packet=pts,size,pos,flags:stream=time_base"];
    let listed = tool("ffprobe", &[&arguments[..], &entries[..]].concat(), file);
    let (bytes, mut scale, mut packets) = (fs::read(file).unwrap(), 0, Vec::new());
    for line in listed.lines() {
        let fields: Vec<_> = line.split(',').collect();
        if let Some((_, denominator)) = line.split_once('/') {
            scale = denominator.parse().unwrap();
        }
        if fields.len() < 4 {
            continue;
        }
        let number = |at: usize| fields[at].parse::<i64>().unwrap();
        let (size, at) = (number(1) as usize, number(2) as usize);
        let data = Bytes::copy_from_slice(&bytes[at..at + size]);
        packets.push(Packet {
            pts: number(0),
            keyframe: fields[3].starts_with('K'),
            data,
        });
    }
    packets
        .iter_mut()
        .for_each(|packet| packet.pts = (i128::from(packet.pts) * rate / scale) as i64);
    packets
}

/// The content of the first box of this kind, wherever it is.
pub(crate) fn find_box(file: &Path, kind: &[u8; 4]) -> Vec<u8> {
    let bytes = fs::read(file).unwrap();
    let at = bytes
        .windows(4)
        .position(|window| window == kind)
        .expect("the box");
    let length = u32::from_be_bytes(bytes[at - 4..at].try_into().unwrap()) as usize;
    bytes[at + 4..at - 4 + length].to_vec()
}
