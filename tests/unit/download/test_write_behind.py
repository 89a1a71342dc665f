from __future__ import annotations

from pathlib import Path

from modelshelf.download.write_behind import WriteBehind, system_start

MIB = 1024 * 1024


def test_the_disk_is_asked_for_some_mebibytes_at_a_time() -> None:
    """In whatever order they were written, each byte once."""
    asked: list[tuple[int, int, int]] = []
    behind = WriteBehind(7, lambda *call: asked.append(call))
    for start in (0, 20, 1, 21, 2, 22, 3):
        behind.wrote(start * MIB, (start + 1) * MIB)
    assert asked == []
    behind.wrote(23 * MIB, 24 * MIB)
    assert asked == [(7, 0, 4 * MIB), (7, 20 * MIB, 4 * MIB)]
    behind.wrote(4 * MIB, 13 * MIB)
    assert asked[2:] == [(7, 4 * MIB, 9 * MIB)]


def test_the_system_takes_the_question(tmp_path: Path) -> None:
    """What it does with it is its own business; the file stays what it is."""
    path = tmp_path / "part"
    with path.open("w+b") as file:
        file.write(bytes(10 * MIB))
        file.flush()
        system_start()(file.fileno(), 0, 10 * MIB)
        WriteBehind(file.fileno()).wrote(0, 10 * MIB)
    assert path.read_bytes() == bytes(10 * MIB)


def test_a_system_that_knows_no_such_question_is_not_asked(tmp_path: Path) -> None:
    """It writes when it likes."""
    with (tmp_path / "part").open("w+b") as file:
        assert system_start(object())(file.fileno(), 0, MIB) is None
