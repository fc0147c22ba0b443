//! Redis servers of Debian's package, on free ports, in folders of their own, gone with the test that started them.
#![expect(clippy::disallowed_methods, reason = "starts servers")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anklet::store::redis::{Options, Redis, Retries, Tls};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use redis::{Connection, FromRedisValue, cmd};

use super::world::free_port;
use super::{eventually, pause};

/// Holds the server as long as its standard input is open: whatever ends the test, no server is left behind.
const KEEPER: &str = r#"
dir=$1; shift
redis-server "$@" --dir "$dir" >"$dir/log" 2>&1 &
pid=$!
echo $pid
exec 2>/dev/null
word=
read -r word || :
kill -CONT $pid; kill -KILL $pid; wait $pid
[ "$word" = keep ] || rm -rf "$dir"
"#;

/// One server.
pub struct Server {
    pub port: u16,
    bus: u16,
    dir: PathBuf,
    arguments: Vec<String>,
    keeper: Child,
    pid: Pid,
}

impl Server {
    /// A server with these arguments beside the usual ones; it answers.
    pub fn start(arguments: &[&str]) -> Server {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let dir = std::env::temp_dir().join(format!("anklet-redis-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let (port, bus) = (free_port(), free_port());
        let (keeper, pid) = launch(&dir, port, bus, &arguments);
        let server = Server { port, bus, dir, arguments, keeper, pid };
        server.until_it_answers();
        server
    }

    fn until_it_answers(&self) {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}/", self.port)).unwrap();
        eventually("Redis answers", Duration::from_secs(20), || {
            let dialled = client.get_connection_with_timeout(Duration::from_secs(1));
            let answer = dialled.and_then(|mut connection| cmd("PING").query::<String>(&mut connection));
            // One that wants a password is there too.
            answer.is_ok() || answer.is_err_and(|error| error.code() == Some("NOAUTH"))
        });
    }

    /// The server's own client, with this much patience.
    pub fn client(&self) -> Connection {
        client(self.port, None)
    }

    /// As `kill` does.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid, signal).unwrap();
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut stdin) = self.keeper.stdin.take() {
            writeln!(stdin, "keep").unwrap();
        }
        self.keeper.wait().unwrap();
    }

    /// Starts it again on what it has written.
    pub fn restart(&mut self) {
        std::fs::create_dir_all(&self.dir).unwrap();
        (self.keeper, self.pid) = launch(&self.dir, self.port, self.bus, &self.arguments);
        self.until_it_answers();
    }

    /// How a store reaches it.
    pub fn options(&self) -> Options {
        options(self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let failed = std::thread::panicking();
        if let Some(mut stdin) = self.keeper.stdin.take() {
            if failed {
                let _ = writeln!(stdin, "keep");
            }
            drop(stdin);
            let _ = self.keeper.wait();
        }
        // What it has written tells how it came to that.
        if failed {
            eprintln!("kept: {}", self.dir.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

fn launch(dir: &Path, port: u16, bus: u16, arguments: &[String]) -> (Child, Pid) {
    let mut keeper = Command::new("sh")
        .args(["-c", KEEPER, "sh"])
        .arg(dir)
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--cluster-port"])
        .arg(bus.to_string())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let pid = line.trim().parse().expect("redis-server's number; install the package redis-server");
    (keeper, Pid::from_raw(pid))
}

/// A plain client.
pub fn client(port: u16, password: Option<&str>) -> Connection {
    let sign_in = password.map(|password| format!(":{password}@")).unwrap_or_default();
    let client = redis::Client::open(format!("redis://{sign_in}127.0.0.1:{port}/")).unwrap();
    let connection = client.get_connection_with_timeout(Duration::from_secs(5)).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    connection
}

/// How a store reaches a server on this port.
pub fn options(port: u16) -> Options {
    Options {
        nodes: vec![("127.0.0.1".into(), port)],
        user: None,
        password: None,
        database: 0,
        cluster: false,
        tls: Tls::Off,
        retries: Retries { most: 5, delay: Duration::from_millis(50), factor: 2.0 },
        lease: Duration::from_mins(1),
        clock: None,
    }
}

/// One word in, an answer out.
pub fn say<T: FromRedisValue>(connection: &mut Connection, words: &[&str]) -> T {
    let mut command = cmd(words[0]);
    for word in &words[1..] {
        command.arg(*word);
    }
    command.query(connection).unwrap()
}

/// A server that speaks TLS only.
pub struct TlsServer {
    pub port: u16,
    _server: Server,
}

impl TlsServer {
    /// With this certificate; it listens.
    pub fn start(authority: &Path, certificate: &Path, key: &Path) -> TlsServer {
        let port = free_port();
        let text = |path: &Path| path.display().to_string();
        let (authority, certificate, key) = (text(authority), text(certificate), text(key));
        // The plain port is for the test's own look.
        let server = Server::start(&[
            "--tls-port",
            &port.to_string(),
            "--tls-cert-file",
            &certificate,
            "--tls-key-file",
            &key,
            "--tls-ca-cert-file",
            &authority,
            "--tls-auth-clients",
            "no",
            "--appendonly",
            "yes",
        ]);
        TlsServer { port, _server: server }
    }
}

/// Three masters that share the slots.
pub struct Cluster {
    pub nodes: Vec<Server>,
}

impl Cluster {
    /// It answers, all slots are served.
    pub fn start() -> Cluster {
        let arguments = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--appendonly", "yes"];
        let nodes: Vec<Server> = (0..3).map(|_| Server::start(&arguments)).collect();
        let ranges = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
        for (at, (node, (from, to))) in nodes.iter().zip(ranges).enumerate() {
            let mut client = node.client();
            say::<()>(&mut client, &["CLUSTER", "SET-CONFIG-EPOCH", &(at + 1).to_string()]);
            say::<()>(&mut client, &["CLUSTER", "ADDSLOTSRANGE", from, to]);
        }
        let cluster = Cluster { nodes };
        cluster.nodes.iter().skip(1).for_each(|node| cluster.meet(node));
        cluster.until_it_serves();
        cluster
    }

    /// Makes one more known to all.
    pub fn meet(&self, newcomer: &Server) {
        let (port, bus) = (self.nodes[0].port.to_string(), self.nodes[0].bus.to_string());
        say::<()>(&mut newcomer.client(), &["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
    }

    /// Waits until each node sees all slots served and all nodes.
    pub fn until_it_serves(&self) {
        for node in &self.nodes {
            eventually("the cluster serves", Duration::from_secs(30), || {
                let info: String = say(&mut node.client(), &["CLUSTER", "INFO"]);
                pause(20);
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
            });
        }
    }

    /// How a store reaches it, beginning at this node.
    pub fn options(&self, at: usize) -> Options {
        Options { cluster: true, ..options(self.nodes[at].port) }
    }

    /// The node that serves a key, and the other two.
    pub fn node_of(&self, key: &str) -> usize {
        let slot: u16 = say(&mut self.nodes[0].client(), &["CLUSTER", "KEYSLOT", key]);
        usize::from(slot / 5461).min(2)
    }
}

/// The server that all tests of this process may use, each a queue of its own.
pub fn shared() -> &'static Server {
    static SHARED: OnceLock<Server> = OnceLock::new();
    SHARED.get_or_init(|| Server::start(&["--appendonly", "yes"]))
}

/// The cluster that all tests of this process may use, each a queue of its own.
pub fn shared_cluster() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(Cluster::start)
}

/// A queue's name that no test has used.
pub fn new_queue() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("queue {}", NUMBER.fetch_add(1, Ordering::SeqCst))
}

/// The store of these options.
pub fn store(options: Options) -> Redis {
    Redis::new(options)
}
