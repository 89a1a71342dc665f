from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.errors import SourceNotFoundError
from modelshelf.formats import predicts_velocity


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'model:\n  params:\n    parameterization: "v"\n', True),
        (b"parameterization: v \r\n", True),
        (b"\tparameterization:'v'", True),
        (b"parameterization: v\n" * 2, True),
        (b"parameterization: eps\n", False),
        (b"parameterization: v\nparameterization: eps\n", False),
        (b"# parameterization: v\n", False),
        (b"parameterization: v2\n", False),
        (b"", False),
        (b"\xff\x00" * 9, False),
        (b" " * 200_000 + b"parameterization: v\n", False),
    ],
)
def test_one_line_says_what_a_checkpoint_predicts(
    tmp_path: Path, text: bytes, *, expected: bool
) -> None:
    """Written as people write YAML, and within the first 64 KiB; two that differ say nothing."""
    config = tmp_path / "model.yaml"
    config.write_bytes(text)
    assert predicts_velocity(config) is expected


def test_a_configuration_that_is_gone_is_told(tmp_path: Path) -> None:
    """Whoever asks decides whether that matters."""
    with pytest.raises(SourceNotFoundError):
        predicts_velocity(tmp_path / "model.yaml")
