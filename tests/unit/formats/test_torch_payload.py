"""Which tensors and words of a checkpoint count, and under which names."""

from __future__ import annotations

from math import inf

import pytest

from modelshelf.formats.pickle_values import Call, CheckpointFault, Named
from modelshelf.formats.reading_budget import ReadingBudget
from modelshelf.formats.torch_payload import Payload
from modelshelf.formats.torch_tensor import Place, TensorReader
from tests.unit.formats.torch_values import called, module, stored, table, tensor

T = tensor()
NO_NAME = "a tensor under a key that is no name was left out"


def collect(value: object, budget: ReadingBudget | None = None) -> Payload:
    reader = TensorReader({"w": Place(0, 24)}.get)
    payload = Payload(reader, budget or ReadingBudget())
    payload.collect(value)
    return payload


def names(value: object) -> list[str]:
    return list(collect(value).tensors)


def problem_of(value: object) -> str:
    with pytest.raises(CheckpointFault) as caught:
        collect(value)
    return caught.value.problem


@pytest.mark.parametrize(
    "wrapper", ["params_ema", "params-ema", "params", "state_dict", "model_state_dict"]
)
def test_a_word_that_always_wraps_does_so_whatever_lies_beside_it(wrapper: str) -> None:
    payload = collect(table("vae", table("x", T), wrapper, table("a", T), "w", T))
    assert list(payload.tensors) == ["a"]
    assert payload.metadata == {"unwrapped": wrapper, "beside": "vae, w"}


LOOSE = ["module", "model", "net", "network", "generator", "net_g", "netG", "weights"]


@pytest.mark.parametrize("wrapper", LOOSE)
def test_a_word_that_wraps_sometimes_does_so_beside_what_training_left(wrapper: str) -> None:
    left = table(wrapper, table("a", T), "optimizer", table("m", T))
    assert names(left) == ["a"]
    assert names(table(wrapper, table("a", T), "vae", table("m", T))) == [f"{wrapper}.a", "vae.m"]
    assert names(table(wrapper, T)) == [wrapper]


@pytest.mark.parametrize(
    "left",
    [
        *("optimizer_states", "lr_schedulers", "scheduler", "ema", "ema_model", "model_ema"),
        *("callbacks", "fit_loops", "rng_state", "scaler", "amp", "sampler", "hparams"),
        *("hyper_parameters", "loss", "lr", *LOOSE[1:]),
    ],
)
def test_what_training_leaves_beside_a_model_is_known_by_its_word(left: str) -> None:
    payload = collect(table("module", table("a", T), left, table("m", T)))
    assert (list(payload.tensors), payload.metadata["beside"]) == (["a"], left)


@pytest.mark.parametrize(
    "other", ["schema_net", "amplifier", "clamp", "gloss", "color_lr", "unet", "vae"]
)
def test_another_word_beside_a_model_is_a_part_of_it(other: str) -> None:
    found = names(table("module", table("a", T), other, table("m", T)))
    assert found == ["module.a", f"{other}.m"]
    both = table("module", table("a", T), other, table("m", T), "optimizer", table("o", T))
    assert names(both) == ["module.a", f"{other}.m", "optimizer.o"]


def test_of_several_wrappers_the_one_that_users_load_counts() -> None:
    """The smoothed weights go before the raw ones, and a word that always wraps before the others."""
    both = table("model", table("a", T), "params", table("b", T), "params_ema", table("c", T))
    payload = collect(both)
    assert list(payload.tensors) == ["c"]
    assert payload.metadata == {"unwrapped": "params_ema", "beside": "model, params"}


def test_wrappers_are_taken_off_four_times() -> None:
    """Nobody nests deeper, and what does is no wrapper any more; words of each level are kept."""
    value = table("state_dict", table("state_dict", table("x", T), "step", 5), "step", 4)
    for step in (3, 2, 1):
        value = table("state_dict", value, "step", step, f"at {step}", 1)
    payload = collect(value)
    assert list(payload.tensors) == ["state_dict.x"]
    assert payload.metadata == {
        "step": "1", "at 1": "1", "at 2": "1", "at 3": "1",
        "unwrapped": "state_dict.state_dict.state_dict.state_dict",
    }  # fmt: skip


