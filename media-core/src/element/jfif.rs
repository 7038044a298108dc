//! `ccjfif`: video's colours become those that every reader of JPEG files assumes.
//!
//! JFIF means full-range BT.601; cameras send limited range, in high definition BT.709. `videoconvert` changes
//! nothing but the label between two kinds of I420, and the way over RGB costs as much as decoding. This is one
//! pass over the planes, with integers of 16 bits, so that the compiler can use vectors.

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::subclass::prelude::*;
use gstreamer_base as gst_base;
use gstreamer_base::prelude::*;
use gstreamer_base::subclass::prelude::*;
use gstreamer_video as gst_video;
use gstreamer_video::prelude::*;
use gstreamer_video::subclass::prelude::*;

glib::wrapper! {
    /// The element: I420 in, I420 out.
    pub struct Jfif(ObjectSubclass<imp::Jfif>)
        @extends gst_video::VideoFilter, gst_base::BaseTransform, gst::Element, gst::Object;
}

/// Bits behind the point.
const BITS: u32 = 7;

/// What becomes of a picture's numbers: `y' = (y − black) · luma + cb · from_cb + cr · from_cr` and so on, with
/// [`BITS`] behind the point, chroma around 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Matrix {
    black: u8,
    luma: u16,
    luma_from: [i16; 2],
    cb_from: [i16; 2],
    cr_from: [i16; 2],
}

impl Matrix {
    /// From these shares of red and blue in luma (ITU-T H.273 §8.3), in limited or full range.
    fn new((kr, kb): (f64, f64), limited: bool) -> Self {
        let kg = 1.0 - kr - kb;
        let (to_kr, to_kb) = (0.299, 0.114);
        let to_kg = 1.0 - to_kr - to_kb;
        let (blue, red) = (2.0 * (1.0 - kb), 2.0 * (1.0 - kr));
        let luma_cb = to_kb * blue - to_kg * kb * blue / kg;
        let luma_cr = to_kr * red - to_kg * kr * red / kg;
        let (to_blue, to_red) = (2.0 * (1.0 - to_kb), 2.0 * (1.0 - to_kr));
        let (y, c) = if limited {
            (255.0 / 219.0, 255.0 / 224.0)
        } else {
            (1.0, 1.0)
        };
        let fixed = |value: f64| (value * f64::from(1 << BITS)).round() as i16;
        Self {
            black: if limited { 16 } else { 0 },
            luma: fixed(y) as u16,
            luma_from: [fixed(c * luma_cb), fixed(c * luma_cr)],
            cb_from: [
                fixed(c * (blue - luma_cb) / to_blue),
                fixed(-c * luma_cr / to_blue),
            ],
            cr_from: [fixed(-c * luma_cb / to_red), fixed(c * (red - luma_cr) / to_red)],
        }
    }

    fn of(info: &gst_video::VideoInfo) -> Self {
        use gst_video::VideoColorMatrix as M;
        let (sd, hd) = ((0.299, 0.114), (0.2126, 0.0722));
        let shares = match info.colorimetry().matrix() {
            M::Bt709 => hd,
            M::Bt2020 => (0.2627, 0.0593),
            M::Smpte240m => (0.212, 0.087),
            // As players take what says nothing.
            M::Unknown if info.height() > 576 => hd,
            _ => sd,
        };
        let full = info.colorimetry().range() == gst_video::VideoColorRange::Range0_255;
        Self::new(shares, !full)
    }

    /// Nothing changes.
    fn is_identity(&self) -> bool {
        *self == Self::new((0.299, 0.114), false)
    }

