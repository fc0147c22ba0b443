//! What the credentials must be allowed to do, and whether they are, as far as GitHub tells it.
//!
//! Facts: the scopes of a classic token stand in the texts of GitHub's REST description, the permissions of an App in
//! its schema of an installation and in `X-Accepted-GitHub-Permissions`.

use std::collections::BTreeMap;

use super::plan::Place;
use crate::domain::scope::Scope;
use crate::github::hooks::Hook;

/// The scopes of a classic token, of each row one.
pub(super) fn scopes(place: &Place) -> Vec<&'static [&'static str]> {
    let mut wanted: Vec<&[&str]> = Vec::new();
    if place.has_handlers {
        wanted.push(&["repo"]);
        match place.scope {
            Scope::Repository { .. } => {}
            Scope::Organization { .. } => wanted.push(&["admin:org"]),
            Scope::Enterprise { .. } => wanted.push(&["manage_runners:enterprise", "admin:enterprise"]),
        }
    }
    if has_own_hook(place) {
        match place.scope {
            Scope::Repository { .. } => wanted.push(&["admin:repo_hook", "write:repo_hook", "repo"]),
            _ => wanted.push(&["admin:org_hook"]),
        }
    }
    wanted
}

/// The rows of which the token has none, each by its first scope.
pub(super) fn missing_scopes(place: &Place, granted: &[String]) -> Vec<&'static str> {
    let has = |row: &&[&str]| row.iter().any(|scope| granted.iter().any(|one| one == scope));
    scopes(place).into_iter().filter(|row| !has(row)).map(|row| row[0]).collect()
}

/// The permissions of an App that must be `write`.
pub(super) fn permissions(place: &Place) -> Vec<&'static str> {
    let is_repository = matches!(place.scope, Scope::Repository { .. });
    let mut wanted = Vec::new();
    if place.has_handlers {
        wanted.push(if is_repository { "administration" } else { "organization_self_hosted_runners" });
        wanted.push("actions");
    }
    if has_own_hook(place) {
        wanted.push(if is_repository { "repository_hooks" } else { "organization_hooks" });
    }
    wanted
}

/// Those that it has not, each with what it has instead.
pub(super) fn missing_permissions<'a>(
    place: &Place,
    granted: &'a BTreeMap<String, String>,
) -> Vec<(&'static str, Option<&'a str>)> {
    let has = |name: &str| granted.get(name).map(String::as_str);
    let wanted = permissions(place).into_iter().map(|name| (name, has(name)));
    wanted.filter(|(_, level)| !matches!(level, Some("write" | "admin"))).collect()
}

/// An App's own hook is asked for by its key, and needs no permission.
fn has_own_hook(place: &Place) -> bool {
    place.hooks.iter().any(|hook| *hook != Hook::App)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(scope: Scope, has_handlers: bool, hooks: Vec<Hook>) -> Place {
        Place { scope, has_handlers, groups: Vec::new(), hooks }
    }

    fn repository() -> Scope {
        Scope::Repository { owner: "acme".into(), repo: "app".into() }
    }

    fn hook(of: &Scope) -> Hook {
        match of.repo_name() {
            Some(repo) => Hook::Repository { owner: "acme".into(), repo: repo.into(), id: 5 },
            None => Hook::Organization { owner: "acme".into(), id: 5 },
        }
    }

    #[test]
    fn a_classic_token_needs_what_github_s_texts_say() {
        let organization = Scope::Organization { owner: "acme".into() };
        let missing = |place: &Place, granted: &[&str]| {
            missing_scopes(place, &granted.iter().map(|&scope| scope.to_owned()).collect::<Vec<_>>())
        };
        let all = place(organization.clone(), true, vec![hook(&organization)]);
        assert_eq!(missing(&all, &[]), ["repo", "admin:org", "admin:org_hook"]);
        assert_eq!(missing(&all, &["repo", "admin:org", "admin:org_hook"]), [""; 0]);
        let receiver = place(repository(), false, vec![hook(&repository())]);
        assert_eq!(missing(&receiver, &["write:repo_hook"]), [""; 0]);
        assert_eq!(missing(&receiver, &["public_repo"]), ["admin:repo_hook"]);
        let enterprise = place(Scope::Enterprise { slug: "big".into() }, true, Vec::new());
        assert_eq!(missing(&enterprise, &["repo", "admin:enterprise"]), [""; 0]);
        assert_eq!(missing(&place(repository(), false, vec![Hook::App]), &[]), [""; 0]);
    }

    #[test]
    fn an_app_needs_to_write() {
        let granted: BTreeMap<String, String> = [("administration", "read"), ("repository_hooks", "write")]
            .map(|(name, level)| (name.into(), level.into()))
            .into();
        let all = place(repository(), true, vec![hook(&repository())]);
        assert_eq!(
            missing_permissions(&all, &granted),
            [("administration", Some("read")), ("actions", None)]
        );
        let organization = Scope::Organization { owner: "acme".into() };
        let all = place(organization.clone(), true, vec![hook(&organization)]);
        assert_eq!(permissions(&all), ["organization_self_hosted_runners", "actions", "organization_hooks"]);
    }
}
