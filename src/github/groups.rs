//! Runner groups of an organization or an enterprise, by name.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::address::segment;
use super::asker::Asker;
use super::call::Call;
use super::client::{Client, Request};
use super::error::GitHubError;
use super::fetch::Method;
use crate::domain::scope::Scope;
use crate::runtime::pace::paced;

/// The group that every organization has.
pub const DEFAULT_GROUP: u64 = 1;
/// How long what GitHub said of a scope's groups is good.
const FRESH: Duration = Duration::from_mins(10);
const PAGE: usize = 100;
const MOST_PAGES: usize = 20;

/// A runner group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// GitHub's number.
    pub id: u64,
    /// Its name.
    pub name: String,
}

/// What GitHub said of each scope's groups, and when it was asked.
#[derive(Debug, Default)]
pub(super) struct Groups(Mutex<HashMap<String, (Instant, Vec<Group>)>>);

#[derive(Deserialize)]
struct GroupsAnswer {
    total_count: usize,
    runner_groups: Vec<GroupAnswer>,
}

#[derive(Deserialize)]
struct GroupAnswer {
    id: u64,
    name: String,
}

impl Client {
    /// The groups of a scope; GitHub is asked at most every ten minutes. A repository has none.
    pub fn runner_groups(&self, asker: &Asker<'_>, scope: &Scope) -> Result<Vec<Group>, GitHubError> {
        let Some(place) = place(scope) else { return Ok(Vec::new()) };
        if let Some(known) = self.groups.get(&place) {
            return Ok(known);
        }
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let path = format!("{place}/actions/runner-groups?per_page={PAGE}&page={page}");
            let told: GroupsAnswer =
                self.ask_json(asker, &Request::new(Call::ListRunnerGroups, Method::Get, path))?;
            let last =
                told.runner_groups.is_empty() || all.len() + told.runner_groups.len() >= told.total_count;
            all.extend(told.runner_groups.into_iter().map(|group| Group { id: group.id, name: group.name }));
            if last {
                break;
            }
        }
        self.groups.keep(place, &all);
        Ok(all)
    }
}

impl Groups {
    fn get(&self, place: &str) -> Option<Vec<Group>> {
        let groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        groups.get(place).filter(|(at, _)| at.elapsed() < paced(FRESH)).map(|(_, known)| known.clone())
    }

    fn keep(&self, place: String, groups: &[Group]) {
        let known = (Instant::now(), groups.to_vec());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(place, known);
    }
}

fn place(scope: &Scope) -> Option<String> {
    match scope {
        Scope::Repository { .. } => None,
        Scope::Organization { owner } => Some(format!("/orgs/{}", segment(&owner.to_ascii_lowercase()))),
        Scope::Enterprise { slug } => Some(format!("/enterprises/{}", segment(slug))),
    }
}
