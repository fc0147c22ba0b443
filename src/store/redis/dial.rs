//! How a connection is made: address, TLS, sign-in, and a limit on all of it.

use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::{
    Client, Connection, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, RedisError, RedisResult,
    TlsCertificates,
};

use super::options::{Options, Tls};

/// A host and a port.
pub type Node = (String, u16);

/// As people write it.
pub fn shown((host, port): &Node) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// `HOST:PORT` as a redirect names it; without a host, another port of `from`.
pub fn parsed(address: &str, from: &Node) -> Option<Node> {
    let (host, port) = address.rsplit_once(':')?;
    let host = if host.is_empty() { from.0.as_str() } else { host };
    Some((host.trim_matches(['[', ']']).to_owned(), port.parse().ok()?))
}

/// A connection that has signed in. `limit` holds for connecting and for the handshake, one after the other.
pub fn dial(options: &Options, (host, port): &Node, limit: Duration) -> RedisResult<Connection> {
    let (host, port) = (host.clone(), *port);
    let addr = match options.tls {
        Tls::Off => ConnectionAddr::Tcp(host, port),
        Tls::Verified(_) => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
        Tls::Insecure => ConnectionAddr::TcpTls { host, port, insecure: true, tls_params: None },
    };
    let mut sign_in = RedisConnectionInfo::default()
        .set_db(i64::from(options.database))
        .set_lib_name("anklet", env!("CARGO_PKG_VERSION"));
    if let Some(user) = &options.user {
        sign_in = sign_in.set_username(user);
    }
    if let Some(password) = &options.password {
        sign_in = sign_in.set_password(password.expose());
    }
    let info = addr
        .into_connection_info()?
        .set_redis_settings(sign_in)
        .set_tcp_settings(TcpSettings::default().set_nodelay(true));
    if let Tls::Verified(Some(authorities)) = &options.tls {
        let root_cert = Some(authorities.clone());
        let client = Client::build_with_tls(info.clone(), TlsCertificates { client_tls: None, root_cert })?;
        match client.get_connection_with_timeout(limit) {
            // The client knows one list of authorities at a time: the built-in ones count too.
            Err(error) if is_about_certificates(&error) => {}
            dialled => return dialled,
        }
    }
    Client::open(info)?.get_connection_with_timeout(limit)
}

fn is_about_certificates(error: &RedisError) -> bool {
    error.to_string().contains("certificate")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_names_a_node_or_only_a_port() {
        let from = ("here".to_owned(), 1);
        let node = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(parsed("10.0.0.1:7001", &from), node("10.0.0.1", 7001));
        assert_eq!(parsed(":7001", &from), node("here", 7001));
        assert_eq!(parsed("::1:7001", &from), node("::1", 7001));
        assert_eq!(parsed("nonsense", &from), None);
        assert_eq!(parsed("host:99999", &from), None);
        assert_eq!(shown(&("::1".into(), 6379)), "[::1]:6379");
    }
}
