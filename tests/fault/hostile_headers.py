"""Headers, graphs and indexes that no writer in its senses makes: each with what must come of it."""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from math import prod
from pathlib import Path

from modelshelf.testing import tiny
from modelshelf.testing.tiny import protobuf_field
from tests.fault import hostile_pickles

Case = tuple[Callable[[Path], Path], str]
"""Makes the file or folder below a folder; the code of the error, or an honest word."""

UNKNOWN, NO_BASE = "unknown", "no base"
"""What is not broken: nobody knows it, or its type alone is known."""
SAFETENSORS, GGUF, ONNX = "safetensors-invalid", "gguf-invalid", "onnx-invalid"
JSON, SHARDS, PIPELINE = "json-invalid", "shard-index-invalid", "pipeline-invalid"

ENTRY = '{"dtype":"F16","shape":[6],"data_offsets":[0,12]}'
_NO_STRING, _LONG_STRING = struct.pack("<Q", 0), struct.pack("<Q", 64) + b"x" * 64


def file(name: str, content: bytes, size: int = 0) -> Callable[[Path], Path]:
    """A file of these bytes with *size* bytes of hole behind them."""

    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content)
        if size:
            os.truncate(path, len(content) + size)
        return path

    return make


def header(text: str | bytes, size: int = 12, length: int | None = None) -> Callable[[Path], Path]:
    """A safetensors file with this header, whose length may be a lie."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    start = struct.pack("<Q", len(raw) if length is None else length)
    return file("model.safetensors", start + raw, size)


def entry(**changes: object) -> str:
    """A header with one entry, changed."""
    whole = {"dtype": "F16", "shape": [6], "data_offsets": [0, 12], **changes}
    return json.dumps({"a": whole}, separators=(",", ":"))


def numbered_names(count: int, steps: int) -> Callable[[Path], Path]:
    """Names of an adapter that are nothing but numbers, each of many steps."""

    def make(path: Path) -> Path:
        names = (
            ".".join(str((number * 31 + step * 17) % 100) for step in range(steps))
            + f".{number}.lora_A.weight"
            for number in range(count)
        )
        entries = {
            name: {"dtype": "F16", "shape": [1], "data_offsets": [2 * at, 2 * at + 2]}
            for at, name in enumerate(names)
        }
        return header(json.dumps(entries, separators=(",", ":")), 2 * count)(path)

    return make


def many_numbers(count: int, steps: int) -> Callable[[Path], Path]:
    """Tensors of two modules in one list of blocks, each of which has many numbers of its own."""

    def make(path: Path) -> Path:
        entries = {}
        for at in range(count):
            numbers = [10 + (at * 7919 * (step + 1) + step * 31) % 90 for step in range(steps)]
            name = ".".join(map(str, ["b", *numbers, at, f"w{at % 2}"]))
            entries[name] = {"dtype": "F16", "shape": [1], "data_offsets": [2 * at, 2 * at + 2]}
        return header(json.dumps(entries, separators=(",", ":")), 2 * count)(path)

    return make


def deep_beside_holes(count: int, steps: int) -> Callable[[Path], Path]:
    """A FLUX that lost each seventh tensor, and names of many steps of which no two begin alike."""

    def make(path: Path) -> Path:
        sound = tiny.flux_layout().items()
        shapes = {name: shape for at, (name, shape) in enumerate(sound) if at % 7 != 3}
        letters = str.maketrans("0123456789", "abcdefghij")
        shapes |= {f"{at:05}".translate(letters) + ".a" * steps: (1,) for at in range(count)}
        entries, end = {}, 0
        for name, shape in shapes.items():
            begin, end = end, end + 2 * prod(shape)
            entries[name] = {"dtype": "F16", "shape": shape, "data_offsets": [begin, end]}
        return header(json.dumps(entries, separators=(",", ":")), end)(path)

    return make


def word(text: str | bytes) -> bytes:
    """Text as GGUF has it."""
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw)) + raw


def gguf(*fields: bytes, version: int = 3, tensors: int = 0, count: int | None = None) -> bytes:
    """The start of a GGUF file."""
    start = struct.pack(
        "<4sIQQ", b"GGUF", version, tensors, len(fields) if count is None else count
    )
    return start + b"".join(fields)


def tensor(name: str = "w", *sides: int, kind: int = 0, offset: int = 0) -> bytes:
    """A tensor's record in a GGUF file."""
    shape = struct.pack(f"<I{len(sides)}Q", len(sides), *sides)
    return word(name) + shape + struct.pack("<IQ", kind, offset)


