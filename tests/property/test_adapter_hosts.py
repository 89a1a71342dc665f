from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.identify import identify
from modelshelf.identify.families import BUILT_IN
from modelshelf.identify.host import Fits, Host
from modelshelf.schema.identity import Identity
from tests.unit.identify.adapter_layouts import KINDS, NAMINGS, Module, Modules, adapter
from tests.unit.identify.layouts import Shapes, index_of
from tests.unit.identify.recorded import RECORDED

pytestmark = pytest.mark.property

HOSTS: dict[str, tuple[str, Host]] = {
    family.id: ((family.bases or family.candidates)[0].value, family.conditions[0].host)
    for family in BUILT_IN
    # A family that asks for more answers for fewer adapters than its host fits.
    if len(family.conditions) == 1 and isinstance(family.conditions[0], Fits)
}
BEHIND: Mapping[str, str] = {
    "chroma": "flux",
    "kolors": "sdxl",
    "svd": "sd-2",
    "sd-1/lora/bk-sdm-small": "sdxl",
    "sd-1/lora/bk-sdm-tiny": "sdxl",
}
"""Bases, and families, whose adapters are taken for those of a base with more users, where nothing tells
them apart."""


def possible(identity: Identity) -> set[str]:
    """The bases that an identity leaves possible; a stranger's are open where none is named."""
    return {base.value for base in identity.bases or identity.candidates} or {"unknown"}


def written(shapes: Modules, naming: str, kind: str) -> Shapes:
    """An adapter of these modules; norms, which have no pair, as the difference that they learn."""
    norms = {path: shape for path, shape in shapes.items() if len(shape) == 1}
    matrices = {path: shape for path, shape in shapes.items() if len(shape) > 1}
    return {
        **adapter(matrices, naming, KINDS[kind][1]),
        **{f"{NAMINGS[naming](path)}.diff": shape for path, shape in norms.items()},
    }


def ways(path: str) -> list[str]:
    """A path for each way through its alternatives; numbers stay in their braces."""
    found = re.search(r"\(([^()]*)\)", path)
    if found is None:
        return [path]
    head, tail = path[: found.start()], path[found.end() :]
    return [way for one in found[1].split("|") for way in ways(head + one + tail)]


def numbered(path: str, host: Host, chosen: random.Random) -> str:
    """The path of one of its modules."""

    def number(match: re.Match[str]) -> str:
        low, _, high = match[1].rpartition("-")
        last = int(high) if low else (int(high) if high.isdigit() else host.sizes[high]) - 1
        return str(chosen.randint(int(low or 0), max(last, 0)))

    return re.sub(r"\{([^}]*)\}", number, path)


def width(word: str, host: Host) -> int:
    """What a width stands for; 40 where any is."""
    found = re.fullmatch(r"(\d*)([a-z]*)", word)
    if found is None or word in {"", "0"}:
        return 40
    return int(found[1] or 1) * (host.sizes[found[2]] if found[2] else 1)


def module(line: str, host: Host, chosen: random.Random) -> tuple[str, Module] | None:
    """One module of a line, as [given, taken, kernel…]; None where the line tells no width or has none."""
    path, *words = line.split()
    has_kernel = bool(words) and re.fullmatch(r"\d+(x\d+)+", words[-1]) is not None
    kernel = tuple(map(int, words.pop().split("x"))) if has_kernel else ()
    widths = [width(one, host) for one in words]
    bounds = [host.sizes.get(one, 1) for one in re.findall(r"\{([a-z]+)\}", path)]
    if not widths or 0 in bounds or set(words) == {"?"}:
        return None
    return numbered(chosen.choice(ways(path)), host, chosen), (*reversed(widths), *kernel)


def some_of(host: Host, count: int, chosen: random.Random) -> Modules:
    """So many modules, from as many lines."""
    lines = [line for line in host.modules.splitlines() if line.strip()]
    drawn = (module(chosen.choice(lines), host, chosen) for _ in range(count))
    return dict(filter(None, drawn))


class TestHosts:
    """Whatever is left of an adapter, in whosever names, the base of its denoiser stays possible."""

    @given(
        st.sampled_from(sorted(HOSTS)),
        st.sampled_from([1, 2, 5, 20, 60]),
        st.sampled_from(sorted(NAMINGS)),
        st.sampled_from(["kohya", "peft", "loha", "lokr", "full", "dora"]),
        st.integers(0, 999),
    )
    def test_no_subset_of_a_host_excludes_its_base(
        self, family: str, count: int, naming: str, kind: str, seed: int
    ) -> None:
        """Each module of a host is its base's, alone and beside any others."""
        base, host = HOSTS[family]
        shapes = some_of(host, count, random.Random(seed))  # noqa: S311 -- a draw that can be repeated
        if any(len(shape) > 1 for shape in shapes.values()):
            identity = identify(index_of(written(shapes, naming, kind)))
            assert {base, BEHIND.get(family, BEHIND.get(base, base))} & possible(identity)


