from __future__ import annotations

import pytest

from modelshelf.schema.taxonomy import BaseModelType
from tests.sweeps.adapters import ACCEPTED, ADAPTED, Verdict, cases_of, judge

pytestmark = pytest.mark.property

SAMPLE = 48
"""Adapters of each denoiser; `python -m tests.sweeps` takes all, some hundreds of each."""
WRONG = frozenset({Verdict.EXCLUDED, Verdict.NAMED})


class TestSweep:
    """Parts of a denoiser prove its base, or leave it possible; those of one without a base prove none."""

    @pytest.mark.parametrize("name", ADAPTED)
    def test_no_part_of_a_denoiser_is_given_to_another(self, name: str) -> None:
        """Whatever part, in whosever names, of whatever kind: but for coincidences with a reason."""
        judged = [(case, *judge(name, case)) for case in cases_of(name, most=SAMPLE)]
        wrong = [
            (case.part, case.naming, case.kind, identity.bases or identity.candidates)
            for case, verdict, identity in judged
            if verdict in WRONG
        ]
        assert wrong == []

    def test_every_accepted_coincidence_is_of_denoisers_and_bases(self) -> None:
        """A table of reasons has no line that nobody needs to read."""
        known = {base.value for base in BaseModelType}
        owners = {
            *(name.removesuffix(".original") for name in ADAPTED),
            *(adapted.base for adapted in ADAPTED.values()),
        }
        assert {who for who, _ in ACCEPTED} <= owners
        assert {base for _, bases in ACCEPTED for base in bases.split()} <= known

    def test_the_same_cases_come_each_time(self) -> None:
        """What was seen once can be seen again."""
        first, second = (list(cases_of("helios", most=SAMPLE)) for _ in range(2))
        assert first == second