def alignment(form: str, kind: int, value: int) -> bytes:
    """The field that says what tensors begin at multiples of."""
    return word("general.alignment") + struct.pack("<I" + form, kind, value)


def strings(runs: int, short: int) -> Callable[[Path], Path]:
    """An array of strings of which all but every one behind *short* others are empty."""
    start = word("k") + struct.pack("<IIQ", 9, 8, runs * (short + 1))

    def make(folder: Path) -> Path:
        run = _NO_STRING * short + _LONG_STRING
        return file("model.gguf", gguf(start + run * runs))(folder)

    return make


def nested(levels: int) -> bytes:
    """A graph with a graph in a node in a graph in a node."""
    inner = b""
    for _ in range(levels):
        inner = protobuf_field(1, protobuf_field(5, protobuf_field(6, inner)))
    return protobuf_field(7, inner)


def index(weight_map: object, *, shard: bool = True) -> Callable[[Path], Path]:
    """A folder with a shard index, and mostly the shard."""

    def make(folder: Path) -> Path:
        model = folder / "model"
        model.mkdir()
        if shard:
            tiny.write_safetensors(model / "one.safetensors", {"a": ("F16", (6,))}, seed=0)
        document = {"metadata": {"total_size": 12}, "weight_map": weight_map}
        (model / "model.safetensors.index.json").write_text(json.dumps(document))
        return model

    return make


def links(names: Sequence[str], **texts: object) -> Callable[[Path], Path]:
    """A folder with one large header under many *names*, and documents of JSON."""

    def make(folder: Path) -> Path:
        root = folder / "model"
        root.mkdir()
        entries = {f"t{number}": ("F16", (1,)) for number in range(40_000)}
        first = tiny.write_safetensors(folder / "one.safetensors", entries, seed=0)
        for name in names:
            (root / name).parent.mkdir(exist_ok=True)
            os.link(first, root / name)
        for name, document in texts.items():
            path = root / name.replace("__", "/").replace("_json", ".json")
            path.parent.mkdir(exist_ok=True)
            path.write_text(document if isinstance(document, str) else json.dumps(document))
        return root

    return make


def _file_name(word: str) -> str:
    """Spell a file's name as an argument can be called: `model_bin_index_json` is `model.bin.index.json`."""
    stem, *suffixes = re.split(r"_(?=bin_|index_|json)", word)
    return ".".join([stem, *suffixes])


def copies(
    make: Callable[[Path], Path], *, suffix: str = "", names: Sequence[str] = (), **texts: object
) -> Callable[[Path], Path]:
    """A folder with a file that takes long, a hundred times or under *names*, and documents of JSON."""

    def make_all(folder: Path) -> Path:
        root = folder / "model"
        root.mkdir()
        first = make(folder)
        for name in names or [f"m{number:02}{suffix or first.suffix}" for number in range(100)]:
            os.link(first, root / name)
        for name, document in texts.items():
            (root / _file_name(name)).write_text(json.dumps(document))
        return root

    return make_all


def pipeline(slots: int) -> dict[str, object]:
    """The table of contents of a pipeline of that many denoisers."""
    denoiser = ["diffusers", "UNet2DConditionModel"]
    return {"_class_name": "StableDiffusionPipeline", **{f"c{n}": denoiser for n in range(slots)}}


def config(content: bytes) -> Callable[[Path], Path]:
    """A model folder whose configuration is this."""

    def make(folder: Path) -> Path:
        (folder / "model").mkdir()
        (folder / "model" / "config.json").write_bytes(content)
        return folder / "model"

    return make


def fifo(name: str) -> Callable[[Path], Path]:
    """A pipe that nobody writes to."""

    def make(folder: Path) -> Path:
        os.mkfifo(folder / name)
        return folder / name

    return make


def link(target: str) -> Callable[[Path], Path]:
    """A symbolic link under a model's name."""

    def make(folder: Path) -> Path:
        (folder / "model.safetensors").symlink_to(target)
        return folder / "model.safetensors"

    return make


