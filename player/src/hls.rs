//! hls.js, loaded when it is first needed from the file that the page's head names.

use js_sys::{Array, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlMediaElement, HtmlScriptElement};

use crate::position::Piece;

#[wasm_bindgen]
extern "C" {
    /// An instance of hls.js.
    #[derive(Debug, Clone)]
    #[wasm_bindgen(js_name = Hls)]
    pub type Hls;

    #[wasm_bindgen(constructor, js_class = "Hls")]
    fn new(config: &JsValue) -> Hls;

    /// Loads a playlist.
    #[wasm_bindgen(method, js_name = loadSource)]
    pub fn load_source(this: &Hls, url: &str);

    /// Plays into a media element.
    #[wasm_bindgen(method, js_name = attachMedia)]
    pub fn attach_media(this: &Hls, media: &HtmlMediaElement);

    /// Goes on loading after a network error.
    #[wasm_bindgen(method, js_name = startLoad)]
    pub fn start_load(this: &Hls);

    /// Mends the media source after a decoding error.
    #[wasm_bindgen(method, js_name = recoverMediaError)]
    pub fn recover_media_error(this: &Hls);

    /// Frees everything.
    #[wasm_bindgen(method)]
    pub fn destroy(this: &Hls);

    #[wasm_bindgen(method)]
    fn on(this: &Hls, event: &str, listener: &Closure<dyn FnMut(JsValue, JsValue)>);

    #[wasm_bindgen(static_method_of = Hls, js_class = "Hls", js_name = isSupported)]
    fn is_supported() -> bool;
}

/// Tries of one piece of footage before hls.js leaves it out.
const MAX_TRIES: f64 = 8.0;

/// A fatal error of hls.js.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fatal {
    /// Loading failed.
    Network,
    /// Decoding failed.
    Media,
    /// Anything else.
    Other(String),
}

/// What an instance tells.
#[derive(Debug, Clone)]
pub enum Told {
    /// The playlist was loaded, or loaded again.
    Loaded(Details),
    /// A piece of footage did not load; it is tried again.
    Stumbled,
    /// It cannot go on by itself.
    Failed(Fatal),
}

/// A loaded media playlist; its positions move as segments are parsed.
#[derive(Debug, Clone)]
pub struct Details(JsValue);

impl Details {
    /// Its segments as they stand now.
    #[must_use]
    pub fn pieces(&self) -> Vec<Piece> {
        let fragments: Array = get(&self.0, "fragments").dyn_into().unwrap_or_default();
        let number = |fragment: &JsValue, name| get(fragment, name).as_f64();
        let piece = |fragment: JsValue| {
            Some(Piece {
                start_s: number(&fragment, "start")?,
                duration_s: number(&fragment, "duration")?,
                wall_ms: number(&fragment, "programDateTime")?,
                gap: get(&fragment, "gap").as_bool().unwrap_or(false),
            })
        };
        fragments.iter().filter_map(piece).collect()
    }

    /// Whether it still grows.
    #[must_use]
    pub fn live(&self) -> bool {
        get(&self.0, "live").as_bool().unwrap_or(false)
    }
}

/// An instance with its listeners; freed when dropped.
pub struct Instance {
    /// The instance.
    pub hls: Hls,
    _listeners: Vec<Closure<dyn FnMut(JsValue, JsValue)>>,
    _should_retry: ShouldRetry,
}

/// hls.js asks it with a policy and the number of tries.
type ShouldRetry = Closure<dyn FnMut(JsValue, f64) -> bool>;

impl Drop for Instance {
    fn drop(&mut self) {
        self.hls.destroy();
    }
}

impl Instance {
    /// Makes an instance that tells what happens; nothing is loaded yet.
    #[must_use]
    pub fn new(tell: impl Fn(Told) + Clone + 'static) -> Self {
        let should_retry: ShouldRetry = Closure::new(|_: JsValue, tries: f64| tries < MAX_TRIES);
        let config = config(&should_retry);
        let hls = Hls::new(&config);
        let loaded = {
            let tell = tell.clone();
            Closure::new(move |_: JsValue, data: JsValue| tell(Told::Loaded(Details(get(&data, "details")))))
        };
        let failed = Closure::new(move |_: JsValue, data: JsValue| {
            if get(&data, "fatal").as_bool() == Some(true) {
                tell(Told::Failed(fatal(&data)));
            } else if get(&data, "details").as_string().as_deref() == Some("fragLoadError") {
                tell(Told::Stumbled);
            }
        });
        hls.on("hlsLevelLoaded", &loaded);
        hls.on("hlsError", &failed);
        Self {
            hls,
            _listeners: vec![loaded, failed],
            _should_retry: should_retry,
        }
    }
}

fn config(should_retry: &ShouldRetry) -> Object {
    let worker = meta("cc-hls-worker").map_or(JsValue::NULL, JsValue::from);
    // By itself hls.js tries nothing again that was answered 404, and asks for it dozens of times a second.
    let retry = object(&[
        ("maxNumRetry", MAX_TRIES.into()),
        ("retryDelayMs", 1000.into()),
        ("maxRetryDelayMs", 8000.into()),
        ("shouldRetry", should_retry.as_ref().clone()),
    ]);
    let policy = object(&[
        ("maxTimeToFirstByteMs", 10_000.into()),
        ("maxLoadTimeMs", 60_000.into()),
        ("timeoutRetry", retry.clone().into()),
        ("errorRetry", retry.into()),
    ]);
    object(&[
        ("workerPath", worker),
        ("autoStartLoad", true.into()),
        ("maxBufferLength", 30.into()),
        ("backBufferLength", 60.into()),
        // We seek as soon as the list is there; without this hls.js would start a live list at its end.
        ("startPosition", 0.into()),
        ("liveSyncDurationCount", 2.into()),
        ("fragLoadPolicy", object(&[("default", policy.into())]).into()),
    ])
}

fn object(properties: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in properties {
        // Setting a property of a plain object cannot fail.
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object
}

fn fatal(data: &JsValue) -> Fatal {
    match get(data, "type").as_string().as_deref() {
        Some("networkError") => Fatal::Network,
        Some("mediaError") => Fatal::Media,
        _ => Fatal::Other(get(data, "details").as_string().unwrap_or_default()),
    }
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

fn meta(name: &str) -> Option<String> {
    let document = web_sys::window()?.document()?;
    document
        .query_selector(&format!("meta[name={name}]"))
        .ok()??
        .get_attribute("content")
}

/// Loads hls.js once; false when the browser cannot play through it.
pub async fn load() -> bool {
    if get(&js_sys::global(), "Hls").is_undefined() && JsFuture::from(script()).await.is_err() {
        return false;
    }
    Hls::is_supported()
}

fn script() -> Promise {
    Promise::new(&mut |resolve, reject| {
        let add = || {
            let document = web_sys::window()?.document()?;
            let script: HtmlScriptElement = document.create_element("script").ok()?.dyn_into().ok()?;
            script.set_src(&meta("cc-hls")?);
            script.set_onload(Some(&resolve));
            script.set_onerror(Some(&reject));
            document.head()?.append_child(&script).ok()
        };
        if add().is_none() {
            let _ = reject.call0(&JsValue::NULL);
        }
    })
}

/// The first of these RFC 6381 codecs that the browser cannot decode.
#[must_use]
pub fn undecodable(codecs: &[String]) -> Option<&String> {
    codecs.iter().find(|codec| {
        let container = if codec.starts_with("mp4a") {
            "audio"
        } else {
            "video"
        };
        !web_sys::MediaSource::is_type_supported(&format!("{container}/mp4; codecs=\"{codec}\""))
    })
}
