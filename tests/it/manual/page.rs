//! Manual pages in mdoc, read as far as our own two need it: sections, and the items of their lists.

/// An item of a list.
pub struct Item {
    /// What stands behind `.It`.
    pub head: String,
    /// Its lines.
    pub body: Vec<String>,
}

impl Item {
    /// The words of this macro in the head, without punctuation.
    pub fn head_words(&self, name: &str) -> Vec<String> {
        words(&self.head, name)
    }

    /// The words of this macro at the front of the body's lines.
    pub fn words(&self, name: &str) -> Vec<String> {
        let begin = format!(".{name} ");
        let lines = self.body.iter().filter_map(|line| line.strip_prefix(&begin));
        lines.flat_map(|line| words(&format!("{name} {line}"), name)).collect()
    }
}

/// The lines between the heading (`.Sh NAME` or `.Ss NAME`) and the next heading.
pub fn section<'a>(page: &'a str, heading: &str) -> Vec<&'a str> {
    let mut lines = page.lines().skip_while(|line| *line != heading);
    assert!(lines.next().is_some(), "there is no {heading}");
    lines.take_while(|line| !line.starts_with(".Sh") && !line.starts_with(".Ss")).collect()
}

/// The items of a section's lists.
pub fn items(page: &str, heading: &str) -> Vec<Item> {
    let mut found: Vec<Item> = Vec::new();
    let mut inside = false;
    for line in section(page, heading) {
        if let Some(head) = line.strip_prefix(".It ") {
            inside = true;
            found.push(Item { head: head.to_owned(), body: Vec::new() });
        } else if line.starts_with(".El") {
            inside = false;
        } else if let Some(item) = found.last_mut().filter(|_| inside) {
            item.body.push(line.to_owned());
        }
    }
    assert!(!found.is_empty(), "{heading} has no items");
    found
}

/// The literal displays of a page.
pub fn displays(page: &str) -> Vec<String> {
    let blocks = page.split("\n.Bd -literal -offset indent\n").skip(1);
    blocks.map(|block| block.split("\n.Ed").next().unwrap().to_owned() + "\n").collect()
}

/// The arguments of a macro in a line of macros: up to the next macro.
fn words(line: &str, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_on = false;
    for word in line.split_whitespace() {
        if is_macro(word) {
            is_on = word == name;
        } else if is_on && word.len() > usize::from(word.ends_with([',', '.', ';', '|', ':'])) {
            found.push(word.trim_matches('"').to_owned());
        }
    }
    found
}

fn is_macro(word: &str) -> bool {
    ["Ic", "Ar", "Cm", "Ev", "Fl", "Dv", "Pa", "Op", "Pq", "No", "Ns"].contains(&word)
}
