"""How the families of adapters are written: one per denoiser that can be adapted.

Several may agree, as denoisers share modules; then each one's base is a candidate. A family that goes
before others says by a condition of its own why.
"""

from __future__ import annotations

from modelshelf.identify.adapter_condition import Named
from modelshelf.identify.adapter_names import AdapterNaming
from modelshelf.identify.condition import Condition
from modelshelf.identify.family import Family, Trait
from modelshelf.identify.host import Fits, Host
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["DIFFUSERS_FORMAT", "lora"]

DIFFUSERS_FORMAT = tuple(
    Trait(ModelFormat.DIFFUSERS, Named(naming))
    for naming in (AdapterNaming.PEFT, AdapterNaming.DIFFUSERS)
)
"""A LoRA file in diffusers' names; in all others it is `lycoris`."""


def lora(
    base: BaseModelType,
    host: Host,
    *conditions: Condition,
    rule: str = "",
    traits: tuple[Trait, ...] = (),
    special_case_of: tuple[str, ...] = (),
) -> Family:
    """An adapter of *base*, by the denoiser that it fits.

    Args:
        base: What it is made for.
        host: The denoiser, in one of its layouts.
        conditions: What must hold beside, for a rule that goes before others.
        rule: What such a rule is called; the host's own family is called as the host is.
        traits: Finer points.
        special_case_of: Families that may agree as well and stand behind.
    """
    return Family(
        id=f"{base}/lora/{rule or host.id.removeprefix(f'{base}/')}",
        type=ModelType.LORA,
        format=ModelFormat.LYCORIS,
        bases=(base,),
        # The host last: its modules are read only where all else holds.
        conditions=(*conditions, Fits(host)),
        traits=(*DIFFUSERS_FORMAT, *traits),
        special_case_of=special_case_of,
        is_one_of_several=True,
    )
