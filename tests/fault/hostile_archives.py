"""Archives and streams that contradict themselves: each with what must come of it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from modelshelf.testing.tiny import Opcodes, TorchTensor, torch_pickle, write_torch
from tests.fault.hostile_pickles import INVALID, REFUSED, Case, called

PAYLOAD = {"w": TorchTensor("F32", (2, 3)), "v": TorchTensor("F16", (4,))}
PICKLE = torch_pickle(PAYLOAD)
ENTRIES: dict[str, bytes | int] = {"data/w": 24, "data/v": 8}


class Zip:
    """An archive in the plain way, entry by entry, with room for lies."""

    def __init__(self) -> None:
        self.raw = bytearray()
        self.directory = bytearray()
        self.count = 0

    def add(
        self,
        name: str,
        content: bytes,
        *,
        method: int = 0,
        flags: int = 0,
        size: int | None = None,
        local_name: str = "",
        at: int | None = None,
    ) -> Zip:
        """Append an entry; *at* says where it claims to begin."""
        size = len(content) if size is None else size
        header = len(self.raw) if at is None else at
        path = name.encode()
        local = (local_name or name).encode()
        sizes = (zlib.crc32(content), len(content), size)
        self.raw += struct.pack(
            "<4s5H3I2H", b"PK\x03\x04", 20, flags, method, 0, 0, *sizes, len(local), 0
        )
        self.raw += local + content
        self.directory += struct.pack(
            "<4s6H3I5H2I", b"PK\x01\x02", 20, 20, flags, method, 0, 0, *sizes,
            len(path), 0, 0, 0, 0, 0, header,
        ) + path  # fmt: skip
        self.count += 1
        return self

    def close(self, **lies: int) -> bytes:
        """Return the archive's bytes, with numbers of its end replaced."""
        facts = {
            "disk": 0, "first_disk": 0, "here": self.count, "count": self.count,
            "length": len(self.directory), "begin": len(self.raw), "comment": 0,
        } | lies  # fmt: skip
        return bytes(
            self.raw + self.directory + struct.pack("<4s4H2IH", b"PK\x05\x06", *facts.values())
        )


def swapped(method: int, flags: int = 0, **facts: int | str) -> Zip:
    """A checkpoint whose storage `w` is packed in another way than torch packs."""
    content = deflated(bytes(24)) if method else bytes(24)
    start = Zip().add("m/data.pkl", PICKLE).add("m/data/v", bytes(8))
    size, local = int(facts.get("size", 24)), str(facts.get("local_name", ""))
    return start.add("m/data/w", content, method=method, flags=flags, size=size, local_name=local)


def sound() -> Zip:
    """A checkpoint as a person who unpacked and packed it again leaves it."""
    return Zip().add("m/data.pkl", PICKLE).add("m/data/w", bytes(24)).add("m/data/v", bytes(8))


def bytes_of(raw: bytes | Zip, name: str = "model.ckpt") -> Callable[[Path], Path]:
    """Write bytes, or a finished archive, to a file."""

    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(raw.close() if isinstance(raw, Zip) else raw)
        return path

    return write


