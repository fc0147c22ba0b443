//! The folders of a configuration, made before anything else; which may be made, the configuration has decided.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;

use crate::config::Config;

/// Makes what is absent. The fault names the key.
pub fn make(config: &Config) -> Result<(), String> {
    for folder in &config.folders {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        if let Some(mode) = folder.mode {
            builder.mode(mode);
        }
        let made = builder.create(&folder.path);
        made.map_err(|error| format!("failed to make {} ({}): {error}", folder.path.display(), folder.key))?;
    }
    Ok(())
}
