from __future__ import annotations

from modelshelf.identify.allowance import Allowance
from modelshelf.schema.tensor import TensorColumns, TensorIndex, TensorKind

KIND = TensorKind("F16", (1,), 2)


def header(tensors: int, letters: int = 0) -> TensorIndex:
    columns = TensorColumns({f"t{number}": KIND for number in range(tensors)}, start=0)
    return TensorIndex(columns, {"note": "x" * letters})


def cost(tensors: int, letters: int = 0) -> float:
    allowance = Allowance()
    before = allowance.budget.left
    allowance.spend(header(tensors, letters))
    return before - allowance.budget.left


def test_what_the_rules_are_asked_about_is_taken_off() -> None:
    """Tensors, and the metadata that claims are looked for in."""
    assert cost(0) == 0
    assert cost(2_000) == 2 * cost(1_000) > 0
    assert cost(0, 100_000) == 2 * cost(0, 50_000) > 0


def test_what_no_rule_is_asked_about_costs_no_more_than_reading_it() -> None:
    """A language model of 140,000 tensors leaves room for the denoiser beside it."""
    assert cost(65_536) > 0
    assert cost(65_537) == 0


def test_a_file_costs_something_however_little_it_holds() -> None:
    """A folder may hold as many as anybody likes."""
    allowance = Allowance()
    assert 100 < sum(allowance.begin() for _ in range(10_000)) < 10_000
    assert not allowance.begin()


def test_a_few_large_files_take_all() -> None:
    """Four of 50,000 tensors are read, and a fifth is not begun."""
    allowance = Allowance()
    begun = 0
    while allowance.begin():
        allowance.spend(header(50_000))
        begun += 1
    assert begun == 4
