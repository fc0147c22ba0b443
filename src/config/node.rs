//! The tree of what was written: every value with its place, nothing interpreted yet.

use super::note::Place;

/// A value and where it stands. In a mapping that is the line of its key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub place: Place,
    pub value: Value,
}

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A scalar as its characters, quoted or not: `00.50` stays `00.50`.
    Text(String),
    List(Vec<Node>),
    Map(Map),
}

/// A mapping in the order in which it was written. Keys are unique.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Map(pub Vec<(String, Node)>);

impl Node {
    pub fn text(place: Place, text: impl Into<String>) -> Node {
        Node { place, value: Value::Text(text.into()) }
    }

    /// Whether nothing was written: an absent key, `~` and `""` mean the same.
    pub fn is_unset(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::Text(text) => text.trim().is_empty(),
            Value::List(_) | Value::Map(_) => false,
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// What kind of thing it is, for a fault that must not show the value.
    pub fn shape(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

impl Map {
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.0.iter_mut().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The value of a dotted path such as `log.file_dir`; `None` when it is unset.
    pub fn at(&self, path: &str) -> Option<&Node> {
        let node = match path.split_once('.') {
            Some((head, rest)) => self.get(head)?.as_map()?.at(rest)?,
            None => self.get(path)?,
        };
        (!node.is_unset()).then_some(node)
    }

    /// Puts a value at a dotted path, making the mappings on the way.
    /// Something else than a mapping in the way stays: the check reports it.
    pub fn put(&mut self, path: &str, node: Node) {
        let Some((head, rest)) = path.split_once('.') else {
            return match self.get_mut(path) {
                Some(old) => *old = node,
                None => self.0.push((path.to_owned(), node)),
            };
        };
        if self.get(head).is_none_or(Node::is_unset) {
            self.put(head, Node { place: node.place.clone(), value: Value::Map(Map::default()) });
        }
        if let Some(inner) = self.get_mut(head).and_then(Node::as_map_mut) {
            inner.put(rest, node);
        }
    }
}
