//! One piece of work, for callgrind.

use std::hint::black_box;

use anyhow::{Context, Result, ensure};

use crate::work::COUNTED;

/// Does the work of this name twice, and has the second time counted: the first brings up what is made once
/// for a process. Prints how much came of it.
pub(crate) fn run(name: &str) -> Result<()> {
    let found = COUNTED.iter().find(|(of, _)| *of == name);
    let (_, make) = found.with_context(|| format!("no work is called '{name}'; --counted names all"))?;
    let mut work = make()?;
    let before = (work.run)();
    let made = callgrind_counts_this(&mut *work.run);
    ensure!(
        made == before && made > 0,
        "'{name}' made {before}, then {made}: it does not do the same each time"
    );
    println!("{made}");
    Ok(())
}

/// Callgrind counts from here to its return; `compare.sh` knows it by its name.
#[inline(never)]
fn callgrind_counts_this(run: &mut dyn FnMut() -> u64) -> u64 {
    black_box(run())
}