def deflated(content: bytes) -> bytes:
    """Pack as ZIP does."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def changed(change: Callable[[bytes], bytes], *, legacy: bool = False) -> Callable[[Path], Path]:
    """Write a sound checkpoint and then change its bytes."""

    def write(folder: Path) -> Path:
        path = write_torch(folder / "model.ckpt", PAYLOAD, legacy=legacy)
        path.write_bytes(change(path.read_bytes()))
        return path

    return write


def _wide_end(raw: bytes, place: int, number: int) -> bytes:
    """Replace a number in the 64-bit end of an archive of torch."""
    return _replaced(raw, raw.rindex(b"PK\x06\x06") + place, number)


def _replaced(raw: bytes, at: int, number: int) -> bytes:
    return raw[:at] + struct.pack("<Q", number) + raw[at + 8 :]


def _moved(raw: bytes) -> bytes:
    """Let the header before `w` say that more stands between it and the numbers."""
    at = raw.index(b"m/data/w") - 2
    return raw[:at] + struct.pack("<H", 40) + raw[at + 2 :]


def _archives() -> dict[str, Case]:
    bomb = deflated(bytes(80 << 20))
    evil_pickle = torch_pickle(PAYLOAD)[:-1] + b"0" + called("posix", "system") + b"0}."
    zips = {
        "no entries": Zip(),
        "no pickle": Zip().add("m/data/w", bytes(24)),
        "a pickle without a folder": Zip().add("data.pkl", PICKLE),
        "a pickle too deep": Zip().add("a/b/data.pkl", PICKLE),
        "a whole checkpoint too deep": Zip()
        .add("a/b/data.pkl", PICKLE)
        .add("a/b/data/w", bytes(24))
        .add("a/b/data/v", bytes(8)),
        "two pickles": sound().add("n/data.pkl", evil_pickle),
        "a pickle twice": sound().add("m/data.pkl", evil_pickle),
        "a storage twice": sound().add("m/data/w", bytes(24)),
        "an encrypted pickle": Zip().add("m/data.pkl", PICKLE, flags=1),
        "a pickle packed by method 99": Zip().add("m/data.pkl", PICKLE, method=99),
        "a pickle of another size": Zip().add("m/data.pkl", PICKLE, size=len(PICKLE) + 9),
        "a bomb for a pickle": Zip().add("m/data.pkl", bomb, method=8, size=80 << 20),
        "a bomb that claims to be small": Zip().add("m/data.pkl", bomb, method=8, size=1000),
        "a bomb that claims 4 GB": Zip().add("m/data.pkl", bomb, method=8, size=0xFFFFFFF0),
        "a pickle deflated to blocks of nothing": Zip().add(
            "m/data.pkl", b"\0\0\0\xff\xff" * 8_000_000, method=8, size=1000
        ),
        "a damaged deflated pickle": Zip().add("m/data.pkl", b"\xff" * 50, method=8, size=100),
        "a deflated pickle cut short": Zip().add(
            "m/data.pkl", deflated(PICKLE)[:-40], method=8, size=len(PICKLE)
        ),
        "another name in front of the storage": swapped(0, local_name="m/data/x"),
        "two entries at one place": sound().add("m/data/x", bytes(24), at=0),
        "an entry inside another": sound().add("m/data/x", bytes(24), at=8),
        "an entry behind the directory": sound().add("m/data/x", bytes(24), at=5000),
        "an entry at the end of 32 bits": sound().add("m/data/x", bytes(24), at=0xFFFFFFFE),
        "an entry in 64 bits that are not there": sound().add("m/data/x", bytes(24), at=0xFFFFFFFF),
        "a byte order of Mars": sound().add("m/byteorder", b"middle"),
        "a byte order without end": sound().add("m/byteorder", b"little" * 100_000),
    }  # fmt: skip
    cases: dict[str, Case] = {what: (bytes_of(made), INVALID) for what, made in zips.items()}
    ends = {
        "a storage that its own header moves on": _moved(sound().close()),
        "bytes behind its end": sound().close() + b"x",
        "bytes before its start": b"PK\x03\x04" + sound().close(),
        "more entries than there are": sound().close(here=9, count=9),
        "fewer entries than there are": sound().close(here=1, count=1),
        "a directory of 20 MB": sound().close(length=20 << 20),
        "65,535 entries": sound().close(here=65535, count=65535),
        "a directory of 4 GB": sound().close(length=0xFFFFFFFF),
        "a directory elsewhere": sound().close(begin=0),
        "a part of several": sound().close(disk=1),
        "a directory on another disk": sound().close(first_disk=1),
        "a comment beyond its end": sound().close(comment=10),
        "an end without a directory": b"PK\x03\x04" + Zip().close(begin=4),
        "two ends": sound().close(comment=22) + Zip().close(),
        "no end": b"PK\x03\x04" + bytes(100),
    }  # fmt: skip
    cases |= {what: (bytes_of(made), INVALID) for what, made in ends.items()}
    wide: Mapping[str, Callable[[bytes], bytes]] = {
        "a 64-bit end elsewhere": lambda raw: _replaced(raw, raw.rindex(b"PK\x06\x07") + 8, 2**64 - 1),
        "2^63 entries": lambda raw: _wide_end(_wide_end(raw, 24, 2**63), 32, 2**63),
        "a directory of 2^63 bytes": lambda raw: _wide_end(raw, 40, 2**63),
        "a directory at 2^63": lambda raw: _wide_end(raw, 48, 2**63),
        "two ends that disagree": lambda raw: _wide_end(raw, 48, 1),
        "flipped magic": lambda raw: raw.replace(b"PK\x01\x02", b"PK\x01\x03"),
        "a longer name in front": lambda raw: raw.replace(b"\x0c\x00", b"\x0d\x00"),
    }  # fmt: skip
    cases |= {what: (changed(change), INVALID) for what, change in wide.items()}
    cases["a storage that is deflated"] = bytes_of(swapped(8)), "compressed"
    cases["a storage that is encrypted"] = bytes_of(swapped(0, flags=1)), "encrypted"
    cases["a storage that claims 4 GB"] = bytes_of(swapped(8, size=0xFFFFFFF0)), INVALID
    for name in ("../../evil.py", "/etc/cron.d/evil", "m/../../evil", "C:\\evil", "n/other"):
        cases[f"an entry called {name}"] = (
            bytes_of(sound().add(name, b"evil")),
            "outside of the checkpoint",
        )
    cases["big-endian numbers"] = bytes_of(sound().add("m/byteorder", b"big")), "big-endian"
    cases["a script"] = (
        bytes_of(
            sound().add("m/code/__torch__.py", b"import os").add("m/constants.pkl", evil_pickle)
        ),
        "TorchScript",
    )
    return cases


def _streams() -> dict[str, Case]:
    magic, version, facts = (
        torch_pickle(value) for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
    )
    keys, numbers = torch_pickle(["v", "w"]), struct.pack("<q", 4) + bytes(8)
    head = magic + version + facts
    body = torch_pickle(PAYLOAD, legacy=True)
    six = struct.pack("<q", 6)
    idle = b"\x80\x02" + b"I01\n0" * 740_000
    streams = {
        "another version": magic + torch_pickle(1002) + facts,
        "nothing behind the magic number": magic,
        "no storages": head + body,
        "keys that are no list": head + body + torch_pickle("w"),
        "a key that no tensor has": head + body + torch_pickle(["x"]) + numbers,
        "a key twice": head + body + torch_pickle(["v", "v"]) + numbers * 2,
        "a key again behind the others": head
        + body
        + torch_pickle(["v", "w", "v"])
        + numbers
        + six
        + bytes(24)
        + numbers,
        "a key that is a number": head + body + torch_pickle([1, 2]) + numbers,
        "a key that is a list": head + body + torch_pickle([["v"]]) + numbers,
        "a storage too few": head + body + torch_pickle(["v"]) + numbers,
        "a storage cut short": head + body + keys + numbers + six + bytes(23),
        "a storage of -1 elements": head + body + keys + struct.pack("<q", -1),
        "a storage of 2^62 elements": head + body + keys + struct.pack("<q", 2**62),
        "a storage of other size": head + body + keys + numbers + struct.pack("<q", 5) + bytes(20),
        "a key list without end": head + body + b"\x80\x02](" + b"K\x01" * 300_000 + b"e.",
        "a long pickle for a version": magic + idle + b"M\xe9\x03." + facts + body + keys,
        "a long pickle of the system": magic + version + idle + b"}." + body + keys,
        "a long pickle of keys": head + body + idle + keys[2:] + numbers + six + bytes(24),
        "long pickles for all": magic + idle + b"M\xe9\x03." + (idle + b"}.") * 2 + idle + b"].",
        "an object of 70 MB": head + b"\x80\x02](" + (b"C\xff" + bytes(255)) * 280_000 + b"e.",
        "a gadget for a key": head + body + b"\x80\x02](" + called("posix", "system") + b"e.",
    }
    cases: dict[str, Case] = {
        f"stream: {what}": (bytes_of(made), INVALID) for what, made in streams.items()
    }
    gadget = b"\x80\x02" + called("posix", "system") + b"."
    cases["stream: a gadget for a magic number"] = bytes_of(gadget), "`posix.system`"
    cases["stream: a gadget for a version"] = bytes_of(magic + gadget), INVALID
    cases["stream: a pickle in the pickle"] = (
        bytes_of(b"\x80\x02}" + b"X\1\0\0\0w" + b"ctorch._utils\n_rebuild_tensor_v2\n("
                 + called("torch.storage", "_load_from_bytes") + b"K\0K\x02\x85K\1\x85tRs."),
        REFUSED,
    )  # fmt: skip
    return cases


def tar(members: Mapping[str, bytes], *, size: bytes | None = None) -> bytes:
    """Pack files as tar does, with a *size* that lies."""
    packed = b""
    for name, content in members.items():
        length = b"%011o\0" % len(content) if size is None else size
        header = name.encode().ljust(100, b"\0") + b"0000644\0" * 3 + length.ljust(12, b"\0")
        header += b"00000000000\0" + b" " * 8 + b"0" + bytes(100) + b"ustar\x0000"
        packed += header.ljust(512, b"\0") + content + bytes(-len(content) % 512)
    return packed + bytes(1024)


def rank(number: int) -> bytes:
    """The dimensions of a tensor, as they stand in a tar of torch 0.1."""
    return struct.pack("<i4x", number)


def _tars() -> dict[str, Case]:
    one = torch_pickle(1)
    evil = b"\x80\x02" + called("posix", "system") + b"."
    nothing = torch_pickle(0)
    members = {"sys_info": evil, "pickle": nothing, "storages": nothing, "tensors": nothing}
    count = struct.pack("<q", 2**60)
    storage = b"\x80\x02K\x01X\x03\0\0\0cpuctorch\nFloatStorage\n\x87."
    tensor = b"\x80\x02K\x05K\x01ctorch\nFloatTensor\n\x87."
    padded = b"\x80\x02" + b"N0" * 2_000 + storage[2:]
    tars = {
        "ten thousand storages, each a long pickle": tar(
            members | {"storages": torch_pickle(10_000) + (padded + bytes(8)) * 10_000}
        ),
        "a hundred thousand tensors of 64 dimensions": tar(
            members | {"tensors": torch_pickle(100_000) + (tensor + rank(64) + bytes(1032)) * 100_000}
        ),
        "another archive": tar({"readme": b"hello"}),
        "no tensors": tar({key: members[key] for key in ("pickle", "storages")}),
        "gzip in tar": tar({"model.pt.gz": b"\x1f\x8b" + bytes(100)}),
        "gzip for a pickle": tar(members | {"pickle": b"\x1f\x8b" + bytes(100)}),
        "a gadget for a count": tar(members | {"storages": evil}),
        "2^40 storages": tar(members | {"storages": torch_pickle(2**40)}),
        "a storage without end": tar(members | {"storages": one + storage + count}),
        "a storage of no class": tar(members | {"storages": one + torch_pickle((1, 2, 3))}),
        "a storage of two facts": tar(members | {"storages": one + torch_pickle((1, 2))}),
        "a tensor cut short": tar(members | {"tensors": one + tensor}),
        "a tensor of -1 dimensions": tar(members | {"tensors": one + tensor + rank(-1)}),
        "a tensor of 2^31 dimensions": tar(members | {"tensors": one + tensor + rank(2**31 - 1)}),
        "sizes beyond the file": tar(members, size=b"77777777777"),
        "sizes of letters": tar(members, size=b"zzzzzzzzzzz"),
        "negative sizes": tar(members, size=b"-0000000010"),
        "a member twice": tar(members) [:-1024] + tar(members),
    }  # fmt: skip
    cases: dict[str, Case] = {
        f"tar: {what}": (bytes_of(raw), INVALID) for what, raw in tars.items()
    }
    used = torch_pickle({"w": Opcodes(b"X\1\0\0\x005Q")})
    lost = tar(
        members | {"pickle": used, "tensors": one + tensor + rank(1) + struct.pack("<3q", 2, 1, 0)}
    )
    cases["tar: a tensor without a storage"] = bytes_of(lost), REFUSED
    return cases


def _strangers() -> dict[str, Case]:
    strangers = {
        "nothing": b"",
        "a byte": b"\x80",
        "zeros": bytes(1000),
        "text": b"cos\nsystem\n(S'echo pwned > pwned'\ntR.",
        "a web page": b"<!DOCTYPE html><html></html>",
        "a pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "gzip": b"\x1f\x8b\x08" + bytes(100),
    }
    return {
        f"not a checkpoint: {what}": (bytes_of(raw), INVALID) for what, raw in strangers.items()
    }


CASES: Mapping[str, Case] = _archives() | _streams() | _tars() | _strangers()
"""All of them, by what is wrong."""
