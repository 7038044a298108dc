//! Sharing, leaving, and what consumers see; decoding is in [`decoding`].

mod decoding;
mod footage;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::fanout::{AccessUnit, Fanout};
use crate::fmp4::VideoCodec;
use crate::reading::Reading;
use footage::{GOP, captured_ms, footage};

/// One camera whose units the test publishes.
struct World {
    fanout: Fanout,
    hub: Arc<Hub>,
    workers: Workers,
    reading: Reading,
    linger: Duration,
}

const SMALL: PictureFormat = PictureFormat {
    width: 160,
    height: 90,
    rate: Rate::PerSecond(60),
    quality: 85,
};

const THUMBNAIL: PictureFormat = PictureFormat {
    rate: Rate::Keyframes,
    ..SMALL
};

impl World {
    fn new() -> Self {
        crate::init().unwrap();
        Self {
            fanout: Fanout::new(1 << 20),
            hub: Arc::default(),
            workers: Workers::default(),
            reading: Reading::start(Duration::from_millis(50)).unwrap(),
            linger: Duration::from_millis(50),
        }
    }

    fn join(&self, format: PictureFormat) -> Pictures {
        let shared = (&self.workers, self.reading.tick());
        self.hub.join(format, &self.fanout, shared, self.linger).unwrap()
    }

    fn publish(&self, units: &[AccessUnit]) {
        units.iter().for_each(|unit| self.fanout.publish(unit));
    }

    /// Until nobody makes pictures.
    async fn gone(&self) {
        let gone = async {
            while self.hub.lines() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), gone).await.unwrap();
    }
}

async fn next(pictures: &mut Pictures) -> Result<Arc<Picture>, PictureError> {
    timeout(Duration::from_secs(10), pictures.next()).await.unwrap()
}

/// Until the picture captured then.
async fn picture(pictures: &mut Pictures, captured_ms: i64) -> Arc<Picture> {
    loop {
        let picture = next(pictures).await.unwrap();
        assert!(picture.captured_ms <= captured_ms);
        if picture.captured_ms == captured_ms {
            return picture;
        }
    }
}

#[tokio::test]
async fn ten_consumers_share_one_decoder_that_goes_after_the_last() {
    let world = World::new();
    let units = footage(VideoCodec::H264, (320, 180), 2 * GOP);
    world.publish(&units[..GOP]);
    let mut consumers: Vec<_> = (0..10).map(|_| world.join(SMALL)).collect();
    assert_eq!(world.hub.lines(), 1);
    let newest = captured_ms(GOP - 1);
    let first = picture(&mut consumers[0], newest).await;
    for consumer in &mut consumers[1..] {
        assert!(Arc::ptr_eq(&first, &picture(consumer, newest).await));
    }
    // Who comes later sees the newest at once, without another unit.
    let mut late = world.join(SMALL);
    assert!(Arc::ptr_eq(&first, &next(&mut late).await.unwrap()));
    let other = world.join(PictureFormat { quality: 50, ..SMALL });
    assert_eq!(world.hub.lines(), 2);
    drop((other, consumers));
    // One is left: it goes on.
    world.publish(&units[GOP..=GOP]);
    picture(&mut late, captured_ms(GOP)).await;
    drop(late);
    world.gone().await;
    // Whoever comes back gets another one.
    let mut again = world.join(SMALL);
    picture(&mut again, captured_ms(GOP)).await;
}

#[tokio::test]
async fn the_first_picture_comes_from_memory() {
    for format in [SMALL, THUMBNAIL] {
        let world = World::new();
        world.publish(&footage(VideoCodec::H264, (320, 180), GOP));
        let first = next(&mut world.join(format)).await.unwrap();
        assert!(first.captured_ms >= captured_ms(0));
        assert_eq!(footage::jpeg_size(&first.jpeg), (160, 90));
    }
}

#[tokio::test]
async fn a_gop_too_large_for_memory_gives_its_keyframe() {
    let world = World {
        fanout: Fanout::new(1),
        ..World::new()
    };
    let units = footage(VideoCodec::H264, (320, 180), GOP + 2);
    world.publish(&units[..GOP]);
    let mut consumer = world.join(SMALL);
    assert_eq!(next(&mut consumer).await.unwrap().captured_ms, captured_ms(0));
    world.publish(&units[GOP..]);
    picture(&mut consumer, captured_ms(GOP + 1)).await;
}

#[tokio::test]
async fn a_slow_consumer_gets_the_newest_and_stalls_nobody() {
    let world = World::new();
    let units = footage(VideoCodec::H264, (320, 180), 3 * GOP);
    world.publish(&units[..1]);
    let (mut fast, mut slow) = (world.join(SMALL), world.join(SMALL));
    picture(&mut slow, captured_ms(0)).await;
    for (number, unit) in units.iter().enumerate().skip(1) {
        world.publish(std::slice::from_ref(unit));
        picture(&mut fast, captured_ms(number)).await;
    }
    let newest = next(&mut slow).await.unwrap();
    assert_eq!(newest.captured_ms, captured_ms(3 * GOP - 1));
}

#[tokio::test]
async fn thumbnails_are_of_keyframes_alone() {
    let world = World::new();
    let units = footage(VideoCodec::H264, (320, 180), 3 * GOP);
    world.publish(&units[..5]);
    let (mut thumbnails, mut all) = (world.join(THUMBNAIL), world.join(SMALL));
    assert_eq!(next(&mut thumbnails).await.unwrap().captured_ms, captured_ms(0));
    for gop in [1, 2] {
        for number in (gop - 1) * GOP + 5..=gop * GOP + 4 {
            world.publish(&units[number..=number]);
            picture(&mut all, captured_ms(number)).await;
        }
        assert_eq!(
            next(&mut thumbnails).await.unwrap().captured_ms,
            captured_ms(gop * GOP)
        );
    }
}

#[tokio::test]
async fn the_end_of_the_stream_is_told() {
    let world = World::new();
    world.publish(&footage(VideoCodec::H264, (320, 180), 1));
    let mut consumer = world.join(SMALL);
    next(&mut consumer).await.unwrap();
    world.fanout.end();
    assert_eq!(next(&mut consumer).await.unwrap_err(), PictureError::Ended);
    assert_eq!(next(&mut consumer).await.unwrap_err(), PictureError::Ended);
    assert_eq!(
        next(&mut world.join(SMALL)).await.unwrap_err(),
        PictureError::Ended
    );
    world.gone().await;
}

#[tokio::test]
async fn so_many_formats_and_no_more() {
    let world = World::new();
    let format = |quality| PictureFormat { quality, ..SMALL };
    let held: Vec<_> = (1..=8).map(|quality| world.join(format(quality))).collect();
    let shared = (&world.workers, world.reading.tick());
    let refused = world.hub.join(format(9), &world.fanout, shared, world.linger);
    assert_eq!(refused.unwrap_err(), PictureError::Busy);
    drop(held);
    world.gone().await;
    world.join(format(9));
}

#[test]
fn sizes_fit_are_even_and_never_nothing() {
    assert_eq!(fitted((1920, 1080), (640, 360)), (640, 360));
    assert_eq!(fitted((1920, 1080), (641, 3840)), (640, 360));
    assert_eq!(fitted((1080, 1920), (640, 360)), (202, 358));
    assert_eq!(fitted((320, 180), (1280, 720)), (320, 180));
    assert_eq!(fitted((2560, 16), (320, u32::MAX)), (320, 2));
    assert_eq!(fitted((4, 3), (1, 1)), (2, 2));
}
