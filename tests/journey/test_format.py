"""docs/format.md is a specification: other programs must be able to work from it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from modelshelf.manager import normalized_model_manager
from modelshelf.normalize import identity_detail
from modelshelf.schema.identity import Evidence, Identity, IdentityStatus
from modelshelf.schema.override import Override
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelRepoVariant,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)
from modelshelf.settings import Settings
from modelshelf.testing import tiny
from modelshelf.testing.faults import flip_bit

_PAGE = Path(__file__).parents[2] / "docs" / "format.md"
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A library with a pipeline and a LoRA."""
    with normalized_model_manager(Settings(root=tmp_path / "root")) as nmm:
        nmm.import_model(tiny.pipeline(tmp_path / "pipeline", base="sd-1", size=1_000_000))
        nmm.import_model(tiny.lora(tmp_path / "LoWRA.safetensors", base="sd-1", size=300_000))
    return tmp_path / "root"


def test_b3sum_checks_a_library_without_modelshelf(root: Path) -> None:
    """The page's own command finds every stored file whole, and a flipped byte."""
    if shutil.which("b3sum") is None or shutil.which("sqlite3") is None:
        pytest.skip("needs the b3sum and sqlite3 programs")
    (command,) = re.findall(r"```sh\n(sqlite3 .*?)```", _PAGE.read_text(), re.DOTALL)
    command = command.replace("ROOT", str(root))

    def check() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
        )

    whole = check()
    assert whole.returncode == 0, whole.stderr
    assert whole.stdout.count(": OK") == len(whole.stdout.splitlines()) > 15
    victim = next((root / "models" / "blob").rglob("*.safetensors"))
    flip_bit(victim, 8 * (victim.stat().st_size - 1))
    assert check().returncode != 0


def test_the_drawing_of_the_folders_is_what_a_library_looks_like(root: Path) -> None:
    """Every path of a real library fits a line of the drawing."""
    allowed = [
        r"databases/models\.(db|db-wal|db-shm|lock)",
        rf"models/blob/{_UUID}/.+",
        r"models/sd-1/lora/LoWRA\.safetensors",
        r"models/sd-1/main/pipeline/.+",
        r"models/\.cache/leases/leases\.lock",
        r"models/\.cache/views\.lock",
    ]
    strange = [
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file()
        and not any(re.fullmatch(one, path.relative_to(root).as_posix()) for one in allowed)
    ]
    assert strange == []
    drawing = _PAGE.read_text()
    for name in ("databases/models.db", "<location>/<member>", "leases/leases.lock", "views.lock"):
        assert name in drawing


def test_every_key_of_what_is_known_of_a_model_is_described() -> None:
    """And none that nobody writes: the table has the keys of a model of which all is known."""
    base = BaseModelType.SDXL
    found = Identity(
        ModelType.UNKNOWN,
        ModelFormat.DIFFUSERS,
        (base,),
        (base,),
        ModelVariantType.NORMAL,
        SchedulerPredictionType.EPSILON,
        ModelRepoVariant.FP16,
        "fp16",
        (Evidence("rule", "config.json", "a field"),),
        status=IdentityStatus.BROKEN,
        architecture="odd",
        details=(("network", "lora"),),
    )
    said = Override(bases=(base,)).over(found)
    detail = json.loads(identity_detail(said, rules="1", kept_whole="odd", learned=(base,)))
    _, section = _PAGE.read_text().split("## What is known of a model")
    rows = re.findall(r"^\| (`.*?) \|", section.partition("\n## ")[0], re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted({*detail, "candidates"})
