//! Properties of the cut, seen by a recorder that does what it is told.

use proptest::prelude::*;

use super::*;

const MS: i64 = 1_000_000;

#[derive(Debug, Default)]
struct Chunk {
    pictures: Vec<UnitFacts>,
    starts_segment: bool,
    end: i64,
}

#[derive(Debug, Default)]
struct Object {
    chunks: Vec<Chunk>,
    continues: bool,
    close: Option<CloseReason>,
}

/// Follows decisions the way a recorder does.
#[derive(Default)]
struct Recorder {
    objects: Vec<Object>,
    health: Vec<Health>,
}

impl Recorder {
    fn run(settings: &RecordSettings, units: &[UnitFacts]) -> Self {
        let mut recorder = Self::default();
        let mut cutter = Cutter::new(settings);
        for unit in units {
            recorder.take(cutter.step(*unit), *unit);
        }
        let reason = cutter.finish();
        if let Some(object) = recorder
            .objects
            .last_mut()
            .filter(|object| object.close.is_none())
        {
            assert_eq!(reason, Some(CloseReason::Session));
            object.close = reason;
        } else {
            assert_eq!(reason, None);
        }
        recorder
    }

    fn take(&mut self, decision: Decision, unit: UnitFacts) {
        self.health.extend(decision.health);
        if decision.end_chunk {
            let chunk = self.objects.last_mut().unwrap().chunks.last_mut().unwrap();
            assert!(!chunk.pictures.is_empty(), "an empty chunk was ended");
            chunk.end = decision
                .next_dts_ns
                .unwrap_or(chunk.pictures.last().unwrap().dts_ns);
        } else {
            assert_eq!(
                (
                    decision.close,
                    decision.open.is_some() && !self.objects.is_empty() && self.is_open()
                ),
                (None, false)
            );
        }
        if let Some(reason) = decision.close {
            assert!(self.is_open());
            self.objects.last_mut().unwrap().close = Some(reason);
        }
        if let Some(open) = decision.open {
            assert!(!self.is_open() && decision.record && decision.starts_segment && unit.random_access);
            self.objects.push(Object {
                continues: open.continues,
                ..Object::default()
            });
        }
        if !decision.record {
            return;
        }
        assert!(self.is_open());
        let object = self.objects.last_mut().unwrap();
        if !unit.video {
            return;
        }
        if decision.end_chunk || decision.open.is_some() {
            object.chunks.push(Chunk {
                starts_segment: decision.starts_segment,
                ..Chunk::default()
            });
        } else {
            assert!(!decision.starts_segment, "a segment starts inside a chunk");
        }
        object.chunks.last_mut().unwrap().pictures.push(unit);
    }

    fn is_open(&self) -> bool {
        self.objects.last().is_some_and(|object| object.close.is_none())
    }

    fn pictures(&self) -> Vec<UnitFacts> {
        self.objects
            .iter()
            .flat_map(|o| &o.chunks)
            .flat_map(|c| c.pictures.clone())
            .collect()
    }
}

fn picture(dts_ns: i64, random_access: bool) -> UnitFacts {
    let bytes = if random_access { 100_000 } else { 10_000 };
    UnitFacts {
        video: true,
        dts_ns,
        random_access,
        bytes,
        new_parameters: false,
        discontinuity: false,
    }
}

/// Pictures at 25 fps with keyframes every `gop`.
fn steady(count: i64, gop: i64) -> Vec<UnitFacts> {
    (0..count).map(|n| picture(n * 40 * MS, n % gop == 0)).collect()
}

