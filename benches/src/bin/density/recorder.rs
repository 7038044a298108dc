//! What is compared: anything that records a list of cameras into a folder.

use std::path::Path;

use anyhow::Result;
use async_trait::async_trait;
use benches::children::Running;

use crate::case::Case;

/// What is to be recorded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work<'a> {
    /// A camera each.
    pub urls: &'a [String],
    /// What they send, and how many are watched.
    pub case: Case,
}

/// A recorder that takes part.
#[async_trait]
pub(crate) trait Recorder: Send {
    /// As in the table.
    fn name(&self) -> &str;

    /// Starts recording into `folder`, which is empty, and returns the processes to be measured when footage
    /// of every camera is being written. Each camera's files are in a folder of their own.
    async fn start(&mut self, work: Work<'_>, folder: &Path) -> Result<Vec<Running>>;

    /// A process that serves the recorder and is reported beside it, such as a message bus.
    fn beside(&self) -> Option<u32> {
        None
    }

    /// Pictures that were seen of all watched cameras since the start; None where that is not counted.
    fn seen(&self) -> Option<u64> {
        None
    }
}