def test_a_wrapper_may_be_an_object_with_items() -> None:
    """As ordered dicts are, and those of other programs."""
    ordered = called("collections.OrderedDict", pairs=["epoch", 3, "w", T])
    payload = collect(called("nets.Checkpoint", pairs=["state_dict", ordered]))
    assert list(payload.tensors) == ["w"]
    assert payload.metadata == {"epoch": "3", "unwrapped": "state_dict"}


def test_what_a_wrapper_holds_may_lie_in_lists() -> None:
    """As far down as an optimizer keeps its moments."""
    deep = table("state_dict", table("a", T), "o", [table("state", table(0, table("m", T)))])
    assert collect(deep).metadata["beside"] == "o"
    assert "beside" not in collect(table("state_dict", table("a", T), "o", [[], 1])).metadata


@pytest.mark.parametrize(("levels", "is_told"), [(5, True), (6, False)])
def test_nobody_looks_for_tensors_to_any_depth(levels: int, *, is_told: bool) -> None:
    payload = collect(table("state_dict", table("a", T), "o", nested(levels)))
    assert ("beside" in payload.metadata) is is_told


def test_words_and_numbers_at_the_top_are_metadata() -> None:
    """Plain ones under plain names, each once and none longer than a thousand letters."""
    payload = collect(
        table(
            *("name", "marble", "step", 3, "rate", 0.5, "is_done", True, "none", None),
            *(1, "a number as name", "raw", b"bytes", "list", ["a"], "name", "again"),
            *("k" * 1000, "v" * 1001, "k" * 1001, "v"),
        )
    )
    assert payload.metadata == {
        "name": "marble", "step": "3", "rate": "0.5", "is_done": "True", "k" * 1000: "v" * 1000,
    }  # fmt: skip
    assert collect(["a", 1]).metadata == {}


def test_a_list_of_what_was_left_out_is_cut() -> None:
    others = [one for number in range(300) for one in (f"part{number}", table("m", T))]
    payload = collect(table("state_dict", table("a", T), *others))
    assert len(payload.metadata["beside"]) == 1000


def test_members_of_lists_are_numbered_and_a_tensor_alone_is_one() -> None:
    assert names([T, 1, (T, [T])]) == ["#0", "#2.#0", "#2.#1.#0"]
    assert names(T) == ["tensor"]


def test_numbers_are_names_and_nothing_else_is() -> None:
    """What is left out is told, whether it is a tensor or holds some."""
    assert names(table(0, T, "a", table(1, T, 2, [T, 5, T]))) == ["0", "a.1", "a.2.#0", "a.2.#2"]
    for key in (None, (1, 2), [1], 0.5, stored(), "k" * 1000):
        for value in (T, table("a", T), [T]):
            payload = collect(table("w", T, key, value))
            assert (list(payload.tensors), payload.findings) == (["w"], {NO_NAME})
        assert collect(table("w", T, key, table("a", 1))).findings == set()


def test_a_name_has_less_than_a_thousand_letters_before_its_last_step() -> None:
    assert names(table("k" * 999, table("a", T))) == ["k" * 999 + ".a"]
    payload = collect(table("k" * 500, table("k" * 499, table("a", T), "b", T)))
    assert (list(payload.tensors), payload.findings) == (["k" * 500 + ".b"], {NO_NAME})


def test_a_module_is_what_its_state_holds() -> None:
    """Its fields have no names of their own, and other fields are no tensors of it."""
    inner = module("_parameters", table("weight", T), "_buffers", None)
    net = module(
        "_buffers", table("mean", T), "other", table("x", T), "_modules", table("fc", inner)
    )
    assert names(table("vae", net)) == ["vae.mean", "vae.fc.weight"]
    assert names(net) == ["mean", "fc.weight"]


def test_an_object_gives_its_items_its_elements_and_its_state() -> None:
    """An ordered dict, a list with a class of its own, a module: whatever of them it is."""
    both = called("nets.Odd", pairs=["a", T])
    both.elements = [T, 1, T]
    both.state = table("_parameters", table("b", T))
    assert names(both) == ["a", "#0", "#2", "b"]


