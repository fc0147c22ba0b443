//! Files that are not YAML, or not such as one expects: one clear fault, never a panic.

use super::{Home, config, faults, handler, one_handler};

/// File → its only fault's beginning and a part of it.
const BROKEN: &[(&str, &str, &str)] = &[
    ("a: 1\n\tb: 2\n", "config.yml:2: ", "begins with a tab"),
    ("a: 1\n: 2\n", "config.yml:2: ", "is indented differently"),
    ("a: 1\nb:\n\t- c\n", "config.yml:3: ", "begins with a tab; indent with spaces"),
    ("a: 1\nb 2\n\n# c\nc: 3\n", "config.yml:2: ", "lacks a colon with a space behind it"),
    (
        "plugins:\n  - name: A\n    port:1\n    owner: x\n",
        "config.yml:3: ",
        "lacks a colon with a space behind it",
    ),
    ("a:\n  - b: 1\n    c: 2\n   d: 3\n", "config.yml:4: ", "is indented differently"),
    ("a: \"open\nb: 2\n", "config.yml:1: ", "a quotation mark opens here"),
    ("bind: *\n", "config.yml:1: ", "a value that begins with * or & needs quotes"),
    ("token: @x\n", "config.yml:1: ", "a value cannot begin with @; put it in quotes"),
    ("a: *nope\n", "config.yml:1: ", "an alias (*name) names no anchor"),
    ("a: -\n", "config.yml:1: ", "a dash begins an item of a list"),
    ("a: - b\n", "config.yml:1: ", "a dash begins an item of a list"),
    ("a: [1, 2\nb: 2\n", "config.yml:2: ", "is not YAML"),
    ("a: }\n", "config.yml:1: ", "is not YAML"),
    ("a: 1\n---\nb: 2\n", "config.yml:2: ", "a second document begins here"),
    ("a: 1\n...\n---\nb: 2\n", "config.yml:3: ", "a second document begins here"),
    ("just words\n", "config.yml:1: ", "the file is text, not keys with values"),
    ("- a\n- b\n", "config.yml:1: ", "the file is a list, not keys with values"),
    ("a: !env HOME\n", "config.yml:1: a: ", "a YAML tag (!…) means nothing here"),
    ("? [a, b]\n: c\n", "config.yml:1: ", "a key must be a word"),
    ("a: {{ value }}\n", "config.yml:1: a: ", "a key must be a word"),
    ("a: &a [*a]\n", "config.yml:1: a[0]: ", "this alias stands inside the value that it names"),
    ("<<: text\n", "config.yml:1: ", "<< merges a mapping, not text"),
    ("a: 1\nb: x\0y\n", "config.yml:2: ", "holds a control character"),
    ("a: 1\nb: x\u{80}y\n", "config.yml:2: ", "holds a control character"),
    ("\u{feff}", "config.yml: ", "is empty"),
    ("", "config.yml: ", "is empty"),
    ("# only\n# comments\n", "config.yml: ", "is empty"),
    ("---\n", "config.yml: ", "is empty"),
    ("---\n...\n", "config.yml: ", "is empty"),
];

#[test]
fn what_is_not_yaml_has_one_fault_at_its_line() {
    for (text, start, part) in BROKEN {
        let found = faults(text);
        let is_right = found.len() == 1 && found[0].starts_with(start) && found[0].contains(part);
        assert!(is_right, "{text}\n{start}…{part}\n{found:#?}");
    }
}

#[test]
fn bytes_that_are_no_text_have_one_fault() {
    let deep = format!("a: {}", "[".repeat(5000));
    let dashes = "- ".repeat(100_000);
    let wide = "- a\n".repeat(50_000);
    let bombs = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                 d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n";
    let fat = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(500_000), vec!["*a"; 10_000].join(","));
    let cases: &[(&[u8], &str)] = &[
        (b"a: 1\nb: \xff\xfe\n", "config.yml:2: holds bytes that are not UTF-8"),
        (b"\xff\xfea\0:\0", "config.yml: is UTF-16; save it as UTF-8"),
        (&vec![b'#'; (1 << 20) + 1], "config.yml: is larger than 1 MiB"),
        (deep.as_bytes(), "this line is nested too deeply"),
        (dashes.as_bytes(), "is nested too deeply"),
        (wide.as_bytes(), "the file has too many values"),
        (bombs.as_bytes(), "the file has too many values"),
        (fat.as_bytes(), "the file has too many values"),
    ];
    for (bytes, part) in cases {
        let found = faults(bytes);
        assert!(found.len() == 1 && found[0].contains(part), "{part}\n{found:#?}");
    }
}