fn units() -> impl Strategy<Value = Vec<UnitFacts>> {
    let gops = prop::collection::vec(
        (
            1_usize..200,
            prop::bool::weighted(0.05),
            prop::bool::weighted(0.05),
        ),
        1..40,
    );
    (
        gops,
        prop::collection::vec((20_i64..120, 1_usize..600_000, any::<bool>()), 400),
        any::<bool>(),
    )
        .prop_map(|(gops, shapes, sound)| {
            let mut units = Vec::new();
            let (mut now, mut shape) = (1_700_000_000_000 * MS, shapes.iter().cycle());
            for (pictures, discontinuity, new_parameters) in gops {
                for index in 0..pictures {
                    let (interval, bytes, with_sound) = shape.next().unwrap();
                    let first = index == 0;
                    now += if first && discontinuity {
                        5_000 * MS
                    } else {
                        interval * MS
                    };
                    units.push(UnitFacts {
                        video: true,
                        dts_ns: now,
                        random_access: first,
                        bytes: *bytes,
                        new_parameters: first && new_parameters,
                        discontinuity: first && discontinuity,
                    });
                    if sound && *with_sound {
                        units.push(UnitFacts {
                            video: false,
                            bytes: 300,
                            ..picture(now, false)
                        });
                    }
                }
            }
            units
        })
}

proptest! {
    #[test]
    fn every_picture_is_in_exactly_one_chunk_and_every_limit_holds(units in units(), first in 0_u64..60) {
        let settings = RecordSettings {
            first_object_target: (first > 0).then(|| Duration::from_secs(first)),
            ..RecordSettings::default()
        };
        let recorder = Recorder::run(&settings, &units);
        let pictures: Vec<_> = units.iter().copied().filter(|unit| unit.video).collect();
        prop_assert_eq!(recorder.pictures(), pictures.clone());
        let gop = longest_gop(&pictures);
        let (segment_max, chunk_max) = (6_000 * MS + gop, 900 * MS);
        for (index, object) in recorder.objects.iter().enumerate() {
            let last = index + 1 == recorder.objects.len();
            let first_picture = object.chunks[0].pictures[0];
            let mut segment_start = first_picture.dts_ns;
            for chunk in &object.chunks {
                let start = chunk.pictures[0].dts_ns;
                let end = chunk.pictures.last().unwrap().dts_ns;
                prop_assert!(chunk.pictures.len() == 1 || end - start <= chunk_max);
                let bytes: usize = chunk.pictures.iter().map(|unit| unit.bytes).sum();
                prop_assert!(chunk.pictures.len() == 1 || bytes <= settings.chunk_max_bytes);
                prop_assert!(chunk.end >= end || last);
                if chunk.starts_segment {
                    prop_assert!(chunk.pictures[0].random_access);
                    prop_assert!(start - segment_start <= segment_max);
                    prop_assert!(start == segment_start || start - segment_start >= 5_900 * MS);
                    segment_start = start;
                }
            }
            prop_assert!(object.chunks[0].starts_segment);
            let end = object.chunks.last().unwrap().pictures.last().unwrap().dts_ns;
            let target = if index == 0 && first > 0 { first as i64 * 1000 } else { 60_000 };
            prop_assert!(end - first_picture.dts_ns <= target * MS + segment_max);
            prop_assert_eq!(object.continues, index > 0 && !first_picture.discontinuity);
        }
        prop_assert!(recorder.health.is_empty());
    }

    #[test]
    fn any_order_of_any_units_is_survived(units in prop::collection::vec(
        (any::<[bool; 4]>(), -5_i64..200_000, 0_usize..5_000_000), 0..300))
    {
        let units: Vec<_> = units.into_iter().map(|([video, random_access, new_parameters, discontinuity], at, bytes)| {
            let discontinuity = discontinuity && random_access;
            UnitFacts { video, dts_ns: at * MS, random_access, bytes, new_parameters, discontinuity }
        }).collect();
        Recorder::run(&RecordSettings::default(), &units);
    }
}

fn longest_gop(pictures: &[UnitFacts]) -> i64 {
    let keyframes: Vec<_> = pictures.iter().filter(|unit| unit.random_access).collect();
    let inner = keyframes.windows(2).map(|pair| pair[1].dts_ns - pair[0].dts_ns);
    let tail = pictures.last().unwrap().dts_ns - keyframes.last().unwrap().dts_ns;
    inner.chain([tail]).max().unwrap()
}

