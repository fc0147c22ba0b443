//! A handler's own keys.

use super::reader::Reader;
use crate::config::plugin::{Common, HandlerConfig, RunnerRegistration};
use crate::domain::scope::Scope;

/// The handler.
pub(super) fn resolve(reader: &Reader<'_>, common: Common) -> HandlerConfig {
    let time = |name| reader.time(name).unwrap_or_default();
    HandlerConfig {
        registry_url: reader.text("registry_url"),
        runner_group: runner_group(reader, &common.scope),
        runner_registration: match reader.text("runner_registration").as_deref() {
            Some("jit") => RunnerRegistration::Jit,
            _ => RunnerRegistration::Token,
        },
        registration_timeout: time("registration_timeout_seconds"),
        job_retry_attempts: reader.whole("job_retry_attempts").unwrap_or(1) as u32,
        skip_pull: reader.flag("skip_pull"),
        template_disk_buffer: reader.decimal("template_disk_buffer"),
        skip_resource_checks: reader.flag("skip_cpu_and_memory_resource_checks"),
        mounts: reader.mounts("host_to_guest_folder_mounts"),
        start_timeout: time("start_timeout_seconds"),
        script_timeout: time("script_timeout_seconds"),
        command_timeout: time("command_timeout_seconds"),
        pull_stall: time("pull_stall_seconds"),
        common,
    }
}

/// A repository has no groups: the runner's own set-up refuses one there.
fn runner_group(reader: &Reader<'_>, scope: &Scope) -> Option<String> {
    let written = reader.own("runner_group")?;
    if matches!(scope, Scope::Repository { .. }) {
        reader.warn(&written, "is ignored: runners of one repository are in no group; remove it, or repo");
        return None;
    }
    reader.text("runner_group")
}
