//! A workflow job and the VM that its labels ask for.

use std::fmt;

use super::ids::{JobId, RunId, RunnerName};

/// What is known of a job from its deliveries. It never changes over the job's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// GitHub's number.
    pub id: JobId,
    /// The run it belongs to.
    pub run_id: RunId,
    /// Absent in older deliveries: then 1.
    pub run_attempt: u32,
    /// From `repository.full_name`.
    pub owner: String,
    /// From `repository.full_name`.
    pub repo: String,
    /// The job's name.
    pub name: String,
    /// The workflow's name; empty when the delivery had none.
    pub workflow_name: String,
    /// All labels, in the job's order.
    pub labels: Vec<String>,
    /// Where a person sees it.
    pub url: String,
}

/// What the labels ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VmRequest {
    /// UUID or name of the template.
    pub template: String,
    /// `None`: the latest, which always pulls.
    pub tag: Option<String>,
}

/// Why the labels cannot be served, ever: the workflow's author must mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// No `anka-template:` label.
    NoTemplate,
    /// The label has nothing behind its colon.
    Empty(&'static str),
    /// Two labels of one kind.
    Doubled(&'static str),
    /// A character that neither Anka nor GitHub's label list can carry.
    BadCharacters(String),
}

const TEMPLATE: &str = "anka-template:";
const TAG: &str = "anka-template-tag:";
/// Longest template or tag.
const LONGEST: usize = 128;

impl Job {
    /// `<run id>:<attempt>`, for logs.
    pub fn unique_run_key(&self) -> String {
        format!("{}:{}", self.run_id, self.run_attempt)
    }

    /// The VM to make.
    pub fn vm_request(&self) -> Result<VmRequest, Malformed> {
        if let Some(label) = self.labels.iter().find(|l| l.contains(|c: char| c == ',' || c.is_control())) {
            return Err(Malformed::BadCharacters(label.clone()));
        }
        let template = the_one(&self.labels, TEMPLATE)?.ok_or(Malformed::NoTemplate)?;
        let tag = the_one(&self.labels, TAG)?;
        Ok(VmRequest { template: template.to_owned(), tag: tag.map(str::to_owned) })
    }

    /// Whether it is of the repository of this full name.
    pub fn is_of(&self, full_name: &str) -> bool {
        full_name.split_once('/').is_some_and(|(owner, repo)| {
            self.owner.eq_ignore_ascii_case(owner) && self.repo.eq_ignore_ascii_case(repo)
        })
    }

    /// Whether both jobs are of one repository.
    pub fn same_repository(&self, other: &Job) -> bool {
        self.owner.eq_ignore_ascii_case(&other.owner) && self.repo.eq_ignore_ascii_case(&other.repo)
    }

    /// Whether both jobs would be served by a runner with the same labels; order and case do not matter.
    pub fn same_labels(&self, other: &Job) -> bool {
        self.label_set() == other.label_set()
    }

    /// Its labels, in lower case, sorted, each once.
    pub fn label_set(&self) -> Vec<String> {
        let mut labels: Vec<String> = self.labels.iter().map(|l| l.to_ascii_lowercase()).collect();
        labels.sort();
        labels.dedup();
        labels
    }
}

/// Whether a delivery concerns us: it names a template, or a runner of ours took the job.
pub fn concerns_us(labels: &[String], runner: Option<&RunnerName>) -> bool {
    labels.iter().any(|l| after_prefix(l, TEMPLATE).is_some()) || runner.is_some_and(RunnerName::is_ours)
}

fn the_one<'a>(labels: &'a [String], kind: &'static str) -> Result<Option<&'a str>, Malformed> {
    let mut values = labels.iter().filter_map(|l| after_prefix(l, kind));
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Malformed::Doubled(kind));
    }
    if value.is_empty() {
        return Err(Malformed::Empty(kind));
    }
    if is_plain(value) { Ok(Some(value)) } else { Err(Malformed::BadCharacters(format!("{kind}{value}"))) }
}

fn after_prefix<'a>(label: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = (label.get(..prefix.len())?, label.get(prefix.len()..)?);
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// `[A-Za-z0-9][A-Za-z0-9._ +@-]{0,127}`: a UUID fits it too.
fn is_plain(value: &str) -> bool {
    let first = value.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    let all = value.chars().all(|c| c.is_ascii_alphanumeric() || "._ +@-".contains(c));
    first && all && value.len() <= LONGEST
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::NoTemplate => {
                write!(f, "no label names a template; add `{TEMPLATE}UUID-or-name` to runs-on")
            }
            Malformed::Empty(kind) => {
                write!(f, "the label `{kind}` names nothing; write a value behind the colon")
            }
            Malformed::Doubled(kind) => write!(f, "more than one label begins with `{kind}`; leave one"),
            Malformed::BadCharacters(label) => write!(
                f,
                "the label {label:?} has characters that cannot be used; \
                 templates and tags are letters, digits and ._ +@- and no label holds a comma"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(labels: &[&str]) -> Job {
        Job {
            id: JobId(1),
            run_id: RunId(2),
            run_attempt: 3,
            owner: "acme".into(),
            repo: "app".into(),
            name: "build".into(),
            workflow_name: "ci".into(),
            labels: labels.iter().map(ToString::to_string).collect(),
            url: String::new(),
        }
    }

    #[test]
    fn labels_name_template_and_tag() {
        let asked =
            job(&["self-hosted", "Anka-Template:d792c6f6-198C", "anka-template-tag:vanilla+port-forward-22"]);
        let request = asked.vm_request().unwrap();
        assert_eq!(request.template, "d792c6f6-198C");
        assert_eq!(request.tag.as_deref(), Some("vanilla+port-forward-22"));
        assert_eq!(job(&["anka-template:12.2.0-arm"]).vm_request().unwrap().tag, None);
        assert_eq!(asked.unique_run_key(), "2:3");
    }

    #[test]
    fn what_cannot_be_served_says_why() {
        let long = format!("anka-template:{}", "a".repeat(129));
        let cases: &[(&[&str], Malformed)] = &[
            (&["macos"], Malformed::NoTemplate),
            (&["anka-template-tag:x"], Malformed::NoTemplate),
            (&["anka-template:"], Malformed::Empty(TEMPLATE)),
            (&["anka-template:a", "anka-template-tag:"], Malformed::Empty(TAG)),
            (&["anka-template:a", "ANKA-template:a"], Malformed::Doubled(TEMPLATE)),
            (&["anka-template:a;rm"], Malformed::BadCharacters("anka-template:a;rm".into())),
            (&["anka-template:-t"], Malformed::BadCharacters("anka-template:-t".into())),
            (&["anka-template:a", "x,y"], Malformed::BadCharacters("x,y".into())),
            (&["anka-template:a", "x\ny"], Malformed::BadCharacters("x\ny".into())),
            (&[&long], Malformed::BadCharacters(long.clone())),
        ];
        for (labels, want) in cases {
            assert_eq!(job(labels).vm_request(), Err(want.clone()), "{labels:?}");
        }
    }

    #[test]
    fn ours_are_jobs_that_name_a_template_or_run_on_our_runner() {
        let label = |l: &str| vec![l.to_owned()];
        assert!(concerns_us(&label("ANKA-TEMPLATE:"), None));
        assert!(!concerns_us(&label("macos"), Some(&RunnerName("GitHub Actions 5".into()))));
        assert!(concerns_us(&label("macos"), Some(&RunnerName("anklet-vm-1".into()))));
        assert!(job(&["a", "B"]).same_labels(&job(&["b", "A", "a"])));
    }
}
