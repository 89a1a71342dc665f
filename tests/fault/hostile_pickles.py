"""Pickles that no writer in its senses makes: each with what must come of it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from modelshelf.testing.tiny import Opcodes, TorchTensor, torch_pickle, write_torch_zip

INVALID, REFUSED = "checkpoint-invalid", "checkpoint-refused"
"""Codes of the two errors. Any other word stands in the findings of a file that is read."""

Case = tuple[Callable[[Path], Path], str]
"""Makes the file in a folder; what must come of reading it."""

SOUND = TorchTensor("F32", (2, 3))
"""Lies beside each gadget: a model that is worth having, so that people load the file."""


def archive(pickle: bytes, **entries: bytes | int) -> Callable[[Path], Path]:
    """Make a checkpoint around a pickle; a storage `w` of 24 bytes is always there."""
    contents: dict[str, bytes | int] = {"data/w": 24, **entries}
    return lambda folder: write_torch_zip(folder / "model.ckpt", pickle, contents)


def named(module: str, name: str) -> bytes:
    """The opcode that names something."""
    return f"c{module}\n{name}\n".encode()


def text(word: str) -> bytes:
    """The opcode that pushes text."""
    raw = word.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def called(module: str, name: str, argument: str = "echo pwned > pwned") -> bytes:
    """The opcodes that call something with one word."""
    return named(module, name) + text(argument) + b"\x85R"


def beside(gadget: bytes) -> Callable[[Path], Path]:
    """A sound tensor, and a gadget beside it."""
    return archive(torch_pickle({"w": SOUND, "beside": Opcodes(gadget)}))


def raw(opcodes: bytes) -> Callable[[Path], Path]:
    """A pickle of nothing but these opcodes."""
    return archive(b"\x80\x02" + opcodes)


STORAGE = b"(" + text("storage") + named("torch", "FloatStorage") + text("w") + text("cpu")
TENSOR = named("torch._utils", "_rebuild_tensor_v2")
HOOKS = b"\x89" + named("collections", "OrderedDict") + b")R"


_REST = b"K\x00K\x02K\x03\x86K\x03K\x01\x86" + HOOKS + b"tR"
"""Offset, shape and strides of a tensor that fits, and the call that rebuilds it."""


def tensor(
    storage: bytes = STORAGE + b"K\x06tQ",
    offset: bytes = b"K\x00",
    shape: bytes = b"K\x02K\x03\x86",
    strides: bytes = b"K\x03K\x01\x86",
    function: bytes = TENSOR,
) -> Callable[[Path], Path]:
    """A tensor that is wrong in one place."""
    opcodes = function + b"(" + storage + offset + shape + strides + HOOKS + b"tR"
    return archive(torch_pickle({"w": Opcodes(opcodes)}))


def large(value: int) -> bytes:
    """The opcode that pushes a number of up to 8 bytes."""
    return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)


GADGETS = (
    "os.system", "posix.system", "nt.system", "posix.execv", "os.popen", "subprocess.Popen",
    "subprocess.check_output", "builtins.eval", "builtins.exec", "builtins.compile",
    "builtins.getattr", "builtins.__import__", "builtins.open", "builtins.breakpoint",
    "__builtin__.eval", "__builtin__.execfile", "codecs.decode", "functools.partial",
    "functools.reduce", "operator.attrgetter", "operator.methodcaller", "pickle.loads",
    "_pickle.loads", "marshal.loads", "types.CodeType", "types.FunctionType",
    "importlib.import_module", "runpy.run_path", "runpy._run_code", "shutil.rmtree",
    "webbrowser.open", "socket.create_connection", "ctypes.CDLL", "ctypes.util._findLib_gcc",
    "torch.load", "torch.hub.load", "torch.jit.load", "torch.storage._load_from_bytes",
    "torch._utils_internal.get_file_path", "numpy.load", "numpy.testing._private.utils.runstring",
    "joblib.load", "dill.loads", "cloudpickle.loads", "pty.spawn", "bdb.Bdb", "cProfile.run",
    "timeit.timeit", "code.InteractiveInterpreter", "asyncio.unix_events", "pip.main",
    "requests.api.get", "urllib.request.urlopen", "site.addsitedir", "sys.settrace",
    "logging.config.fileConfig", "multiprocessing.util.spawnv_passfds", "idlelib.pyshell.main",
    "modelshelf.manager.NormalizedModelManager", "../../evil.system", "os\0.system",
)  # fmt: skip
"""What a gadget names; each is called with a word by REDUCE, the usual way."""


def _gadgets() -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for gadget in GADGETS:
        module, _, name = gadget.rpartition(".")
        cases[f"reduce {gadget!r}"] = beside(called(module, name)), f"`{gadget}`"
    system = named("posix", "system")
    word = text("echo pwned > pwned")
    arrivals: Mapping[str, bytes] = {
        "INST": b"(" + word + b"iposix\nsystem\n",
        "OBJ": b"(" + system + word + b"o",
        "NEWOBJ": system + word + b"\x85\x81",
        "NEWOBJ_EX": system + word + b"\x85}\x92",
        "STACK_GLOBAL": text("posix") + text("system") + b"\x93" + word + b"\x85R",
        "STACK_GLOBAL from the memo": text("posix") + b"q\x900" + text("system") + b"q\x910"
        b"h\x90h\x91\x93" + word + b"\x85R",
        "a call of a call": named("builtins", "getattr")
        + named("posix", "system")
        + text("__call__")
        + b"\x86R"
        + word
        + b"\x85R",
        "BUILD with __setstate__": named("posix", "system")
        + b")\x81}("
        + text("__setstate__")
        + system
        + b"ub"
        + word
        + b"b",
        "BUILD of a class": named("posix", "system") + b"}(" + text("__class__") + word + b"ub",
        "a dict of gadgets": b"}" + word + called("posix", "system") + b"s",
        "a key": b"}" + called("posix", "system") + b"K\x01s",
        "a set": b"\x8f(" + called("posix", "system") + b"\x90",
        "a frozen set": b"(" + called("posix", "system") + b"\x91",
        "a persistent id": called("posix", "system") + b"Q",
        "a module in a persistent id": b"("
        + text("module")
        + system
        + text("source.py")
        + text("import os")
        + b"tQ",
        "appended to a call": named("collections", "deque")
        + b")R("
        + called("posix", "system")
        + b"e",
        "in text": b"(S'echo pwned > pwned'\niposix\nsystem\n",
        "thrown away": called("posix", "system") + b"0N",
    }
    for way, opcodes in arrivals.items():
        cases[f"system by {way}"] = beside(opcodes), "`posix.system`"
    for code, opcodes in {"1": b"\x82\x01", "2": b"\x83\x01\x02", "4": b"\x84\1\2\3\4"}.items():
        cases[f"extension of {code} bytes"] = beside(opcodes + b")R"), "copyreg extension"
    return cases


def _persistent_ids() -> dict[str, Case]:
    whole = {
        "None": b"NQ",
        "a number": b"K\x07Q",
        "text": b"P../../../etc/passwd\n",
        "a list": b"]Q",
        "an empty tuple": b")Q",
        "a short tuple": text("storage") + b"\x85Q",
        "another kind": STORAGE.replace(b"storage", b"garbage") + b"K\x06tQ",
        "no count": STORAGE + b"NtQ",
        "a count of False": STORAGE + b"\x89tQ",
        "a negative count": STORAGE + b"J\xff\xff\xff\xfftQ",
        "a count of 2^63": STORAGE + large(2**63) + b"tQ",
        "a number as key": STORAGE.replace(text("w"), b"K\x01") + b"K\x06tQ",
        "a key that leaves the folder": STORAGE.replace(text("w"), text("../../../etc/passwd"))
        + b"K\x06tQ",
        "a key of another entry": STORAGE.replace(text("w"), text("../data.pkl")) + b"K\x06tQ",
        "a missing key": STORAGE.replace(text("w"), text("x")) + b"K\x06tQ",
        "one element too many": STORAGE + b"K\x07tQ",
        "one element too few": STORAGE + b"K\x05tQ",
        "a view that leaves": STORAGE + b"K\x06" + text("v") + b"K\x05K\x05\x87tQ",
        "a view longer than its storage": STORAGE + b"K\x06" + text("v") + b"K\x00K\x07\x87tQ",
        "a view of text": STORAGE + b"K\x06" + text("v") + b"tQ",
        "text as class": STORAGE.replace(named("torch", "FloatStorage"), text("x")) + b"K\x06tQ",
    }
    cases = {f"storage: {what}": (tensor(opcodes), INVALID) for what, opcodes in whole.items()}
    strange = {
        "system as class": STORAGE.replace(b"torch\nFloatStorage", b"os\nsystem") + b"K\x06tQ",
        "an unknown class": STORAGE.replace(b"FloatStorage", b"QUInt2x4Storage") + b"K\x06tQ",
        "None": b"N",
        "a number": b"K\x01",
        "itself rebuilt": TENSOR + b")R",
        "made by system": called("posix", "system"),
        "a pickle in the pickle": named("torch.storage", "_load_from_bytes")
        + b"B"
        + struct.pack("<I", 12)
        + b"cos\nsystem\n."
        + b"\x85R",
    }
    for what, opcodes in strange.items():
        cases[f"storage that is {what}"] = tensor(opcodes), REFUSED
    return cases


def _tensors() -> dict[str, Case]:
    minus = b"J\xff\xff\xff\xff"
    cases: dict[str, Case] = {
        "negative offset": (tensor(offset=minus), INVALID),
        "offset of 2^63": (tensor(offset=large(2**63)), INVALID),
        "offset at the end": (tensor(offset=b"K\x01"), INVALID),
        "an empty tensor far away": (
            tensor(offset=large(2**62), shape=b"K\x00K\x03\x86"),
            INVALID,
        ),
        "offset of NaN": (tensor(offset=b"G\x7f\xf8\0\0\0\0\0\0"), INVALID),
        "offset of text": (tensor(offset=text("0")), INVALID),
        "negative side": (tensor(shape=minus + b"K\x03\x86"), INVALID),
        "side of NaN": (tensor(shape=b"G\x7f\xf8\0\0\0\0\0\0K\x03\x86"), INVALID),
        "side of infinity": (tensor(shape=b"G\x7f\xf0\0\0\0\0\0\0K\x03\x86"), INVALID),
        "side of True": (tensor(shape=b"\x88K\x03\x86"), INVALID),
        "side of None": (tensor(shape=b"NK\x03\x86"), INVALID),
        "side of 2^63": (tensor(shape=large(2**63) + b"K\x03\x86"), INVALID),
        "sides whose product wraps": (
            tensor(shape=large(2**33) + large(2**33) + b"\x86"),
            INVALID,
        ),
        "a side too large for its storage": (tensor(shape=b"K\x03K\x03\x86"), INVALID),
        "no shape": (tensor(shape=b"N"), INVALID),
        "a list as shape": (tensor(shape=b"](K\x02K\x03e"), INVALID),
        "negative stride": (tensor(strides=minus + b"K\x01\x86"), INVALID),
        "stride too large": (tensor(strides=b"K\x63K\x01\x86"), INVALID),
        "stride of NaN": (tensor(strides=b"G\x7f\xf8\0\0\0\0\0\0K\x01\x86"), INVALID),
        "a stride too few": (tensor(strides=b"K\x01\x85"), INVALID),
        "a thousand dimensions": (
            tensor(shape=b"(" + b"K\x01" * 1000 + b"t", strides=b"(" + b"K\x01" * 1000 + b"t"),
            INVALID,
        ),
        "an untyped storage without a type": (
            tensor(STORAGE.replace(b"torch\nFloatStorage", b"torch\nUntypedStorage") + b"K\x18tQ"),
            INVALID,
        ),
        "a meta tensor of two facts": (
            tensor(b"", b"", b"", b"", named("torch._utils", "_rebuild_meta_tensor_no_storage")),
            INVALID,
        ),
        "fifty thousand tensors and one": (
            archive(
                torch_pickle(
                    Opcodes(
                        b"](" + torch_pickle(SOUND, lambda *_: "w")[2:-1] + b"2" * 50_000 + b"e"
                    )
                )
            ),
            INVALID,
        ),
        "a parameter of None": (
            archive(
                torch_pickle(
                    {"w": Opcodes(named("torch._utils", "_rebuild_parameter") + b"N\x85R")}
                )
            ),
            REFUSED,
        ),
        "no arguments": (archive(torch_pickle({"w": Opcodes(TENSOR + b")R")})), INVALID),
        "arguments that are none": (archive(torch_pickle({"w": Opcodes(TENSOR + b"NR")})), INVALID),
        "a typed tensor without type": (
            tensor(function=named("torch._utils", "_rebuild_tensor_v3")),
            INVALID,
        ),
        "a parameter of nothing": (
            archive(
                torch_pickle({"w": Opcodes(named("torch._utils", "_rebuild_parameter") + b")R")})
            ),
            INVALID,
        ),
        "parameters of parameters": (
            archive(
                torch_pickle(
                    {
                        "w": Opcodes(
                            named("torch._utils", "_rebuild_parameter") * 100
                            + TENSOR
                            + b")R"
                            + b"\x85R" * 100
                        )
                    }
                )
            ),
            INVALID,
        ),
        "a subclass made by system": (
            archive(
                torch_pickle(
                    {
                        "w": Opcodes(
                            named("torch._tensor", "_rebuild_from_type_v2")
                            + b"("
                            + named("posix", "system")
                            + named("x", "Y")
                            + text("echo pwned > pwned")
                            + b"\x85}tR"
                        )
                    }
                )
            ),
            REFUSED,
        ),
        "a tensor handed to system": (
            archive(
                torch_pickle(
                    {
                        "w": Opcodes(
                            named("posix", "system") + TENSOR + b"(" + STORAGE + b"K\x06tQtR\x85R"
                        )
                    }
                )
            ),
            REFUSED,
        ),
        "one storage with two types": (
            archive(
                torch_pickle(
                    {
                        "a": TorchTensor("F32", (6,), storage="w"),
                        "b": TorchTensor("I32", (6,), storage="w"),
                    }
                )
            ),
            INVALID,
        ),
        "one storage with two counts": (
            archive(
                torch_pickle(
                    {
                        "a": Opcodes(TENSOR + b"(" + STORAGE + b"K\x06tQ" + _REST),
                        "b": Opcodes(TENSOR + b"(" + STORAGE + b"K\x07tQ" + _REST),
                    }
                )
            ),
            INVALID,
        ),
        "one name twice": (
            archive(torch_pickle({"a": {"b": SOUND}, "a.b": SOUND}, lambda *_: "w")),
            INVALID,
        ),
        "one key twice": (
            archive(
                torch_pickle(
                    Opcodes(
                        torch_pickle({"w": SOUND})[2:-1] + torch_pickle({"w": SOUND})[5:-2] + b"u"
                    )
                )
            ),
            INVALID,
        ),
        "a name that is a tensor": (
            archive(
                torch_pickle(
                    Opcodes(b"}" + torch_pickle(SOUND, lambda *_: "w")[2:-1] + b"q\x900h\x90h\x90s")
                )
            ),
            "under a key that is no name",
        ),
    }
    for function in ("_rebuild_qtensor", "_rebuild_sparse_tensor", "_rebuild_wrapper_subclass"):
        cases[f"a tensor by {function}"] = (
            tensor(function=named("torch._utils", function)),
            REFUSED,
        )
    return cases


def _machines() -> dict[str, Case]:
    deep, wide = 1_000_000, 1_400_000
    collide = b"".join(
        b"\x8a\x0a" + ((2**61 - 1) * number).to_bytes(10, "little") + b"N"
        for number in range(1, 100_000)
    )
    laughs = b"](NNe" + b"".join(b"q%c0](h%ch%ce" % (at, at, at) for at in range(1, 60))
    whole = {
        "empty": b"",
        "a stop alone": b".",
        "no stop": b"N",
        "two values": b"NN.",
        "an open mark": b"(N.",
        "no such opcode": b"\xff.",
        "protocol 200": b"\x80\xc8N.",
        "LONG_BINPUT 2^31-1": b"Nr\xff\xff\xff\x7f.",
        "LONG_BINPUT 2^24-1": b"Nr\xff\xff\xff\x00.",
        "PUT of a negative number": b"Np-1\n.",
        "PUT of many digits": b"Np" + b"9" * 900 + b"\n.",
        "GET of nothing": b"h\x07.",
        "LONG_BINGET of nothing": b"j\xff\xff\xff\xff.",
        "PUT on an empty stack": b"q\x01N.",
        "text beyond the file": b"X\xff\xff\xff\x7f.",
        "text of 2^63": b"\x8d" + b"\xff" * 8 + b".",
        "bytes beyond the file": b"B\xff\xff\xff\xffN.",
        "bytes of 2^63": b"\x8e" + b"\xff" * 7 + b"\x7fN.",
        "a bytearray of 2^63": b"\x96" + b"\xff" * 7 + b"\x7fN.",
        "text of negative length": b"T\xff\xff\xff\xffN.",
        "text that is no UTF-8": text("abc").replace(b"abc", b"a\xffc") + b".",
        "half a surrogate pair in a line": b"Va\\ud800\n.",
        "half a surrogate pair": text("abc").replace(b"abc", b"\xed\xa0\x80") + b".",
        "a number of negative length": b"\x8b\xff\xff\xff\xffN.",
        "a number of 2^31 bytes": b"\x8b\xff\xff\xff\x7fN.",
        "10^1000": b"\x8b" + struct.pack("<i", 416) + (10**1000).to_bytes(416, "little") + b".",
        "10^600 in a line": b"I1" + b"0" * 600 + b"\n.",
        "10^1000000 in a line": b"L1" + b"0" * 1_000_000 + b"L\n.",
        "a number of letters": b"Iabc\n.",
        "a fraction of letters": b"Fabc\n.",
        "text without quotes": b"Sabc\n.",
        "a name without end": b"c" + b"a" * 10_000 + b".",
        "a name that is no text": b"K\x01K\x02\x93.",
        "a mark too few": b"Nt.",
        "a tuple of nothing": b"\x87.",
        "a call of nothing": b"NR.",
        "an object of nothing": b"o.",
        "APPEND to a number": b"K\x01Na.",
        "APPENDS to text": text("x") + b"(Ne.",
        "SETITEMS with a key alone": b"}(Nu.",
        "SETITEMS on a list": b"](NNu.",
        "a dict with a key alone": b"(Nd.",
        "BUILD of a number": b"K\x01Nb.",
        "a buffer from outside": b"\x97.",
        "a read-only buffer": b"N\x98.",
        "a frame of 2^63": b"\x95" + b"\xff" * 7 + b"\x7fN.",
        "a frame cut off": b"\x95\x01",
        "a million marks": b"(" * deep + b".",
        "three million opcodes": b"N0" * 1_500_000 + b"N.",
        "memory of lists": b"]" * wide + b".",
        "memory of dicts": b"}" * wide + b".",
        "memory of a memo": b"N" + b"\x94" * wide + b".",
        "memory of sets": b"\x8f" * wide + b".",
        "memory of long numbers": b"(" + (b"\x8a\x14" + b"\x7f" * 20) * 1_400_000 + b"t.",
        "memory of text that is none": b"(" + b"U\x01\xff" * 1_400_000 + b"t.",
        "memory of wide letters": text("x\N{GRINNING FACE}") * 1_000_000 + b".",
        "memory of long text": text("\N{GRINNING FACE}" * 16_000) * 900 + b".",
        "memory of names": b"".join(b"cm\nn%d\n" % number for number in range(600_000)) + b".",
        "a tuple a million deep": b"N" + b"\x85" * deep + b".",
        "a list a million deep": b"]" * 400_000 + b"a" * 399_999 + b".",
        "a list that holds itself": b"]q\x01h\x01a.",
        "a dict that holds itself": b"}q\x01K\x01h\x01s.",
        "a call of itself": b"]q\x01h\x01a" + named("x", "Y") + b"h\x01\x85R0.",
        "a billion laughs": laughs + b".",
    }
    cases: dict[str, Case] = {what: (raw(opcodes), INVALID) for what, opcodes in whole.items()}
    cases["text that is none"] = raw(b"U\x01\xff0" * 200_000 + b"N."), ""
    cases["much text that is none"] = raw(b"U\x01\xff0" * 690_000 + b"N."), INVALID
    cases["keys that collide"] = raw(b"}(" + collide + b"u."), ""
    cases["a short frame"] = raw(b"\x95" + struct.pack("<Q", 1) + b"](NNe."), ""
    cases["four gigabytes of nothing in a duplicate"] = raw(b"](" + b"N2" * 500_000 + b"e."), ""
    cases["beside: a million numbers"] = (
        beside(b"](" + b"K\x01" * 900_000 + b"e"),
        "",
    )
    return cases


CASES: Mapping[str, Case] = _gadgets() | _persistent_ids() | _tensors() | _machines()
"""All of them, by what is wrong. An empty word means: read, and nothing is said about it."""
