//! `cchalve`: halves I420 pictures so many times, by the mean of each block.
//!
//! What is to be much smaller than it was sent is made so before it is scaled to its size: `videoconvertscale`
//! takes 1.9 ms for a 720p picture, this a fraction, and small detail fades instead of flickering. Other formats
//! pass as they are.

use std::sync::atomic::Ordering;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::subclass::prelude::*;
use gstreamer_base as gst_base;
use gstreamer_base::prelude::*;
use gstreamer_base::subclass::prelude::*;
use gstreamer_video as gst_video;
use gstreamer_video::prelude::*;
use gstreamer_video::subclass::prelude::*;

/// Most that a picture is halved: the sums of a block stay within 16 bits.
const MOST: u32 = 3;

glib::wrapper! {
    /// The element.
    pub struct Halve(ObjectSubclass<imp::Halve>)
        @extends gst_video::VideoFilter, gst_base::BaseTransform, gst::Element, gst::Object;
}

impl Halve {
    /// Halves what comes from now on as often as it stays at least as large as `wanted`.
    pub(crate) fn aim(&self, sent: (u32, u32), wanted: (u32, u32)) {
        self.imp().times.store(times(sent, wanted), Ordering::Relaxed);
        self.reconfigure_src();
    }
}

/// How often `sent` can be halved. Colour has half the resolution and must be whole as well.
fn times((mut width, mut height): (u32, u32), wanted: (u32, u32)) -> u32 {
    let mut times = 0;
    while times < MOST
        && width % 4 == 0
        && height % 4 == 0
        && width / 2 >= wanted.0.max(1)
        && height / 2 >= wanted.1.max(1)
    {
        (width, height, times) = (width / 2, height / 2, times + 1);
    }
    times
}

/// A row of the means of blocks of `K` × `K`; `rows` are the `K` rows above each other.
fn mean<'a, const K: usize>(rows: impl Iterator<Item = &'a [u8]>, sums: &mut [u16], to: &mut [u8]) {
    sums.fill(0);
    for row in rows {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += u16::from(*value);
        }
    }
    let all = (K * K) as u16;
    for (to, block) in to.iter_mut().zip(sums.as_chunks::<K>().0) {
        *to = ((block.iter().sum::<u16>() + all / 2) / all) as u8;
    }
}

mod imp {
    use std::sync::LazyLock;
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[derive(Debug, Default)]
    pub struct Halve {
        pub(super) times: AtomicU32,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Halve {
        const NAME: &'static str = "CloudcamHalve";
        type Type = super::Halve;
        type ParentType = gst_video::VideoFilter;
    }

    impl ObjectImpl for Halve {}

    impl GstObjectImpl for Halve {}

    impl ElementImpl for Halve {
        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
                gst::subclass::ElementMetadata::new(
                    "CloudCam halver",
                    "Filter/Converter/Video/Scaler",
                    "Halves I420 pictures by the mean of each block",
                    "CloudCam",
                )
            });
            Some(&*METADATA)
        }

        fn pad_templates() -> &'static [gst::PadTemplate] {
            static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
                let caps = gst_video::VideoCapsBuilder::new().build();
                [("sink", gst::PadDirection::Sink), ("src", gst::PadDirection::Src)]
                    .into_iter()
                    .filter_map(|(name, direction)| {
                        gst::PadTemplate::new(name, direction, gst::PadPresence::Always, &caps).ok()
                    })
                    .collect()
            });
            TEMPLATES.as_ref()
        }
    }

    impl BaseTransformImpl for Halve {
        const MODE: gst_base::subclass::BaseTransformMode =
            gst_base::subclass::BaseTransformMode::NeverInPlace;
        const PASSTHROUGH_ON_SAME_CAPS: bool = true;
        const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

        fn transform_caps(
            &self,
            direction: gst::PadDirection,
            caps: &gst::Caps,
            filter: Option<&gst::Caps>,
        ) -> Option<gst::Caps> {
            let times = self.times.load(Ordering::Relaxed);
            let mut other = caps.clone();
            for structure in other.make_mut().iter_mut().filter(|_| times > 0) {
                let halved = structure.get::<&str>("format") == Ok("I420");
                for side in ["width", "height"] {
                    match structure.get::<i32>(side) {
                        Ok(pixels) if direction == gst::PadDirection::Sink && halved => {
                            structure.set(side, (pixels >> times).max(1));
                        }
                        Ok(_) if direction == gst::PadDirection::Src => {
                            structure.set(side, gst::IntRange::new(1, i32::MAX));
                        }
                        _ => {}
                    }
                }
            }
            Some(match filter {
                Some(filter) => filter.intersect_with_mode(&other, gst::CapsIntersectMode::First),
                None => other,
            })
        }
    }

    impl VideoFilterImpl for Halve {
        fn transform_frame(
            &self,
            input: &gst_video::VideoFrameRef<&gst::BufferRef>,
            output: &mut gst_video::VideoFrameRef<&mut gst::BufferRef>,
        ) -> Result<gst::FlowSuccess, gst::FlowError> {
            let done = match input.width() / output.width().max(1) {
                2 => halve::<2>(input, output),
                4 => halve::<4>(input, output),
                8 => halve::<8>(input, output),
                _ => None,
            };
            done.map(|()| gst::FlowSuccess::Ok).ok_or(gst::FlowError::Error)
        }
    }

    /// None when the planes are not as they should be.
    fn halve<const K: usize>(
        input: &gst_video::VideoFrameRef<&gst::BufferRef>,
        output: &mut gst_video::VideoFrameRef<&mut gst::BufferRef>,
    ) -> Option<()> {
        let mut sums = vec![0; input.width() as usize];
        for plane in 0..3_u32 {
            let (wide, high) = (
                output.comp_width(plane) as usize,
                output.comp_height(plane) as usize,
            );
            let from = usize::try_from(*input.plane_stride().get(plane as usize)?).ok()?;
            let into = usize::try_from(*output.plane_stride().get(plane as usize)?).ok()?;
            let (data, to) = (input.plane_data(plane).ok()?, output.plane_data_mut(plane).ok()?);
            for row in 0..high {
                let block = data.get(row * K * from..)?;
                let rows = (0..K).filter_map(|row| block.get(row * from..row * from + wide * K));
                let to = to.get_mut(row * into..)?.get_mut(..wide)?;
                mean::<K>(rows, sums.get_mut(..wide * K)?, to);
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halved_as_often_as_it_stays_large_enough() {
        assert_eq!(times((1280, 720), (640, 360)), 1);
        assert_eq!(times((1280, 720), (642, 360)), 0);
        assert_eq!(times((1920, 1080), (320, 180)), 2);
        assert_eq!(times((3840, 2160), (16, 16)), 3);
        assert_eq!(times((1366, 768), (320, 180)), 0);
    }

    #[test]
    fn blocks_become_their_means() {
        let rows: [&[u8]; 2] = [&[0, 10, 255, 255], &[20, 30, 255, 254]];
        let (mut sums, mut to) = ([0; 4], [0; 2]);
        mean::<2>(rows.into_iter(), &mut sums, &mut to);
        assert_eq!(to, [15, 255]);
        let rows = [[255_u8; 8]; 8];
        let (mut sums, mut to) = ([0; 8], [0]);
        mean::<8>(rows.iter().map(|row| &row[..]), &mut sums, &mut to);
        assert_eq!(to, [255]);
    }
}
