//! The smallest signed Mach-O program that a reader takes for one. Nothing in it runs.

use ring::digest::{SHA256, digest};

/// Of which the signature has a digest each.
pub const PAGE: usize = 4096;

pub struct Program {
    pub oldest: [u8; 2],
    pub library: &'static str,
    pub signed: bool,
}

impl Default for Program {
    fn default() -> Self {
        Self { oldest: [11, 0], library: "/usr/lib/libSystem.B.dylib", signed: true }
    }
}

impl Program {
    /// A head, two pages that mean nothing, the signature.
    pub fn bytes(&self) -> Vec<u8> {
        let end = 2 * PAGE;
        let pages = end / PAGE;
        let mut commands = vec![self.build_version(), self.load_library()];
        if self.signed {
            commands.push(words(&[0x1d, 16, end as u32, signature_size(pages) as u32]));
        }
        let size: usize = commands.iter().map(Vec::len).sum();
        // For arm64, a program, position-independent.
        let mut file =
            words(&[0xfeed_facf, 0x0100_000c, 0, 2, commands.len() as u32, size as u32, 0x0020_0085, 0]);
        file.extend(commands.concat());
        file.resize(end, 0);
        if self.signed {
            let signature = sign(&file);
            file.extend(signature);
        }
        file
    }

    fn build_version(&self) -> Vec<u8> {
        let [major, minor] = self.oldest.map(u32::from);
        words(&[0x32, 24, 1, major << 16 | minor << 8, 0, 0])
    }

    fn load_library(&self) -> Vec<u8> {
        let name = 24;
        let size = (name + self.library.len() + 1).next_multiple_of(8);
        let mut command = words(&[0xc, size as u32, name as u32, 0, 0, 0]);
        command.extend(self.library.as_bytes());
        command.resize(size, 0);
        command
    }
}

const HEAD: usize = 20;
const DIRECTORY: usize = 44;
const NAME: &[u8] = b"anklet\0";

fn signature_size(pages: usize) -> usize {
    HEAD + DIRECTORY + NAME.len() + 32 * pages
}

/// An ad-hoc signature: one code directory, of its first version. Its numbers are big-endian.
fn sign(code: &[u8]) -> Vec<u8> {
    let pages = code.chunks(PAGE).len();
    let size = signature_size(pages);
    let head = [0xfade_0cc0, size, 1, 0, HEAD];
    let directory = [
        0xfade_0c02,
        size - HEAD,
        0x2_0001,
        2,
        DIRECTORY + NAME.len(),
        DIRECTORY,
        0,
        pages,
        code.len(),
        // Digests of 32 bytes, SHA-256, no platform, pages of 2¹² bytes.
        0x2002_000c,
        0,
    ];
    let mut signature: Vec<u8> =
        head.iter().chain(&directory).flat_map(|&word| (word as u32).to_be_bytes()).collect();
    signature.extend(NAME);
    for page in code.chunks(PAGE) {
        signature.extend(digest(&SHA256, page).as_ref());
    }
    signature
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
