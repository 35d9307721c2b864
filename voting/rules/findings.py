"""What a finding is: one thing that is missing or contradictory in a campaign before it opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

#: where a finding is mended: the steps of the wizard, and the candidates
Step = Literal["texts", "time", "awards", "quotas", "identity", "display", "purpose", "candidates"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``code`` and ``facts`` are for sentences, ``text`` is the line an operator reads.

    What ``blocks`` keeps a campaign from opening; the rest is advice.
    """

    code: str
    step: Step
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    blocks: bool = True
