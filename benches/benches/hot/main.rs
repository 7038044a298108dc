//! The functions on the hot path, one by one: how long each takes, and how many instructions.
//!
//! `cargo bench -p benches` measures time with criterion. `benches/compare.sh` counts instructions: it runs the
//! same binary with `--count` under callgrind. Both take their work from [`work::COUNTED`]; what waits for a
//! disk or a socket ([`disk`], [`rtsp`]) is timed only.

mod clock;
mod count;
mod coverage;
mod cut;
mod digest;
mod disk;
mod footage;
mod json;
mod mux;
mod plans;
mod playlists;
mod rtp;
mod rtsp;
mod segments;
mod work;

use anyhow::Result;
use criterion::Criterion;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    match (args.next().as_deref(), args.next()) {
        (Some("--counted"), None) => {
            work::COUNTED.iter().for_each(|(name, _)| println!("{name}"));
            Ok(())
        }
        (Some("--count"), Some(name)) => count::run(&name),
        _ => time(),
    }
}

fn time() -> Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    for (name, make) in work::COUNTED {
        let mut work = make()?;
        let (subject, what) = name.split_once('/').unwrap_or((name, ""));
        let mut group = criterion.benchmark_group(subject);
        group.sample_size(20).throughput(work.size);
        group.bench_function(what, |bencher| bencher.iter(|| (work.run)()));
        group.finish();
    }
    rtsp::bench(&mut criterion)?;
    disk::bench(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
