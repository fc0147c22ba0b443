//! The command line of `anka`: the calls and flags that its documentation lists, and no others.

use lexopt::prelude::*;
use std::ffi::OsString;

/// One call, read.
pub struct Line {
    /// `-j` was given: answers are JSON envelopes.
    pub json: bool,
    pub call: Call,
    /// The call's name and all that follows it: what a fault is matched with.
    pub words: Vec<String>,
}

pub enum Call {
    Version,
    License,
    List { running: bool, names: Vec<String> },
    Show { tag: Option<String>, name: String },
    Tags { name: String },
    Clone { tag: Option<String>, template: String, name: String },
    Start { mount: bool, name: String },
    Run(Run),
    Copy { from: String, to: String },
    Stop { name: String },
    Delete { tag: Option<String>, name: String },
    Mount { name: String },
    Registry { registry: Option<String>, call: RegistryCall },
}

#[derive(Default)]
pub struct Run {
    pub folder: Option<String>,
    pub variables: Vec<String>,
    pub variable_files: Vec<String>,
    pub background: bool,
    pub name: String,
    pub command: Vec<String>,
}

pub enum RegistryCall {
    Registries,
    List,
    Show { tag: Option<String>, template: String },
    Pull { tag: Option<String>, shrink: bool, local: bool, template: String },
}

impl Line {
    pub fn read(argv: &[String]) -> Result<Self, String> {
        let words = argv.iter().skip_while(|word| word.starts_with('-')).cloned().collect();
        let mut parser = lexopt::Parser::from_args(argv);
        let mut json = false;
        while let Some(arg) = parser.next().map_err(text)? {
            match arg {
                Short('j') | Long("machine-readable") => json = true,
                Value(name) => {
                    let call = call(&name.string().map_err(text)?, &mut parser).map_err(text)?;
                    return Ok(Self { json, call, words });
                }
                other => return Err(text(other.unexpected())),
            }
        }
        Err("no command given".into())
    }
}

fn call(name: &str, parser: &mut lexopt::Parser) -> Result<Call, lexopt::Error> {
    match name {
        "version" => Ok(Call::Version),
        "license" => match plain(parser)?.0.as_slice() {
            [word] if word == "show" => Ok(Call::License),
            _ => Err("license: only `license show` is simulated".into()),
        },
        "list" => list(parser),
        "show" => show(parser),
        "clone" => {
            let (values, tag) = tagged(parser)?;
            let [template, name] = exactly(values, "clone TEMPLATE NAME")?;
            Ok(Call::Clone { tag, template, name })
        }
        "start" => start(parser),
        "run" => run(parser),
        "cp" => {
            let [from, to] = exactly(plain(parser)?.0, "cp SOURCE DESTINATION")?;
            Ok(Call::Copy { from, to })
        }
        "stop" => {
            let [name] = exactly(plain(parser)?.0, "stop NAME")?;
            Ok(Call::Stop { name })
        }
        "delete" => {
            let (values, tag) = tagged(parser)?;
            let [name] = exactly(values, "delete NAME")?;
            Ok(Call::Delete { tag, name })
        }
        "mount" => {
            let [name, _] = exactly(plain(parser)?.0, "mount NAME HOST[:GUEST]")?;
            Ok(Call::Mount { name })
        }
        "registry" => registry(parser),
        other => Err(format!("no such command: {other}").into()),
    }
}

fn list(parser: &mut lexopt::Parser) -> Result<Call, lexopt::Error> {
    let (names, flags) = plain(parser)?;
    Ok(Call::List { running: flags.iter().any(|flag| flag == "r" || flag == "running"), names })
}

fn show(parser: &mut lexopt::Parser) -> Result<Call, lexopt::Error> {
    let (mut values, tag) = tagged(parser)?;
    if values.len() == 2 && values[1] == "tag" {
        return Ok(Call::Tags { name: values.swap_remove(0) });
    }
    let [name] = exactly(values, "show NAME [tag]")?;
    Ok(Call::Show { tag, name })
}

