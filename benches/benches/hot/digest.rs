//! The digest of an object, fed as the spool feeds it: each piece of each chunk when it is written.

use std::hint::black_box;

use anyhow::Result;
use criterion::Throughput;
use sha2::{Digest, Sha256};

use crate::footage;
use crate::work::Work;

pub(crate) fn minute() -> Result<Work> {
    let (init, chunks) = footage::minute()?;
    Work::new(Throughput::Bytes(footage::length(&chunks)), move || {
        let mut hash = Sha256::new();
        hash.update(&init);
        for chunk in black_box(&chunks) {
            chunk.bytes.iter().for_each(|piece| hash.update(piece));
        }
        let [first, ..] = <[u8; 32]>::from(hash.finalize());
        u64::from(first) + 1
    })
}
