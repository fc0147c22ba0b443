//! What a line carries beyond time, level and message: names, in the order of a line.

use std::fmt;

/// What a line can say about the plugin and the job that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The plugin's `name`.
    PluginName,
    /// The plugin's kind: `github` or `github_receiver`.
    Plugin,
    /// The repository, without its owner.
    Repo,
    /// The owner, or an enterprise's slug.
    Owner,
    /// The workflow's name.
    WorkflowName,
    /// The run's title.
    WorkflowRunName,
    /// GitHub's number of the run.
    WorkflowRunId,
    /// GitHub's number of the job.
    WorkflowJobId,
    /// The job's name.
    WorkflowJobName,
    /// The template that the job asks for.
    AnkaTemplate,
    /// Its tag, or `(using latest)`.
    AnkaTemplateTag,
    /// The job's page.
    JobUrl,
    /// `<run id>:<attempt>`.
    UniqueRunKey,
    /// The VM.
    VmName,
}

const NAMES: [(Field, &str); 14] = [
    (Field::PluginName, "pluginName"),
    (Field::Plugin, "plugin"),
    (Field::Repo, "repo"),
    (Field::Owner, "owner"),
    (Field::WorkflowName, "workflowName"),
    (Field::WorkflowRunName, "workflowRunName"),
    (Field::WorkflowRunId, "workflowRunId"),
    (Field::WorkflowJobId, "workflowJobId"),
    (Field::WorkflowJobName, "workflowJobName"),
    (Field::AnkaTemplate, "ankaTemplate"),
    (Field::AnkaTemplateTag, "ankaTemplateTag"),
    (Field::JobUrl, "jobURL"),
    (Field::UniqueRunKey, "uniqueRunKey"),
    (Field::VmName, "vmName"),
];

impl Field {
    /// The key in a JSON line.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(field, _)| *field == self).map_or("", |(_, name)| name)
    }
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A JSON string.
    Text(String),
    /// A JSON number.
    Number(u64),
}

/// Fields with their values, in the order of a line, each at most once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(Field, Value)>);

impl Fields {
    /// None yet.
    pub fn new() -> Fields {
        Fields::default()
    }

    /// These, and `field`; the later of two values of one field holds.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<Value>) -> Fields {
        self.set(field, value.into());
        self
    }

    /// As [`Fields::with`], where there is a value.
    #[must_use]
    pub fn with_some(self, field: Field, value: Option<impl Into<Value>>) -> Fields {
        match value {
            Some(value) => self.with(field, value),
            None => self,
        }
    }

    /// The text of `field`, if it has one.
    pub fn text(&self, field: Field) -> Option<&str> {
        self.0.iter().find_map(|(f, value)| match value {
            Value::Text(text) if *f == field => Some(text.as_str()),
            _ => None,
        })
    }

    pub(super) fn add_all(&mut self, others: &Fields) {
        for (field, value) in &others.0 {
            self.set(*field, value.clone());
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Field, Value)> {
        self.0.iter()
    }

    fn set(&mut self, field: Field, value: Value) {
        match self.0.binary_search_by_key(&field, |(f, _)| *f) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (field, value)),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Value {
        Value::Number(number)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::Number(number) => number.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_name_and_the_order_is_that_of_the_list() {
        assert!(NAMES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(NAMES.last().map(|(field, _)| field.name()), Some("vmName"));
    }

    #[test]
    fn the_later_value_holds_and_the_order_does_not_depend_on_the_calls() {
        let fields = Fields::new().with(Field::VmName, "a").with(Field::Repo, "r").with(Field::VmName, "b");
        let names: Vec<_> = fields.iter().map(|(field, value)| format!("{}={value}", field.name())).collect();
        assert_eq!(names, ["repo=r", "vmName=b"]);
        assert_eq!(fields.with_some(Field::Owner, None::<&str>).text(Field::Owner), None);
    }
}