def fan(folders: int) -> Callable[[Path], Path]:
    """Folders of which each has two links to the next: twice as many ways to each."""

    def make(folder: Path) -> Path:
        model = folder / "model"
        for number in range(folders):
            (model / f"{number}").mkdir(parents=True)
            for name in "ab" if number + 1 < folders else "":
                (model / f"{number}" / name).symlink_to(f"../{number + 1}")
        (model / f"{folders - 1}" / "file").touch()
        return model

    return make


def folder(name: str) -> Callable[[Path], Path]:
    """An empty folder under a file's name."""

    def make(below: Path) -> Path:
        (below / name).mkdir()
        return below / name

    return make


_BINS = [f"pytorch_model-{number:05}-of-00100.bin" for number in range(1, 101)]
_SHARDS = [f"model-{number:05}-of-00200.safetensors" for number in range(1, 201)]
_DEEP = 200_000
_LISTS = b"[" + b"[]," * 5_000_000 + b"[]]"
_SOME_MEMBERS = b"{" + b",".join(b'"%d":0' % number for number in range(299_000)) + b"}"
_MEMBERS = b"{" + b",".join(b'"%d":0' % number for number in range(1_200_000)) + b"}"
_TWICE = _SOME_MEMBERS[:-1] + b',"298999":0}'
"""Members of which the last is there twice."""