    /// One row of chroma, and what it adds to the luma of the two rows that share it.
    fn chroma(&self, [cb, cr]: [&[u8]; 2], [to_cb, to_cr]: [&mut [u8]; 2], add: &mut [i16]) {
        let (half, lift) = (1 << (BITS - 1), 128);
        let mix = |cb: i16, cr: i16, from: [i16; 2]| (cb * from[0] + cr * from[1] + half) >> BITS;
        let ins = cb.iter().zip(cr);
        let outs = to_cb.iter_mut().zip(to_cr).zip(add.chunks_exact_mut(2));
        for ((cb, cr), ((to_cb, to_cr), add)) in ins.zip(outs) {
            let (cb, cr) = (i16::from(*cb) - lift, i16::from(*cr) - lift);
            *to_cb = (mix(cb, cr, self.cb_from) + lift).clamp(0, 255) as u8;
            *to_cr = (mix(cb, cr, self.cr_from) + lift).clamp(0, 255) as u8;
            add.fill(mix(cb, cr, self.luma_from));
        }
    }

    /// One row of luma.
    fn luma(&self, y: &[u8], to: &mut [u8], add: &[i16]) {
        let half = 1 << (BITS - 1);
        for ((y, to), add) in y.iter().zip(to).zip(add) {
            let lifted = (u16::from(y.saturating_sub(self.black)) * self.luma + half) >> BITS;
            *to = (lifted as i16 + add).clamp(0, 255) as u8;
        }
    }
}

mod imp {
    use std::sync::{LazyLock, Mutex, PoisonError};

    use super::*;

    #[derive(Debug, Default)]
    pub struct Jfif {
        matrix: Mutex<Option<Matrix>>,
    }

    #[glib::object_subclass]
    impl ObjectSubclass for Jfif {
        const NAME: &'static str = "CloudcamJfif";
        type Type = super::Jfif;
        type ParentType = gst_video::VideoFilter;
    }

    impl ObjectImpl for Jfif {}

    impl GstObjectImpl for Jfif {}

