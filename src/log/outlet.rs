//! The sinks of one logger: the one for everything, and where asked for, one more a plugin.

use std::collections::HashMap;
use std::path::PathBuf;

use super::fields::{Field, Fields};
use super::sink::Sink;

/// Where a logger's lines go.
#[derive(Debug)]
pub(super) struct Outlet {
    all: Sink,
    plugins: Option<PerPlugin>,
}

#[derive(Debug)]
struct PerPlugin {
    folder: PathBuf,
    sinks: HashMap<String, Sink>,
}

impl Outlet {
    pub(super) fn new(all: Sink, split_in: Option<PathBuf>) -> Outlet {
        Outlet { all, plugins: split_in.map(|folder| PerPlugin { folder, sinks: HashMap::new() }) }
    }

    /// Waits until all is written, for a moment.
    pub(super) fn flush(&self) {
        self.all.flush();
    }

    /// Writes `line` to the sink for everything, and to that of the plugin which its fields name.
    pub(super) fn put(&mut self, line: &str, fields: &Fields, lost: impl Fn(u64, &str) -> String) {
        self.all.put(line, &lost);
        if let (Some(plugins), Some(name)) = (&mut self.plugins, fields.text(Field::PluginName)) {
            plugins.of(name).put(line, &lost);
        }
    }
}

impl PerPlugin {
    fn of(&mut self, name: &str) -> &mut Sink {
        let path = self.folder.join(format!("anklet-{}.log", as_file_name(name)));
        self.sinks.entry(name.to_owned()).or_insert_with(|| Sink::file(path))
    }
}

/// A plugin's name, harmless in a path.
fn as_file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        assert_eq!(as_file_name("RUNNER-1"), "RUNNER-1");
        assert_eq!(as_file_name("../../etc/x y"), ".._.._etc_x_y");
    }
}
