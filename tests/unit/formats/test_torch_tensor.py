"""What makes a tensor, and what is said of one that breaks a rule."""

from __future__ import annotations

from math import prod

import pytest

from modelshelf.formats.pickle_values import Call, CheckpointFault, Elided, Named, Stored, Table
from modelshelf.formats.torch_tensor import (
    KNOWN_NAMES,
    Place,
    TensorReader,
    is_tensor,
    storage_kind,
)
from modelshelf.schema.tensor import TensorEntry
from tests.unit.formats.torch_values import called, rebuilt, stored, table, tensor

PLAIN, TYPED, HOLLOW = (
    "_rebuild_tensor_v2",
    "_rebuild_tensor_v3",
    "_rebuild_meta_tensor_no_storage",
)
F32 = Named("torch.float32")
USUAL = (False, None)
"""Needs a gradient, and hooks: what no reader looks at."""
STORAGES = {
    "Double": ("F64", 8), "Float": ("F32", 4), "Half": ("F16", 2), "BFloat16": ("BF16", 2),
    "Long": ("I64", 8), "Int": ("I32", 4), "Short": ("I16", 2), "Char": ("I8", 1),
    "Byte": ("U8", 1), "Bool": ("BOOL", 1), "ComplexFloat": ("C64", 8), "ComplexDouble": ("C128", 16),
}  # fmt: skip
DTYPES = {
    "float64": ("F64", 8), "float32": ("F32", 4), "float16": ("F16", 2), "bfloat16": ("BF16", 2),
    "float8_e4m3fn": ("F8_E4M3", 1), "float8_e4m3fnuz": ("F8_E4M3FNUZ", 1),
    "float8_e5m2": ("F8_E5M2", 1), "float8_e5m2fnuz": ("F8_E5M2FNUZ", 1),
    "float8_e8m0fnu": ("F8_E8M0", 1), "int64": ("I64", 8), "int32": ("I32", 4), "int16": ("I16", 2),
    "int8": ("I8", 1), "uint64": ("U64", 8), "uint32": ("U32", 4), "uint16": ("U16", 2),
    "uint8": ("U8", 1), "bool": ("BOOL", 1), "complex64": ("C64", 8), "complex128": ("C128", 16),
}  # fmt: skip


def entry(
    value: object, length: int = 24, begin: int | None = 100, name: str = "layer"
) -> TensorEntry:
    return TensorReader({"w": Place(begin, length)}.get).entry(name, value)


def fault_of(value: object, name: str = "layer") -> CheckpointFault:
    with pytest.raises(CheckpointFault) as caught:
        entry(value, name=name)
    return caught.value


def problem_of(value: object) -> str:
    """What is wrong with it: never a matter of running something."""
    fault = fault_of(value)
    assert not fault.is_refused
    assert fault.problem.startswith("`layer` ")
    return fault.problem.removeprefix("`layer` ")


def typed(dtype: object, shape: tuple[int, ...] = (2, 3), *rest: object) -> Call:
    kind = stored("w", 24, "torch.storage.UntypedStorage")
    strides = tuple(prod(shape[place + 1 :]) for place in range(len(shape)))
    return rebuilt(TYPED, kind, 0, shape, strides, *USUAL, dtype, *rest)


@pytest.mark.parametrize("kind", STORAGES)
@pytest.mark.parametrize("module", ["torch", "torch.cuda"])
def test_the_class_of_a_storage_says_what_its_numbers_are(module: str, kind: str) -> None:
    dtype, width = STORAGES[kind]
    storage = stored("w", 6, f"{module}.{kind}Storage")
    value = rebuilt(PLAIN, storage, 1, (5,), (1,))
    assert entry(value, 6 * width) == TensorEntry(dtype, (5,), 100 + width, 100 + 6 * width)


