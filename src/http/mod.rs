//! HTTP: tiny_http serves, a door lets whole requests in.
//!
//! A stranger's bytes pass these rooms, in this order:
//!
//! | room | what happens there |
//! |---|---|
//! | `listener` | opens the port, starts every thread, ends them all |
//! | `door` | a fixed number of threads in `accept`; each attends one guest at a time |
//! | `guests` `guest` `doorkeeper` | who is inside; when the house is full the eldest who waits is shown out |
//! | `visit` | one connection: read a request, have it answered, write the answer, again |
//! | `inlet` `head` `body` `budget` | one whole request within its bounds of bytes and time |
//! | `refusal` | what breaks a bound is answered here and goes no further |
//! | `lanes` `lane` `pool` | a few kept-alive connections inward, over a Unix socket |
//! | `serve` | `tiny_http::Server`, its worker threads, the handler |
//!
//! Why tiny_http is not shown to strangers bare: it has no time-outs and no bounds, one accept error ends it,
//! one header aborts the process, and kept-alive connections starve one another.
//! So the head that it sees is written anew, the lanes are opened one at a time, and every answer has a length.

mod body;
mod budget;
mod door;
mod doorkeeper;
pub mod fetch;
mod guest;
mod guests;
mod head;
mod inlet;
mod lane;
mod lanes;
mod listener;
mod message;
mod options;
mod pool;
mod refusal;
mod serve;
mod sign_in;
mod sockets;
mod visit;

pub use listener::{Listener, open};
pub use message::{Handler, Method, Reply, Request};
pub use options::{Limits, Options};
pub use sockets::OpenError;
