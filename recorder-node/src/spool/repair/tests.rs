//! Every kind of file that may lie in a spool, on a real disk.

use media_core::fmp4::{FragmentBuilder, Sample, VideoTrack, init};
use rstest::rstest;
use sha2::{Digest, Sha256};
use wire::event::NodeEvent;

use super::*;

pub(crate) const START_MS: i64 = 1_769_846_400_000;
const SPS: &str = "674d001f95a8 14016e40";
const PPS: &str = "68ee3c80";

/// A recording of this many half-second chunks with a keyframe each two seconds.
pub(crate) fn recording(start_ms: i64, chunks: i64) -> Vec<u8> {
    let unhex = |text: &str| hex::decode(text.replace(' ', "")).unwrap();
    let video = VideoTrack::h264(&unhex(SPS), &unhex(PPS)).unwrap();
    let mut builder = FragmentBuilder::new(None);
    builder.begin_object(None);
    let mut file = init(&video, None).to_vec();
    for chunk in 0..chunks {
        let at = |picture: i64| start_ms * 1_000_000 + (chunk * 5 + picture) * 100_000_000;
        for picture in 0..5 {
            let data = [&[0, 0, 0, 40][..], &[0x65; 40]].concat().into();
            let random_access = chunk % 4 == 0 && picture == 0;
            builder.push_video(Sample {
                data,
                dts_ns: at(picture),
                pts_ns: at(picture),
                random_access,
            });
        }
        file.extend(builder.finish(Some(at(5)), false).unwrap().bytes.to_vec());
    }
    file
}

struct World {
    dir: tempfile::TempDir,
    layout: Layout,
    db: Db,
    node: NodeId,
    key: StreamKey,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::create(dir.path()).unwrap();
        let db = Db::open(dir.path()).unwrap();
        let key = StreamKey {
            camera: CameraId::generate(),
            stream: StreamKind::Main,
        };
        std::fs::create_dir_all(layout.camera(key.camera)).unwrap();
        Self {
            dir,
            layout,
            db,
            node: NodeId::generate(),
            key,
        }
    }

    fn repair(&self) -> Report {
        let coverages = self.db.with(rows::coverages).unwrap();
        let now = UnixMs(START_MS + 3_600_000);
        let mut ledger = Ledger::resume(self.node, coverages, HashMap::new(), now);
        let repair = Repair {
            layout: &self.layout,
            db: &self.db,
            node: self.node,
            plan: None,
            segment_ms: 6_000,
            now,
        };
        repair
            .run(&mut ledger, &mut Sessions::resume(self.node, Vec::new()))
            .unwrap()
    }

    fn events(&self) -> Vec<NodeEvent> {
        let due = self.db.with(|c| outbox::due(c, UnixMs(0), 100)).unwrap();
        due.iter()
            .map(|row| serde_json::from_str(&row.payload).unwrap())
            .collect()
    }
}

#[derive(Debug, PartialEq)]
enum Fate {
    Sealed(usize),
    Deleted,
    Quarantined,
}

fn garbage(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 7 + i / 13) as u8).collect()
}

#[rstest]
#[case::whole(recording(START_MS, 20), Fate::Sealed(2))]
#[case::one_chunk(recording(START_MS, 1), Fate::Sealed(1))]
#[case::cut_in_the_last_chunk({ let mut f = recording(START_MS, 20); f.truncate(f.len() - 7); f }, Fate::Sealed(2))]
#[case::zeros_at_the_end({ let mut f = recording(START_MS, 3); f.extend([0; 5000]); f }, Fate::Sealed(1))]
#[case::garbage_at_the_end({ let mut f = recording(START_MS, 3); f.extend(garbage(5000)); f }, Fate::Sealed(1))]
#[case::empty(Vec::new(), Fate::Deleted)]
#[case::cut_in_the_first_chunk({ let mut f = recording(START_MS, 1); f.truncate(f.len() - 1); f }, Fate::Deleted)]
#[case::garbage(garbage(100_000), Fate::Quarantined)]
#[case::text(b"hello, this is no recording".to_vec(), Fate::Quarantined)]
#[case::zeros(vec![0; 4096], Fate::Quarantined)]
fn a_part_file_meets_its_fate(#[case] bytes: Vec<u8>, #[case] fate: Fate) {
    let world = World::new();
    let id = ObjectId::generate();
    let part = world.layout.part(world.key.camera, id);
    let sealed = world.layout.sealed(world.key.camera, id);
    std::fs::write(&part, &bytes).unwrap();
    let report = world.repair();
    assert!(!part.exists());
    match fate {
        Fate::Sealed(segments) => {
            assert_eq!(report.sealed, vec![id]);
            let kept = std::fs::read(&sealed).unwrap();
            assert!(bytes.starts_with(&kept));
            let [NodeEvent::ObjectSealed(object)] = &world.events()[..] else {
                panic!("{:?}", world.events())
            };
            assert_eq!(object.bytes, kept.len() as u64);
            assert_eq!(object.sha256, hex::encode(Sha256::digest(&kept)));
            assert_eq!(object.segments.0.len(), segments);
            assert_eq!(object.segments.0.last().unwrap().end_offset(), object.bytes);
            assert_eq!(object.segments.0[0].offset, u64::from(object.init.length));
            assert_eq!(object.start, UnixMs(START_MS));
            assert_eq!(object.segments.0.last().unwrap().end(), object.end);
        }
        Fate::Deleted => assert_eq!(report.deleted, vec![part]),
        Fate::Quarantined => {
            let [moved] = &report.quarantined[..] else {
                panic!("{report:?}")
            };
            assert_eq!(std::fs::read(moved).unwrap(), bytes);
        }
    }
    assert_eq!(
        world.repair(),
        Report::default(),
        "a second repair finds nothing to do"
    );
}