@pytest.mark.parametrize("kind", DTYPES)
def test_the_type_of_a_tensor_says_what_its_numbers_are(kind: str) -> None:
    """Where its storage is a row of bytes."""
    dtype, width = DTYPES[kind]
    value = typed(Named(f"torch.{kind}"), (24 // width,))
    assert entry(value) == TensorEntry(dtype, (24 // width,), 100, 100 + 24 // width * width)


@pytest.mark.parametrize("kind", ["torch.storage.UntypedStorage", "torch.UntypedStorage"])
def test_a_row_of_bytes_has_no_numbers_of_its_own(kind: str) -> None:
    value = rebuilt(PLAIN, stored("w", 24, kind), 0, (6,), (1,))
    assert problem_of(value) == "does not say what its numbers are"


def test_a_tensor_may_read_the_numbers_of_a_storage_as_others() -> None:
    """As many as its bytes hold."""
    wide = rebuilt(TYPED, stored(), 0, (12,), (1,), *USUAL, Named("torch.float16"))
    assert entry(wide) == TensorEntry("F16", (12,), 100, 124)
    over = rebuilt(TYPED, stored(), 0, (13,), (1,), *USUAL, Named("torch.float16"))
    assert problem_of(over) == "reaches to element 13 of a storage that has 12"


@pytest.mark.parametrize(
    ("shape", "sides"), [((2, 4), (2, 8)), ((4,), (8,)), ((), ())], ids=["matrix", "row", "one"]
)
def test_numbers_of_four_bits_are_counted_two_to_a_byte(
    shape: tuple[int, ...], sides: tuple[int, ...]
) -> None:
    value = typed(Named("torch.float4_e2m1fn_x2"), shape)
    assert entry(value) == TensorEntry("F4", sides, 100, 100 + prod(shape))


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        *((rebuilt(one), True) for one in (PLAIN, TYPED, HOLLOW, "_rebuild_tensor")),
        *((rebuilt(one), True) for one in ("_rebuild_parameter", "_rebuild_parameter_with_state")),
        (called("torch._tensor._rebuild_from_type_v2"), True),
        (called("torch._utils._rebuild_qtensor"), True),
        (called("torchao.quantization.tensors._rebuild_it"), True),
        (called("torch.nn.Linear"), False),
        (called("torchaudio._rebuild_it"), False),
        (called("_rebuild_it"), False),
        (Call("torch._utils._rebuild_tensor_v2", ()), False),
        (Named("torch._utils._rebuild_tensor_v2"), False),
        (stored(), False),
    ],
)
def test_a_tensor_is_what_torch_would_rebuild(value: object, *, is_one: bool) -> None:
    assert is_tensor(value) is is_one


def test_names_that_describe_tensors_are_known() -> None:
    """They are no news to whoever lists what a checkpoint names."""
    assert {
        "torch.FloatStorage", "torch.cuda.HalfStorage", "torch.float8_e4m3fn", "torch.UntypedStorage",
        "torch.storage.UntypedStorage", "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_tensor_v3", "torch._utils._rebuild_meta_tensor_no_storage",
        "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
        "torch._tensor._rebuild_from_type_v2",
    } <= KNOWN_NAMES  # fmt: skip
    assert "torch._utils._rebuild_qtensor" not in KNOWN_NAMES


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        (stored().id, ("w", 4)),
        (stored("w", 6, "torch.HalfStorage", None).id, ("w", 2)),
        (stored("w", 6, "torch.UntypedStorage").id, ("w", 1)),
        (stored("w", 6, "torch.QInt8Storage").id, None),
        (stored("w", 6, "torch.FloatStorage", None, None).id, None),
        (("storage", Named("torch.FloatStorage"), "w", "cpu"), None),
        (("garbage", Named("torch.FloatStorage"), "w", "cpu", 6), None),
        (("storage", "torch.FloatStorage", "w", "cpu", 6), None),
        (("storage", Named("torch.FloatStorage"), 1, "cpu", 6), None),
        (["storage", Named("torch.FloatStorage"), "w", "cpu", 6], None),
    ],
)
def test_only_what_names_a_storage_has_a_key_and_a_width(
    facts: object, kind: tuple[str, int] | None
) -> None:
    assert storage_kind(facts) == kind


@pytest.mark.parametrize("wrapping", ["_rebuild_parameter", "_rebuild_parameter_with_state"])
def test_a_parameter_is_the_tensor_in_it(wrapping: str) -> None:
    """So is a parameter of a parameter, within reason."""
    value = tensor()
    for _ in range(7):
        value = rebuilt(wrapping, value, 1, Table([]))
    assert entry(value) == TensorEntry("F32", (2, 3), 100, 124)
    assert problem_of(rebuilt(wrapping, value)) == "is wrapped more than 8 times"


