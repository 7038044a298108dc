//! `recorder-node check`: tries everything the node needs; each verdict says how to mend it.
//!
//! Changes nothing but a file it makes and deletes in the data folder.

mod probes;

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use crate::config::Config;

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Ok,
    /// Recording works, something else may not.
    Warn,
    /// The node cannot do its work.
    Fail,
}

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How well.
    pub grade: Grade,
    /// What was tried.
    pub subject: String,
    /// What was found.
    pub finding: String,
    /// How to mend it; empty when there is nothing to mend.
    pub remedy: String,
}

impl Verdict {
    fn ok(subject: &str, finding: impl Into<String>) -> Self {
        Self {
            grade: Grade::Ok,
            subject: subject.into(),
            finding: finding.into(),
            remedy: String::new(),
        }
    }

    fn bad(grade: Grade, subject: &str, finding: impl Into<String>, remedy: &str) -> Self {
        Self {
            grade,
            subject: subject.into(),
            finding: finding.into(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grade = match self.grade {
            Grade::Ok => "ok  ",
            Grade::Warn => "warn",
            Grade::Fail => "fail",
        };
        write!(f, "{grade}  {}: {}", self.subject, self.finding)?;
        if !self.remedy.is_empty() {
            write!(f, "\n      → {}", self.remedy)?;
        }
        Ok(())
    }
}

/// Tries everything and prints the verdicts; exit code 1 when something fails.
#[must_use]
pub fn main(path: &Path) -> ExitCode {
    let verdicts = match Config::load(path) {
        Ok(config) => {
            let mut verdicts = vec![Verdict::ok("configuration", path.display().to_string())];
            verdicts.extend(verdicts_of(&config));
            verdicts
        }
        Err(error) => {
            let remedy = "mend the file; deploy/config/node.toml is a sample with every key";
            vec![Verdict::bad(
                Grade::Fail,
                "configuration",
                format!("{error:#}"),
                remedy,
            )]
        }
    };
    for verdict in &verdicts {
        println!("{verdict}");
    }
    if verdicts.iter().any(|verdict| verdict.grade == Grade::Fail) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Everything but the configuration itself.
fn verdicts_of(config: &Config) -> Vec<Verdict> {
    let mut verdicts = probes::disk(config);
    verdicts.push(probes::plugins());
    verdicts.push(probes::certificates(config));
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            verdicts.extend(runtime.block_on(probes::bus(config)));
            verdicts.extend(runtime.block_on(probes::cameras(config)));
            runtime.shutdown_background();
        }
        Err(error) => {
            let remedy = "the process may start no more threads or open no more files: raise its limits";
            verdicts.push(Verdict::bad(Grade::Fail, "runtime", error.to_string(), remedy));
        }
    }
    verdicts
}
