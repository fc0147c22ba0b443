//! What a thread works on: fields that every line of the thread carries while a guard lives.

use std::cell::RefCell;
use std::marker::PhantomData;

use super::fields::Fields;

thread_local! {
    static STACK: RefCell<Vec<Fields>> = const { RefCell::new(Vec::new()) };
}

/// Takes its fields, and those of scopes entered later, off this thread when it is dropped.
#[must_use = "the fields are gone as soon as the guard is dropped"]
#[derive(Debug)]
pub struct Scope {
    depth: usize,
    /// The guard belongs to the thread that made it.
    _here: PhantomData<*const ()>,
}

/// From now on every line of this thread carries `fields`, over those of the scopes around.
pub fn enter(fields: Fields) -> Scope {
    let depth = STACK.with_borrow_mut(|stack| {
        stack.push(fields);
        stack.len() - 1
    });
    Scope { depth, _here: PhantomData }
}

/// What this thread's lines carry now: to hand it to a thread that works for this one.
pub fn current() -> Fields {
    let mut all = Fields::new();
    // A line may be told while the thread ends or while a scope changes: then it goes without.
    let _ = STACK.try_with(|stack| {
        if let Ok(stack) = stack.try_borrow() {
            stack.iter().for_each(|fields| all.add_all(fields));
        }
    });
    all
}

impl Drop for Scope {
    fn drop(&mut self) {
        let _ = STACK.try_with(|stack| {
            if let Ok(mut stack) = stack.try_borrow_mut() {
                stack.truncate(self.depth);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Field;

    #[test]
    fn inner_scopes_win_and_end() {
        let _plugin = enter(Fields::new().with(Field::PluginName, "R1").with(Field::Repo, "own"));
        {
            let _job = enter(Fields::new().with(Field::Repo, "theirs").with(Field::WorkflowJobId, 7));
            assert_eq!(current().text(Field::Repo), Some("theirs"));
            assert_eq!(current().text(Field::PluginName), Some("R1"));
        }
        assert_eq!(current(), Fields::new().with(Field::PluginName, "R1").with(Field::Repo, "own"));
    }
}
