//! Named threads: the only place that starts one, besides the log, which is not above it.

use std::any::Any;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::thread::{Builder, JoinHandle};

/// Starts a thread whose name an operator understands (`plugin:RUNNER1`, `http:2`, `store:writer`).
pub fn start<T: Send + 'static>(
    name: impl Into<String>,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.into()).spawn(work)
}

/// As [`start`], with a stack of `kib` kibibytes: for threads of which there are many and that call little.
pub fn start_small<T: Send + 'static>(
    name: impl Into<String>,
    kib: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.into()).stack_size(kib << 10).spawn(work)
}

/// Runs `work` and turns a panic into its message, so that one plugin's fault does not end the others.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| message(payload.as_ref()))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(|_| ()));
        let told = caught(|| panic!("out of {}", "order"));
        panic::set_hook(hook);
        assert_eq!(told, Err::<(), _>("out of order".into()));
        assert_eq!(caught(|| 3), Ok(3));
    }
}