#[test]
fn a_key_that_stands_twice_is_a_fault_among_others() {
    let found = faults("work_dir: a\nlog:\n  file_dir: .\n  file_dir: .\nwork_dir: b\n");
    let expected = [
        "config.yml: plugins: is missing; write at least one plugin, beginning with - name:, below plugins:",
        "config.yml:4: log.file_dir: stands twice, first on line 3; keep one of the two",
        "config.yml:5: work_dir: stands twice, first on line 1; keep one of the two",
    ];
    assert_eq!(found, expected);
}

#[test]
fn every_usual_way_to_write_a_file_is_read() {
    let plain = handler(&["registry_url: r"]);
    let json = r#"{"plugins": [{"name": "RUNNER1", "plugin": "github", "owner": "acme", "token": "t", "registry_url": "r"}]}"#;
    let merged = "base: &base {plugin: github, owner: acme, token: t, sleep_interval: soon}\nplugins:\n  - <<: *base\n    name: RUNNER1\n    \
                  registry_url: r\n    sleep_interval: 1\n";
    // A base that is overridden need not be right.
    let merged_list = "a: &a {plugin: github, registry_url: r}\nb: &b {owner: acme, token: t, registry_url: y}\nplugins:\n  - \
                       name: RUNNER1\n    <<: [*a, *b]\n";
    let aliased = "a: &a r\nplugins:\n- name: RUNNER1\n  plugin: !!str github\n  owner: acme\n  token: t\n  registry_url: *a\n";
    let files = [
        plain.clone(),
        plain.replace('\n', "\r\n"),
        format!("\u{feff}{plain}"),
        format!("%YAML 1.2\n---\n{plain}...\n"),
        plain.trim_end().to_owned(),
        json.into(),
        merged.into(),
        merged_list.into(),
        aliased.into(),
    ];
    for text in files {
        let loaded = config(&text);
        let handler = one_handler(&loaded);
        assert_eq!(
            (handler.common.name.as_str(), handler.registry_url.as_deref()),
            ("RUNNER1", Some("r")),
            "{text}"
        );
    }
}

#[test]
fn lines_are_right_in_files_with_crlf_and_a_mark() {
    let text = format!("\u{feff}{}", handler(&["sleep_interval: soon"])).replace('\n', "\r\n");
    assert!(faults(text)[0].starts_with("config.yml:6: plugins[0].sleep_interval: "));
}

/// A fixed walk through damaged files: whatever comes, it is an answer.
#[test]
fn no_damage_makes_it_panic() {
    let seed = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/config/example.yml")).unwrap();
    let seed = [seed, handler(&["secret: [a, {b: c}]", "x: &a {<<: *a}"]).into_bytes()];
    let pieces: &[&[u8]] = &[
        b"\t",
        b"- ",
        b": ",
        b"[",
        b"]",
        b"{",
        b"}",
        b"\"",
        b"'",
        b"#",
        b"&a ",
        b"*a ",
        b"|\n",
        b"<<: ",
        b"\r",
        b"\n",
        b"!x ",
        b"%",
        b"---\n",
        b"...\n",
        b"? ",
        b"\xff",
        b"\xc3\xa9",
        b"~",
        b"0",
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for round in 0..400 {
        let mut bytes = seed[round % 2].clone();
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            match random(3) {
                0 => drop(bytes.drain(at..(at + random(40)).min(bytes.len()))),
                1 => drop(bytes.splice(at..at, pieces[random(pieces.len())].iter().copied())),
                _ => bytes[at] = pieces[random(pieces.len())][0],
            }
        }
        drop(Home::new().load(&bytes));
    }
}
