//! Two organizations side by side, and one step after the other.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::addresses;
use super::operations::{OPERATIONS, fill};
use super::tenant::{self, Tenant};
use crate::support::{World, poll};

/// The noun that is a secret.
pub(super) const SECRET: &str = "joining";
/// Where one of each thing is made, so that no step asks for nothing.
const FIRST: [&str; 8] = [
    "/api/v1/cameras",
    "/api/v1/cameras",
    "/api/v1/groups",
    "/api/v1/users",
    "/api/v1/service-keys",
    "/api/v1/enrolment-tokens",
    "/api/v1/cameras/<camera>/recording-jobs",
    "/api/v1/cameras/<camera>/overrides",
];

/// The first operation that makes something there.
fn made_at(path: &str) -> usize {
    let mut all = OPERATIONS.iter();
    all.position(|(method, found, _)| *method == "POST" && *found == path)
        .unwrap()
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Who of the two.
    pub(super) who: usize,
    /// Which of its callers.
    pub(super) caller: usize,
    pub(super) operation: usize,
    /// Which of the things in it are the other's, a bit each.
    pub(super) foreign: u8,
    /// Which of the things of a kind.
    pub(super) which: usize,
}

pub(super) struct Stage {
    world: Arc<World>,
    tenants: [Tenant; 2],
    number: u64,
    /// What was said of the last step.
    pub(super) last: String,
    pub(super) status: u16,
}

impl Stage {
    pub(super) async fn new(world: &Arc<World>, owner: &str, case: u32) -> Self {
        let alpha = Tenant::new(world, owner, format!("alpha{case}{}", tenant::MARK_END)).await;
        let bravo = Tenant::new(world, owner, format!("bravo{case}{}", tenant::MARK_END)).await;
        let mut stage = Self {
            world: world.clone(),
            tenants: [alpha, bravo],
            number: 0,
            last: String::new(),
            status: 0,
        };
        for path in FIRST {
            for who in [0, 1] {
                stage.take(plain(who, made_at(path))).await.unwrap();
                assert_eq!(stage.status, 201, "{}", stage.last);
            }
        }
        stage
    }

    /// A template with the things in it, and whether one of them is the other's and must not be found.
    fn things(&self, step: Step, template: &str, place: &mut usize) -> (String, bool) {
        let mut text = String::new();
        let (mut rest, mut is_foreign) = (template, false);
        while let Some((before, after)) = rest.split_once('<') {
            let (noun, after) = after.split_once('>').unwrap();
            text.push_str(before);
            // A token to join with is a secret, not a name.
            let is_secret = noun == SECRET;
            let foreign = step.foreign & (1 << *place) != 0 && !is_secret;
            let whose = if foreign { 1 - step.who } else { step.who };
            let pool = self.tenants[whose]
                .things
                .get(noun)
                .map_or(&[][..], Vec::as_slice);
            let index = (step.which + *place) % pool.len().max(1);
            text.push_str(pool.get(index).unwrap_or_else(|| panic!("no {noun}")));
            let is_filter = text.contains('?') && !text.contains("organization=");
            is_foreign |= foreign && !is_filter;
            *place += usize::from(!is_secret);
            rest = after;
        }
        text.push_str(rest);
        (text, is_foreign)
    }

    /// One step; whether it asked for what is the other's.
    pub(super) async fn take(&mut self, step: Step) -> Result<bool, TestCaseError> {
        let (method, path, body) = OPERATIONS[step.operation];
        if method == "FORGE" {
            let (mine, theirs) = (&self.tenants[step.who], &self.tenants[1 - step.who]);
            let seen = addresses::forge(&self.world, mine, theirs).await;
            self.status = 403;
            self.shown_at(step, seen, |status| matches!(status, 403 | 404))?;
            return Ok(false);
        }
        self.number += 1;
        let mine = &self.tenants[step.who];
        let filled = |text: &str| fill(text, &mine.mark, self.number, mine.footage);
        let mut place = 0;
        let (path, path_foreign) = self.things(step, &filled(path), &mut place);
        let (body, body_foreign) = self.things(step, &filled(body), &mut place);
        let is_foreign = path_foreign || body_foreign;
        let verb = if method == "WATCH" { "GET" } else { method };
        let (status, headers, text) = self.ask(step, (verb, &path), &body).await;
        self.status = status;
        let start = &text[..text.floor_char_boundary(600)];
        self.last = format!("{} {method} {path} {body}: {status} {start}", mine.mark);
        prop_assert!(status < 500 || status == 503, "{}", self.last);
        let asked = format!("{path} {body}");
        self.private(step.who, &asked, &headers)?;
        self.private(step.who, &asked, &text)?;
        prop_assert!(
            !is_foreign || status >= 400,
            "takes what is the other's: {}",
            self.last
        );
        if status == 201 {
            let made = serde_json::from_str(&text).unwrap();
            self.tenants[step.who].made(&path, &made);
        }
        if method == "WATCH" && status == 200 {
            let seen = addresses::watch(&self.world, &text).await;
            // What grows is on a node that does not run.
            self.shown_at(step, seen, |status| matches!(status, 200 | 404 | 503))?;
        }
        Ok(is_foreign)
    }

