//! What `show` says of a template's size. What is absent is unknown, and skips the check that needs it.

use serde_json::Value;

use super::client::{Anka, Call};
use super::error::AnkaError;

/// Cores and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// CPU cores.
    pub cores: Option<u64>,
    /// Memory.
    pub ram: Option<u64>,
    /// What the image takes on the disk.
    pub image: Option<u64>,
}

impl Anka {
    /// Facts of a template or VM of this host.
    pub fn show(&self, name: &str, tag: Option<&str>) -> Result<Facts, AnkaError> {
        self.ask(Call::of("show").opt("-t", tag).arg(name)).map(|body| Facts::read(&body))
    }
}

impl Facts {
    /// From the body of `show` or `registry show`.
    pub(super) fn read(body: &Value) -> Facts {
        let ram = number(&body["ram_size"]).or_else(|| size(&body["ram"]));
        Facts { cores: number(&body["cpu_cores"]), ram, image: number(&body["image_size"]) }
    }
}

/// A number, or one in text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A number of bytes, or text like `4G`.
fn size(value: &Value) -> Option<u64> {
    if let Some(bytes) = number(value) {
        return Some(bytes);
    }
    let text = value.as_str()?.trim().trim_end_matches(['B', 'b']).trim_end_matches('i');
    let unit = text.chars().last()?;
    let power = "KMGT".find(unit.to_ascii_uppercase())? as u32 + 1;
    let count: u64 = text[..text.len() - unit.len_utf8()].trim().parse().ok()?;
    count.checked_mul(1024_u64.checked_pow(power)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn memory_comes_in_three_forms_and_absent_is_unknown() {
        let ram = |body: Value| Facts::read(&body).ram;
        assert_eq!(ram(json!({"ram": "1", "ram_size": 4_294_967_296_u64})), Some(4 << 30));
        assert_eq!(ram(json!({"ram": "4294967296"})), Some(4 << 30));
        assert_eq!(ram(json!({"ram": "4G"})), Some(4 << 30));
        assert_eq!(ram(json!({"ram": "512MB"})), Some(512 << 20));
        for odd in [json!({}), json!({"ram": ""}), json!({"ram": "4X"}), json!({"ram": "é"}), json!(null)] {
            assert_eq!(ram(odd.clone()), None, "{odd}");
        }
        assert_eq!(ram(json!({"ram": "99999999999999999T"})), None);
        assert_eq!(Facts::read(&json!({"cpu_cores": 4, "image_size": "7"})).cores, Some(4));
    }
}