@pytest.mark.parametrize("pair", [["a", T], ("a", T)])
def test_an_ordered_dict_may_be_made_of_pairs(pair: object) -> None:
    """As Python 2 wrote it; pairs of three are none, and other classes may mean something else."""
    pairs = [pair, ["b", T, T], 5, ["c"]]
    assert names(called("collections.OrderedDict", pairs)) == ["a"]
    assert names(called("collections.deque", pairs)) == []
    assert names(called("collections.OrderedDict", pairs, [])) == []
    assert names(called("collections.OrderedDict", 5)) == []


@pytest.mark.parametrize("given", [T, stored()])
def test_what_would_have_to_be_run_is_refused(given: object) -> None:
    """Wherever it stands: a class that makes something of a tensor hides it."""
    for value, name in (
        (called("m.f", 1, given), "tensor"),
        (table("a", called("m.f", given)), "a"),
        ([table("b", called("m.f", given, 2))], "#0.b"),
    ):
        assert problem_of(value) == f"`{name}` could only be read by running `m.f`"
    for nothing in (called("m.f", 1, [given]), Call(Named("m.f"), None)):
        assert names(table("a", nothing, "w", T)) == ["w"]


def test_a_storage_that_nothing_names_is_told() -> None:
    payload = collect(table("s", stored(), "list", [stored()], "w", T))
    assert list(payload.tensors) == ["w"]
    assert payload.findings == {"it holds storages that no tensor names; they are left out"}


def test_a_name_that_is_there_twice_is_an_error() -> None:
    assert problem_of(table("a.b", T, "a", table("b", T))) == "`a.b` is there twice"


def nested(levels: int) -> object:
    value: object = T
    for _ in range(levels):
        value = [value]
    return value


def test_a_tensor_may_lie_64_levels_deep() -> None:
    """A container that holds itself has no end."""
    assert names(nested(65)) == [".".join(["#0"] * 65)]
    circle: list[object] = []
    circle.append(circle)
    for value in (nested(66), circle, table("a", circle)):
        assert problem_of(value) == "it is nested deeper than 64 levels, or holds itself"


def test_a_checkpoint_has_at_most_50000_tensors() -> None:
    assert len(names([T] * 50_000)) == 50_000
    assert problem_of([T] * 50_001) == "it has more than 50000 tensors"


def test_names_have_at_most_eight_million_letters_together() -> None:
    """Each may be long, and not all."""
    inner = [one for number in range(4_300) for one in (f"{number:0999}", T)]
    assert len(names(table("k" * 860, table(*inner)))) == 4_300
    assert problem_of(table("k" * 900, table(*inner))) == "its names have more than 8000000 letters"


def test_values_that_are_no_tensors_are_counted_too() -> None:
    """A million numbers cost less than a million containers, and both have an end."""
    assert names(table("w", T, "numbers", [1] * 1_000_000)) == ["w"]
    assert problem_of([1] * 5_000_000) == "it holds more values than any checkpoint does"
    assert problem_of([[]] * 160_000) == "it holds more values than any checkpoint does"


def test_what_is_looked_at_is_taken_off_a_budget() -> None:
    """Tensors, containers and plain values, each for itself."""

    def cost(value: object) -> float:
        budget = ReadingBudget(10**6)
        collect(value, budget)
        return 10**6 - budget.left

    nothing = cost([])
    assert cost([T] * 100) - nothing >= 100 * 10
    assert cost([[]] * 100) - nothing >= 100 * 3
    for plain in ([1] * 1_000, (1,) * 1_000):
        assert 100 <= cost(plain) - nothing <= 500
    for value in (table(*([1] * 2_000)), called("m.f", pairs=[1] * 2_000)):
        assert cost(value) - nothing >= 100
    appended = called("m.f")
    appended.elements = [1] * 1_000
    assert cost(appended) - nothing >= 100
    assert ReadingBudget().left == inf


@pytest.mark.parametrize("value", [None, 5, "text", Named("m.x")])
def test_a_plain_value_holds_nothing(value: object) -> None:
    payload = collect(value)
    assert (payload.tensors, payload.metadata, payload.findings) == ({}, {}, set())