CASES: Mapping[str, Case] = {
    # ---- safetensors: the length
    "header length 2^63": (header("{}", length=2**63), SAFETENSORS),
    "header length 2^64-1": (header("{}", length=2**64 - 1), SAFETENSORS),
    "header length 0": (header("", length=0), SAFETENSORS),
    "header one byte beyond the file": (header("{}", 0, length=3), SAFETENSORS),
    "header of 90 MB of nothing": (header("{", 90_000_000, length=90_000_000), SAFETENSORS),
    "header of 12 MB of spaces": (header("{}" + " " * 12_000_000, 0), UNKNOWN),
    "header of 12 MB of names that are numbers": (numbered_names(24_000, 150), UNKNOWN),
    "names of many numbers": (many_numbers(65_000, 12), UNKNOWN),
    "a million modules beside holes": (deep_beside_holes(62_000, 21), UNKNOWN),
    "name of 12 MB": (header(f'{{"{"a" * 12_500_000}":{ENTRY}}}'), UNKNOWN),
    "name of 12 MB and an emoji": (header(f'{{"{"a" * 12_500_000}😀":{ENTRY}}}'), SAFETENSORS),
    "name of 12 MB and an emoji by its number": (
        header(f'{{"{"a" * 12_500_000}\\ud83d\\ude00":{ENTRY}}}'),
        SAFETENSORS,
    ),
    "metadata of 5 MB and an emoji": (
        header(f'{{"__metadata__":{{"a":"{"b" * 5_000_000}😀"}},"a":{ENTRY}}}'),
        UNKNOWN,
    ),
    "seven bytes": (file("model.safetensors", b"\0" * 7), SAFETENSORS),
    "no byte": (file("model.safetensors", b""), SAFETENSORS),
    # ---- safetensors: the text
    "duplicate tensor": (header(f'{{"a":{ENTRY},"a":{ENTRY}}}'), SAFETENSORS),
    "duplicate tensor, once escaped": (header(f'{{"a":{ENTRY},"\\u0061":{ENTRY}}}'), SAFETENSORS),
    "duplicate dtype": (header(f'{{"a":{ENTRY[:-1]},"dtype":"F16"}}}}'), SAFETENSORS),
    "duplicate metadata": (header('{"__metadata__":{},"__metadata__":{}}'), SAFETENSORS),
    "deep lists": (header('{"a":' + "[" * _DEEP), SAFETENSORS),
    "deep objects": (header('{"a":' * _DEEP), SAFETENSORS),
    "deep metadata": (header('{"__metadata__":' * _DEEP), SAFETENSORS),
    "millions of lists": (header(b'{"a":' + _LISTS + b"}"), SAFETENSORS),
    "a million members": (header(_MEMBERS), SAFETENSORS),
    "as many members as are read": (header(_SOME_MEMBERS), SAFETENSORS),
    "as many texts in the metadata as are read": (
        header(b'{"__metadata__":' + _SOME_MEMBERS.replace(b":0", b':""') + b"}", 0),
        UNKNOWN,
    ),
    "the last of many members twice": (header(_TWICE), SAFETENSORS),
    "the last of many texts in the metadata twice": (
        header(b'{"__metadata__":' + _TWICE.replace(b":0", b':""') + b"}", 0),
        SAFETENSORS,
    ),
    "half a million sides": (header(entry(shape=[6] + [1] * 550_000)), SAFETENSORS),
    "half a million large sides": (header(entry(shape=[2**63 - 1] * 500_000), 0), SAFETENSORS),
    "half a million large sides behind a zero": (
        header(entry(shape=[0] + [2**63 - 1] * 500_000, data_offsets=[0, 0]), 0),
        SAFETENSORS,
    ),
    "millions of values in the metadata": (
        header(b'{"__metadata__":{"a":' + _LISTS + b"}}"),
        SAFETENSORS,
    ),
    "NaN side": (header(entry(shape=[float("nan")])), SAFETENSORS),
    "infinite offset": (header(entry(data_offsets=[0, float("inf")])), SAFETENSORS),
    "side 1e400": (header(f'{{"a":{ENTRY.replace("6", "1e400")}}}'), SAFETENSORS),
    "side of a million digits": (
        header(f'{{"a":{ENTRY.replace("6", "9" * 1_000_000, 1)}}}'),
        SAFETENSORS,
    ),
    "lone surrogate, escaped": (header(f'{{"\\ud800":{ENTRY}}}'), SAFETENSORS),
    "lone surrogate, raw": (header(f'{{"\ud800":{ENTRY}}}'), SAFETENSORS),
    "byte order mark": (header(f'\ufeff{{"a":{ENTRY}}}'), SAFETENSORS),
    "UTF-16": (header(f'{{"a":{ENTRY}}}'.encode("utf-16-le")), SAFETENSORS),
    "NUL in a name": (header(f'{{"a\0b":{ENTRY}}}'), SAFETENSORS),
    "text behind the header": (header(f'{{"a":{ENTRY}}}{{}}'), SAFETENSORS),
    "header cut short": (header(f'{{"a":{ENTRY}'), SAFETENSORS),
    # ---- safetensors: the places
    "hole": (header(entry(data_offsets=[2, 14]), 14), SAFETENSORS),
    "overlap": (header(f'{{"a":{ENTRY},"b":{ENTRY}}}'), SAFETENSORS),
    "offsets the wrong way round": (header(entry(data_offsets=[12, 0])), SAFETENSORS),
    "offset beyond the end": (header(entry(data_offsets=[0, 2**63])), SAFETENSORS),
    "negative offset": (header(entry(data_offsets=[-12, 0])), SAFETENSORS),
    "sides that overflow": (header(entry(shape=[2**32, 2**32, 2**32])), SAFETENSORS),
    "sides that overflow to the right size": (header(entry(shape=[2**64 + 6])), SAFETENSORS),
    "negative sides": (header(entry(shape=[-2, -3])), SAFETENSORS),
    "bytes left over": (header(entry(), 13), SAFETENSORS),
    "data cut short": (header(entry(), 11), SAFETENSORS),
    "unknown dtype": (header(entry(dtype="../F16")), SAFETENSORS),
    # ---- safetensors: strangers under its name
    "LFS pointer": (
        file("model.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
        SAFETENSORS,
    ),
    "web page": (file("model.safetensors", b"<!DOCTYPE html><html></html>"), SAFETENSORS),
    "ZIP": (file("model.safetensors", b"PK\x03\x04" + b"\0" * 60), SAFETENSORS),
    "GGUF under another name": (file("model.safetensors", gguf()), SAFETENSORS),
    # ---- GGUF
    "GGUF version 4": (file("model.gguf", gguf(version=4)), GGUF),
    "GGUF version 0": (file("model.gguf", gguf(version=0)), GGUF),
    "GGUF of 2^64-1 tensors": (file("model.gguf", gguf(tensors=2**64 - 1), 1 << 34), GGUF),
    "GGUF of 2^63 fields": (file("model.gguf", gguf(count=2**63), 1 << 34), GGUF),
    "GGUF of a million empty fields": (file("model.gguf", gguf(count=1_000_000), 1 << 34), GGUF),
    "GGUF key of 2^63 bytes": (file("model.gguf", gguf(struct.pack("<Q", 2**63))), GGUF),
    "GGUF value of 2^62 bytes": (
        file("model.gguf", gguf(word("k") + struct.pack("<IQ", 8, 2**62))),
        GGUF,
    ),
    "GGUF array of 2^61 numbers": (
        file("model.gguf", gguf(word("k") + struct.pack("<IIQ", 9, 12, 2**61))),
        GGUF,
    ),
    "GGUF array of 2^40 strings": (
        file("model.gguf", gguf(word("k") + struct.pack("<IIQ", 9, 8, 2**40)), 1 << 34),
        GGUF,
    ),
    "GGUF array of four million empty strings": (
        file("model.gguf", gguf(word("k") + struct.pack("<IIQ", 9, 8, 4_000_000)), 1 << 26),
        GGUF,
    ),
    "GGUF array of two million empty strings": (
        file("model.gguf", gguf(word("k") + struct.pack("<IIQ", 9, 8, 2_000_000)), 1 << 26),
        UNKNOWN,
    ),
    "GGUF array of strings of which each 64th is long": (strings(31_000, 63), UNKNOWN),
    "GGUF array of strings of which each 33rd is long": (strings(60_000, 32), UNKNOWN),
    "GGUF array of strings of which each second is long": (strings(800_000, 1), UNKNOWN),
    "GGUF array of long strings": (strings(900_000, 0), UNKNOWN),
    "GGUF of many short arrays of strings": (
        file(
            "model.gguf",
            gguf(
                *(
                    word(f"k{number}") + struct.pack("<IIQ", 9, 8, 66) + bytes(8 * 66)
                    for number in range(30_000)
                )
            ),
        ),
        UNKNOWN,
    ),
    "GGUF version 1 with two million empty strings": (
        file(
            "model.gguf",
            struct.pack("<4s4I", b"GGUF", 1, 0, 1, 1) + b"k" + struct.pack("<3I", 9, 8, 2_000_000),
            1 << 26,
        ),
        UNKNOWN,
    ),
    "GGUF string of a gigabyte in an array": (
        file("model.gguf", gguf(word("k") + struct.pack("<IIQQ", 9, 8, 2, 1 << 30)), 1 << 34),
        GGUF,
    ),
    "GGUF nested array": (
        file("model.gguf", gguf(word("k") + struct.pack("<IIQIQ", 9, 9, 1, 9, 1), tensors=0)),
        GGUF,
    ),
    "GGUF type 99": (file("model.gguf", gguf(word("k") + struct.pack("<I", 99))), GGUF),
    "GGUF duplicate key": (
        file("model.gguf", gguf(*[word("k") + struct.pack("<II", 4, 1)] * 2)),
        GGUF,
    ),
    "GGUF key that is no text": (
        file("model.gguf", gguf(word(b"\xff") + struct.pack("<II", 4, 1))),
        GGUF,
    ),
    "GGUF alignment 0": (file("model.gguf", gguf(alignment("I", 4, 0))), GGUF),
    "GGUF alignment 3": (file("model.gguf", gguf(alignment("I", 4, 3))), GGUF),
    "GGUF alignment 2^40": (file("model.gguf", gguf(alignment("Q", 10, 2**40))), GGUF),
    "GGUF negative alignment": (file("model.gguf", gguf(alignment("i", 5, -32))), GGUF),
    "GGUF duplicate tensor": (
        file("model.gguf", gguf(tensors=2) + tensor("w", 1) * 2, 64),
        GGUF,
    ),
    "GGUF of 2^32-1 dimensions": (
        file("model.gguf", gguf(tensors=1) + word("w") + struct.pack("<IQ", 2**32 - 1, 0), 64),
        GGUF,
    ),
    "GGUF sides that overflow": (
        file("model.gguf", gguf(tensors=1) + tensor("w", 2**62, 4), 64),
        GGUF,
    ),
    "GGUF unknown kind": (
        file("model.gguf", gguf(tensors=1) + tensor("w", 1, kind=77), 64),
        UNKNOWN,
    ),
    "GGUF of a thousand unknown kinds": (
        file(
            "model.gguf",
            gguf(tensors=65_000)
            + b"".join(
                tensor(f"w{number}", 1, kind=100 + number % 900) for number in range(65_000)
            ),
            64,
        ),
        UNKNOWN,
    ),
    "GGUF impossible kind": (
        file("model.gguf", gguf(tensors=1) + tensor("w", 1, kind=2**32 - 1), 64),
        GGUF,
    ),
    "GGUF row that is no block": (
        file("model.gguf", gguf(tensors=1) + tensor("w", 100, kind=12), 64),
        GGUF,
    ),
    "GGUF tensor beyond the end": (
        file("model.gguf", gguf(tensors=1) + tensor("w", 1, offset=2**63), 64),
        GGUF,
    ),
    "GGUF tensors that overlap": (
        file("model.gguf", gguf(tensors=2) + tensor("v", 16) + tensor("w", 16, offset=32), 128),
        GGUF,
    ),
    "GGUF cut short": (file("model.gguf", b"GGUF\3\0\0\0"), GGUF),
    "web page under GGUF's name": (file("model.gguf", b"<!DOCTYPE html>"), GGUF),
    # ---- ONNX
    "ONNX number of eleven bytes": (file("model.onnx", b"\x08" + b"\x80" * 10 + b"\1"), ONNX),
    "ONNX number of 70 bits": (file("model.onnx", b"\x08" + b"\xff" * 9 + b"\x7f"), ONNX),
    "ONNX length beyond the end": (file("model.onnx", b"\x3a\xff\xff\xff\xff\x0f"), ONNX),
    "ONNX length 2^63": (file("model.onnx", b"\x3a" + b"\x80" * 9 + b"\1"), ONNX),
    "ONNX field longer than its message": (file("model.onnx", b"\x3a\2\x2a\x7f", 200), ONNX),
    "ONNX deep graphs": (file("model.onnx", nested(20_000)), UNKNOWN),
    "ONNX groups": (file("model.onnx", b"\x0b" * 100), ONNX),
    "ONNX wire type 7": (file("model.onnx", b"\x0f" * 100), ONNX),
    "ONNX of a million fields": (file("model.onnx", b"\x08\1" * 1_000_000), ONNX),
    "ONNX of a million empty tensors": (
        file("model.onnx", protobuf_field(7, b"\x2a\0" * 1_000_000)),
        ONNX,
    ),
    "ONNX without a graph": (file("model.onnx", protobuf_field(1, 8)), ONNX),
    "ONNX of two graphs": (file("model.onnx", protobuf_field(7, b"") * 2), ONNX),
    "ONNX of a million sides": (
        file(
            "model.onnx", protobuf_field(7, protobuf_field(5, protobuf_field(1, b"\1" * 1_000_000)))
        ),
        ONNX,
    ),
    "ONNX data longer than its shape": (
        file(
            "model.onnx",
            protobuf_field(
                7,
                protobuf_field(
                    5, protobuf_field(2, 1) + protobuf_field(1, 2) + protobuf_field(9, b"\0" * 12)
                ),
            ),
        ),
        ONNX,
    ),
    "ONNX data of another size": (
        file(
            "model.onnx",
            protobuf_field(
                7,
                protobuf_field(
                    5, protobuf_field(2, 1) + protobuf_field(1, 9) + protobuf_field(9, b"\0")
                ),
            ),
        ),
        ONNX,
    ),
    "ONNX data in /etc/passwd": (
        lambda folder: tiny.write_onnx(
            folder / "model.onnx", {"w": ("F16", (6,))}, external="../../../../../../etc/passwd"
        ),
        UNKNOWN,
    ),
    "ONNX of zeros": (file("model.onnx", b"", 1 << 34), ONNX),
    # ---- shard indexes
    "shard above the folder": (index({"a": "../one.safetensors"}), SHARDS),
    "shard at an absolute place": (index({"a": "/etc/passwd"}), SHARDS),
    "shard that is the index": (index({"a": "model.safetensors.index.json"}), SHARDS),
    "shard that is missing": (index({"a": "two.safetensors"}), UNKNOWN),
    "shard without the tensor": (index({"b": "one.safetensors"}), SHARDS),
    "shard with a NUL": (index({"a": "one\0.safetensors"}), SHARDS),
    "shard that is a number": (index({"a": 7}), SHARDS),
    "shards that are one large file": (
        links(
            _SHARDS,
            **{
                "model.safetensors.index.json": {
                    "weight_map": {f"t{number}": name for number, name in enumerate(_SHARDS)}
                }
            },
        ),
        UNKNOWN,
    ),
    "index of twenty thousand shards": (
        index({f"t{number}": f"{number}.safetensors" for number in range(20_000)}),
        SHARDS,
    ),
    "shard with a long name that is none": (index({"a": "../" * 1_000_000}), SHARDS),
    "folder of checkpoints of text that is none": (
        copies(hostile_pickles.CASES["memory of text that is none"][0], suffix=".ckpt"),
        "checkpoint-invalid",
    ),
    "folder of checkpoints of long text": (
        copies(hostile_pickles.CASES["memory of long text"][0], suffix=".ckpt"),
        "checkpoint-invalid",
    ),
    "folder of graphs of a million empty tensors": (
        copies(file("model.onnx", protobuf_field(7, b"\x2a\0" * 1_000_000))),
        ONNX,
    ),
    "folder of headers of which the last member is there twice": (
        copies(header(_TWICE)),
        SAFETENSORS,
    ),
    "adapter of text that is none": (
        copies(
            hostile_pickles.CASES["memory of text that is none"][0], names=["adapter_model.bin"]
        ),
        "checkpoint-invalid",
    ),
    "shards of text that is none": (
        copies(
            hostile_pickles.CASES["memory of text that is none"][0],
            names=_BINS,
            pytorch_model_bin_index_json={
                "weight_map": {f"t{number}": name for number, name in enumerate(_BINS)}
            },
        ),
        "checkpoint-invalid",
    ),
    "folder of many large files": (
        links([f"model.v{number}.safetensors" for number in range(300)]),
        UNKNOWN,
    ),
    "folder of many large files and a configuration": (
        links(
            [f"model.v{number}.safetensors" for number in range(300)],
            config_json={"_class_name": "UNet2DConditionModel"},
        ),
        NO_BASE,
    ),
    "pipeline of ten thousand components": (
        links([], model_index_json=pipeline(10_000)),
        PIPELINE,
    ),
    "pipeline of components that are one large file": (
        links(
            [f"c{number}/diffusion_pytorch_model.safetensors" for number in range(60)],
            model_index_json=pipeline(60),
        ),
        NO_BASE,
    ),
    "pipeline of long configurations": (
        links(
            [],
            model_index_json=pipeline(60),
            **{f"c{n}__config_json": '{"a":[' + "[]," * 170_000 + "0]}" for n in range(60)},
        ),
        NO_BASE,
    ),
    "index of nothing": (index({}), SHARDS),
    "index of 16 MB and an emoji": (index({"a" * 16_000_000 + "😀": "one.safetensors"}), JSON),
    "index that is a list": (index(["one.safetensors"]), SHARDS),
    # ---- configurations
    "deep configuration": (config(b'{"a":' * _DEEP), JSON),
    "configuration of millions of lists": (config(b'{"a":' + _LISTS + b"}"), JSON),
    "configuration of 17 MB": (config(b'{"a":"' + b"x" * 17_000_000 + b'"}'), JSON),
    "configuration that is a list": (config(b"[]"), JSON),
    "configuration in UTF-16": (config('{"a":1}'.encode("utf-16")), JSON),
    "configuration with a number of a million digits": (
        config(b'{"a":' + b"9" * 1_000_000 + b"}"),
        JSON,
    ),
    "configuration cut short": (config(b'{"_class_name": "UNet2DCo'), JSON),
    "configuration of wrong types": (
        config(
            b'{"_class_name":{"a":[]},"architectures":7,"cross_attention_dim":NaN,"in_channels":1e400}'
        ),
        UNKNOWN,
    ),
    # ---- what is no plain file
    "pipe": (fifo("model.safetensors"), "entry-unsupported"),
    "links to folders that fan out": (fan(18), "entry-unsupported"),
    "pipe under GGUF's name": (fifo("model.gguf"), "entry-unsupported"),
    "link to itself": (link("model.safetensors"), "symlink-loop"),
    "link to nothing": (link("nothing"), "source-not-found"),
    "link to a device": (link("/dev/zero"), "entry-unsupported"),
    "empty folder": (folder("model.safetensors"), "source-empty"),
}
