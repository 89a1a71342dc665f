"""What every test shares: how thorough properties are."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Examples write files, and a loaded machine must not turn that into a failure.
settings.register_profile(
    "quick", max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "deep", max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
