//! The recording pipeline: `cccamerasrc` → (G.711 → AAC) → `ccfmp4mux` → the outlet's pad.
//!
//! No element of it runs a thread: everything happens on the thread that pushes. It has no queue either, so
//! what was pushed has left when the push returns.

use std::sync::Arc;

use gstreamer as gst;
use gstreamer::prelude::*;

use super::outlet::Outlet;
use super::sampleclock;
use crate::element::CameraSrc;
use crate::element::facts::Order;
use crate::element::mux::settings;
use crate::errors::FirstError;
use crate::facts::RecordSettings;
use crate::fanout::{AccessUnit, CodecParams};

/// Why a pipeline does not work.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(super) struct Broken(pub(super) String);

impl From<gst::glib::BoolError> for Broken {
    fn from(error: gst::glib::BoolError) -> Self {
        Self(error.message.to_string())
    }
}

/// What sound becomes on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sound {
    None,
    Untouched,
    Alaw,
    Mulaw,
}

impl Sound {
    pub(super) fn of(params: &CodecParams) -> Self {
        match params {
            CodecParams::Video(_) => Self::None,
            CodecParams::Aac(_) => Self::Untouched,
            CodecParams::Alaw { .. } => Self::Alaw,
            CodecParams::Mulaw { .. } => Self::Mulaw,
        }
    }
}

/// A pipeline that runs.
#[derive(Debug)]
pub(super) struct Pipeline {
    pipeline: gst::Pipeline,
    source: CameraSrc,
    /// What the muxer's output is linked to; a link owns neither end.
    _taken: gst::Pad,
    error: FirstError,
}

impl Pipeline {
    /// Builds and starts it. Blocks shortly: for a state thread.
    pub(super) fn start(
        settings: &RecordSettings,
        sound: bool,
        outlet: &Arc<Outlet>,
    ) -> Result<Self, Broken> {
        let pipeline = gst::Pipeline::new();
        let error = FirstError::watch(&pipeline);
        let source = CameraSrc::new();
        let mux = make("ccfmp4mux")?;
        for (name, value) in settings::values(settings) {
            mux.set_property(name, value);
        }
        let out = mux
            .static_pad("src")
            .ok_or_else(|| Broken("the muxer has no output".into()))?;
        let taken = outlet.pad();
        taken.set_active(true)?;
        pipeline.add_many([source.upcast_ref(), &mux])?;
        // Pads of different parents: that is all that a check could say.
        out.link_full(&taken, gst::PadLinkCheck::empty())
            .map_err(|error| Broken(error.to_string()))?;
        link(&source.add_pad_for(true)?, &request(&mux, "video")?)?;
        let this = Self {
            pipeline,
            source,
            _taken: taken,
            error,
        };
        if sound {
            // The muxer waits for it; how it gets there is known with the first of it.
            request(&mux, "audio")?;
        }
        this.pipeline
            .set_state(gst::State::Playing)
            .map_err(|e| this.broken(&e.to_string()))?;
        Ok(this)
    }

    /// Builds the way of sound, once its codec is known. Blocks shortly: for a state thread.
    pub(super) fn add_sound(&self, sound: Sound) -> Result<(), Broken> {
        let mux = self.element("ccfmp4mux")?;
        let into = mux
            .static_pad("audio")
            .ok_or_else(|| Broken("no pad for sound".into()))?;
        let from = self.source.add_pad_for(false)?;
        let decoder = match sound {
            Sound::None => return Ok(()),
            Sound::Untouched => return link(&from, &into),
            Sound::Alaw => make("alawdec")?,
            Sound::Mulaw => make("mulawdec")?,
        };
        let encoder = make("avenc_aac")?;
        encoder.set_property("bitrate", 32_000i32);
        // Its own timestamps are replaced, so it must not start anew when those of its input breathe.
        encoder.set_property("tolerance", i64::MAX);
        let chain = [decoder, make("audioconvert")?, encoder];
        self.pipeline.add_many(&chain)?;
        gst::Element::link_many(&chain)?;
        let [decoder, _, encoder] = &chain;
        let out = encoder
            .static_pad("src")
            .ok_or_else(|| Broken("the encoder has no output".into()))?;
        link(&out, &into)?;
        for element in chain.iter().rev() {
            element.sync_state_with_parent()?;
        }
        let input = decoder
            .static_pad("sink")
            .ok_or_else(|| Broken("the decoder has no input".into()))?;
        sampleclock::keep(&input, &out);
        link(&from, &input)
    }

    /// Pushes a unit through; what comes out has come out when this returns.
    pub(super) fn push(&self, unit: &AccessUnit) -> Result<(), Broken> {
        self.source
            .push(unit)
            .map_err(|flow| self.broken(&flow.to_string()))
    }

    /// Tells the muxer something in order with the units; false when none went through yet.
    pub(super) fn order(&self, order: Order) -> bool {
        self.source.order(order)
    }

    /// Flushes everything out.
    pub(super) fn end(&self) {
        self.source.end();
    }

    /// Stops it. May block: for a state thread.
    pub(super) fn stop(&self) {
        if let Err(error) = self.pipeline.set_state(gst::State::Null) {
            tracing::warn!(%error, "a recording pipeline does not stop");
        }
    }

    fn element(&self, factory: &str) -> Result<gst::Element, Broken> {
        let found = self
            .pipeline
            .children()
            .into_iter()
            .find(|e| e.factory().is_some_and(|f| f.name() == factory));
        found.ok_or_else(|| Broken(format!("no {factory}")))
    }

    fn broken(&self, what: &str) -> Broken {
        Broken(self.error.take().unwrap_or_else(|| what.to_owned()))
    }
}

fn make(factory: &str) -> Result<gst::Element, Broken> {
    Ok(gst::ElementFactory::make(factory).build()?)
}

fn request(mux: &gst::Element, name: &str) -> Result<gst::Pad, Broken> {
    mux.request_pad_simple(name)
        .ok_or_else(|| Broken(format!("no pad {name}")))
}

fn link(from: &gst::Pad, into: &gst::Pad) -> Result<(), Broken> {
    from.link(into)
        .map(drop)
        .map_err(|error| Broken(error.to_string()))
}
