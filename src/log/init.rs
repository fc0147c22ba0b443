//! Puts the loggers together: once, before anything is told.

use std::fmt;
use std::io;
use std::panic::{self, PanicHookInfo};
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;
use std::time::SystemTime;

use simplelog::{CombinedLogger, SharedLogger};

use super::level::Level;
use super::logger::{Form, Logger};
use super::outlet::Outlet;
use super::sink::Sink;

/// The file in the folder of the log.
pub const FILE_NAME: &str = "anklet.log";

/// Where the log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// `anklet.log` in this folder, which exists.
    Folder(PathBuf),
    /// Standard output.
    Stdout,
}

/// What a log is made from.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it goes.
    pub destination: Destination,
    /// Also one file a plugin, `anklet-<name>.log`; only where there is a folder.
    pub split_by_plugin: bool,
    /// How much is told. The form of [`Level::Dev`] takes the place of the JSON lines, and also goes to standard
    /// error, whoever watches, unless it goes to standard output already.
    pub level: Level,
    /// The version that every line carries.
    pub version: &'static str,
    /// The clock.
    pub clock: fn() -> SystemTime,
    /// Whether somebody watches: then the same events appear there in short form.
    pub stderr_is_terminal: bool,
}

/// Why a log cannot begin.
#[derive(Debug)]
pub enum InitError {
    /// The file, or the stream, cannot be opened.
    Open {
        /// The file; `-` is standard output.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is a log already.
    Twice,
}

/// Begins the log of this process; panics are told from now on, too, with their place in the source.
pub fn init(options: &Options) -> Result<(), InitError> {
    CombinedLogger::init(loggers(options)?).map_err(|_| InitError::Twice)?;
    panic::set_hook(Box::new(tell_panic));
    Ok(())
}

fn loggers(options: &Options) -> Result<Vec<Box<dyn SharedLogger>>, InitError> {
    let dev = options.level == Level::Dev;
    let form = if dev { Form::Dev } else { Form::Json };
    let mut loggers = vec![logger(options, form, destination(options)?)];
    // Dev lines that go to standard output are there already for whoever looks.
    let dev_elsewhere = dev && options.destination != Destination::Stdout;
    if dev_elsewhere || (!dev && options.stderr_is_terminal) {
        let stderr =
            Sink::stream(&io::stderr()).map_err(|source| open_error("standard error".into(), source))?;
        let form = if dev { Form::Dev } else { Form::Short };
        loggers.push(logger(options, form, Outlet::new(stderr, None)));
    }
    Ok(loggers)
}

fn logger(options: &Options, form: Form, outlet: Outlet) -> Box<dyn SharedLogger> {
    let (filter, version, clock) = (options.level.filter(), options.version, options.clock);
    Box::new(Logger { form, filter, version, clock, outlet: Mutex::new(outlet) })
}

fn destination(options: &Options) -> Result<Outlet, InitError> {
    match &options.destination {
        Destination::Stdout => {
            let stdout = Sink::stream(&io::stdout()).map_err(|source| open_error("-".into(), source))?;
            Ok(Outlet::new(stdout, None))
        }
        Destination::Folder(folder) => {
            let path = folder.join(FILE_NAME);
            let mut file = Sink::file(path.clone());
            file.open().map_err(|source| open_error(path, source))?;
            Ok(Outlet::new(file, options.split_by_plugin.then(|| folder.clone())))
        }
    }
}

fn open_error(path: PathBuf, source: io::Error) -> InitError {
    InitError::Open { path, source }
}

fn tell_panic(info: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let message = info.payload_as_str().unwrap_or("no message");
    log::error!("the thread {} panicked at {place}: {message}", thread.name().unwrap_or("without a name"));
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InitError::Open { path, source } => write!(f, "open the log {}: {source}", path.display()),
            InitError::Twice => f.write_str("begin a second log in one process"),
        }
    }
}

impl std::error::Error for InitError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Field, Fields, scope};
    use log::{Log, Record};
    use std::fs;
    use std::time::Duration;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("anklet-log-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn log_in(folder: PathBuf, level: Level) -> CombinedLogger {
        let options = Options {
            destination: Destination::Folder(folder),
            split_by_plugin: true,
            level,
            version: "1.2.3",
            clock: || SystemTime::UNIX_EPOCH + Duration::from_millis(1_712_178_608_726),
            stderr_is_terminal: false,
        };
        *CombinedLogger::new(loggers(&options).unwrap())
    }

    fn tell(log: &dyn Log, level: log::Level, target: &str, msg: &str) {
        log.log(&Record::builder().level(level).target(target).args(format_args!("{msg}")).build());
    }

    fn levels_and_messages(text: &str) -> Vec<String> {
        let json = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        json.map(|line| format!("{} {}", line["level"], line["msg"]).replace('"', "")).collect()
    }

    #[test]
    fn other_crates_tell_only_warnings_and_never_alarm() {
        let folder = folder("crates");
        let log = log_in(folder.clone(), Level::Debug);
        for level in [log::Level::Debug, log::Level::Info, log::Level::Warn, log::Level::Error] {
            tell(&log, level, "rustls::conn", "theirs");
            tell(&log, level, "anklet::app", "ours");
        }
        let told = levels_and_messages(&fs::read_to_string(folder.join(FILE_NAME)).unwrap());
        let wanted = ["DEBUG ours", "INFO ours", "WARN theirs", "WARN ours", "WARN theirs", "ERROR ours"];
        assert_eq!(told, wanted);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_level_keeps_out_what_is_below_it() {
        let folder = folder("level");
        let log = log_in(folder.clone(), Level::Error);
        tell(&log, log::Level::Warn, "anklet::app", "warned");
        tell(&log, log::Level::Error, "ureq", "theirs");
        tell(&log, log::Level::Error, "anklet::app", "failed");
        let told = levels_and_messages(&fs::read_to_string(folder.join(FILE_NAME)).unwrap());
        assert_eq!(told, ["ERROR failed"]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_plugin_has_a_file_of_its_own_as_well() {
        let folder = folder("split");
        let log = log_in(folder.clone(), Level::Info);
        tell(&log, log::Level::Info, "anklet::app", "nobody's");
        {
            let _scope = scope::enter(Fields::new().with(Field::PluginName, "R 1"));
            tell(&log, log::Level::Info, "anklet::app", "mine");
        }
        let all = fs::read_to_string(folder.join(FILE_NAME)).unwrap();
        let mine = fs::read_to_string(folder.join("anklet-R_1.log")).unwrap();
        assert_eq!(levels_and_messages(&all), ["INFO nobody's", "INFO mine"]);
        assert_eq!(levels_and_messages(&mine), ["INFO mine"]);
        assert!(mine.contains(r#""pluginName":"R 1""#) && mine.contains(".726000"), "{mine}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_heard_of_at_once() {
        let options = Options {
            destination: Destination::Folder("/nowhere/at/all".into()),
            split_by_plugin: false,
            level: Level::Info,
            version: "1",
            clock: || SystemTime::UNIX_EPOCH,
            stderr_is_terminal: false,
        };
        let told = loggers(&options).err().map(|e| e.to_string()).unwrap();
        assert!(told.starts_with("open the log /nowhere/at/all/anklet.log: No such file"), "{told}");
    }
}