def test_a_subclass_of_a_tensor_is_the_tensor_in_it() -> None:
    """A function, the subclass, what the function is given, a state."""
    plain = tensor()
    value = called(
        "torch._tensor._rebuild_from_type_v2",
        plain.function,
        Named("m.Mine"),
        plain.arguments,
        None,
    )
    assert entry(value) == entry(plain)
    short = called("torch._tensor._rebuild_from_type_v2", plain.function, Named("m.Mine"))
    assert problem_of(short) == "is made of 2 facts, expected 4"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (5, "5"),
        (None, "None"),
        (2**63 - 1, "9223372036854775807"),
        (-(2**63), "an int"),
        (True, "a bool"),
        ("text", "a str"),
        (Elided(9), "an elided"),
        (Named("m" * 101), f"`{'m' * 100}`"),
        (called("m.f"), "`m.f`"),
        (rebuilt("_rebuild_qtensor"), "`torch._utils._rebuild_qtensor`"),
        (rebuilt("_rebuild_parameter", None), "None"),
        (rebuilt("_rebuild_parameter", called("m.f")), "`m.f`"),
        (rebuilt(PLAIN, called("m.f"), 0, (2, 3), (3, 1)), "`m.f`"),
        (rebuilt(PLAIN, None, 0, (2, 3), (3, 1)), "None"),
    ],
)
def test_what_only_running_could_tell_is_refused_by_name(value: object, shown: str) -> None:
    fault = fault_of(value, name="n" * 101)
    assert fault.is_refused
    assert fault.problem == f"`{'n' * 100}` could only be read by running {shown}"


@pytest.mark.parametrize(
    ("kind", "shown"), [(Named("torch.quint8"), "`torch.quint8`"), ("float32", "a str")]
)
def test_numbers_of_an_unknown_type_are_refused(kind: object, shown: str) -> None:
    for value in (typed(kind), rebuilt(HOLLOW, kind, (2,), (1,))):
        fault = fault_of(value, name="n" * 101)
        assert fault.is_refused
        assert fault.problem == f"`{'n' * 100}` has numbers of the type {shown}, which are not read"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (Call(Named(f"torch._utils.{PLAIN}"), None), "is made by nothing that has a name"),
        (rebuilt("_rebuild_parameter", Call(5, ())), "is made by nothing that has a name"),
        (rebuilt(PLAIN, stored(), 0, (2, 3)), "is made of 3 facts, expected 4"),
        (rebuilt(TYPED, stored(), 0, (2, 3), (3, 1), 0, 0), "is made of 6 facts, expected 7"),
        (rebuilt("_rebuild_parameter"), "is made of 0 facts, expected 4"),
        (rebuilt(HOLLOW, F32, (2,)), "is made of 2 facts, expected 3"),
        (rebuilt(PLAIN, Stored("w"), 0, (1,), (1,)),
         "has a storage that is named in no way that torch knows"),
        (rebuilt(PLAIN, Stored(None), 0, (1,), (1,)),
         "has a storage that is named in no way that torch knows"),
        (rebuilt(PLAIN, Stored(["storage", F32, "w", "cpu", 6]), 0, (1,), (1,)),
         "has a storage that is named in no way that torch knows"),
        (rebuilt(PLAIN, Stored(("storage", F32, "w", "cpu")), 0, (1,), (1,)),
         "has a storage that is named in no way that torch knows"),
        (rebuilt(PLAIN, stored("w", 6, "torch.FloatStorage", None, None), 0, (1,), (1,)),
         "has a storage that is named in no way that torch knows"),
        (rebuilt(PLAIN, Stored(("garbage", F32, "w", "cpu", 6)), 0, (1,), (1,)),
         "has a storage that is named in no way that torch knows"),
        (rebuilt(PLAIN, stored(1), 0, (1,), (1,)),
         "has a storage without a key or a count of its elements"),
        (rebuilt(PLAIN, stored("w", None), 0, (1,), (1,)),
         "has a storage without a key or a count of its elements"),
        (rebuilt(PLAIN, stored("w", True), 0, (1,), (1,)),  # noqa: FBT003 - what is wrong
         "has a storage without a key or a count of its elements"),
        (rebuilt(PLAIN, stored("w", -1), 0, (1,), (1,)),
         "has a storage without a key or a count of its elements"),
        (rebuilt(PLAIN, stored("w", 2**63), 0, (1,), (1,)),
         "has a storage without a key or a count of its elements"),
        (rebuilt(PLAIN, stored("w", 6, None), 0, (1,), (1,)), "has a storage of no type"),
        (rebuilt(PLAIN, stored("x" * 101), 0, (1,), (1,)),
         f"lies in storage '{'x' * 100}', which the file lacks"),
        (rebuilt(PLAIN, stored("w", 7), 0, (1,), (1,)),
         "needs 28 bytes in storage 'w', which has 24"),
        (tensor(offset=-1), "begins at element -1 of its storage"),
        (tensor(offset=0.0), "begins at element a float of its storage"),
        (tensor(offset=2**63), "begins at element an int of its storage"),
        (tensor(offset=1), "reaches to element 7 of a storage that has 6"),
        (tensor((2, 4), (4, 1)), "reaches to element 8 of a storage that has 6"),
        (tensor((0,), (1,), 7), "reaches to element 7 of a storage that has 6"),
        (rebuilt(HOLLOW, F32, (2,), (1, 1)), "has a shape and strides that do not fit"),
        (tensor([2, 3]), "has a shape and strides that do not fit"),
        (tensor((2, 3), [3, 1]), "has a shape and strides that do not fit"),
        (tensor((2, 3), (1,)), "has a shape and strides that do not fit"),
        (tensor((1,) * 65, (1,) * 65), "has 65 dimensions"),
        (tensor((-1, 3)), "has a side of -1 with stride 3"),
        (tensor((2, None)), "has a side of None with stride 1"),
        (tensor((True, 3)), "has a side of a bool with stride 3"),
        (tensor((2, 3), (-1, 1)), "has a side of 2 with stride -1"),
        (tensor((2, 3), (3, "1")), "has a side of 3 with stride a str"),
        (tensor((2**62, 4), (0, 0)), "has more elements than 63 bits can count"),
        (tensor((2, 2), (2**62, 2**62)), "has more elements than 63 bits can count"),
    ],
)  # fmt: skip
def test_each_fault_of_a_tensor_is_told_by_itself(value: object, problem: str) -> None:
    """All else is as it should be."""
    assert problem_of(value) == problem


