//! What is compared: anything that records a list of cameras into a folder.

use std::path::Path;

use anyhow::Result;
use async_trait::async_trait;

use benches::children::Running;

/// A recorder that takes part.
#[async_trait]
pub(crate) trait Recorder {
    /// As in the table.
    fn name(&self) -> &'static str;

    /// Starts recording all of `urls` into `folder`, which is empty, and returns the processes to be measured
    /// when footage of every camera is being written.
    async fn start(&mut self, urls: &[String], folder: &Path) -> Result<Vec<Running>>;

    /// A process that serves the recorder and is reported beside it, such as a message bus.
    fn beside(&self) -> Option<u32> {
        None
    }
}