    impl ElementImpl for Jfif {
        fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
            static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
                gst::subclass::ElementMetadata::new(
                    "CloudCam JFIF colours",
                    "Filter/Converter/Video",
                    "Makes I420 of any range and matrix full-range BT.601",
                    "CloudCam",
                )
            });
            Some(&*METADATA)
        }

        fn pad_templates() -> &'static [gst::PadTemplate] {
            static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
                let caps = gst_video::VideoCapsBuilder::new()
                    .format(gst_video::VideoFormat::I420)
                    .build();
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

    impl BaseTransformImpl for Jfif {
        const MODE: gst_base::subclass::BaseTransformMode =
            gst_base::subclass::BaseTransformMode::NeverInPlace;
        const PASSTHROUGH_ON_SAME_CAPS: bool = false;
        const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

        /// What comes out carries no colorimetry: `jpegenc` wants none, and whoever is upstream would take one
        /// named here for its own, by name only.
        fn transform_caps(
            &self,
            _: gst::PadDirection,
            caps: &gst::Caps,
            filter: Option<&gst::Caps>,
        ) -> Option<gst::Caps> {
            let mut other = caps.clone();
            for structure in other.make_mut().iter_mut() {
                structure.remove_field("colorimetry");
            }
            Some(match filter {
                Some(filter) => filter.intersect_with_mode(&other, gst::CapsIntersectMode::First),
                None => other,
            })
        }
    }

    impl VideoFilterImpl for Jfif {
        fn set_info(
            &self,
            _: &gst::Caps,
            input: &gst_video::VideoInfo,
            _: &gst::Caps,
            _: &gst_video::VideoInfo,
        ) -> Result<(), gst::LoggableError> {
            let matrix = Matrix::of(input);
            self.obj().set_passthrough(matrix.is_identity());
            *self.matrix.lock().unwrap_or_else(PoisonError::into_inner) = Some(matrix);
            Ok(())
        }

        fn transform_frame(
            &self,
            input: &gst_video::VideoFrameRef<&gst::BufferRef>,
            output: &mut gst_video::VideoFrameRef<&mut gst::BufferRef>,
        ) -> Result<gst::FlowSuccess, gst::FlowError> {
            let matrix = *self.matrix.lock().unwrap_or_else(PoisonError::into_inner);
            let matrix = matrix.ok_or(gst::FlowError::NotNegotiated)?;
            convert(matrix, input, output).ok_or(gst::FlowError::Error)?;
            Ok(gst::FlowSuccess::Ok)
        }
    }

    /// None when the planes are not as they should be.
    fn convert(
        matrix: Matrix,
        input: &gst_video::VideoFrameRef<&gst::BufferRef>,
        output: &mut gst_video::VideoFrameRef<&mut gst::BufferRef>,
    ) -> Option<()> {
        let (width, height) = (input.width() as usize, input.height() as usize);
        let strides = |strides: &[i32]| -> Option<Vec<usize>> {
            strides
                .iter()
                .take(3)
                .map(|&stride| usize::try_from(stride).ok())
                .collect()
        };
        let (from, to) = (strides(input.plane_stride())?, strides(output.plane_stride())?);
        let mut add = vec![0; width.next_multiple_of(2)];
        let half = width.div_ceil(2);
        let [out_y, out_cb, out_cr, _] = output.planes_data_mut();
        for row in 0..height.div_ceil(2) {
            let cb = input.plane_data(1).ok()?.get(row * from[1]..)?.get(..half)?;
            let cr = input.plane_data(2).ok()?.get(row * from[2]..)?.get(..half)?;
            let to_cb = out_cb.get_mut(row * to[1]..)?.get_mut(..half)?;
            let to_cr = out_cr.get_mut(row * to[2]..)?.get_mut(..half)?;
            matrix.chroma([cb, cr], [to_cb, to_cr], &mut add);
            for row in [2 * row, 2 * row + 1] {
                if row < height {
                    let y = input.plane_data(0).ok()?.get(row * from[0]..)?.get(..width)?;
                    let to = out_y.get_mut(row * to[0]..)?.get_mut(..width)?;
                    matrix.luma(y, to, &add);
                }
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of one colour through the matrix: what is shown of it, by JFIF's own formula, as RGB.
    fn shown(matrix: Matrix, [y, cb, cr]: [u8; 3]) -> [f64; 3] {
        let (mut to_y, mut to_cb, mut to_cr, mut add) = ([0; 2], [0], [0], [0; 2]);
        matrix.chroma([&[cb], &[cr]], [&mut to_cb, &mut to_cr], &mut add);
        matrix.luma(&[y; 2], &mut to_y, &add);
        let (y, cb, cr) = (
            f64::from(to_y[1]),
            f64::from(to_cb[0]) - 128.0,
            f64::from(to_cr[0]) - 128.0,
        );
        [
            y + 1.402 * cr,
            y - 0.344_136 * cb - 0.714_136 * cr,
            y + 1.772 * cb,
        ]
        .map(|c| c.clamp(0.0, 255.0))
    }

    #[test]
    fn colours_are_what_the_camera_saw() {
        // Red, green, blue, white, black and grey in limited BT.709 and BT.601, by their standards' formulas.
        let rgb = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255; 3], [0; 3], [128; 3]];
        for (kr, kb) in [(0.2126, 0.0722), (0.299, 0.114)] {
            for limited in [true, false] {
                let matrix = Matrix::new((kr, kb), limited);
                for colour in rgb {
                    let [r, g, b] = colour.map(|c| f64::from(c) / 255.0);
                    let y = kr * r + (1.0 - kr - kb) * g + kb * b;
                    let (pb, pr) = ((b - y) / 2.0 / (1.0 - kb), (r - y) / 2.0 / (1.0 - kr));
                    let coded = if limited {
                        [16.0 + 219.0 * y, 128.0 + 224.0 * pb, 128.0 + 224.0 * pr]
                    } else {
                        [255.0 * y, 128.0 + 255.0 * pb, 128.0 + 255.0 * pr]
                    };
                    let got = shown(matrix, coded.map(|c| c.round().clamp(0.0, 255.0) as u8));
                    for (got, wanted) in got.iter().zip(colour) {
                        assert!((got - f64::from(wanted)).abs() < 5.0, "{colour:?} became {got:?}");
                    }
                }
            }
        }
        assert!(Matrix::new((0.299, 0.114), false).is_identity());
        assert!(!Matrix::new((0.299, 0.114), true).is_identity());
    }
}