#[test]
fn a_steady_camera_gives_six_second_segments_and_minutes() {
    let recorder = Recorder::run(&RecordSettings::default(), &steady(25 * 300, 50));
    assert_eq!(recorder.objects.len(), 5);
    for object in &recorder.objects {
        let starts = object.chunks.iter().filter(|chunk| chunk.starts_segment);
        let starts: Vec<_> = starts.map(|chunk| chunk.pictures[0].dts_ns).collect();
        assert_eq!(starts.len(), 10);
        assert!(starts.windows(2).all(|pair| pair[1] - pair[0] == 6_000 * MS));
    }
}

#[test]
fn time_that_breathes_does_not_double_a_segment() {
    let units: Vec<_> = (0..25 * 60)
        .map(|n| picture(n * 40 * MS - n % 3 * MS, n % 150 == 0))
        .collect();
    let recorder = Recorder::run(&RecordSettings::default(), &units);
    let segments = recorder.objects[0]
        .chunks
        .iter()
        .filter(|chunk| chunk.starts_segment)
        .count();
    assert_eq!(segments, 10);
}

#[test]
fn a_gop_of_forty_seconds_is_reported_and_loses_nothing() {
    let units = steady(25 * 200, 25 * 40);
    let recorder = Recorder::run(&RecordSettings::default(), &units);
    assert_eq!(recorder.pictures().len(), units.len());
    assert_eq!(recorder.health[..2], [Health::NoKeyframe, Health::Well]);
    assert_eq!(recorder.objects[0].close, Some(CloseReason::Target));
}

#[test]
fn without_keyframes_the_object_closes_and_the_next_keyframe_resumes() {
    let mut units = steady(25 * 120, 25 * 1000);
    units.extend((0..50).map(|n| picture((120_000 + n * 40) * MS, n == 25)));
    let recorder = Recorder::run(&RecordSettings::default(), &units);
    assert_eq!(recorder.objects.len(), 2);
    assert_eq!(recorder.objects[0].close, Some(CloseReason::NoKeyframe));
    assert!(!recorder.objects[1].continues);
    assert_eq!(recorder.health, [Health::NoKeyframe, Health::Well]);
    let first: usize = recorder.objects[0]
        .chunks
        .iter()
        .map(|chunk| chunk.pictures.len())
        .sum();
    assert!((1495..=1501).contains(&first), "{first} pictures");
    assert_eq!(
        recorder.objects[1]
            .chunks
            .iter()
            .map(|chunk| chunk.pictures.len())
            .sum::<usize>(),
        25
    );
}

#[test]
fn pictures_before_the_first_keyframe_are_dropped_and_counted() {
    let mut cutter = Cutter::new(&RecordSettings::default());
    let decisions: Vec<_> = (0..1000)
        .map(|n| cutter.step(picture(n * 40 * MS, false)))
        .collect();
    assert!(decisions.iter().all(|decision| !decision.record));
    assert_eq!(
        decisions
            .iter()
            .filter(|decision| decision.health.is_some())
            .count(),
        1
    );
    assert_eq!(cutter.dropped(), 1000);
    assert_eq!(cutter.step(picture(40_000 * MS, true)).health, Some(Health::Well));
}

#[test]
fn sound_never_cuts_and_waits_for_an_object() {
    let mut cutter = Cutter::new(&RecordSettings::default());
    let sound = UnitFacts {
        video: false,
        ..picture(0, false)
    };
    assert_eq!(cutter.step(sound), Decision::default());
    cutter.step(picture(0, true));
    assert_eq!(
        cutter.step(UnitFacts {
            dts_ns: 99_000 * MS,
            ..sound
        }),
        Decision {
            record: true,
            ..Decision::default()
        }
    );
    assert!(
        !cutter
            .step(UnitFacts {
                new_parameters: true,
                ..sound
            })
            .record
    );
    assert!(!cutter.step(sound).record);
    assert_eq!(
        cutter.step(picture(40 * MS, true)).close,
        Some(CloseReason::Parameters)
    );
    assert!(cutter.step(sound).record);
}
