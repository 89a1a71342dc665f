from __future__ import annotations

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the corpus' answers: right, open (no base claimed), wrong, and errors."""
    counts: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call" and "test_published_model" in report.nodeid:
                found = dict(report.user_properties).get("corpus")
                counts[str(found or ("error" if report.failed else "skipped"))] += 1
    if counts:
        terminalreporter.write_line(
            "corpus: " + ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
        )
