//! What a log line says of a job.

use crate::domain::job::Job;
use crate::log::{Field, Fields};

/// The fields of a job, without those of a VM.
pub fn of(job: &Job) -> Fields {
    let request = job.vm_request().ok();
    let tag = request.as_ref().map(|r| r.tag.clone().unwrap_or_else(|| "(using latest)".into()));
    Fields::new()
        .with(Field::Repo, job.repo.as_str())
        .with(Field::Owner, job.owner.as_str())
        .with(Field::WorkflowName, job.workflow_name.as_str())
        .with(Field::WorkflowRunName, job.workflow_name.as_str())
        .with(Field::WorkflowRunId, job.run_id.0)
        .with(Field::WorkflowJobId, job.id.0)
        .with(Field::WorkflowJobName, job.name.as_str())
        .with_some(Field::AnkaTemplate, request.map(|r| r.template))
        .with_some(Field::AnkaTemplateTag, tag)
        .with(Field::JobUrl, job.url.as_str())
        .with(Field::UniqueRunKey, job.unique_run_key())
}
