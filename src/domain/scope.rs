//! Where a plugin's jobs come from: a repository, an organization or an enterprise, never two at once.

use std::fmt;

/// A plugin's scope. Names compare without case, as GitHub's do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One repository of an owner.
    Repository {
        /// User or organization.
        owner: String,
        /// Repository, without the owner.
        repo: String,
    },
    /// All repositories of an organization.
    Organization {
        /// The organization's login.
        owner: String,
    },
    /// All organizations of an enterprise.
    Enterprise {
        /// The enterprise's slug.
        slug: String,
    },
}

impl Scope {
    /// Whether a job of this repository is ours to take.
    pub fn takes(&self, owner: &str, repo: &str) -> bool {
        match self {
            Scope::Repository { owner: o, repo: r } => {
                o.eq_ignore_ascii_case(owner) && r.eq_ignore_ascii_case(repo)
            }
            Scope::Organization { owner: o } => o.eq_ignore_ascii_case(owner),
            Scope::Enterprise { .. } => true,
        }
    }

    /// Owner, or the enterprise's slug.
    pub fn owner_name(&self) -> &str {
        match self {
            Scope::Repository { owner, .. } | Scope::Organization { owner } => owner,
            Scope::Enterprise { slug } => slug,
        }
    }

    /// Repository, where the scope is one.
    pub fn repo_name(&self) -> Option<&str> {
        match self {
            Scope::Repository { repo, .. } => Some(repo),
            _ => None,
        }
    }

    /// What stands behind GitHub's address in the URL that a runner registers at.
    pub fn web_path(&self) -> String {
        match self {
            Scope::Repository { owner, repo } => format!("{owner}/{repo}"),
            Scope::Organization { owner } => owner.clone(),
            Scope::Enterprise { slug } => format!("enterprises/{slug}"),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.web_path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_takes_only_its_own_and_case_does_not_matter() {
        let one = Scope::Repository { owner: "Acme".into(), repo: "App".into() };
        assert!(one.takes("acme", "APP"));
        assert!(!one.takes("acme", "api"));
        assert!(Scope::Organization { owner: "acme".into() }.takes("ACME", "api"));
        assert!(!Scope::Organization { owner: "acme".into() }.takes("acm", "api"));
        assert!(Scope::Enterprise { slug: "big".into() }.takes("anyone", "any"));
    }
}
