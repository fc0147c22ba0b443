//! The command line of `anklet queue`.

use super::anklet;
use crate::support::World;

#[test]
fn faults_of_usage_end_with_2_and_name_what_is_wrong() {
    let world = World::new();
    let configuration = world.configuration(1, "");
    let cases: [(&[&str], &str); 7] = [
        (&["queue"], "queue list"),
        (&["queue", "show"], "show ID"),
        (&["queue", "show", "five"], "five"),
        (&["queue", "show", "1", "2"], "show 1 2"),
        (&["queue", "list", "--limit", "-1"], "-1"),
        (&["queue", "list", "--once"], "--once"),
        (&["queue", "wipe"], "wipe"),
    ];
    for (args, named) in cases {
        let told = anklet(&world, &configuration, args);
        assert_eq!((told.code, told.out.as_str()), (Some(2), ""), "{args:?}");
        assert!(told.err.contains(named), "{args:?}: {}", told.err);
    }
    assert_eq!(anklet(&world, "plugins: 7", &["queue", "list"]).code, Some(3));
}

#[test]
fn the_shape_of_the_json_is_in_the_help() {
    let world = World::new();
    let told = anklet(&world, "", &["queue", "--help"]);
    assert_eq!(told.code, Some(0));
    let wide = told.out.lines().find(|line| line.chars().count() > 90);
    assert_eq!(wide, None);
    for word in ["not_taken_by", "held_by", "RFC 3339", "--limit", "gave_back", "takes_nothing_because"] {
        assert!(told.out.contains(word), "{word}");
    }
}