    /// Sends a request; status, headers and body of the answer.
    async fn ask(&self, step: Step, (method, path): (&str, &str), body: &str) -> (u16, String, String) {
        let token = &self.tenants[step.who].callers[step.caller];
        let request = self
            .world
            .http
            .request(method.parse().unwrap(), self.world.url(path));
        let mut request = request.bearer_auth(token);
        if method == "POST" && step.which % 3 == 1 {
            request = request.header("Idempotency-Key", format!("key-of-both-{}", step.which % 7));
        }
        if !body.is_empty() {
            let kind = if path.ends_with("/import") {
                "text/csv"
            } else {
                "application/json"
            };
            request = request.header("Content-Type", kind).body(body.to_owned());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let headers = format!("{:?}", answer.headers());
        (status, headers, answer.text().await.unwrap())
    }

    /// Nothing in an answer is another's.
    fn private(&mut self, who: usize, asked: &str, answer: &str) -> Result<(), TestCaseError> {
        let [alpha, bravo] = &mut self.tenants;
        let (mine, other) = if who == 0 { (alpha, bravo) } else { (bravo, alpha) };
        let shows = mine.shows(asked, answer, other);
        prop_assert!(
            shows.is_none(),
            "shows {} of the other: {}",
            shows.unwrap(),
            self.last
        );
        Ok(())
    }

    fn shown_at(
        &mut self,
        step: Step,
        seen: Vec<addresses::Seen>,
        expected: impl Fn(u16) -> bool,
    ) -> Result<(), TestCaseError> {
        for one in seen {
            self.last = format!("{} {}", one.path, one.status);
            prop_assert!(expected(one.status), "{}", self.last);
            self.private(step.who, &one.path, &one.text)?;
        }
        Ok(())
    }

    /// What was told to the followers, when all of it was.
    pub(super) async fn told(&mut self) -> Result<[String; 2], TestCaseError> {
        let mut last = Vec::new();
        for who in [0, 1] {
            self.take(plain(who, made_at(FIRST[0]))).await?;
            prop_assert!(self.status == 201, "{}", self.last);
            last.push(self.tenants[who].things["camera"].last().unwrap().clone());
        }
        let mut heard = [String::new(), String::new()];
        for who in [0, 1] {
            let follower = &self.tenants[who].follower;
            heard[who] = poll("the last fact is told", async || {
                let heard = follower.heard();
                heard.contains(&last[who]).then_some(heard)
            })
            .await;
            self.last = format!("the facts told to {}", self.tenants[who].mark);
            self.private(who, "", &heard[who])?;
        }
        Ok(heard)
    }

    /// Whatever was tried, each one's lists hold its own things, unchanged by the other.
    pub(super) async fn sweep(&mut self) -> Result<(), TestCaseError> {
        for (operation, (method, path, _)) in OPERATIONS.iter().enumerate() {
            if *method == "GET" && !path.contains('<') {
                for who in [0, 1] {
                    self.take(plain(who, operation)).await?;
                    prop_assert!(self.status == 200, "{}", self.last);
                }
            }
        }
        Ok(())
    }
}

/// An admin, with the first of its own things.
pub(super) const fn plain(who: usize, operation: usize) -> Step {
    Step {
        who,
        caller: 0,
        operation,
        foreign: 0,
        which: 0,
    }
}
