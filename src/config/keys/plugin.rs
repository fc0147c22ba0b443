//! Keys of a plugin.

use super::key::{From, Key, Kind};

const SECONDS: Kind = Kind::Seconds { least: 1 };
/// GitHub's numbers fit 53 bits.
const ID: Kind = Kind::Whole { least: 1, most: 1 << 53 };

/// All of them, in the order of the example file. A variable is the plugin's name, `_` and the key, in capitals.
#[rustfmt::skip]
pub const PLUGIN: &[Key] = &[
    Key::new("name", Kind::Name, "", "Name in logs, metrics and variables; unique."),
    Key::new("plugin", Kind::Choice(&["github_receiver", "github"]), "",
        "github_receiver takes webhooks, github runs jobs."),
    Key::new("owner", Kind::GithubName, "", "User or organization."),
    Key::new("repo", Kind::GithubName, "", "One repository of the owner; without it, all of the organization's."),
    Key::new("enterprise", Kind::GithubName, "", "An enterprise's slug, instead of owner and repo; with a token only."),
    Key::new("sleep_interval", Kind::Seconds { least: 0 }, "",
        "Pause between looks; a longer one is a lower priority. Without it a handler reacts at once."),
    Key::new("token", Kind::Secret, "", "Personal access token.").global(),
    Key::new("private_key", Kind::PrivateKey, "", "A GitHub App's private key: a path, or PEM text.")
        .global(),
    Key::new("app_id", ID, "", "The App's number."),
    Key::new("installation_id", ID, "", "The installation's number; found from the owner when absent."),
    Key::new("database", Kind::Database, "", "Where the queue is; without it, in the state folder of this host."),
    Key::new("queue_name", Kind::Text, "", "Queue that receiver and handlers share; default: the owner.").global(),
    Key::new("github_url", Kind::GithubUrl { path: false }, "", "As at the top, for this plugin only.").global(),
    Key::new("github_api_url", Kind::GithubUrl { path: true }, "", "As at the top, for this plugin only.").global(),

    Key::new("port", Kind::Whole { least: 1, most: 65_535 }, "", "Port that GitHub sends webhooks to.").receiver(),
    Key::new("bind", Kind::Address, "0.0.0.0", "Address that it listens on.").receiver(),
    Key::new("secret", Kind::Secrets, "", "The webhook's secret; a list of two while it is changed.")
        .receiver().global_as("receiver_secret"),
    Key::new("hook_id", Kind::Hook, "",
        "The webhook's number, or app for the App's own: lost deliveries are asked for again.")
        .receiver(),
    Key::new("skip_redeliver", Kind::Flag, "false", "Never ask for lost deliveries.")
        .receiver(),
    Key::new("redeliver_hours", Kind::Whole { least: 1, most: 72 }, "24", "How far back the first look goes.")
        .receiver(),
    Key::new("redeliver_interval_seconds", SECONDS, "600", "Pause between looks for lost deliveries.")
        .receiver(),

    Key::new("registry_url", Kind::Text, "", "Anka registry, by name or URL; default: Anka's own default.")
        .handler().global(),
    Key::new("runner_group", Kind::Text, "", "Runner group of the organization or enterprise.").handler(),
    Key::new("runner_registration", Kind::Choice(&["token", "jit"]), "token",
        "How runners sign in: by registration token, or just-in-time.")
        .handler().global(),
    Key::new("registration_timeout_seconds", SECONDS, "300", "From the runner's start until it is online.")
        .handler().global(),
    Key::new("job_retry_attempts", Kind::Whole { least: 1, most: 1000 }, "5", "Tries of one job in all.")
        .handler().global(),
    Key::new("skip_pull", Kind::Flag, "false", "Never pull; what is not on the host is left to other hosts.")
        .handler().global(),
    Key::new("template_disk_buffer", Kind::Percent, "10.0", "Percentage of the disk that a pull leaves free.")
        .handler().global().from(From::Anka),
    Key::new("skip_cpu_and_memory_resource_checks", Kind::Flag, "false",
        "Start VMs whatever their cores and memory add up to.")
        .handler().global().from(From::Anka),
    Key::new("host_to_guest_folder_mounts", Kind::Mounts, "", "Folders of the host to mount in each VM.")
        .handler().global().from(From::Anka),
    Key::new("start_timeout_seconds", SECONDS, "300", "Limit of anka start.").handler().global(),
    Key::new("script_timeout_seconds", SECONDS, "900", "Limit of each runner script.").handler().global(),
    Key::new("command_timeout_seconds", SECONDS, "120", "Limit of anka clone, cp, stop and delete.")
        .handler().global(),
    Key::new("pull_stall_seconds", SECONDS, "900", "A pull without progress ends after this.").handler().global(),
];
