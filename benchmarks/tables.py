"""Medians over rounds, ratios, and the one table they are printed in. Nothing is measured here."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Series:
    """One thing measured in several rounds, more is better unless the unit says otherwise."""

    name: str
    unit: str = "/s"
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def spread(self) -> str:
        return f"{min(self.values):,.0f}–{max(self.values):,.0f}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One series against another of the same rounds. ``target``: the least ratio; ``aim``: what would be better yet."""

    name: str
    measured: Series
    against: Series
    target: float
    aim: float | None = None

    @property
    def ratio(self) -> float:
        """The median of the ratios of each round: what slows a whole round down does not count."""
        pairs = zip(self.measured.values, self.against.values, strict=True)
        return statistics.median(one / other for one, other in pairs)

    @property
    def met(self) -> bool:
        return self.ratio >= self.target


def show(comparisons: Sequence[Comparison]) -> None:
    """The table, as it can be pasted into docs/performance.md."""
    print("\n| compared | median | (min–max) | against | median | (min–max) | ratio | target | |")
    print("|---|--:|---|---|--:|---|--:|--:|---|")
    for each in comparisons:
        aim = f" (aim {each.aim:g})" if each.aim else ""
        print(
            f"| {each.name} | {_figure(each.measured)} | {each.measured.spread()} | {each.against.name} "
            f"| {_figure(each.against)} | {each.against.spread()} | {each.ratio:.2f} | ≥ {each.target:g}{aim} "
            f"| {'met' if each.met else 'MISSED'} |"
        )


def _figure(series: Series) -> str:
    return f"{series.median:,.0f} {series.unit}"


def interleave(rounds: int, measures: Sequence[tuple[Series, Callable[[], float]]], say: Callable[[str], None]) -> None:
    """Measure everything once a round, every other round backwards, so that no order favours one of them."""
    for number in range(rounds):
        for series, measure in measures if number % 2 == 0 else reversed(measures):
            series.values.append(measure())
            say(f"  round {number + 1}/{rounds}  {series.name:<46}{series.values[-1]:>12,.0f} {series.unit}")


def machine() -> str:
    """The machine in one line, with how busy it already was: figures of a busy machine are only ratios."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        model = next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    load = os.getloadavg()[0]
    python = platform.python_version()
    system = f"{platform.system()} {platform.release()}"
    return f"{os.cpu_count()} × {model}, {system}, Python {python}; load average before: {load:.1f}"
