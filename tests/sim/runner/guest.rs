//! The VM as a workflow in it sees it.

use std::path::PathBuf;

/// The VM that this runs in, if it runs in one.
pub fn vm_folder() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let vm =
        here.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "home"))?.parent()?;
    vm.join("pids").is_dir().then(|| vm.to_path_buf())
}

/// What a workflow could read of the daemon's: variables of ours, and files that hold the registration token.
pub fn leaks() -> Vec<String> {
    let ours = |name: &str| name.starts_with("ANKLET_");
    let mut leaks: Vec<String> = std::env::vars().map(|(name, _)| name).filter(|name| ours(name)).collect();
    let Some(vm) = vm_folder() else { return leaks };
    let Ok(token) = std::fs::read_to_string(vm.join("registration-token")) else { return leaks };
    for folder in [vm.join("home"), vm.join("home/actions-runner")] {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries.flatten().filter(|entry| entry.path().is_file()) {
            let holds = std::fs::read(entry.path())
                .is_ok_and(|bytes| bytes.windows(token.len().max(1)).any(|part| part == token.as_bytes()));
            if holds {
                leaks.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    leaks
}
