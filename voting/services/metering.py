"""Figures for operators: counters of this process (shared by all workers through files) and gauges read on demand.

No figure carries a voter, an address or a candidate. Nor does one tell how many ballots a campaign has while its rules
hold counts back: who can read this page could otherwise read there what every other page hides.
"""

from __future__ import annotations

import os
import time
from collections import Counter as Counts
from collections.abc import Iterable, Iterator

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


def count_ballot(slug: str, first: bool) -> None:
    """A ballot was accepted, or recognised as one accepted before."""
    BALLOTS.labels(slug, "accepted" if first else "repeated").inc()


def holds_counts_back(campaign: CampaignView) -> bool:
    """Whether the number of ballots a campaign has now is nobody's business yet."""
    sealed_ms = campaign.sealed_id and campaign.sealed_id[0]
    return holds_back(campaign.rules, campaign.stage, time.time_ns() // 1_000_000, sealed_ms)


def count_refusal(code: str, slug: str = "") -> None:
    """``slug`` names a campaign there is: a made-up one would be a figure of its own for ever."""
    REFUSALS.labels(code).inc()
    if slug:
        REFUSED.labels(slug, code).inc()


def refusals_of(slug: str) -> dict[str, int]:
    """Refusals about a campaign by code, of all workers of this machine since it was started."""
    found: Counts[str] = Counts()
    for metric in _Counters().all():
        for sample in metric.samples:
            if sample.name == "voting_campaign_refusals_total" and sample.labels.get("campaign") == slug:
                found[sample.labels["code"]] += int(sample.value)
    return dict(found)


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
        return [*BALLOTS.collect(), *REFUSALS.collect(), *REFUSED.collect()]


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
