//! Redis' errors in the store's words.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::runtime::meters;
use crate::store::StoreError;

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In the store's words.
    pub error: StoreError,
    /// Whether the call was surely not carried out.
    pub undone: bool,
    /// Whether another try a little later may do better.
    pub passing: bool,
    /// Whether the connection must not be used again: a late answer would be taken for the next one.
    pub broken: bool,
}

/// Codes of a server that refuses a call before it does anything.
const REFUSALS: [(&str, &str); 6] = [
    ("OOM", "its memory is full (maxmemory)"),
    ("MISCONF", "it cannot write to its disk"),
    ("NOREPLICAS", "it has too few replicas to take anything"),
    ("NOAUTH", "it wants a password"),
    ("WRONGPASS", "it refuses the user or the password"),
    ("BUSY", "it is busy with a script"),
];

impl Fault {
    /// No connection came about.
    pub fn at_dial(node: &str, error: &RedisError) -> Fault {
        use ErrorKind::{AuthenticationFailed, Server};
        let passing = !matches!(error.kind(), AuthenticationFailed | Server(ServerErrorKind::ResponseError));
        Fault { undone: true, passing, broken: true, error: away(node, &words(error)) }
    }

    /// A call on a connection failed.
    pub fn at_call(node: &str, error: &RedisError) -> Fault {
        use ServerErrorKind as Server;
        let refused = error.code().is_some_and(|code| REFUSALS.iter().any(|(known, _)| *known == code));
        let (undone, passing) = match error.kind() {
            ErrorKind::Server(
                Server::BusyLoading
                | Server::ReadOnly
                | Server::ClusterDown
                | Server::MasterDown
                | Server::TryAgain
                | Server::Moved
                | Server::Ask,
            ) => (true, true),
            ErrorKind::Server(Server::NoPerm | Server::NoScript) => (true, false),
            _ if refused => (true, error.code() == Some("BUSY")),
            _ => (false, false),
        };
        let broken = !matches!(error.kind(), ErrorKind::Server(Server::ResponseError) | ErrorKind::Extension)
            || refused;
        let text = words(error);
        let error = if error.code() == Some("WRONGTYPE") {
            StoreError::Unreadable(format!("Redis at {node}: a key of the queue is of another kind"))
        } else {
            away(node, &text)
        };
        Fault { error, undone, passing, broken }
    }

    /// Its answer has another shape than the scripts give.
    pub fn strange(node: &str) -> Fault {
        let error = StoreError::Unreadable(format!("Redis at {node} answers in a form that is not ours"));
        Fault { error, undone: false, passing: false, broken: true }
    }

    /// Sent from node to node.
    pub fn circle(node: &str) -> Fault {
        let error = away(node, "its cluster sends us in a circle");
        Fault { error, undone: true, passing: true, broken: true }
    }

    /// It was not asked, for a reason of our own.
    pub fn own(why: &str) -> Fault {
        Fault { error: StoreError::Away(why.to_owned()), undone: true, passing: false, broken: false }
    }

    /// The time of the whole verb is up.
    pub fn late(node: &str) -> Fault {
        let error = away(node, "no answer in time");
        Fault { error, undone: true, passing: false, broken: false }
    }
}

fn away(node: &str, why: &str) -> StoreError {
    meters::STORE_ERRORS.add(&["redis"]);
    StoreError::Away(format!("Redis at {node}: {why}"))
}

fn words(error: &RedisError) -> String {
    if let Some((_, words)) = error.code().and_then(|code| REFUSALS.iter().find(|(known, _)| *known == code))
    {
        return (*words).to_owned();
    }
    match error.kind() {
        ErrorKind::AuthenticationFailed => of_sign_in(error.detail().unwrap_or_default()),
        ErrorKind::InvalidClientConfig => error.detail().unwrap_or("it cannot be used so").to_owned(),
        ErrorKind::Server(ServerErrorKind::ResponseError) => of_answer(error.detail().unwrap_or_default()),
        ErrorKind::Server(ServerErrorKind::BusyLoading) => "it is loading its data".into(),
        ErrorKind::Server(ServerErrorKind::ReadOnly) => "it is a replica and cannot be written".into(),
        ErrorKind::Server(ServerErrorKind::ClusterDown) => "its cluster is down".into(),
        ErrorKind::Server(ServerErrorKind::MasterDown) => "its master is down".into(),
        ErrorKind::Server(ServerErrorKind::NoPerm) => {
            "the user may not run our commands; allow +@all on ~anklet:*".into()
        }
        _ if error.is_timeout() => "no answer in time".into(),
        _ => error.to_string(),
    }
}

/// What the server says to a sign-in; `dial` has taken the password out.
fn of_sign_in(said: &str) -> String {
    let has = |words: &str| said.contains(words);
    if has("WRONGPASS") {
        "it refuses the user or the password".into()
    } else if has("without any password configured") || has("no password is set") {
        "it has no password set: leave ours out, or set one there (requirepass)".into()
    } else if has("wrong number of arguments") {
        "it knows no users, as before version 6: leave the user out".into()
    } else {
        format!("it refuses the sign-in: {}", short(said))
    }
}

/// What it says to a command, where only the words tell more.
fn of_answer(said: &str) -> String {
    let has = |words: &str| said.contains(words);
    if has("DB index") {
        "it has no database of this number: take a smaller one (0 to 15, unless its `databases` is set)"
            .into()
    } else if has("SELECT is not allowed in cluster mode") {
        "it is a cluster, which has database 0 only: set database: 0".into()
    } else if has("unauthenticated") {
        // What it says to somebody unknown who asks more than a few words.
        "it wants a password".into()
    } else {
        format!("it says: {}", short(said))
    }
}

fn short(said: &str) -> String {
    said.chars().filter(|c| !c.is_control()).take(120).collect()
}
