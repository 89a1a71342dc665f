from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modelshelf.identify import identify
from tests.corpus.cases import CASES, Case, build, corpus_folder
from tests.corpus.judging import is_open, judge

ABSENT = (
    f"no corpus at {corpus_folder()}: set MODELSHELF_CORPUS to the folder that holds `identify`"
)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.id) for case in CASES] or [pytest.param(None, id="none")]
)
def test_published_model(
    case: Case | None, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Type, base, variant, prediction type and precision, under a neutral name.

    Without the corpus nothing is compared, and the report says so instead of passing.
    """
    if case is None:
        pytest.skip(ABSENT)
    identity = identify(build(case, tmp_path))
    wrong = judge(identity, case.expected)
    outcome = "right" if not wrong else "open" if is_open(identity, wrong) else "wrong"
    record_property("corpus", outcome)
    explained = "\n".join(
        [
            *(f"{field}: {words}" for field, words in wrong.items()),
            *(f"because {one.where}: {one.found} [{one.rule}]" for one in identity.evidence[:12]),
            *(f"not {one.rule}: {one.missing}" for one in identity.near_misses),
        ]
    )
    assert not wrong, f"{case.id}\n{explained}"