#[test]
fn a_power_cut_between_rename_and_transaction_is_finished() {
    let world = World::new();
    let id = ObjectId::generate();
    std::fs::write(world.layout.sealed(world.key.camera, id), recording(START_MS, 10)).unwrap();
    let open = OpenRow {
        key: world.key,
        epoch: 7,
        start: UnixMs(START_MS),
        previous: None,
    };
    world.db.transaction(|c| rows::add_open(c, id, &open)).unwrap();
    let report = world.repair();
    assert_eq!(report.adopted, vec![id]);
    let [NodeEvent::ObjectSealed(object)] = &world.events()[..] else {
        panic!()
    };
    assert_eq!((object.epoch, object.id), (7, id));
    assert_eq!(world.db.with(|c| rows::find_open(c, id)).unwrap(), None);
}

#[test]
fn a_row_without_its_file_becomes_a_gap_unless_it_is_stored() {
    let world = World::new();
    let ids: Vec<ObjectId> = (0..3).map(|_| ObjectId::generate()).collect();
    for (index, id) in (0..).zip(&ids) {
        std::fs::write(
            world.layout.part(world.key.camera, *id),
            recording(START_MS + index * 60_000, 10),
        )
        .unwrap();
    }
    assert_eq!(world.repair().sealed.len(), 3);
    world.db.transaction(|c| objects::mark_stored(c, ids[1])).unwrap();
    std::fs::remove_file(world.layout.sealed(world.key.camera, ids[0])).unwrap();
    std::fs::remove_file(world.layout.sealed(world.key.camera, ids[1])).unwrap();
    // Cut short on the disk: not what the row promises.
    std::fs::write(world.layout.sealed(world.key.camera, ids[2]), b"short").unwrap();
    let mut report = world.repair();
    report.lost.sort();
    assert_eq!(report.lost, vec![ids[0], ids[2]]);
    assert_eq!(report.quarantined.len(), 1);
    let gaps: Vec<_> = world
        .events()
        .into_iter()
        .filter_map(|event| {
            if let NodeEvent::Gap(gap) = event {
                Some((gap.range.start(), gap.cause))
            } else {
                None
            }
        })
        .collect();
    assert_eq!(gaps.len(), 2);
    assert!(gaps.iter().all(|(_, cause)| *cause == GapCause::Upload));
    assert!(world.db.with(objects::all).unwrap().is_empty());
}

#[test]
fn foreign_files_are_left_alone_and_reported() {
    let world = World::new();
    let foreign = [
        world.layout.root().join("notes.txt"),
        world.layout.root().join("not-a-camera").join("x.part"),
        world.layout.camera(world.key.camera).join("holiday.mp4"),
        world
            .layout
            .camera(world.key.camera)
            .join(format!("{}.jpg", ObjectId::generate())),
    ];
    for path in &foreign {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, recording(START_MS, 2)).unwrap();
    }
    // A link may lead out of the spool: never followed.
    let outside = world.dir.path().join("outside");
    std::fs::write(&outside, recording(START_MS, 2)).unwrap();
    let link = world.layout.part(world.key.camera, ObjectId::generate());
    std::os::unix::fs::symlink(&outside, &link).unwrap();
    let report = world.repair();
    assert_eq!(report.foreign.len(), 5, "{report:?}");
    assert!(report.sealed.is_empty() && report.quarantined.is_empty() && report.deleted.is_empty());
    assert!(foreign.iter().all(|path| path.exists()) && link.exists());
}