fn start(parser: &mut lexopt::Parser) -> Result<Call, lexopt::Error> {
    let (mut values, mut mount) = (Vec::new(), false);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("mount") => mount = !parser.value()?.is_empty(),
            Value(value) => values.push(value.string()?),
            other => return Err(other.unexpected()),
        }
    }
    let [name] = exactly(values, "start NAME")?;
    Ok(Call::Start { mount, name })
}

/// Everything after the VM's name is the guest's command, whatever it looks like.
fn run(parser: &mut lexopt::Parser) -> Result<Call, lexopt::Error> {
    let mut run = Run::default();
    while let Some(arg) = parser.next()? {
        match arg {
            Short('w') | Long("workdir") => run.folder = Some(parser.value()?.string()?),
            Short('e') | Long("env") => run.variables.push(parser.value()?.string()?),
            Short('f') | Long("env-file") => run.variable_files.push(parser.value()?.string()?),
            Short('q') | Long("quiet") => {}
            Short('b') | Long("background") => run.background = true,
            Value(name) => {
                run.name = name.string()?;
                let rest: Vec<OsString> = parser.raw_args()?.collect();
                run.command = rest.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
            }
            other => return Err(other.unexpected()),
        }
    }
    if run.command.is_empty() { Err("usage: run NAME COMMAND…".into()) } else { Ok(Call::Run(run)) }
}

fn registry(parser: &mut lexopt::Parser) -> Result<Call, lexopt::Error> {
    let mut registry = None;
    while let Some(arg) = parser.next()? {
        match arg {
            Short('r') | Long("remote") => registry = Some(parser.value()?.string()?),
            Long("list") => return Ok(Call::Registry { registry, call: RegistryCall::Registries }),
            Value(name) => {
                let call = registry_call(&name.string()?, parser)?;
                return Ok(Call::Registry { registry, call });
            }
            other => return Err(other.unexpected()),
        }
    }
    Err("usage: registry [-r NAME_OR_URL] list|show|pull".into())
}

fn registry_call(name: &str, parser: &mut lexopt::Parser) -> Result<RegistryCall, lexopt::Error> {
    if name == "list" {
        exactly::<0>(plain(parser)?.0, "registry list")?;
        return Ok(RegistryCall::List);
    }
    let (mut tag, mut shrink, mut local, mut values) = (None, false, false, Vec::new());
    while let Some(arg) = parser.next()? {
        match arg {
            Short('t') | Long("tag") => tag = Some(parser.value()?.string()?),
            Short('s') | Long("shrink") if name == "pull" => shrink = true,
            Short('l') | Long("local") if name == "pull" => local = true,
            Value(value) => values.push(value.string()?),
            other => return Err(other.unexpected()),
        }
    }
    let [template] = exactly(values, "registry show|pull TEMPLATE")?;
    match name {
        "show" => Ok(RegistryCall::Show { tag, template }),
        "pull" => Ok(RegistryCall::Pull { tag, shrink, local, template }),
        other => Err(format!("no such command: registry {other}").into()),
    }
}

/// Values and `-t TAG`, beside the flags that change nothing here.
fn tagged(parser: &mut lexopt::Parser) -> Result<(Vec<String>, Option<String>), lexopt::Error> {
    let (mut values, mut tag) = (Vec::new(), None);
    while let Some(arg) = parser.next()? {
        match arg {
            Short('t') | Long("tag") => tag = Some(parser.value()?.string()?),
            Long("yes") => {}
            Value(value) => values.push(value.string()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok((values, tag))
}

/// Values and the names of flags without a value.
fn plain(parser: &mut lexopt::Parser) -> Result<(Vec<String>, Vec<String>), lexopt::Error> {
    let (mut values, mut flags) = (Vec::new(), Vec::new());
    while let Some(arg) = parser.next()? {
        match arg {
            Short(flag @ ('r' | 'f' | 'a')) => flags.push(flag.to_string()),
            Long(flag @ ("running" | "force" | "yes")) => flags.push(flag.to_string()),
            Value(value) => values.push(value.string()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok((values, flags))
}

fn exactly<const N: usize>(values: Vec<String>, usage: &str) -> Result<[String; N], lexopt::Error> {
    values.try_into().map_err(|_| format!("usage: {usage}").into())
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn text(error: lexopt::Error) -> String {
    error.to_string()
}
