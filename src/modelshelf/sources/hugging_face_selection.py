"""Which files of a repository make up the model that was asked for. Names in, names out: no I/O.

A repository often holds the same weights five times: in two precisions, as safetensors and as pickles,
for ONNX, OpenVINO and Flax, and as one loose checkpoint beside the folders. One form of each component
is enough. Source: `spec/model-manager-v2.md`, "HFModelSource" and "heuristic_import".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from modelshelf.errors import NoModelFilesError, RepositoryFileNotFoundError, SeveralModelsError
from modelshelf.schema.model_source import HFModelSource
from modelshelf.schema.taxonomy import ModelRepoVariant
from modelshelf.sources.repository_files import belongs_to_a_model, is_leftover
from modelshelf.sources.weight_forms import WantedForm, form_of, variant_of, without_steps
from modelshelf.sources.weight_names import (
    ADAPTER_STEMS,
    LAYOUT_STEMS,
    Weights,
    WeightsKind,
    WeightsName,
    sets_of,
)

__all__ = ["PIPELINE", "Selection", "select_files"]

PIPELINE = "model_index.json"
"""The file that makes a folder a pipeline and names its components."""
_CONFIGS = frozenset(
    {"config.json", "adapter_config.json", "preprocessor_config.json", "image_encoder.txt"}
)
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Selection:
    """What to fetch."""

    names: dict[str, str]
    """Name in the repository → name inside the model, both sorted."""
    variant: ModelRepoVariant | None
    """Which form was found; None for files without weights, and for a single file that was named."""
    is_folder: bool
    """False for a model that is one file."""
    notes: tuple[str, ...] = ()
    """What is different from what was asked for, a sentence each."""


def select_files(
    source: HFModelSource,
    names: Iterable[str],
    *,
    default: ModelRepoVariant = ModelRepoVariant.FP16,
    components: Collection[str] | None = None,
    hub: str = "https://huggingface.co",
) -> Selection:
    """Choose the files of a repository that make up the model that *source* asks for.

    * A file that is named is taken as it is. A folder that is named is the model.
    * Of a pipeline (`model_index.json`): its components, each in one form; loose checkpoints stay.
    * Of a folder with a configuration and weights of a library's name: one form of the weights.
    * Else a single loose model file, without what its trainer saved on the way; where there are
      several models the user has to say which.
    * The form: the wanted variant where a component has it, else its plain files, as the document
      says; within a variant safetensors before pickles; ONNX, OpenVINO and Flax only when asked
      for, or when there is nothing else.
    * Configurations, tokenizers, README and licences come along; pictures, training leftovers and
      everything that another form of the weights needs do not.

    Args:
        source: What is asked for.
        names: All files of the repository.
        default: The variant where the source names none.
        components: Folders that `model_index.json` names, where it was read: others stay. None
            takes every folder that could be one.
        hub: For errors.

    Raises:
        RepositoryFileNotFoundError: The sub-folder or file is not there.
        NoModelFilesError: There are files, but none of a model.
        SeveralModelsError: There are several models.

    Example:
        >>> source = HFModelSource(repo_id="acme/vae", variant="fp16")
        >>> found = select_files(source, ["config.json", "a.png", "diffusion_pytorch_model.bin",
        ...     "diffusion_pytorch_model.safetensors"])
        >>> list(found.names), found.variant.value
        (['config.json', 'diffusion_pytorch_model.safetensors'], 'default')
    """
    every = sorted(set(names))
    below = source.subfolder.as_posix() if source.subfolder else ""
    if below in every:
        return Selection({below: below.rpartition("/")[2]}, None, is_folder=False)
    prefix = f"{below}/" if below else ""
    inside = [name.removeprefix(prefix) for name in every if name.startswith(prefix)]
    if not inside:
        raise _not_there(source, every, hub)
    choice = _Choice(source, prefix, inside, source.variant or default)
    chosen = choice.pipeline(components) if PIPELINE in inside else choice.other()
    return Selection(
        names={prefix + name: target for name, target in chosen.names.items()},
        variant=chosen.variant,
        is_folder=chosen.is_folder,
        notes=chosen.notes,
    )


class _Choice:
    """The choice among the files of one tree."""

    def __init__(
        self, source: HFModelSource, prefix: str, names: list[str], wanted: ModelRepoVariant
    ) -> None:
        self._source = source
        self._prefix = prefix
        self._names = names
        self._forms = WantedForm(wanted)
        parsed = (WeightsName.parse(name) for name in names if not is_leftover(name))
        self._weights = [name for name in parsed if name is not None]
        self._sets = sets_of(self._weights)
        holding = {name.path for name in self._weights}
        self._others = [name for name in names if name not in holding and belongs_to_a_model(name)]

    def pipeline(self, components: Collection[str] | None) -> Selection:
        """Choose one form of each component of a pipeline."""
        self._refuse_strange_weights()
        parts = [one for one in self._sets if one.folder]
        if components is not None and any(_top(one.folder) in components for one in parts):
            torch = [one for one in parts if _top(one.folder) in components]
        else:
            torch = parts
        kind = self._forms.kind(torch, parts)
        usable = torch if kind is WeightsKind.TORCH else parts
        chosen = self._forms.best_of_each_folder(usable, kind)
        folders = {_top(one.folder) for one in chosen}
        if kind is WeightsKind.FLAX:
            # A component that has no Flax weights is still needed.
            rest = [one for one in torch if _top(one.folder) not in folders]
            chosen += self._forms.best_of_each_folder(rest, WeightsKind.TORCH)
            folders = {_top(one.folder) for one in chosen}
        bare = {_top(name) for name in self._others if "/" in name}
        bare -= {_top(one.folder) for one in parts}
        folders |= bare if components is None else bare & set(components)
        kept = [
            name
            for name in self._others
            # YAML at the top describes one of the loose checkpoints.
            if (not name.endswith((".yaml", ".yml")) if "/" not in name else _top(name) in folders)
        ]
        return self._selection(kept, chosen)

    def other(self) -> Selection:
        """Choose from what is no pipeline."""
        self._refuse_strange_weights()
        kind = self._forms.kind(self._sets, self._sets)
        usable = [one for one in self._sets if one.kind is kind]
        folders = self._model_folders(usable)
        if folders[:1] == [""]:
            return self._folder("", usable)
        if not usable:
            if not any(name.endswith(".json") for name in self._others):
                reason = "neither weights nor configurations are there"
                raise NoModelFilesError(source=str(self._source), reason=reason)
            return self._selection(self._others, [])
        within = set(folders)
        loose = without_steps(
            self._forms.best_of_each_stem(one for one in usable if one.folder not in within)
        )
        choices = [*folders, *(one.paths[0] for one in loose)]
        if len(choices) > 1:
            raise self._several(choices)
        if folders:
            return self._folder(folders[0], usable)
        (only,) = loose
        return self._selection([], [only], is_folder=len(only.paths) > 1, top=only.folder)

    def _folder(self, folder: str, usable: list[Weights]) -> Selection:
        """Choose one form of the weights of the model that lies in *folder*."""
        prefix = f"{folder}/" if folder else ""
        here = [one for one in usable if one.folder == folder]
        chosen = self._forms.best_of_each_folder(here, here[0].kind)
        # Folders with weights of their own are other models, or this one in other forms.
        others = {
            _top(one.folder.removeprefix(prefix)) for one in self._sets if one.folder != folder
        }
        kept = [
            name
            for name in self._others
            if name.startswith(prefix)
            and ("/" not in name[len(prefix) :] or _top(name[len(prefix) :]) not in others)
        ]
        return self._selection(kept, chosen, top=folder)

    def _refuse_strange_weights(self) -> None:
        if self._sets and all(one.kind is WeightsKind.OTHER for one in self._sets):
            reason = "its weights are in formats such as TensorFlow's, which nothing here loads"
            raise NoModelFilesError(source=str(self._source), reason=reason)

    def _model_folders(self, usable: list[Weights]) -> list[str]:
        """Return the folders that are one model each, not a place where loose files lie; sorted."""
        stems: dict[str, set[str]] = {}
        for one in usable:
            stems.setdefault(one.folder, set()).add(one.stem)
        others = set(self._others)
        return sorted(
            folder
            for folder, found in stems.items()
            if found & ADAPTER_STEMS
            or (
                found & LAYOUT_STEMS
                and any(f"{folder}/{name}".lstrip("/") in others for name in _CONFIGS)
            )
        )

    def _selection(
        self, kept: list[str], chosen: list[Weights], *, is_folder: bool = True, top: str = ""
    ) -> Selection:
        paths = sorted({*kept, *(path for one in chosen for path in one.paths)})
        prefix = f"{top}/" if top else ""
        return Selection(
            names={path: path.removeprefix(prefix) for path in paths},
            variant=variant_of(chosen),
            is_folder=is_folder,
            notes=tuple(self._notes(chosen)),
        )

    def _notes(self, chosen: list[Weights]) -> Iterator[str]:
        wanted = self._source.variant
        if wanted is None or wanted is ModelRepoVariant.DEFAULT or not chosen:
            return
        rest = [one for one in chosen if form_of(one) is not wanted]
        if len(rest) == len(chosen):
            yield f"it has no {wanted.value} files: its default files are taken"
        elif rest:
            folders = ", ".join(sorted({one.folder for one in rest}))
            yield f"no {wanted.value} files are there for {folders}: others are taken"

    def _several(self, choices: list[str]) -> SeveralModelsError:
        full = [self._prefix + choice for choice in choices]
        return SeveralModelsError(
            repo_id=self._source.repo_id,
            count=len(full),
            choices=", ".join(full[:_SHOWN]) + (", …" if len(full) > _SHOWN else ""),
            first=full[0],
        )


def _top(path: str) -> str:
    return path.partition("/")[0]


def _not_there(
    source: HFModelSource, names: list[str], hub: str
) -> RepositoryFileNotFoundError | NoModelFilesError:
    if source.subfolder is None:
        return NoModelFilesError(source=str(source), reason="the repository is empty")
    tops = sorted({_top(name) + ("/" if "/" in name else "") for name in names})
    return RepositoryFileNotFoundError(
        repo_id=source.repo_id,
        name=source.subfolder.as_posix(),
        near=", ".join(f"`{name}`" for name in tops[:_SHOWN]) or "no files",
        hub=hub,
    )
