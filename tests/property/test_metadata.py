from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.metadata import read_claims, read_metadata
from modelshelf.schema.metadata import ModelMetadata
from modelshelf.schema.vocabulary import base_meant

pytestmark = pytest.mark.property

NAMES = """
id modelId name model type tags description baseModel baseModelType trainedWords files hashes SHA256
creator username civitai base_model model_name notes sha256 autov3 BaseModel Hashes TrainedWords UserTitle
architecture title modelspec.title modelspec.architecture ss_tag_frequency ss_resolution ss_network_module
software ot_branch ot_config lora_adapter_metadata workflow prompt general.architecture general.name
modelVersions
"""
KEYS = st.sampled_from([*NAMES.split(), "activation text", "sd version", "preferred weight"])
TEXTS = st.text(max_size=40) | st.sampled_from(["SDXL 1.0", "Pony", "LORA", "v", "0x" + "a" * 64])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | TEXTS, inner, max_size=6),
    max_leaves=12,
)
ENDINGS = st.sampled_from(
    [
        ".json",
        ".swarm.json",
        ".metadata.json",
        ".cm-info.json",
        ".civitai.info",
        ".api_info.json",
        ".yaml",
    ]
)


class TestWhatIsWritten:
    """All is untrusted text: bound it, follow no path in it."""

    @given(
        sidecars=st.dictionaries(ENDINGS, st.dictionaries(KEYS, VALUES) | VALUES, max_size=4),
        embedded=st.dictionaries(KEYS | TEXTS, TEXTS | VALUES.map(json.dumps), max_size=8),
    )
    def test_any_text_is_read_and_bounded(
        self, sidecars: dict[str, object], embedded: dict[str, str]
    ) -> None:
        """No document raises, and what comes of it is bounded, encodable and the same twice."""
        with TemporaryDirectory() as folder:
            model = Path(folder, "lens.safetensors")
            model.touch()
            for ending, document in sidecars.items():
                Path(folder, "lens" + ending).write_text(json.dumps(document))
            found = read_metadata(model, embedded)
            assert found == read_metadata(model, embedded)
            assert found.beside == read_claims(model)
        assert len(found.statements) <= 2000
        for statement in found.statements:
            assert 0 < len(statement.value.encode()) <= 16_000
        for claim in found.claims:
            assert len(claim.said) <= 100
            assert "\n" not in claim.said + claim.where
        told = json.dumps(found.document())
        assert len(told) <= 1_000_000
        assert ModelMetadata.from_document(json.loads(told)) == found

    @given(st.binary(max_size=400), ENDINGS | st.sampled_from([".png", ".preview.webp"]))
    def test_any_bytes_beside_a_model_are_harmless(self, content: bytes, ending: str) -> None:
        """A sidecar or picture of any bytes is read or told as damaged."""
        with TemporaryDirectory() as folder:
            model = Path(folder, "lens.safetensors")
            model.touch()
            Path(folder, "lens" + ending).write_bytes(content)
            read_metadata(model)

    @given(st.binary(max_size=400))
    def test_any_bytes_are_a_model_card(self, content: bytes) -> None:
        """With and without a front matter."""
        with TemporaryDirectory() as folder:
            Path(folder, "README.md").write_bytes(b"---\n" + content)
            read_metadata(Path(folder))

    @given(st.text())
    def test_any_words_mean_a_base_or_nothing(self, words: str) -> None:
        """The vocabulary answers everything, and case does not count."""
        meaning = base_meant(words)
        assert meaning is None or meaning.bases