def test_a_name_is_repeated_up_to_a_hundred_letters() -> None:
    assert fault_of(tensor(offset=-1), name="n" * 101).problem.startswith(f"`{'n' * 100}` begins")


def test_bounds_belong_to_what_is_sound() -> None:
    """The last element, 64 dimensions, no element at the very end."""
    assert entry(tensor((1,), (1,), 5)) == TensorEntry("F32", (1,), 120, 124)
    assert entry(tensor((1,) * 64, (1,) * 64)).shape == (1,) * 64
    assert entry(tensor((0,), (1,), 6)) == TensorEntry("F32", (0,), 124, 124)
    assert entry(tensor((0, 3), (1, 1), 6)) == TensorEntry("F32", (0, 3), 124, 124)
    assert entry(rebuilt(PLAIN, stored("w", 0), 0, (0,), (1,)), 0) == TensorEntry(
        "F32", (0,), 100, 100
    )


def test_a_meta_tensor_may_be_as_large_as_63_bits_count() -> None:
    largest = 2**63 - 1
    hollow = rebuilt(HOLLOW, F32, (largest,), (1,))
    assert entry(hollow) == TensorEntry("F32", (largest,), 0, 0)
    spread = rebuilt(HOLLOW, F32, (2, 1), (largest, 1))
    assert entry(spread) == TensorEntry("F32", (2, 1), 0, 0)


def test_tensors_of_one_storage_agree_about_it() -> None:
    """It is looked up once; the second tensor may say nothing else of it."""
    places = {"w": Place(100, 24)}
    reader = TensorReader(lambda key: places.pop(key, None))
    first = reader.entry("a", tensor())
    assert reader.entry("b", tensor()) == first
    for other in (
        stored("w", 6, "torch.IntStorage"),
        stored("w", 12, "torch.HalfStorage"),
        stored("w", 5),
    ):
        with pytest.raises(CheckpointFault) as caught:
            reader.entry("c", rebuilt(PLAIN, other, 0, (1,), (1,)))
        assert (
            caught.value.problem == "`c` says of storage 'w' other things than a tensor before it"
        )


