"""What a rule can ask of a model: conditions are values, so a failure can say what was missing.

Here is what every condition is, what puts conditions together, and what asks a configuration;
`tensor_condition` asks the tensors, `adapter_condition` the modules that an adapter changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

from modelshelf.identify.facts import Facts

__all__ = [
    "Both",
    "Condition",
    "Either",
    "Found",
    "Never",
    "Setting",
    "Unset",
]


@dataclass(frozen=True, slots=True)
class Found:
    """What made a condition hold."""

    where: str
    """The tensor, `file.json:field` or pattern."""
    what: str
    """Shape, value or count."""
    is_absence: bool = False
    """True where nothing was there, as the rule demands: true, and no news to a reader."""


class Condition(Protocol):
    """One thing a rule asks for."""

    def check(self, facts: Facts) -> Found | None:
        """Return what made the condition hold, or None where it does not hold."""

    def __str__(self) -> str:
        """Say what is asked for, for people who wonder why a rule did not agree."""


@dataclass(frozen=True)
class Never:
    """The condition inside does not hold."""

    condition: Condition

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        # What may be so is not proven to be otherwise.
        if self.condition.check(facts.unmeasured()) is not None:
            return None
        return Found(str(self.condition), "absent", is_absence=True)

    def __str__(self) -> str:
        return f"not {self.condition}"


@dataclass(frozen=True)
class Setting:
    """The configuration has a field with one of these values."""

    name: str
    """Field of the configuration, `text_config.hidden_size` for one a level below; `class` is the class
    it names, `pipeline` that of the pipeline around it."""
    values: tuple[object, ...] = ()
    """Allowed values; a text may hold `*`. Empty: any value but null."""

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        value = self._value(facts)
        if value is None or (self.values and not any(_is_value(value, one) for one in self.values)):
            return None
        return Found(f"{facts.config_name}:{self.name}", str(value)[:200])

    def _value(self, facts: Facts) -> object:
        outer, is_below, inner = self.name.partition(".")
        value = facts.settings.get(outer)
        if not is_below:
            return value
        return value.get(inner) if isinstance(value, dict) else None

    def __str__(self) -> str:
        wanted = " or ".join(str(value) for value in self.values) or "anything"
        return f"`{self.name}` set to {wanted} in the configuration"


@dataclass(frozen=True)
class Unset:
    """The configuration lacks a field, or has it as null or false."""

    name: str

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        if not facts.settings or facts.settings.get(self.name) not in (None, False):
            return None
        return Found(f"{facts.config_name}:{self.name}", "unset", is_absence=True)

    def __str__(self) -> str:
        return f"`{self.name}` unset in the configuration"


@dataclass(frozen=True)
class Either:
    """At least one of the conditions holds; the first that does is the evidence."""

    conditions: tuple[Condition, ...] = field(default=())

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        for condition in self.conditions:
            if (found := condition.check(facts)) is not None:
                return found
        return None

    def __str__(self) -> str:
        return " or ".join(str(condition) for condition in self.conditions)


@dataclass(frozen=True)
class Both:
    """Two conditions hold; for a trait, which has only one."""

    first: Condition
    second: Condition

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        found = self.first.check(facts)
        return None if self.second.check(facts) is None else found

    def __str__(self) -> str:
        return f"{self.first} and {self.second}"


def _is_value(have: object, want: object) -> bool:
    if isinstance(want, str):
        return isinstance(have, str) and fnmatchcase(have, want)
    # JSON's true equals 1 to Python, and no rule means that.
    return type(have) is type(want) and have == want
