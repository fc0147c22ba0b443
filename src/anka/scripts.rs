//! The three scripts that make a VM a runner: where they lie on the host, and the lines that call them.
//!
//! Users keep copies of their own, so names and order of arguments are a contract:
//! `install-runner.bash` · `register-runner.bash NAME TOKEN URL LABELS [GROUP]` · `start-runner.bash`.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Where they lie, below `plugins_path`.
const FOLDER: &str = "handlers/github";
/// In the order in which they run.
const NAMES: [&str; 3] = ["install-runner.bash", "register-runner.bash", "start-runner.bash"];

/// Variable of the runner's name, which is the VM's.
pub const NAME: &str = "ANKLET_RUNNER_NAME";
/// Variable of the registration token.
pub const TOKEN: &str = "ANKLET_RUNNER_TOKEN";
/// Variable of the place where it registers.
pub const URL: &str = "ANKLET_RUNNER_URL";
/// Variable of all labels, joined by commas.
pub const LABELS: &str = "ANKLET_RUNNER_LABELS";
/// Variable of the runner group; unset or empty: none.
pub const GROUP: &str = "ANKLET_RUNNER_GROUP";

/// The shell line of the first script.
pub const INSTALL: &str = "bash ./install-runner.bash";
/// The shell line of the others. The token does not reach the runner, and so no job.
pub const REGISTER_AND_START: &str = concat!(
    r#"bash ./register-runner.bash "$ANKLET_RUNNER_NAME" "$ANKLET_RUNNER_TOKEN" "$ANKLET_RUNNER_URL" "#,
    r#""$ANKLET_RUNNER_LABELS" ${ANKLET_RUNNER_GROUP:+"$ANKLET_RUNNER_GROUP"} "#,
    "&& unset ANKLET_RUNNER_TOKEN && bash ./start-runner.bash",
);

/// Variable of a just-in-time configuration.
pub const JIT_CONFIG: &str = "ANKLET_JIT_CONFIG";
/// The shell line of the last script alone: the configuration goes from its variable to a file that only this user
/// reads, which the script deletes. `printf` is the shell's own: nothing of it stands in a list of processes.
pub const START_JUST_IN_TIME: &str = concat!(
    r#"(umask 077 && printf %s "$ANKLET_JIT_CONFIG" >"$HOME/.anklet-jit-config") && unset ANKLET_JIT_CONFIG "#,
    r#"&& ANKLET_JIT_CONFIG_FILE="$HOME/.anklet-jit-config" bash ./start-runner.bash"#,
);

/// The scripts, found and readable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scripts {
    paths: [PathBuf; 3],
}

/// Some are not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingScripts {
    /// Where they were looked for.
    pub folder: PathBuf,
    /// Each with the reason.
    pub missing: Vec<(&'static str, String)>,
}

impl Scripts {
    /// The scripts below `plugins_path`, which must be readable files, or links to such.
    pub fn find(plugins_path: &Path) -> Result<Scripts, MissingScripts> {
        let folder = plugins_path.join(FOLDER);
        let fault = |name: &'static str| Some((name, check(&folder.join(name))?));
        let missing: Vec<_> = NAMES.into_iter().filter_map(fault).collect();
        if missing.is_empty() {
            return Ok(Scripts { paths: NAMES.map(|name| folder.join(name)) });
        }
        Err(MissingScripts { folder, missing })
    }

    /// Their paths, in the order in which they run.
    pub fn paths(&self) -> &[PathBuf; 3] {
        &self.paths
    }
}

fn check(path: &Path) -> Option<String> {
    match File::open(path).and_then(|file| file.metadata()) {
        Ok(found) if found.is_file() => None,
        Ok(_) => Some("not a file".to_owned()),
        Err(e) => Some(e.to_string()),
    }
}

impl fmt::Display for MissingScripts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<String> = self.missing.iter().map(|(name, why)| format!("{name} ({why})")).collect();
        write!(
            f,
            "no usable {} in {}; copy scripts/runner/*.bash of the anklet package there",
            faults.join(", "),
            self.folder.display()
        )
    }
}

impl std::error::Error for MissingScripts {}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn all_faults_are_told_and_links_are_followed() {
        let root = std::env::temp_dir().join(format!("anklet-scripts-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        let folder = root.join(FOLDER);
        fs::create_dir_all(folder.join(NAMES[1])).unwrap();
        fs::write(root.join("mine"), "").unwrap();
        symlink(root.join("mine"), folder.join(NAMES[0])).unwrap();
        symlink(root.join("nowhere"), folder.join(NAMES[2])).unwrap();
        let fault = Scripts::find(&root).unwrap_err();
        assert_eq!(fault.missing.iter().map(|m| m.0).collect::<Vec<_>>(), [NAMES[1], NAMES[2]]);
        let text = fault.to_string();
        assert!(text.contains("register-runner.bash (not a file)") && text.contains("copy scripts/runner"));
        fs::remove_dir(folder.join(NAMES[1])).unwrap();
        fs::write(folder.join(NAMES[1]), "").unwrap();
        fs::write(root.join("nowhere"), "").unwrap();
        assert_eq!(Scripts::find(&root).unwrap().paths()[0], folder.join(NAMES[0]));
    }
}