def test_a_key_is_repeated_up_to_a_hundred_letters() -> None:
    """Names in an archive may have thousands."""
    reader, shown = TensorReader({"k" * 101: Place(0, 24)}.get), repr("k" * 100)
    sound, longer = (rebuilt(PLAIN, stored("k" * 101, count), 0, (1,), (1,)) for count in (6, 7))
    with pytest.raises(CheckpointFault, match=f"needs 28 bytes in storage {shown}, "):
        reader.entry("a", longer)
    reader.entry("b", sound)
    with pytest.raises(CheckpointFault, match=f"says of storage {shown} other"):
        reader.entry("c", longer)


@pytest.mark.parametrize(
    ("shape", "strides", "has_place"),
    [
        ((2, 3), (3, 1), True),
        ((1, 6), (99, 1), True),
        ((2, 1, 3), (3, 7, 1), True),
        ((), (), True),
        ((3, 2), (1, 3), False),
        ((2, 2), (3, 1), False),
        ((2, 3), (0, 1), False),
        ((6,), (0,), False),
    ],
)
def test_only_numbers_in_one_run_have_a_place(
    shape: tuple[int, ...], strides: tuple[int, ...], *, has_place: bool
) -> None:
    """A side of one may have any stride: nobody takes a second step."""
    end = 100 + 4 * prod(shape)
    expected = TensorEntry("F32", shape, 100, end) if has_place else TensorEntry("F32", shape, 0, 0)
    assert entry(tensor(shape, strides)) == expected


def test_numbers_whose_place_nobody_knows_have_none() -> None:
    """Their storage is packed."""
    assert entry(tensor(), begin=None) == TensorEntry("F32", (2, 3), 0, 0)
    assert entry(tensor(), begin=0) == TensorEntry("F32", (2, 3), 0, 24)


@pytest.mark.parametrize(
    ("rest", "has_place"),
    [
        ((table("conj", True),), False),  # noqa: FBT003 - what is said
        ((table(),), True),
        ((None,), True),
        ((called("collections.OrderedDict"),), True),
    ],
)
def test_numbers_that_are_to_be_changed_have_no_place(
    rest: tuple[object, ...], *, has_place: bool
) -> None:
    """Conjugated or negated, they are not those in the file; hooks before that change nothing."""
    hooks = table("a hook", 1)
    plain = rebuilt(PLAIN, stored(), 0, (2, 3), (3, 1), 0, hooks, *rest)
    for value in (plain, typed(F32, (2, 3), *rest)):
        assert (entry(value).end > 0) is has_place


@pytest.mark.parametrize(
    ("view", "first"), [(None, 0), (("v", 0, 6), 0), (("v", 4, 2), 4), (("v", 6, 0), 6)]
)
def test_a_view_begins_where_it_says(view: object, first: int) -> None:
    """Key, first element and count, as streams of old have them; a tensor counts from there."""
    value = rebuilt(PLAIN, stored("w", 6, "torch.FloatStorage", view), 0, (0,), (1,))
    assert entry(value).begin == 100 + 4 * first
    second = rebuilt(PLAIN, stored("w", 6, "torch.FloatStorage", ("v", 2, 4)), 1, (3,), (1,))
    assert entry(second) == TensorEntry("F32", (3,), 112, 124)


@pytest.mark.parametrize(
    "view",
    [
        "text", ("v", 0), ("v", 0, 6, 0), ["v", 0, 6], ("v", 0, 7), ("v", 5, 2), ("v", -1, 2),
        ("v", 3, -1), ("v", 0.0, 6), ("v", 0, 6.0), ("v", False, 6), ("v", 0, True),
    ],
)  # fmt: skip
def test_a_view_stays_within_its_storage(view: object) -> None:
    value = rebuilt(PLAIN, stored("w", 6, "torch.FloatStorage", view), 0, (0,), (1,))
    assert problem_of(value) == "is a view that leaves its storage"
