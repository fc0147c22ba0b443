"""Verifies the code signature of a thin 64-bit Mach-O file, as the kernel would before it runs it.

    python3 signature.py FILE      exit code 0, or 1 with the reason on standard error

Every page of the file must have the SHA-256 that its code directory says. Offsets and numbers are those of Apple's
cs_blobs.h and loader.h.
"""

import hashlib
import struct
import sys

LC_CODE_SIGNATURE = 0x1D
EMBEDDED_SIGNATURE = 0xFADE0CC0
CODE_DIRECTORY = 0xFADE0C02
CODE_DIRECTORY_SLOT = 0
ADHOC = 0x2
SHA256 = 2


def signature(data):
    """Where the signature is: its offset and size."""
    magic, _, _, _, commands = struct.unpack_from("<5I", data)
    assert magic == 0xFEEDFACF, "this is no thin 64-bit Mach-O file"
    at = 32
    for _ in range(commands):
        command, size = struct.unpack_from("<2I", data, at)
        if command == LC_CODE_SIGNATURE:
            return struct.unpack_from("<2I", data, at + 8)
        at += size
    raise AssertionError("there is none")


def code_directory(blob):
    magic, _, count = struct.unpack_from(">3I", blob)
    assert magic == EMBEDDED_SIGNATURE, "it is no embedded signature"
    for index in range(count):
        slot, at = struct.unpack_from(">2I", blob, 12 + 8 * index)
        if slot == CODE_DIRECTORY_SLOT:
            return blob[at:]
    raise AssertionError("it has no code directory")


def verify(data):
    offset, size = signature(data)
    assert offset + size == len(data), "it does not end the file"
    directory = code_directory(data[offset : offset + size])
    magic, _, _, flags, hashes, _, _, pages, limit = struct.unpack_from(">9I", directory)
    hash_size, hash_type, _, page_bits = struct.unpack_from(">4B", directory, 36)
    assert magic == CODE_DIRECTORY, "its code directory is none"
    assert flags & ADHOC, "it is not an ad-hoc one"
    assert (hash_type, hash_size) == (SHA256, 32), "it is not by SHA-256"
    assert limit == offset, "it does not cover all that is before it"
    page = 1 << page_bits
    assert pages == (limit + page - 1) // page, "it has too few pages"
    for index in range(pages):
        content = data[index * page : min((index + 1) * page, limit)]
        said = directory[hashes + 32 * index : hashes + 32 * (index + 1)]
        assert hashlib.sha256(content).digest() == said, f"page {index} is not what was signed"


try:
    with open(sys.argv[1], "rb") as file:
        verify(file.read())
except (AssertionError, struct.error) as reason:
    sys.exit(str(reason))
