//! Whether a server keeps what it is given.

use super::dial::{Node, shown};

/// Warns when the server may lose or throw away jobs, as its `INFO` tells.
pub fn warn(node: &Node, info: &str, cluster: bool) {
    for warning in warnings(info, cluster) {
        log::warn!("Redis at {}: {warning}", shown(node));
    }
}

/// What an operator should know, from the text of `INFO`; `cluster`: whether it is said to be one.
pub fn warnings(info: &str, cluster: bool) -> Vec<String> {
    let value =
        |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let mut warnings = Vec::new();
    if value("aof_enabled") == Some("0") {
        warnings.push(
            "appendonly is no: jobs that it took last are lost when it dies; set appendonly yes (and appendfsync \
             always, to lose none)"
                .to_owned(),
        );
    }
    if let Some(policy) = value("maxmemory_policy").filter(|policy| *policy != "noeviction") {
        warnings.push(format!(
            "maxmemory-policy is {policy}: it may throw jobs away when its memory is full; set noeviction"
        ));
    }
    match (value("cluster_enabled"), cluster) {
        (Some("0"), true) => warnings.push("it is no cluster; set cluster_mode: false".to_owned()),
        (Some("1"), false) => warnings.push(
            "it is a cluster, whose other nodes serve when this one is gone only with cluster_mode: true"
                .to_owned(),
        ),
        _ => {}
    }
    let major = value("redis_version").and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    if let Some(major) = major.filter(|major| *major < 6) {
        warnings.push(format!("version {major} is older than 6, the oldest that is known to serve"));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_lose_jobs_is_said() {
        let safe = "# Server\r\nredis_version:7.0.15\r\naof_enabled:1\r\nmaxmemory_policy:noeviction\r\n";
        assert_eq!(warnings(safe, false), [""; 0]);
        assert_eq!(warnings("", true), [""; 0]);
        let unsafe_one = safe.replace("enabled:1", "enabled:0").replace("noeviction", "allkeys-lru");
        let said = warnings(&unsafe_one, false);
        assert!(said[0].contains("appendonly") && said[1].contains("allkeys-lru"), "{said:?}");
        assert_eq!(warnings("redis_version:5.0.7", false).len(), 1);
        let of = |enabled: u8, mode| warnings(&format!("cluster_enabled:{enabled}\r\n"), mode).len();
        assert_eq!([of(0, false), of(0, true), of(1, false), of(1, true)], [0, 1, 1, 0]);
    }
}
