from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import modelshelf
from modelshelf.identify import Families, Family, rules_edition
from modelshelf.identify.tensor_condition import Tensor
from modelshelf.schema.taxonomy import ModelFormat, ModelType

ONE = Family("one", ModelType.VAE, ModelFormat.CHECKPOINT, (Tensor("a.weight", (2, None)),))
OTHER = replace(ONE, id="other", conditions=(Tensor("b.weight", (3,)),))


def test_any_change_of_a_rule_makes_another_edition() -> None:
    """What was left open is asked again, whatever it was that the rules learned."""
    changed = [
        replace(ONE, conditions=(Tensor("a.weight", (4, None)),)),
        replace(ONE, conditions=(Tensor("a.weight", (2, None), rank=2),)),
        replace(ONE, type=ModelType.MAIN),
        replace(ONE, architecture="a-1"),
        replace(ONE, special_case_of=("other",)),
    ]
    editions = {rules_edition(Families([one, OTHER])) for one in (ONE, *changed)}
    assert len(editions) == 1 + len(changed)


def test_the_order_in_which_rules_are_given_makes_no_edition() -> None:
    """Families stand by their names."""
    assert rules_edition(Families([ONE, OTHER])) == rules_edition(Families([OTHER, ONE]))


def test_another_engine_makes_another_edition_of_the_same_rules(tmp_path: Path) -> None:
    """It may read names that the last one did not, by the same rules."""
    package = Path(modelshelf.__file__).parent
    shutil.copytree(package, tmp_path / "modelshelf", ignore=shutil.ignore_patterns("*.pyc"))
    program = "from modelshelf.identify import rules_edition; print(rules_edition())"

    def edition() -> str:
        told = subprocess.check_output(
            [sys.executable, "-B", "-c", program], env={"PYTHONPATH": str(tmp_path)}, text=True
        )
        return told.strip()

    assert edition() == rules_edition()
    for module in (
        *("identify/layout.py", "formats/gguf.py", "schema/vocabulary.py"),
        *("metadata/civitai.py", "metadata/training.py"),
    ):
        before = edition()
        with (tmp_path / "modelshelf" / module).open("a") as stream:
            stream.write("# It reads more.\n")
        assert edition() != before
