"""What is said of the archive around a checkpoint, each word alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.errors import InvalidCheckpointError
from modelshelf.formats import ReadingBudget, read_checkpoint
from modelshelf.schema.tensor import TensorIndex
from tests.fault.hostile_archives import PICKLE, Zip, sound

_SQUEEZED = "some of its storages are compressed or encrypted: their places are left out"


def read(folder: Path, archive: Zip, budget: ReadingBudget | None = None) -> TensorIndex:
    path = folder / "model.ckpt"
    path.write_bytes(archive.close())
    return read_checkpoint(path, budget=budget)


def problem_of(folder: Path, archive: Zip) -> str:
    with pytest.raises(InvalidCheckpointError) as caught:
        read(folder, archive)
    return caught.value.problem


def cost_of(folder: Path, archive: Zip) -> float:
    budget = ReadingBudget(10**6)
    read(folder, archive, budget)
    return 10**6 - budget.left


def with_storage(content: bytes, *, method: int = 0, size: int | None = None) -> Zip:
    start = Zip().add("m/data.pkl", PICKLE).add("m/data/v", bytes(8))
    return start.add("m/data/w", content, method=method, size=size)


def test_numbers_of_the_other_byte_order_have_no_place(tmp_path: Path) -> None:
    """What lies in the file are not the numbers that a program here would see."""
    plain = read(tmp_path, sound())
    assert (plain.findings, plain.tensors["w"].end > 0) == ((), True)
    assert read(tmp_path, sound().add("m/byteorder", b"little")) == plain
    other = read(tmp_path, sound().add("m/byteorder", b"big"))
    assert other.shapes == plain.shapes
    assert {entry.end for entry in other.tensors.values()} == {0}
    assert other.findings == ("its numbers are big-endian: their places are left out",)


@pytest.mark.parametrize(
    ("word", "shown"),
    [(b"bigger", b"bigger"), (b"", b""), (b"little" * 9, b"littlelittlelitt")],
)
def test_a_byte_order_that_is_none_is_an_error(tmp_path: Path, word: bytes, shown: bytes) -> None:
    """A guess would turn every number round, and a long word is not repeated."""
    assert (
        problem_of(tmp_path, sound().add("m/byteorder", word))
        == f"its byte order is {shown!r}, expected `little` or `big`"
    )


@pytest.mark.parametrize(
    ("names", "finding"),
    [
        (["n/x"], "1 entry of the archive is outside of the checkpoint: 'n/x'"),
        (["model"], "1 entry of the archive is outside of the checkpoint: 'model'"),
        (["m/../x"], "1 entry of the archive is outside of the checkpoint: 'm/../x'"),
        (
            ["d", "b" * 200, "c", "a"],
            f"4 entries of the archive are outside of the checkpoint: 'a', '{'b' * 100}', 'c'",
        ),
        (["m/a..b", "m/..."], None),
    ],
)
def test_what_lies_outside_of_the_checkpoint_is_told(
    tmp_path: Path, names: list[str], finding: str | None
) -> None:
    """Three of them by name; whoever unpacks the archive elsewhere is warned."""
    archive = sound()
    for name in names:
        archive.add(name, b"")
    assert read(tmp_path, archive).findings == (() if finding is None else (finding,))


@pytest.mark.parametrize("name", ["m/constants.pkl", "m/code/a.py"])
def test_a_program_is_known_by_its_constants_or_its_code(tmp_path: Path, name: str) -> None:
    """What else is odd about it is told too."""
    index = read(tmp_path, sound().add(name, b"").add("x", b""))
    assert index.tensors == {}
    assert index.findings == (
        "1 entry of the archive is outside of the checkpoint: 'x'",
        "it is a TorchScript program; nothing of it was read",
    )


@pytest.mark.parametrize("name", ["n/constants.pkl", "n/code/a.py", "m/codes"])
def test_code_that_is_none_of_the_checkpoints_makes_no_program(tmp_path: Path, name: str) -> None:
    """Torch looks for it in its own folder alone."""
    assert read(tmp_path, sound().add(name, b"")).shapes == {"w": (2, 3), "v": (4,)}


@pytest.mark.parametrize(
    "archive",
    [
        with_storage(bytes(24), method=8),
        with_storage(bytes(20), size=24),
        with_storage(bytes(28), size=24),
    ],
    ids=["by a method", "to less", "to more"],
)
def test_a_storage_that_is_packed_has_no_place(tmp_path: Path, archive: Zip) -> None:
    """It is as long as its tensors need, once it is unpacked; another one keeps its place."""
    index = read(tmp_path, archive)
    assert (index.tensors["w"].end, index.findings) == (0, (_SQUEEZED,))
    assert index.tensors["v"].end > 0


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((64 << 20) + 1, "its pickle has 67108865 bytes, expected at most 67108864"),
        (64 << 20, "'m/data.pkl' is packed"),
    ],
)
def test_a_pickle_may_have_64_megabytes(tmp_path: Path, size: int, words: str) -> None:
    """No checkpoint's has a tenth of it; the second is called by what else is wrong."""
    archive = Zip().add("m/data.pkl", PICKLE, size=size)
    assert problem_of(tmp_path, archive).startswith(words)


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        (Zip().add("m/data", b""), "0 times, expected once: it is no checkpoint of torch"),
        (
            sound().add("n/data.pkl", PICKLE),
            "2 times, expected once: readers would see different models",
        ),
    ],
)
def test_an_archive_holds_one_checkpoint(tmp_path: Path, archive: Zip, words: str) -> None:
    """None, and it is something else; two, and who reads it chooses."""
    assert problem_of(tmp_path, archive) == f"the archive holds `data.pkl` {words}"


def test_entries_and_opcodes_are_both_counted(tmp_path: Path) -> None:
    """An archive of many entries costs time, though nobody reads them, and so does a long pickle."""
    many, long = sound(), Zip().add("m/data.pkl", PICKLE[:2] + b"N0" * 1000 + PICKLE[2:])
    for number in range(1000):
        many.add(f"m/{number}", b"")
    long.add("m/data/v", bytes(8)).add("m/data/w", bytes(24))
    least = cost_of(tmp_path, sound())
    assert cost_of(tmp_path, many) >= least + 1000
    assert cost_of(tmp_path, long) >= least + 1000
