//! What was written: bytes to a tree of values with their lines.
//!
//! Two parsers, both only here. `saphyr-parser` gives each value its line, its style and its characters;
//! `serde_yaml`, which has no lines for values, is the judge of whether the file is YAML at all.
//! A file is bounded in size, depth and number of values (aliases counted as what they stand for), so that no
//! file can make the daemon slow or fat.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::node::{Map, Node, Value};
use super::note::Place;
use super::syntax;

/// Largest file.
pub(super) const MAX_BYTES: usize = 1 << 20;
const MAX_DEPTH: usize = 32;
const MAX_VALUES: usize = 20_000;

/// Why a file cannot be read on, or one of several things wrong with a file that can.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub place: Place,
    pub key: String,
    pub text: String,
}

/// A tree, and what was wrong on the way without hindering it (keys that stand twice).
#[derive(Debug)]
pub(super) struct Written {
    pub root: Map,
    pub broken: Vec<Broken>,
}

/// Reads a whole file. An empty one is an empty mapping.
pub(super) fn parse(bytes: &[u8]) -> Result<Written, Broken> {
    let text = &*syntax::quote_dash(syntax::text_of(bytes)?);
    let mut builder = Builder {
        events: Parser::new_from_str(text),
        anchors: HashMap::new(),
        values: 0,
        path: Vec::new(),
        broken: Vec::new(),
    };
    let root = builder.document().map_err(|stop| match stop {
        Stop::Syntax(error) => syntax::explain(text, error.marker().line(), error.info()),
        Stop::Broken(broken) => broken,
    })?;
    judge(text)?;
    let root = match root.value {
        Value::Map(map) => map,
        Value::Null => Map::default(),
        _ => {
            let text =
                format!("the file is {}, not keys with values; write e.g. work_dir: /tmp", root.shape());
            return Err(Broken { place: root.place, key: String::new(), text });
        }
    };
    Ok(Written { root, broken: builder.broken })
}

/// What serde_yaml does not accept is not YAML, even where the marked parser was content.
fn judge(text: &str) -> Result<(), Broken> {
    serde_yaml::from_str::<serde::de::IgnoredAny>(text).map(drop).map_err(|error| {
        let line = error.location().map_or(1, |at| at.line());
        syntax::explain(text, line, &error.to_string())
    })
}

enum Stop {
    Syntax(ScanError),
    Broken(Broken),
}

impl From<ScanError> for Stop {
    fn from(error: ScanError) -> Self {
        Stop::Syntax(error)
    }
}

struct Builder<'t> {
    events: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, Node>,
    values: usize,
    path: Vec<String>,
    broken: Vec<Broken>,
}

