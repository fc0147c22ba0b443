//! Keys of a database block: a plugin's, the aggregator's, and `global_database_…` at the top.

use super::key::{From, Key, Kind};

/// All of them. Only `url` switches Redis on; the rest says how it is reached.
#[rustfmt::skip]
pub const DATABASE: &[Key] = &[
    Key::new("enabled", Kind::Flag, "true", "Switches the block off without removing it.").follows(From::Redis),
    Key::new("url", Kind::DatabaseUrl, "", "Host of Redis, or redis://, rediss://; of a cluster several, with commas between.").follows(From::Redis),
    Key::new("port", Kind::Whole { least: 1, most: 65_535 }, "6379", "Port.").follows(From::Redis),
    Key::new("user", Kind::Text, "", "User.").follows(From::Redis),
    Key::new("password", Kind::Secret, "", "Password.").follows(From::Redis),
    Key::new("database", Kind::Whole { least: 0, most: 65_535 }, "0", "Database number; 0 in a cluster.")
        .follows(From::Redis),
    Key::new("max_retries", Kind::Whole { least: 0, most: 1000 }, "5", "Tries after a failed call.")
        .follows(From::Redis),
    Key::new("retry_delay", Kind::Millis, "1000", "Milliseconds before the first of them.").follows(From::Redis),
    Key::new("retry_backoff_factor", Kind::Factor, "2", "Each pause is longer by this factor; 30 s at most.")
        .follows(From::Redis),
    Key::new("cluster_mode", Kind::Flag, "false", "Redis is a cluster.").follows(From::Redis),
    Key::new("tls_enabled", Kind::Flag, "false", "Speak TLS.").follows(From::Redis),
    Key::new("tls_insecure", Kind::Flag, "false", "Do not verify the certificate.")
        .follows(From::Redis),
];
