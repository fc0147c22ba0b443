//! How a scope is written down.

use serde::{Deserialize, Serialize};

use crate::domain::scope::Scope;

/// A scope as JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeRecord {
    /// One repository of an owner.
    Repository {
        /// User or organization.
        owner: String,
        /// Repository, without the owner.
        repo: String,
    },
    /// An organization.
    Organization {
        /// Its login.
        owner: String,
    },
    /// An enterprise.
    Enterprise {
        /// Its slug.
        slug: String,
    },
}

impl From<Scope> for ScopeRecord {
    fn from(scope: Scope) -> ScopeRecord {
        match scope {
            Scope::Repository { owner, repo } => ScopeRecord::Repository { owner, repo },
            Scope::Organization { owner } => ScopeRecord::Organization { owner },
            Scope::Enterprise { slug } => ScopeRecord::Enterprise { slug },
        }
    }
}

impl From<ScopeRecord> for Scope {
    fn from(record: ScopeRecord) -> Scope {
        match record {
            ScopeRecord::Repository { owner, repo } => Scope::Repository { owner, repo },
            ScopeRecord::Organization { owner } => Scope::Organization { owner },
            ScopeRecord::Enterprise { slug } => Scope::Enterprise { slug },
        }
    }
}
