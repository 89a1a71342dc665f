from __future__ import annotations

import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest

from modelshelf.errors import InvalidCheckpointError, RefusedCheckpointError, SourceNotFoundError
from modelshelf.formats import read_checkpoint, read_tensors, read_tree
from modelshelf.schema.tensor import Container, TensorEntry, TensorIndex
from modelshelf.testing.tiny import (
    Opcodes,
    TorchTensor,
    torch_pickle,
    write_torch,
    write_torch_zip,
)
from modelshelf.testing.tiny.payload import Piece, numbers
from tests.unit.formats.old_torch import write_tar

LAYOUTS = pytest.mark.parametrize("legacy", [False, True], ids=["zip", "stream"])
T = TorchTensor
DTYPES = ("F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL")
NEW_DTYPES = ("F8_E4M3", "F8_E5M2", "U16", "U32", "U64")


def read(folder: Path, payload: object, *, legacy: bool = False) -> TensorIndex:
    return read_checkpoint(write_torch(folder / "m.ckpt", payload, legacy=legacy))


def named(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


@LAYOUTS
def test_tensors_come_with_dtype_shape_and_the_place_of_their_bytes(
    tmp_path: Path, *, legacy: bool
) -> None:
    """The range of the file holds the very numbers that were written."""
    payload = {dtype.lower(): T(dtype, (2, 3)) for dtype in DTYPES}
    path = write_torch(tmp_path / "m.pt", payload, seed=7, legacy=legacy)
    raw = path.read_bytes()
    for name, entry in read_checkpoint(path).tensors.items():
        expected = b"".join(numbers(Piece(f"7:{name}", 0, 6), entry.dtype))
        assert (entry.dtype, entry.shape) == (name.upper(), (2, 3))
        assert raw[entry.begin : entry.end] == expected


@LAYOUTS
def test_numbers_without_a_storage_class_of_their_own_are_read(
    tmp_path: Path, *, legacy: bool
) -> None:
    """Newer kinds of numbers lie in untyped storages, and the tensor says what they are."""
    payload = {dtype: T(dtype, (4, 2), offset=1) for dtype in NEW_DTYPES}
    found = read(tmp_path, payload, legacy=legacy).tensors
    assert [(name, entry.dtype, entry.shape) for name, entry in found.items()] == [
        (dtype, dtype, (4, 2)) for dtype in NEW_DTYPES
    ]


def test_two_numbers_of_four_bits_share_a_byte(tmp_path: Path) -> None:
    """The shape counts numbers, as safetensors does, and not the bytes that torch counts."""
    storage = b"(X\7\0\0\0storagectorch.storage\nUntypedStorage\nX\1\0\0\0wX\3\0\0\0cpuK\x08tQ"
    tensor = named("torch._utils", "_rebuild_tensor_v3") + b"(" + storage
    tensor += b"K\0K\2K\4\x86K\4K\1\x86\x89Nctorch\nfloat4_e2m1fn_x2\ntR"
    path = write_torch_zip(
        tmp_path / "m.pt", torch_pickle({"w": Opcodes(tensor)}), {"data/w": bytes(8)}
    )
    entry = read_checkpoint(path).tensors["w"]
    assert (entry.dtype, entry.shape, entry.end - entry.begin) == ("F4", (2, 8), 8)


@LAYOUTS
def test_views_share_a_storage_and_only_whole_runs_have_a_place(
    tmp_path: Path, *, legacy: bool
) -> None:
    """Rows of a matrix are a range of the file; its columns and its transpose are not."""
    payload = {
        "whole": T("F32", (4, 3), storage="s"),
        "rows": T("F32", (2, 3), (3, 1), offset=3, storage="s", elements=12),
        "columns": T("F32", (4, 2), (3, 1), storage="s", elements=12),
        "transposed": T("F32", (3, 4), (1, 3), storage="s", elements=12),
        "expanded": T("F32", (5, 3), (0, 1), storage="s", elements=12),
        "one": T("F32", (1, 1, 3), (99, 7, 1), storage="s", elements=12),
    }
    found = read(tmp_path, payload, legacy=legacy).tensors
    start = found["whole"].begin
    assert found == {
        "whole": TensorEntry("F32", (4, 3), start, start + 48),
        "rows": TensorEntry("F32", (2, 3), start + 12, start + 36),
        "columns": TensorEntry("F32", (4, 2), 0, 0),
        "transposed": TensorEntry("F32", (3, 4), 0, 0),
        "expanded": TensorEntry("F32", (5, 3), 0, 0),
        "one": TensorEntry("F32", (1, 1, 3), start, start + 12),
    }


@LAYOUTS
def test_scalars_and_empty_tensors_are_legal(tmp_path: Path, *, legacy: bool) -> None:
    """`logit_scale` has no dimension, and a freshly made buffer may have no element."""
    found = read(tmp_path, {"scale": T("F32", ()), "empty": T("F16", (0, 3))}, legacy=legacy)
    assert [(entry.shape, entry.end - entry.begin) for entry in found.tensors.values()] == [
        ((), 4),
        ((0, 3), 0),
    ]


@pytest.mark.parametrize(
    "wrapper",
    ["state_dict", "model_state_dict", "params_ema", "params", "module", "model", "net"],
)
@LAYOUTS
def test_a_known_wrapper_is_taken_off_and_told(
    tmp_path: Path, wrapper: str, *, legacy: bool
) -> None:
    """Names are those of the model, whoever trained it."""
    payload = {wrapper: OrderedDict({"a.weight": T("F16", (2, 2), is_parameter=True)}), "epoch": 3}
    index = read(tmp_path, payload, legacy=legacy)
    assert (list(index.tensors), index.metadata) == (
        ["a.weight"],
        {"epoch": "3", "unwrapped": wrapper},
    )


def test_wrappers_within_wrappers_are_taken_off_together(tmp_path: Path) -> None:
    """As a trainer's checkpoint of a checkpoint has them."""
    index = read(tmp_path, {"model": {"state_dict": {"w": T("F16", (2,))}}})
    assert (list(index.tensors), index.metadata["unwrapped"]) == (["w"], "model.state_dict")


def test_what_training_left_beside_the_model_is_left_out_and_told(tmp_path: Path) -> None:
    """Moments of an optimizer are no tensors of the model."""
    payload = {
        "state_dict": {"w": T("F16", (2,))},
        "optimizer_states": [{"state": {0: {"exp_avg": T("F32", (2,))}}}],
        "lr_schedulers": [{"base_lrs": [0.1]}],
    }
    index = read(tmp_path, payload)
    assert list(index.tensors) == ["w"]
    assert index.metadata["beside"] == "optimizer_states"


def test_smoothed_weights_go_before_the_raw_ones(tmp_path: Path) -> None:
    """Upscalers hold both, and their users load the smoothed ones."""
    payload = {"params": {"w": T("F16", (2,))}, "params_ema": {"w": T("F16", (3,))}}
    index = read(tmp_path, payload)
    assert index.shape("w") == (3,)
    assert index.metadata == {"unwrapped": "params_ema", "beside": "params"}


def test_a_word_that_wraps_only_sometimes_keeps_its_neighbours(tmp_path: Path) -> None:
    """A file with a model and a VAE has both, each under its name."""
    index = read(tmp_path, {"model": {"w": T("F16", (2,))}, "vae": {"w": T("F16", (3,))}})
    assert list(index.tensors) == ["model.w", "vae.w"]
    assert index.metadata == {}


def test_a_tensor_may_be_called_like_a_wrapper(tmp_path: Path) -> None:
    """Only what holds tensors wraps."""
    assert list(read(tmp_path, {"params": T("F16", (2,))}).tensors) == ["params"]


def test_nested_dicts_are_joined_with_dots(tmp_path: Path) -> None:
    """As the same adapter has it in safetensors."""
    payload = {
        "image_proj": {"proj.weight": T("F16", (2, 2))},
        "ip_adapter": {"1.to_k_ip.weight": T("F16", (2,)), 2: T("F16", (3,))},
    }
    assert list(read(tmp_path, payload).tensors) == [
        "image_proj.proj.weight",
        "ip_adapter.1.to_k_ip.weight",
        "ip_adapter.2",
    ]


@LAYOUTS
def test_a_textual_inversion_keeps_its_structure_and_its_words(
    tmp_path: Path, *, legacy: bool
) -> None:
    """`string_to_param` is what it is known by; name, step and checkpoint are metadata."""
    payload = {
        "string_to_token": {"*": 265},
        "string_to_param": {"*": T("F32", (4, 768), is_parameter=True)},
        "name": "marble",
        "step": 399,
        "sd_checkpoint": None,
        "sd_checkpoint_name": "x" * 5000,
    }
    index = read(tmp_path, payload, legacy=legacy)
    assert list(index.tensors) == ["string_to_param.*"]
    assert index.metadata == {"name": "marble", "step": "399", "sd_checkpoint_name": "x" * 1000}


def test_a_bare_list_and_a_bare_tensor_have_names_too(tmp_path: Path) -> None:
    """Some trainers save no dict at all."""
    assert list(read(tmp_path, [T("F16", (2,)), T("F16", (3,))]).tensors) == ["#0", "#1"]
    assert list(read(tmp_path, T("BF16", (4096,))).tensors) == ["tensor"]


def test_a_pickled_module_is_read_as_its_state(tmp_path: Path) -> None:
    """Names are those of `state_dict()`; the class is told and not imported."""

    def module(name: str, **fields: object) -> Opcodes:
        state = torch_pickle(fields, lambda name, _: name)[2:-1]
        return Opcodes(named("nets", name) + b")\x81" + state + b"b")

    linear = module("Linear", training=True, _parameters={"weight": T("F32", (2, 2))}, _modules={})
    net = module("Net", _parameters={}, _buffers={"mean": T("F32", (3,))}, _modules={"fc": linear})
    pickle = torch_pickle({"epoch": 1, "model": net})
    entries: dict[str, bytes | int] = {"data/_parameters.weight": 16, "data/_buffers.mean": 12}
    index = read_checkpoint(write_torch_zip(tmp_path / "m.pt", pickle, entries))
    assert list(index.tensors) == ["mean", "fc.weight"]
    assert index.findings == (
        "it names `nets.Linear`, which was not imported and not run",
        "it names `nets.Net`, which was not imported and not run",
    )


def test_a_dict_as_python_2_pickled_it_is_a_dict(tmp_path: Path) -> None:
    """`OrderedDict([[name, tensor]])`, as reduced by Python 2."""
    pairs = torch_pickle(["w", T("F32", (2,))], lambda *_: "w")[2:-1]
    old = named("collections", "OrderedDict") + b"](" + pairs + b"e\x85R"
    path = write_torch_zip(tmp_path / "m.pt", torch_pickle(Opcodes(old)), {"data/w": 8})
    assert read_checkpoint(path).tensors["w"].shape == (2,)


@pytest.mark.parametrize(
    "honest",
    [
        named("numpy.core.multiarray", "scalar") + named("numpy", "dtype") + b")R)\x86R",
        named("_codecs", "encode") + b"X\1\0\0\0aX\6\0\0\0latin1\x86R",
        named("__builtin__", "set") + b"]\x85R",
        named("collections", "defaultdict") + named("__builtin__", "dict") + b"\x85R",
        named("torch", "device") + b"X\3\0\0\0cpu\x85R",
        named("torch", "float16"),
        named("argparse", "Namespace") + b")\x81}X\2\0\0\0lrG\0\0\0\0\0\0\0\0sb",
    ],
)
def test_what_honest_checkpoints_name_is_no_news(tmp_path: Path, honest: bytes) -> None:
    """A finding is for what a person should look at."""
    index = read(tmp_path, {"w": T("F16", (2,)), "beside": Opcodes(honest)})
    assert (list(index.tensors), index.findings) == (["w"], ())


def test_a_strangers_class_is_told_by_name(tmp_path: Path) -> None:
    """Callbacks of a trainer are no danger here; whoever loads the file elsewhere would run them."""
    callback = named("pytorch_lightning.callbacks", "ModelCheckpoint")
    index = read(
        tmp_path, {"state_dict": {"w": T("F16", (2,))}, "callbacks": {1: Opcodes(callback)}}
    )
    name = "pytorch_lightning.callbacks.ModelCheckpoint"
    assert index.findings == (f"it names `{name}`, which was not imported and not run",)


def test_many_strangers_are_counted(tmp_path: Path) -> None:
    """A list that nobody reads to its end is cut."""
    names = [Opcodes(named("m", f"n{number:02}")) for number in range(30)]
    findings = read(tmp_path, {"names": names}).findings
    assert len(findings) == 21
    assert findings[0] == "it names 10 things more that were not imported"


def test_a_tensor_of_the_meta_device_has_a_shape_and_no_bytes(tmp_path: Path) -> None:
    """Its numbers were never there."""
    hollow = named("torch._utils", "_rebuild_meta_tensor_no_storage")
    hollow += b"(ctorch\nfloat32\nK\2K\3\x86K\3K\1\x86\x89tR"
    assert read(tmp_path, {"w": Opcodes(hollow)}).tensors["w"] == TensorEntry("F32", (2, 3), 0, 0)


def test_a_tensor_to_be_conjugated_has_no_bytes(tmp_path: Path) -> None:
    """The numbers in the file are not those of the tensor."""
    storage = b"(X\7\0\0\0storagectorch\nComplexFloatStorage\nX\1\0\0\0wX\3\0\0\0cpuK\x02tQ"
    tensor = named("torch._utils", "_rebuild_tensor_v2") + b"(" + storage
    tensor += b"K\0K\2\x85K\1\x85\x89N}X\4\0\0\0conj\x88stR"
    path = write_torch_zip(tmp_path / "m.pt", torch_pickle({"w": Opcodes(tensor)}), {"data/w": 16})
    assert read_checkpoint(path).tensors["w"] == TensorEntry("C64", (2,), 0, 0)


def test_a_subclass_of_a_tensor_is_read_as_the_tensor_below(tmp_path: Path) -> None:
    """Its state is left alone; its class is told."""
    inner = torch_pickle(T("F32", (2,)), lambda *_: "w")[2:-1]
    function, _, rest = inner.partition(b"q\x00")
    arguments = rest.removesuffix(b"R" + inner.rpartition(b"R")[2])
    raw = named("torch._tensor", "_rebuild_from_type_v2") + b"(" + function + named("m", "Mine")
    pickle = torch_pickle({"w": Opcodes(raw + arguments + b"}tR")})
    index = read_checkpoint(write_torch_zip(tmp_path / "m.pt", pickle, {"data/w": 8}))
    assert (index.shape("w"), len(index.findings)) == ((2,), 1)


def test_storages_without_a_tensor_are_told(tmp_path: Path) -> None:
    """Numbers without a shape are no tensor."""
    storage = b"(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0wX\3\0\0\0cpuK\x02tQ"
    assert read(tmp_path, {"s": Opcodes(storage)}).findings == (
        "it holds storages that no tensor names; they are left out",
    )


def test_a_deflated_pickle_is_unpacked_and_a_deflated_storage_is_not(tmp_path: Path) -> None:
    """A person who packs a checkpoint anew compresses it; what it is can still be told."""
    write_torch(tmp_path / "m.pt", {"w": T("F32", (64, 64))})
    with (
        zipfile.ZipFile(tmp_path / "m.pt") as stored,
        zipfile.ZipFile(tmp_path / "packed.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in stored.namelist():
            packed.writestr(name, stored.read(name))
    index = read_checkpoint(tmp_path / "packed.pt")
    assert index.tensors["w"] == TensorEntry("F32", (64, 64), 0, 0)
    assert index.findings == (
        "some of its storages are compressed or encrypted: their places are left out",
    )


def test_a_zip_written_by_others_is_read(tmp_path: Path) -> None:
    """Without alignment, descriptors and 64-bit end; with a comment."""
    write_torch(tmp_path / "m.pt", {"w": T("F32", (2,))}, seed=3)
    with (
        zipfile.ZipFile(tmp_path / "m.pt") as one,
        zipfile.ZipFile(tmp_path / "other.pt", "w") as other,
    ):
        other.comment = b"packed again"
        for name in one.namelist():
            other.writestr(name, one.read(name))
    entry = read_checkpoint(tmp_path / "other.pt").tensors["w"]
    expected = b"".join(numbers(Piece("3:w", 0, 2), "F32"))
    assert (tmp_path / "other.pt").read_bytes()[entry.begin : entry.end] == expected


def test_a_script_is_named_and_read_no_further(tmp_path: Path) -> None:
    """TorchScript is a program with weights."""
    entries: dict[str, bytes | int] = {"code/__torch__.py": b"", "constants.pkl": b""}
    path = write_torch_zip(tmp_path / "m.pt", torch_pickle({"w": T("F32", (2,))}), entries)
    assert read_checkpoint(path) == TensorIndex(
        tensors={},
        container=Container.PICKLE,
        findings=("it is a TorchScript program; nothing of it was read",),
    )


def test_the_tar_of_the_first_torch_is_read(tmp_path: Path) -> None:
    """Tensors and storages stand in files of their own; the object names them by number."""
    path = write_tar(tmp_path / "m.pt", {"w": (2, 3), "scale": (), "empty": (0, 4)})
    raw, found = path.read_bytes(), read_checkpoint(path).tensors
    assert [(name, entry.dtype, entry.shape) for name, entry in found.items()] == [
        ("w", "F32", (2, 3)),
        ("scale", "F32", ()),
        ("empty", "F32", (0, 4)),
    ]
    assert raw[found["w"].begin : found["w"].end] == b"\1" * 24
    assert raw[found["scale"].begin : found["scale"].end] == b"\2" * 4


def test_a_view_of_a_storage_begins_where_it_says(tmp_path: Path) -> None:
    """Streams of old named storages within storages: root, and (key, offset, count)."""
    tensor = named("torch._utils", "_rebuild_tensor_v2") + b"((X\7\0\0\0storage"
    tensor += named("torch", "FloatStorage") + b"X\1\0\0\0wX\3\0\0\0cpuK\x0aX\1\0\0\0vK\4K\6\x87tQ"
    tensor += b"K\1K\2\x85K\1\x85\x89NtR"
    pickle = torch_pickle({"root": T("F32", (10,), storage="w"), "w": Opcodes(tensor)})
    found = read_checkpoint(write_torch_zip(tmp_path / "m.pt", pickle, {"data/w": 40})).tensors
    assert found["w"].begin == found["root"].begin + 4 * 5


def test_only_so_many_words_are_kept(tmp_path: Path) -> None:
    """Metadata are evidence, and no place to put a book."""
    words = {f"word{number}": number for number in range(1000)}
    assert len(read(tmp_path, words).metadata) == 64


def test_a_pickle_that_is_no_checkpoint_holds_no_tensors(tmp_path: Path) -> None:
    """Anything can be pickled."""
    (tmp_path / "m.pt").write_bytes(torch_pickle({"lr": 0.1, "name": "x"}))
    index = read_checkpoint(tmp_path / "m.pt")
    assert (index.tensors, index.metadata) == ({}, {"lr": "0.1", "name": "x"})
    assert index.findings == ("it is a pickle, and no checkpoint of torch",)


@LAYOUTS
def test_a_checkpoint_of_seven_gigabytes_costs_its_description(
    tmp_path: Path, *, legacy: bool
) -> None:
    """Offsets beyond 32 bits, and holes where the numbers would be."""
    payload = {"state_dict": {f"w{number}": T("F16", (1 << 15, 1 << 10)) for number in range(104)}}
    path = write_torch(tmp_path / "m.ckpt", payload, legacy=legacy, hollow=True)
    tensors = read_checkpoint(path).tensors
    assert path.stat().st_size > 6_900_000_000
    assert len(tensors) == 104
    assert all(entry.end - entry.begin == 1 << 26 for entry in tensors.values())
    assert max(entry.end for entry in tensors.values()) > 1 << 32


def test_a_storage_beyond_32_bits_is_read(tmp_path: Path) -> None:
    """Its size stands in the 64-bit field alone."""
    path = write_torch(tmp_path / "m.ckpt", {"w": T("U8", (5 << 30,))}, hollow=True)
    entry = read_checkpoint(path).tensors["w"]
    assert entry.end - entry.begin == 5 << 30


def test_what_only_running_could_tell_is_refused(tmp_path: Path) -> None:
    """Quantised tensors are rebuilt by more than a storage and a shape."""
    quantised = named("torch._utils", "_rebuild_qtensor") + b")R"
    with pytest.raises(RefusedCheckpointError) as caught:
        read(tmp_path, {"w": Opcodes(quantised)})
    assert (
        caught.value.problem == "`w` could only be read by running `torch._utils._rebuild_qtensor`"
    )


def test_a_stranger_under_a_checkpoints_name_is_guessed(tmp_path: Path) -> None:
    """The usual accident is a pointer or a page that was saved instead of the file."""
    (tmp_path / "m.ckpt").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(InvalidCheckpointError) as caught:
        read_checkpoint(tmp_path / "m.ckpt")
    assert "Git LFS pointer" in caught.value.problem


def test_a_file_that_is_gone_is_a_source_error(tmp_path: Path) -> None:
    """It is not broken, it is not there."""
    with pytest.raises(SourceNotFoundError):
        read_checkpoint(tmp_path / "m.ckpt")


@pytest.mark.parametrize("name", ["m.ckpt", "m.pt", "m.pth", "m.bin", "m.model"])
@LAYOUTS
def test_one_door_reads_it_under_any_name(tmp_path: Path, name: str, *, legacy: bool) -> None:
    """The first bytes decide; the suffix counts where they are silent."""
    path = write_torch(tmp_path / name, {"w": T("F32", (2,))}, legacy=legacy)
    index = read_tensors(read_tree(path).files[0])
    assert (index.container, index.shape("w")) == (Container.PICKLE, (2,))


@LAYOUTS
def test_numbers_of_a_kind_that_is_not_read_are_refused_and_not_called_broken(
    tmp_path: Path, *, legacy: bool
) -> None:
    """A quantised model of torch is a sound file."""
    path = write_torch(tmp_path / "m.pt", {"w": T("F32", (2,))}, legacy=legacy)
    path.write_bytes(path.read_bytes().replace(b"torch\nFloatStorage", b"torch\nQInt8Storage"))
    with pytest.raises(RefusedCheckpointError, match=r"which are not read|that is not read"):
        read_checkpoint(path)
