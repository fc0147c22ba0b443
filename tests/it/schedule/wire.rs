//! A wire to Redis on which something else can happen between the first and the second call of a verb.
#![expect(clippy::disallowed_methods, reason = "a wire of its own")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Deed = Box<dyn FnOnce() + Send>;

/// What is to happen before the second call from now.
#[derive(Default)]
struct Gate {
    calls: u32,
    deed: Option<Deed>,
}

pub struct Wire {
    pub port: u16,
    gate: Arc<Mutex<Gate>>,
}

fn lock(gate: &Mutex<Gate>) -> MutexGuard<'_, Gate> {
    gate.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wire {
    pub fn to(server: u16) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let gate = Arc::new(Mutex::new(Gate::default()));
        let passed = Arc::clone(&gate);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(upstream) = TcpStream::connect(("127.0.0.1", server)) else { return };
                let (back, home) = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || carry(back, home, || {}));
                let gate = Arc::clone(&passed);
                std::thread::spawn(move || {
                    carry(client, upstream, || {
                        let mut gate = lock(&gate);
                        gate.calls += 1;
                        let deed = if gate.calls == 2 { gate.deed.take() } else { None };
                        drop(gate);
                        if let Some(deed) = deed {
                            deed();
                        }
                    });
                });
            }
        });
        Wire { port, gate }
    }

    /// `deed` happens before the second call from now.
    pub fn before_the_second(&self, deed: Deed) {
        *lock(&self.gate) = Gate { calls: 0, deed: Some(deed) };
    }

    /// It has not happened, and will not.
    pub fn take_back(&self) -> Option<Deed> {
        lock(&self.gate).deed.take()
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, before: impl Fn()) {
    let mut bytes = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        before();
        if to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