PREFIXES = ("transformer.", "diffusion_model.", "", "lora_unet_", "text_encoder_2.", "lora_te1_")
PATHS = (
    "transformer_blocks.0.attn1.to_q",
    "transformer_blocks.00.attn1.to_q",
    "transformer_blocks.1.attn1.to_out",
    "blocks.0.self_attn.q",
    "double_blocks.0.img_attn.qkv",
)
ENDINGS = (
    *(".lora_A.weight", ".lora_B.weight", ".lora_A.other.weight", ".lora_down.weight"),
    *(".lora_up.weight", ".diff", ".diff_b", ".hada_w1_a", ".lokr_w1", ".lokr_w2", ".ia3_l"),
    *(".oft_blocks", ".oft_blocks.0", ".oft_blocks.10", "_lora.down.weight", "_lora1.down.weight"),
)
WIDTHS = st.sampled_from([1536, 2048, 3072, 5120])


@st.composite
def nonsense(draw: st.DrawFn) -> Shapes:
    """Pieces of a few modules, some named twice, with widths that contradict each other."""
    shapes: Shapes = {}
    for _ in range(draw(st.integers(2, 10))):
        prefix, path = draw(st.sampled_from(PREFIXES)), draw(st.sampled_from(PATHS))
        path = path.replace(".", "_") if prefix.startswith("lora_") else path
        width = draw(WIDTHS)
        shape = draw(
            st.sampled_from([(4, width), (width, 4), (width,), (4, width // 4, width // 4)])
        )
        shapes[f"{prefix}{path}{draw(st.sampled_from(ENDINGS))}"] = shape
    return shapes


class TestOrder:
    """The same tensors in any order are the same identity, whatever nonsense they are."""

    @given(nonsense(), st.randoms(use_true_random=False))
    def test_no_order_of_keys_chooses_a_base(self, shapes: Shapes, chosen: random.Random) -> None:
        """Evidence, details and near misses included."""
        items = list(shapes.items())
        chosen.shuffle(items)
        assert identify(index_of(dict(items))) == identify(index_of(shapes))


def modules_of(tensors: Shapes) -> Modules:
    """What an adapter may adapt of a whole denoiser: its matrices, convolutions and norms."""
    return {
        name.removesuffix(".weight"): shape
        for name, shape in tensors.items()
        if name.endswith(".weight") and shape
    }


def parts(modules: Modules, chosen: random.Random) -> Iterator[Modules]:
    """All of it, its attentions, its perceptrons, one block, every third, and a few at random."""
    matrices = {path: shape for path, shape in modules.items() if len(shape) > 1}
    words = {path: re.findall(r"[a-z]+", path) for path in matrices}
    yield modules
    yield {path: matrices[path] for path in matrices if re.search(r"attn|attention", path)}
    yield {path: matrices[path] for path in matrices if {"ff", "mlp", "ffn"} & set(words[path])}
    block = chosen.randrange(8)
    yield {path: matrices[path] for path in matrices if f".{block}." in path}
    for count in (1, 3, 12):
        paths = chosen.sample(sorted(matrices), min(count, len(matrices)))
        yield {path: matrices[path] for path in paths}


ADAPTED = [
    name
    for name, recorded in RECORDED.items()
    # Nobody adapts the stage that draws Stable Cascade's details.
    if recorded.base and not name.startswith("stable-cascade-b")
]


@pytest.mark.parametrize("name", ADAPTED)
def test_no_part_of_a_published_denoiser_excludes_its_base(name: str) -> None:
    """A host lacks no module that the denoiser has: what was forgotten would leave adapters unknown."""
    recorded, base = RECORDED[name], RECORDED[name].base
    chosen = random.Random(name)  # noqa: S311 -- as above
    for shapes in parts(modules_of(recorded.shapes), chosen):
        for naming in ("kohya", "peft") if shapes else ():
            identity = identify(index_of(written(shapes, naming, "peft")))
            assert {base, BEHIND.get(base, base)} & possible(identity), (naming, min(shapes))
