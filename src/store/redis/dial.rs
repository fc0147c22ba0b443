//! How a connection is made: address, TLS, sign-in, and a limit on all of it.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::{
    Client, Connection, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisConnectionInfo, RedisError,
    RedisResult, ServerErrorKind, TlsCertificates, cmd,
};

use super::options::{Options, Tls};

/// How long a server may take with each step that shows whether it speaks TLS.
const PROBE: Duration = Duration::from_millis(300);

/// How an alert of TLS begins.
const ALERT: u8 = 0x15;

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

/// With what is probably wrong, where the server says it or one side speaks TLS and the other does not.
fn hinted(options: &Options, node: &Node, error: RedisError) -> RedisError {
    let is_odd = error.is_connection_dropped() && !error.is_connection_refusal();
    let hint = match options.tls {
        Tls::Off if is_odd || error.kind() == ErrorKind::Parse => closed_because(node),
        Tls::Verified(_) | Tls::Insecure if error.is_timeout() => not_for_tls(node),
        _ => None,
    };
    hint.map_or(error, |hint| (ErrorKind::InvalidClientConfig, "connection", hint).into())
}

/// Why a server closes a connection without TLS: it says so at once, or it waits for TLS and cannot read what comes.
fn closed_because(node: &Node) -> Option<String> {
    let mut stream = connected(node).ok()?;
    match heard(&mut stream) {
        Ok(said) => refusal(&said),
        Err(fault) if is_silence(&fault) => {
            let wants_tls = match asked(&mut stream) {
                Ok(said) => matches!(said.first(), None | Some(&ALERT)),
                Err(fault) => !is_silence(&fault),
            };
            let hint = "it closes the connection at once; if this is its port for TLS, set tls_enabled: true";
            wants_tls.then(|| hint.to_owned())
        }
        // As a proxy does whose Redis is away.
        Err(_) => None,
    }
}

/// Whether a server answers without TLS, whatever it says.
fn not_for_tls(node: &Node) -> Option<String> {
    let said = connected(node).and_then(|mut stream| asked(&mut stream)).ok()?;
    let hint =
        "it speaks no TLS on this port; name its port for TLS, or set tls_enabled: false (redis:// in a URL)";
    matches!(said.first(), Some(b'+' | b'-')).then(|| hint.to_owned())
}

/// What a server says that takes no more clients, or none from here.
fn refusal(said: &[u8]) -> Option<String> {
    let said = String::from_utf8_lossy(said.strip_prefix(b"-")?);
    let line: String = said.chars().take_while(|c| !c.is_control()).collect();
    Some(if line.contains("max number of clients") {
        "it has as many clients as it may have (maxclients)".into()
    } else {
        format!("it closes the connection: {line}")
    })
}

fn connected((host, port): &Node) -> io::Result<TcpStream> {
    let address = (host.as_str(), *port).to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
    let stream = TcpStream::connect_timeout(&address, PROBE)?;
    stream.set_read_timeout(Some(PROBE))?;
    Ok(stream)
}

fn asked(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    stream.write_all(b"PING\r\n")?;
    heard(stream)
}

/// Nothing when it has closed.
fn heard(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut said = [0; 200];
    let length = stream.read(&mut said)?;
    Ok(said[..length].to_vec())
}

fn is_silence(fault: &io::Error) -> bool {
    matches!(fault.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
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
