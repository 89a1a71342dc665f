"""Run the sweep of adapters: `python -m tests.sweeps [PATTERN]`, with a pattern for names of denoisers."""

from __future__ import annotations

import re
import sys
from collections import Counter

from tests.sweeps.adapters import ADAPTED, Verdict, cases_of, judge

_SHOWN = frozenset({Verdict.NEEDLESS, Verdict.SET, Verdict.EXCLUDED, Verdict.NAMED, Verdict.TYPE})


def main(pattern: str = "") -> int:
    """Print counts by verdict, and what each case that is not right was taken for."""
    total: Counter[Verdict] = Counter()
    odd: Counter[tuple[Verdict, str, str, str]] = Counter()
    for name in filter(re.compile(pattern).search, ADAPTED):
        for case in cases_of(name):
            verdict, identity = judge(name, case)
            total[verdict] += 1
            if verdict in _SHOWN:
                answer = " ".join(one.value for one in identity.bases or identity.candidates)
                odd[verdict, name, case.part, answer or identity.type.value] += 1
    for (verdict, *words), count in sorted(odd.items()):
        sys.stdout.write(f"{count:5} {verdict}: {' · '.join(words)}\n")
    for verdict in Verdict:
        sys.stdout.write(f"{total[verdict]:7} {verdict}\n")
    return 1 if total[Verdict.EXCLUDED] + total[Verdict.NAMED] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
