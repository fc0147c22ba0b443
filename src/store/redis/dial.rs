//! How a connection is made: address, TLS, sign-in, and a limit on all of it.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::{
    Client, Connection, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisConnectionInfo, RedisError,
    RedisResult, ServerErrorKind, TlsCertificates, cmd,
};

use super::options::{Options, Tls};

/// How long a server may take to show that it speaks no TLS.
const PROBE: Duration = Duration::from_millis(300);

/// Name or address, without brackets, and port.
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

/// A connection that has signed in. `limit` holds for connecting and for each exchange of the handshake.
pub fn dial(options: &Options, node: &Node, limit: Duration) -> RedisResult<Connection> {
    let mut connection = connect(options, node, limit).map_err(|error| hinted(options, node, error))?;
    connection.set_read_timeout(Some(limit))?;
    connection.set_write_timeout(Some(limit))?;
    if let Some(password) = &options.password {
        let mut auth = cmd("AUTH");
        auth.arg(&options.user).arg(password.expose());
        auth.query::<()>(&mut connection).map_err(|error| refused(error, password.expose()))?;
    }
    if options.database != 0 {
        cmd("SELECT").arg(options.database).query::<()>(&mut connection)?;
    }
    Ok(connection)
}

fn connect(options: &Options, (host, port): &Node, limit: Duration) -> RedisResult<Connection> {
    let (host, port) = (host.clone(), *port);
    let addr = match options.tls {
        Tls::Off => ConnectionAddr::Tcp(host, port),
        Tls::Verified(_) => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
        Tls::Insecure => ConnectionAddr::TcpTls { host, port, insecure: true, tls_params: None },
    };
    let names = RedisConnectionInfo::default().set_lib_name("anklet", env!("CARGO_PKG_VERSION"));
    let info = addr
        .into_connection_info()?
        .set_redis_settings(names)
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

/// What the server says to our sign-in, without the password, which some answers repeat.
fn refused(error: RedisError, password: &str) -> RedisError {
    if !matches!(error.kind(), ErrorKind::Server(ServerErrorKind::ResponseError) | ErrorKind::Extension) {
        return error;
    }
    let words = format!("{} {}", error.code().unwrap_or_default(), error.detail().unwrap_or_default());
    let words = words.split(", with args").next().unwrap_or_default().replace(password, "…");
    (ErrorKind::AuthenticationFailed, "AUTH", words).into()
}

/// With what is probably wrong, where one side speaks TLS and the other does not.
fn hinted(options: &Options, node: &Node, error: RedisError) -> RedisError {
    let hint = match options.tls {
        Tls::Off if error.is_connection_dropped() && !error.is_connection_refusal() => {
            "it closes the connection at once; if this is its port for TLS, set tls_enabled: true"
        }
        Tls::Verified(_) | Tls::Insecure if error.is_timeout() && speaks_plainly(node) => {
            "it speaks no TLS on this port; name its port for TLS, or set tls_enabled: false (redis:// in a URL)"
        }
        _ => return error,
    };
    (ErrorKind::InvalidClientConfig, "TLS", hint.to_owned()).into()
}

/// Whether a server answers without TLS, whatever it says.
fn speaks_plainly((host, port): &Node) -> bool {
    let asked = || -> std::io::Result<u8> {
        let address = (host.as_str(), *port).to_socket_addrs()?.next().ok_or(std::io::ErrorKind::NotFound)?;
        let mut stream = TcpStream::connect_timeout(&address, PROBE)?;
        stream.set_read_timeout(Some(PROBE))?;
        stream.write_all(b"PING\r\n")?;
        let mut first = [0];
        stream.read_exact(&mut first)?;
        Ok(first[0])
    };
    matches!(asked(), Ok(b'+' | b'-'))
}

fn is_about_certificates(error: &RedisError) -> bool {
    error.to_string().contains("certificate")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_answer_repeats_the_password() {
        let server =
            |text: &str| redis::parse_redis_value(format!("-{text}\r\n").as_bytes()).unwrap().extract_error();
        let told = |text: &str| refused(server(text).unwrap_err(), "hunter2").to_string();
        let renamed = told("ERR unknown command 'AUTH', with args beginning with: 'hunter2'");
        assert!(renamed.contains("unknown command") && !renamed.contains("hunter2"), "{renamed}");
        assert!(!told("ODD hunter2 is wrong").contains("hunter2"));
        let passed = refused(server("LOADING hold on").unwrap_err(), "hunter2");
        assert_eq!(passed.kind(), ErrorKind::Server(ServerErrorKind::BusyLoading));
    }

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