impl<'t> Builder<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), Stop> {
        Ok(self.events.next_event().unwrap_or(Ok((Event::StreamEnd, Span::default())))?)
    }

    fn document(&mut self) -> Result<Node, Stop> {
        let mut root = Node { place: Place::File, value: Value::Null };
        let mut documents = 0;
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(root),
                (Event::DocumentStart(_), at) if documents == 1 => {
                    return Err(self.stop(
                        at,
                        "a second document begins here; a configuration is one: remove this --- line",
                    ));
                }
                (Event::DocumentStart(_), _) => {
                    documents += 1;
                    let (event, at) = self.next()?;
                    root = self.node(event, at, 0)?;
                }
                _ => {}
            }
        }
    }

    fn node(&mut self, event: Event<'t>, at: Span, depth: usize) -> Result<Node, Stop> {
        self.values += 1;
        if depth > MAX_DEPTH {
            return Err(self.stop(at, "is nested too deeply; no key lies deeper than four levels"));
        }
        if self.values > MAX_VALUES {
            return Err(self.stop(at, "the file has too many values (aliases count as what they stand for)"));
        }
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let forced = self.tag(tag.as_deref(), at)?;
                (anchor, scalar(&text, style, forced))
            }
            Event::SequenceStart(anchor, tag) => {
                self.tag(tag.as_deref(), at)?;
                (anchor, self.list(depth)?)
            }
            Event::MappingStart(anchor, tag) => {
                self.tag(tag.as_deref(), at)?;
                (anchor, self.map(depth)?)
            }
            Event::Alias(anchor) => (0, self.alias(anchor, at)?),
            _ => (0, Value::Null),
        };
        let node = Node { place: Place::Line(at.start.line()), value };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, at: Span) -> Result<Value, Stop> {
        let Some(target) = self.anchors.get(&anchor) else {
            return Err(self.stop(at, "this alias stands inside the value that it names"));
        };
        let value = target.value.clone();
        self.values += size(&value);
        Ok(value)
    }

    fn list(&mut self, depth: usize) -> Result<Value, Stop> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, at) => {
                    self.path.push(format!("[{}]", items.len()));
                    items.push(self.node(event, at, depth + 1)?);
                    self.path.pop();
                }
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Stop> {
        let mut map = Map::default();
        let mut merged = Vec::new();
        loop {
            let (key, line) = match self.next()? {
                (Event::MappingEnd, _) => break,
                (Event::Scalar(text, ..), at) => (text.into_owned(), at.start.line()),
                (_, at) => {
                    return Err(self.stop(at, "a key must be a word; is a quote missing around { or [ ?"));
                }
            };
            self.path.push(key.clone());
            let (event, at) = self.next()?;
            let mut node = self.node(event, at, depth + 1)?;
            if key == "<<" {
                merged.push(node);
            } else if let Some(Node { place: Place::Line(first), .. }) = map.get(&key) {
                self.broken.push(Broken {
                    place: Place::Line(line),
                    key: self.key(),
                    text: format!("stands twice, first on line {first}; keep one of the two"),
                });
            } else {
                node.place = Place::Line(line);
                map.0.push((key, node));
            }
            self.path.pop();
        }
        for node in merged {
            self.merge(&mut map, node)?;
        }
        Ok(Value::Map(map))
    }

    /// `<<: *base`, or a list of such: own keys win, then the earlier base.
    fn merge(&mut self, map: &mut Map, node: Node) -> Result<(), Stop> {
        match node.value {
            Value::Map(base) => {
                for (key, value) in base.0 {
                    if map.get(&key).is_none() {
                        map.0.push((key, value));
                    }
                }
                Ok(())
            }
            Value::List(bases) => bases.into_iter().try_for_each(|base| self.merge(map, base)),
            Value::Null => Ok(()),
            Value::Text(_) => Err(Stop::Broken(Broken {
                place: node.place,
                key: self.key(),
                text: "<< merges a mapping, not text; write <<: *name".into(),
            })),
        }
    }

    /// Whether the tag makes a text of what would be something else.
    fn tag(&self, tag: Option<&Tag>, at: Span) -> Result<bool, Stop> {
        match tag {
            None => Ok(false),
            Some(tag) if tag.is_yaml_core_schema() => Ok(tag.suffix == "str"),
            Some(_) => {
                Err(self.stop(at, "a YAML tag (!…) means nothing here; quote the text, or remove the tag"))
            }
        }
    }

    fn stop(&self, at: Span, text: &str) -> Stop {
        Stop::Broken(Broken { place: Place::Line(at.start.line()), key: self.key(), text: text.into() })
    }

    fn key(&self) -> String {
        syntax::join(&self.path)
    }
}

fn scalar(text: &str, style: ScalarStyle, forced: bool) -> Value {
    let plain = style == ScalarStyle::Plain && !forced;
    match text {
        "" | "~" | "null" | "Null" | "NULL" if plain => Value::Null,
        _ => Value::Text(text.to_owned()),
    }
}

/// What a value weighs when an alias repeats it; long texts weigh more.
fn size(value: &Value) -> usize {
    match value {
        Value::Null => 1,
        Value::Text(text) => 1 + text.len() / 64,
        Value::List(items) => items.iter().map(|node| 1 + size(&node.value)).sum(),
        Value::Map(map) => map.0.iter().map(|(_, node)| 1 + size(&node.value)).sum(),
    }
}
