//! A world spread over machines: the same rows as on one host, with the receiver on a machine of its own, the handlers
//! on two hosts, and the queue in Redis. What a row starts, looks at and counts is all machines together.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::TcpStream;

use serde_json::{Value, json};

use super::World;
use super::redis::{new_queue, shared};

thread_local! {
    static WANTED: Cell<bool> = const { Cell::new(false) };
}

/// Whether the worlds of this thread are spread.
pub fn is_wanted() -> bool {
    WANTED.get()
}

/// Runs a row whose worlds are spread.
pub fn spread(row: fn()) {
    WANTED.set(true);
    row();
    WANTED.set(false);
}

/// The machines beside the receiver's, and their queue.
pub struct Spread {
    pub hosts: Vec<World>,
    queue: String,
}

impl Spread {
    /// Two hosts of this world's GitHub, made as it was made.
    pub fn of(world: &World, templates: &[&str]) -> Spread {
        let hosts = (0..2).map(|_| world.another_host(templates)).collect();
        Spread { hosts, queue: new_queue() }
    }

    /// Which machine gets what of a configuration; the receiver's comes last.
    pub fn parts<'w>(&'w self, world: &'w World, text: &str) -> Vec<(&'w World, String)> {
        let (head, plugins) = text.split_once("plugins:\n").unwrap();
        let head = format!(
            "{head}global_database_url: 127.0.0.1\nglobal_database_port: {}\nglobal_database_retry_delay: 100\n\
             lease_seconds: 10\nglobal_queue_name: \"{}\"\nplugins:\n",
            shared().port,
            self.queue
        );
        let blocks: Vec<String> =
            plugins.split("- name: ").skip(1).map(|block| format!("- name: {block}")).collect();
        let (receivers, handlers): (Vec<String>, Vec<String>) =
            blocks.into_iter().partition(|block| block.contains("plugin: github_receiver"));
        let mut parts: Vec<(&World, String)> =
            self.hosts.iter().chain([world]).map(|machine| (machine, String::new())).collect();
        for (at, handler) in handlers.iter().enumerate() {
            parts[at % self.hosts.len()].1.push_str(handler);
        }
        parts[self.hosts.len()].1 = receivers.concat();
        parts.retain(|(_, plugins)| !plugins.is_empty());
        let metrics = format!("port: {}", world.metrics_port);
        for (machine, plugins) in &mut parts {
            let own = head.replace(&metrics, &format!("port: {}", machine.metrics_port));
            *plugins = format!("{own}{plugins}");
        }
        parts
    }
}

/// All pages in one: plugins one after another, totals summed up.
pub fn joined(pages: &[Value]) -> Value {
    let (mut plugins, mut totals) = (Vec::new(), BTreeMap::<String, u64>::new());
    for page in pages {
        plugins.extend(page["plugins"].as_array().into_iter().flatten().cloned());
        for (name, value) in page.as_object().into_iter().flatten() {
            if name.starts_with("total_") {
                *totals.entry(name.clone()).or_default() += value.as_u64().unwrap_or_default();
            }
        }
    }
    let mut all = json!(totals);
    all["plugins"] = json!(plugins);
    all
}

/// Whether something listens there: a machine without plugins has no daemon.
pub fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}
