//! The scripts, and calling one.

use std::sync::LazyLock;

use redis::{Script as Digest, cmd};

use super::order::Order;

/// A script: asked for by its digest, sent whole only where it is not known.
pub struct Script {
    code: &'static str,
    digest: LazyLock<String>,
    /// Whether it may be called again when its answer was lost: it changes nothing that a second call would double.
    pub repeatable: bool,
}

macro_rules! script {
    ($(#[$doc:meta])* $name:ident, $file:literal, $repeatable:literal) => {
        $(#[$doc])*
        pub static $name: Script = Script {
            code: concat!(include_str!("lua/common.lua"), include_str!($file)),
            digest: LazyLock::new(|| {
                let code = concat!(include_str!("lua/common.lua"), include_str!($file));
                Digest::new(code).get_hash().to_owned()
            }),
            repeatable: $repeatable,
        };
    };
}

script!(
    /// What one event can touch.
    SCENE, "lua/scene.lua", true
);
script!(
    /// What a handler may take; ends pauses that are over, passes on the token of whoever finds nothing.
    CLAIM, "lua/claim.lua", true
);
script!(
    /// Writes a plan.
    COMMIT, "lua/commit.lua", false
);
script!(
    /// A page of a state's jobs.
    RANGE, "lua/range.lua", true
);
script!(
    /// What a voter has refused.
    REFUSED, "lua/refused.lua", true
);
script!(
    /// All that a handler holds.
    MINE, "lua/mine.lua", true
);
script!(
    /// How many jobs stand where.
    DEPTH, "lua/depth.lua", true
);
script!(
    /// What people look at.
    VIEW, "lua/view.lua", true
);
script!(
    /// The clock.
    NOW, "lua/now.lua", true
);
script!(
    /// Passes a token on.
    PASS, "lua/pass.lua", true
);

script!(
    /// Moves what the first versions have written.
    FORMER, "lua/former.lua", true
);
script!(
    /// All memos of a topic.
    MEMOS, "lua/memos.lua", true
);
script!(
    /// Changes memos, all or none.
    WRITE_MEMOS, "lua/write_memos.lua", true
);

/// A script with its keys and arguments.
pub struct Call<'a> {
    /// Which.
    pub script: &'static Script,
    /// All of one slot.
    pub keys: Vec<&'a str>,
    /// In the order that the script names.
    pub args: Vec<String>,
}

impl Call<'_> {
    /// As it is sent: by the digest, with the whole code where that is not known.
    pub fn order(&self) -> Order {
        let mut short = cmd("EVALSHA");
        short.arg(self.script.digest.as_str()).arg(self.keys.len());
        for key in &self.keys {
            short.arg(*key);
        }
        for arg in &self.args {
            short.arg(arg);
        }
        Order { short, code: Some(self.script.code) }
    }
}
