//! The shape of a key's row.

/// The capability that makes a key work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// One job from a webhook to a clean host.
    Spine,
    /// The shared store.
    Redis,
    /// Metrics in every form, the aggregator, packages.
    Metrics,
    /// Anka in full: disk, mounts, capacity, orphans.
    Anka,
}

/// The capabilities that this build has. A value that needs another one is answered with "not yet".
pub const READY: &[From] = &[From::Spine, From::Redis, From::Metrics];

/// The words that a choice knows.
pub type Choices = &'static [&'static str];

/// What a value must look like, with its unit and its bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A folder; `~` is the user's home.
    Folder,
    /// A folder, or `-`.
    FolderOrDash,
    /// A program's name or path.
    Program,
    /// A file that is read at start.
    File,
    /// One line of text.
    Text,
    /// One line that is never shown.
    Secret,
    /// One or more lines that are never shown.
    Secrets,
    /// The path of a PEM file, or its text; never shown.
    PrivateKey,
    /// A plugin's name: it becomes part of file names and variables.
    Name,
    /// An owner, a repository or an enterprise's slug.
    GithubName,
    /// yes or no.
    Flag,
    /// One of a few words.
    Choice(Choices),
    /// A whole number within bounds.
    Whole {
        /// Smallest.
        least: u64,
        /// Largest.
        most: u64,
    },
    /// Seconds, decimals allowed.
    Seconds {
        /// Smallest.
        least: u64,
    },
    /// Milliseconds, whole.
    Millis,
    /// A percentage, decimals allowed.
    Percent,
    /// A factor of at least 1.
    Factor,
    /// An IP address, or `localhost`.
    Address,
    /// A URL that tokens are sent to: https, or http to a loopback address.
    GithubUrl {
        /// Whether it may have a path.
        path: bool,
    },
    /// URLs of metrics pages.
    Urls,
    /// A host, `HOST:PORT`, or `redis://` / `rediss://`; may hold a password.
    DatabaseUrl,
    /// A webhook's number, or `app`.
    Hook,
    /// `HOST[:GUEST]` or `{host, guest}`, a list.
    Mounts,
    /// A mapping whose keys are in [`super::DATABASE`].
    Database,
    /// The list of plugins.
    Plugins,
}

/// Which plugins look at a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsedBy {
    /// Both kinds.
    All,
    /// `github_receiver`.
    Receiver,
    /// `github`.
    Handler,
}

/// A row of a table.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Path from the top of the file, or from the plugin or the database block.
    pub name: &'static str,
    /// What a value must look like.
    pub kind: Kind,
    /// The default as one would write it; empty: none.
    pub default: &'static str,
    /// The capability that makes it work.
    pub from: From,
    /// Changes nothing by itself: "not yet" is said, if at all, where it is resolved together with others.
    pub follows: bool,
    /// `global_<this>` at the top serves all plugins; empty: it does not exist.
    pub global: &'static str,
    /// The variable, where it is not derived from the path.
    pub variable: &'static str,
    /// Who looks at it.
    pub used_by: UsedBy,
    /// One line for people: what it is and does.
    pub doc: &'static str,
}

impl Key {
    /// A row with nothing special about it.
    pub const fn new(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Key {
        Key {
            name,
            kind,
            default,
            from: From::Spine,
            follows: false,
            global: "",
            variable: "",
            used_by: UsedBy::All,
            doc,
        }
    }

    /// Works from this capability on.
    #[must_use]
    pub const fn from(mut self, from: From) -> Key {
        self.from = from;
        self
    }

    /// Works from this capability on, and only together with another key.
    #[must_use]
    pub const fn follows(mut self, from: From) -> Key {
        self.from = from;
        self.follows = true;
        self
    }

    /// May stand at the top as `global_<name>`.
    #[must_use]
    pub const fn global(mut self) -> Key {
        self.global = self.name;
        self
    }

    /// May stand at the top under another name.
    #[must_use]
    pub const fn global_as(mut self, name: &'static str) -> Key {
        self.global = name;
        self
    }

    /// Has a variable of its own.
    #[must_use]
    pub const fn variable(mut self, name: &'static str) -> Key {
        self.variable = name;
        self
    }

    /// Receivers only.
    #[must_use]
    pub const fn receiver(mut self) -> Key {
        self.used_by = UsedBy::Receiver;
        self
    }

    /// Handlers only.
    #[must_use]
    pub const fn handler(mut self) -> Key {
        self.used_by = UsedBy::Handler;
        self
    }
}
