"""Figures for operators: counters of this process (shared by all workers through files) and gauges read on demand.

No figure carries a voter, an address or a candidate. Nor does one tell how many ballots a campaign has while its rules
hold counts back: who can read this page could otherwise read there what every other page hides.
"""

from __future__ import annotations

import os
import time
from collections import Counter as Counts
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from voting.rules.display import holds_back
from voting.rules.errors import BoxUnavailable
from voting.services.boxes import box_of, boxes
from voting.services.catalogue import CampaignView, all_campaigns
from voting.tally.stream import read_backlog

BALLOTS = Counter("voting_ballots_total", "Ballots answered, by campaign and outcome", ["campaign", "outcome"])
REFUSALS = Counter("voting_refusals_total", "Requests refused, by code", ["code"])
REFUSED = Counter("voting_campaign_refusals_total", "Requests refused about a campaign", ["campaign", "code"])
#: the only place that knows how voters signed in and on what: the ballots themselves do not say
ACCEPTED = Counter(
    "voting_campaign_ballots_total",
    "Ballots accepted, by identity and kind of device",
    ["campaign", "identity", "device"],
)
CHOSEN = Counter(
    "voting_campaign_votes_total", "Choices on them, by identity and kind of device", ["campaign", "identity", "device"]
)


@cache
def _answered(slug: str, outcome: str) -> Counter:
    # Looked up once: finding a counter costs more than raising it, and the vote passes here.
    return BALLOTS.labels(slug, outcome)


@cache
def _mix(slug: str, identity: str, device: str) -> tuple[Counter, Counter]:
    return ACCEPTED.labels(slug, identity, device), CHOSEN.labels(slug, identity, device)


def count_ballot(slug: str, first: bool, identity: str, device: str, choices: int) -> None:
    """A ballot was accepted, or recognised as one accepted before. In this process's memory; nothing is sent."""
    _answered(slug, "accepted" if first else "repeated").inc()
    if first:
        ballots, votes = _mix(slug, identity, device)
        ballots.inc()
        votes.inc(choices)


def holds_counts_back(campaign: CampaignView) -> bool:
    """Whether the number of ballots a campaign has now is nobody's business yet."""
    sealed_ms = campaign.sealed_id and campaign.sealed_id[0]
    return holds_back(campaign.rules, campaign.stage, time.time_ns() // 1_000_000, sealed_ms)


def count_refusal(code: str, slug: str = "") -> None:
    """``slug`` names a campaign there is: a made-up one would be a figure of its own for ever."""
    REFUSALS.labels(code).inc()
    if slug:
        REFUSED.labels(slug, code).inc()


@dataclass(frozen=True, slots=True)
class Tallies:
    """What was counted about a campaign, by all workers of this machine since it was started.

    ``identities`` and ``devices``: ballots and choices accepted, by how voters signed in and by kind of device.
    """

    refusals: Mapping[str, int]
    identities: Mapping[str, tuple[int, int]]
    devices: Mapping[str, tuple[int, int]]


def tallies_of(slug: str) -> Tallies:
    """The counters of a campaign, whatever its rules hold back: for the organizers' desk and nobody else."""
    refusals: Counts[str] = Counts()
    mix: dict[tuple[str, str], list[int]] = {}
    for metric in _Counters().all():
        for sample in metric.samples:
            if sample.labels.get("campaign") != slug:
                continue
            if sample.name == "voting_campaign_refusals_total":
                refusals[sample.labels["code"]] += int(sample.value)
            elif (column := _COLUMNS.get(sample.name)) is not None:
                for kind in ("identity", "device"):
                    mix.setdefault((kind, sample.labels[kind]), [0, 0])[column] += int(sample.value)

    def of(kind: str) -> dict[str, tuple[int, int]]:
        return {name: (ballots, votes) for (each, name), (ballots, votes) in mix.items() if each == kind}

    return Tallies(dict(refusals), of("identity"), of("device"))


_COLUMNS = {"voting_campaign_ballots_total": 0, "voting_campaign_votes_total": 1}


def exposition() -> tuple[bytes, str]:
    """All figures in the Prometheus text format, and its content type."""
    registry = CollectorRegistry()
    registry.register(_Counters())
    registry.register(_Boxes())
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Counters(Collector):
    """The counters of all workers, without those that would tell what a campaign holds back."""

    def collect(self) -> Iterator[Metric]:
        held_back = {view.slug for view in all_campaigns() if holds_counts_back(view)}
        for metric in self.all():
            metric.samples = [sample for sample in metric.samples if sample.labels.get("campaign") not in held_back]
            yield metric

    def all(self) -> Iterable[Metric]:
        """The same, of every campaign: not for a page that anybody else than organizers reads."""
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            return MultiProcessCollector(None).collect()
        return [metric for one in (BALLOTS, REFUSALS, REFUSED, ACCEPTED, CHOSEN) for metric in one.collect()]


class _Boxes(Collector):
    """Asked when somebody looks, and so not kept in the files that the workers share."""

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("voting_box_up", "1 when the campaign's ballot box answers", labels=["campaign"])
        accepted = GaugeMetricFamily("voting_box_accepted", "Ballots the box accepted", labels=["campaign"])
        lag = GaugeMetricFamily("voting_recording_lag", "Ballots accepted, not recorded yet", labels=["campaign"])
        delay = GaugeMetricFamily(
            "voting_recording_delay_seconds", "Age of the oldest ballot given to a recorder", labels=["campaign"]
        )
        for view in all_campaigns():
            if view.stage not in ("open", "closed"):
                continue
            try:
                box = box_of(view.id, view.rules).status()
                backlog = read_backlog(boxes().client, view.id)
            except (BoxUnavailable, RedisError):
                box = backlog = None
            up.add_metric([view.slug], 1 if box and box.epoch == view.epoch else 0)
            if box is None or backlog is None:
                continue
            waits_s = time.time() - backlog.oldest_pending[0] / 1000 if backlog.oldest_pending else 0.0
            delay.add_metric([view.slug], max(0.0, waits_s))
            if not holds_counts_back(view):
                accepted.add_metric([view.slug], box.accepted)
                lag.add_metric([view.slug], backlog.lag)
        return up, accepted, lag, delay
