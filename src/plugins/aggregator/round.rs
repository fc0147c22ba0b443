//! All hosts, side by side: a few threads that each take the next host.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, select, unbounded};

use super::address::Address;
use crate::http::fetch::Fetcher;
use crate::runtime::stop::{Stop, Urgency};
use crate::runtime::thread;

/// Hosts that are asked at once.
const MOST: usize = 32;

/// A host's place in the configuration, and its page or why there is none.
type Answer = (usize, Result<String, String>);

/// The answers of a round, as they come in.
pub(super) struct Answers(Receiver<Answer>);

/// Begins to ask them all. Each answer comes within the fetcher's deadline.
pub(super) fn begin(addresses: &Arc<Vec<Address>>, fetcher: &Fetcher) -> Answers {
    let (give, places) = unbounded();
    (0..addresses.len()).for_each(|at| give.send(at).unwrap_or_default());
    drop(give);
    let (tell, told) = unbounded();
    for n in 0..addresses.len().min(MOST) {
        let (addresses, fetcher) = (Arc::clone(addresses), fetcher.clone());
        let (places, tell) = (places.clone(), tell.clone());
        if let Err(fault) =
            thread::start(format!("fetch:{n}"), move || work(&addresses, &fetcher, &places, &tell))
        {
            log::warn!("hosts are asked by {n} threads only: {fault}");
            break;
        }
    }
    Answers(told)
}

fn work(addresses: &[Address], fetcher: &Fetcher, places: &Receiver<usize>, tell: &Sender<Answer>) {
    while let Ok(at) = places.recv() {
        let told = match fetcher.get(addresses[at].fetched.expose()) {
            Ok(page) if page.status == 200 => Ok(page.body),
            Ok(page) => Err(format!("it answers with status {}", page.status)),
            Err(why) => Err(why),
        };
        // Nobody listens after a stop.
        if tell.send((at, told)).is_err() {
            return;
        }
    }
}

impl Answers {
    /// The next answer; none when all are there, or at a stop.
    pub fn next(&self, stop: &Stop) -> Option<Answer> {
        select! {
            recv(self.0) -> answer => answer.ok(),
            recv(stop.ends_at(Urgency::Drain)) -> _ => None,
        }
    }
}
