//! A simulated camera: an RTSP server whose every frame can be counted.
//!
//! Frame `n` of a camera is captured at `epoch + n / fps`. Its number modulo the loop's length is drawn into
//! the picture as a bar code; the absolute number and the capture time travel in an SEI message. Sender
//! reports tie RTP time to the capture clock. One process serves hundreds of cameras.

pub mod camera;
pub mod control;
pub mod h26x;
pub mod line;
pub mod live;
pub mod loops;
pub mod picture;
pub mod rtp;
pub mod rtsp;
pub mod session;
pub mod sound;

pub use camera::{Camera, Fault};
