//! Just-in-time runners: GitHub makes the runner by one call, and its configuration is all that the VM needs.

use serde::Deserialize;
use serde_json::json;

use super::asker::Asker;
use super::call::Call;
use super::client::{Client, Request, one_line, parsed};
use super::error::GitHubError;
use super::fetch::Method;
use super::runners::runners_path;
use crate::domain::ids::{RunnerId, RunnerName};
use crate::domain::scope::Scope;
use crate::domain::secret::Secret;

/// A runner that GitHub has made and that has not begun yet.
#[derive(Clone, Debug)]
pub struct JitRunner {
    /// GitHub's number: the runner is removed by it.
    pub id: RunnerId,
    /// What the runner's program is started with. Whoever has it is that runner.
    pub config: Secret,
}

/// Why there is no runner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JitFault {
    /// There may be one all the same: the answer is lost, or one of this name was there before.
    InDoubt(String),
    /// There is none.
    Failed(GitHubError),
}

#[derive(Deserialize)]
struct JitAnswer {
    runner: RunnerNumber,
    #[serde(deserialize_with = "one_line")]
    encoded_jit_config: String,
}

#[derive(Deserialize)]
struct RunnerNumber {
    id: u64,
}

impl Client {
    /// Makes a runner of this name. Asked once: after an answer that is lost it may be there, and the same name
    /// would be refused.
    pub fn make_jit_runner(
        &self,
        asker: &Asker<'_>,
        scope: &Scope,
        name: &RunnerName,
        labels: &[String],
        group: u64,
    ) -> Result<JitRunner, JitFault> {
        let mut request = Request::new(
            Call::GenerateJitConfig,
            Method::Post,
            format!("{}/generate-jitconfig", runners_path(scope)),
        );
        let body =
            json!({ "name": name.0, "runner_group_id": group, "labels": labels, "work_folder": "_work" });
        request.body = Some(body.to_string());
        let answer = match self.ask(asker, &request) {
            Err(GitHubError::Away { reason }) => return Err(JitFault::InDoubt(reason)),
            answer => answer.map_err(JitFault::Failed)?,
        };
        match answer.status {
            200..=299 => {
                let told: JitAnswer =
                    parsed(&request, &answer).map_err(|fault| JitFault::InDoubt(fault.to_string()))?;
                Ok(JitRunner { id: RunnerId(told.runner.id), config: Secret::new(told.encoded_jit_config) })
            }
            409 => Err(JitFault::InDoubt(format!("GitHub has a runner of the name {}", name.0))),
            _ => Err(JitFault::Failed(request.refusal(&answer))),
        }
    }
}
