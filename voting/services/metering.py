"""Figures for operators: counters of this process (shared by all workers through files) and gauges read on demand.

No figure carries a voter, an address or a candidate.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from voting.rules.errors import BoxUnavailable
from voting.services.boxes import box_of, boxes
from voting.services.catalogue import all_campaigns
from voting.tally.stream import read_backlog

BALLOTS = Counter("voting_ballots_total", "Ballots answered, by outcome", ["outcome"])
REFUSALS = Counter("voting_refusals_total", "Requests refused, by code", ["code"])
_first, _again = BALLOTS.labels("accepted"), BALLOTS.labels("repeated")


def count_ballot(first: bool) -> None:
    """A ballot was accepted, or recognised as one accepted before."""
    (_first if first else _again).inc()


def count_refusal(code: str) -> None:
    REFUSALS.labels(code).inc()


def exposition() -> tuple[bytes, str]:
    """All figures in the Prometheus text format, and its content type."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)
    else:
        registry.register(BALLOTS)
        registry.register(REFUSALS)
    registry.register(_Boxes())
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Boxes(Collector):
    """Asked when somebody looks, and so not kept in the files that the workers share."""

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("voting_box_up", "1 when the campaign's ballot box answers", labels=["campaign"])
        accepted = GaugeMetricFamily("voting_box_accepted", "Ballots the box accepted", labels=["campaign"])
        lag = GaugeMetricFamily("voting_recording_lag", "Ballots accepted, not recorded yet", labels=["campaign"])
        for view in all_campaigns():
            if view.stage not in ("open", "closed"):
                continue
            try:
                box = box_of(view.id, view.rules).status()
                backlog = read_backlog(boxes().client, view.id)
            except (BoxUnavailable, RedisError):
                box = backlog = None
            up.add_metric([view.slug], 1 if box and box.epoch == view.epoch else 0)
            if box and backlog:
                accepted.add_metric([view.slug], box.accepted)
                lag.add_metric([view.slug], backlog.lag)
        return up, accepted, lag
