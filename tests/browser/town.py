"""A town to walk through: the real server, recorder, Valkey and SQLite, the demonstration, a campaign in every phase.

``start_town`` starts it; tests, ``benchmarks/page_weight.py`` and ``benchmarks/screenshots.py`` share it.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from flask import Flask
from PIL import Image

from tests.databases import migrate_to
from tests.nominators import call_for
from tests.peers.issuer import Issuer
from tests.peers.wechat import WeChatPeer
from tests.servers import Server, free_port, wait_until
from tests.world import DAY_S, HOUR_S, Voter, World, application, rules_text
from voting import assets
from voting.services import banners, campaigns, catalogue, counting, demonstration, drafting, rule_changes
from voting.services.boxes import boxes
from voting.services.trail import acting_as
from voting.tally import embedded

DEMO = demonstration.SLUG
SCREENS = (
    *("-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--workers", "1", "--no-ws"),
    *("--log-level", "warning", "--workers-kill-timeout", "2"),
)
PAUSED_BECAUSE = "正在核实异常选票"
CHANGED_BECAUSE = ("连日断网，补足三天投票时间", "夜间维护网络，改为白天投票")
_addresses = (f"2001:db8:f{number // 65536:03x}:{number % 65536:x}::1" for number in itertools.count(1))


@dataclass
class Town:
    """The running system. ``app`` is an application of our own on its stores, for looking and for preparing."""

    folder: Path
    app: Flask
    server: Server
    screens_port: int
    worlds: dict[str, World] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def has_route(self, rule: str) -> bool:
        """Whether there is a page at an address, as the application spells it: ``/c/<slug>/mine``."""
        return any(each.rule == rule for each in self.app.url_map.iter_rules())

    def world(self, slug: str) -> World:
        return self.worlds.setdefault(slug, World(self.app, slug))

    def candidates(self, slug: str, award: str) -> list[catalogue.CandidateView]:
        return [each for each in self.world(slug).campaign().candidates if each.award == award]

    def votes(self, slug: str) -> dict[int, int]:
        """The tally by candidate number, as the box has it this moment."""
        campaign = self.world(slug).campaign()
        counts = self.world(slug).do(lambda: boxes().get(campaign.id, campaign.rules).counts())
        return {campaign.by_id[candidate].number: votes for candidate, votes in counts.votes.items()}

    def voter(self, slug: str) -> Voter:
        """Somebody with a phone and an address of their own, who votes without a browser."""
        voter = self.world(slug).voter()
        voter.client.environ_base["REMOTE_ADDR"] = next(_addresses)
        return voter

    def log(self) -> str:
        """What the processes have said so far, without colours."""
        text = (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")
        return re.sub(r"\x1b\[[0-9;]*m", "", text)

    def put(self, slug: str, rules: str) -> World:
        """One more open campaign of the small kind that ``tests.world`` makes."""
        world = self.world(slug).put(rules)
        # Each of the server's processes looks at SQL once a second, and which of them answers is chance.
        wait_until(lambda: all(self.answers(f"/c/{slug}") for _ in range(12)), f"the server knows {slug}", 10)
        return world

    def answers(self, path: str) -> bool:
        return httpx.get(self.url + path, trust_env=False, follow_redirects=True).status_code == 200


@contextmanager
def system(folder: Path) -> Iterator[Town]:
    """The stores with nothing in them, and a server that is not started yet; all is stopped whatever happens."""
    assets.build()
    database_url = f"sqlite:///{folder / 'town.sqlite3'}"
    migrate_to(database_url)
    valkey = embedded.start(folder)
    screens_port = free_port()
    try:
        with WeChatPeer() as wechat, Issuer() as issuer:
            peers = wechat.config | issuer.config | {"SMS_PROVIDER": "console"}
            with application(database_url, valkey.url, folder, **peers) as app:
                environment = peers | {"SCREENS_URL": f"http://127.0.0.1:{screens_port}"}
                server = Server(folder, database_url, valkey.url, environment=environment)
                yield Town(folder, app, server, screens_port)
    finally:
        valkey.stop()


@contextmanager
def start_town(folder: Path) -> Iterator[Town]:
    """Everything started, with the demonstration and a campaign in every phase."""
    with system(folder) as town:
        town.world(DEMO).do(demonstration.seed_if_empty)
        with town.server:
            town.server.start(*SCREENS, "--port", str(town.screens_port), "voting.screens:app")
            settle(town)
            yield town


def change_rules(slug: str) -> None:
    """A change that two people have made, and a second one that waits."""
    rules = catalogue.get_campaign(slug).rules
    later = {"closes_at": rules.local(rules.closes_ms + 3 * DAY_S * 1000).isoformat(), "purpose": "用于年度表彰"}
    for number, changes in enumerate((later, {"daily_hours": ["06:00", "23:00"], "ties": ["extend_seats"]})):
        with acting_as("陈主任"):
            version = rule_changes.view_changes(slug).campaign.version
            rule_changes.ask_for_change(slug, version, changes, CHANGED_BECAUSE[number])
        view = rule_changes.view_changes(slug)
        if number == 0 and view.proposed is not None:
            with acting_as("王主任"):
                rule_changes.confirm_change(slug, view.campaign.version, view.proposed.mark)


def give_banner(slug: str) -> None:
    """A banner as the wizard's first step gives it."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((1200, 400)).convert("RGB").save(out, "JPEG")
    dossier = drafting.get_dossier(slug)
    seen = banners.banner_mark(dossier.banner, dossier.banner_alt)
    banners.set_banner(slug, out.getvalue(), "由深到浅的底色", seen)


def settle(town: Town) -> None:
    """Campaigns in every phase and for every identity beside the demonstration, with votes where there can be some."""
    town.world("draft").put(rules_text(opens_s=HOUR_S, closes_s=DAY_S), opened=False)
    call_for(town.world("draft"), conditions="一、在本地连续居住三年以上；\n二、材料真实，经得起公示。")
    town.world("draft").do(give_banner, "draft")
    town.world("upcoming").put(rules_text(opens_s=HOUR_S, closes_s=DAY_S))
    for identity in ("sms", "wechat", "oidc"):
        town.world(f"by-{identity}").put(rules_text(identity=[identity]))
    town.world("effort").put(rules_text(challenge="always"))
    town.world("changed").put(rules_text(closes_s=5 * DAY_S))
    town.world("changed").do(change_rules, "changed")
    for slug in ("paused", "closed", "published"):
        town.world(slug).put(rules_text())
        for codes in (("c1", "c2", "h1", "h2", "h3"), ("c1", "c2", "h1", "h2"), ("c1", "c3", "h1")):
            assert town.voter(slug).cast(*codes).status_code == 201
    town.world("hidden").put(rules_text(display="hidden"))
    assert town.voter("hidden").cast("c1", "h2").status_code == 201
    town.world("paused").do(campaigns.pause_campaign, "paused", PAUSED_BECAUSE)
    for slug in ("closed", "published"):
        town.world(slug).do(counting.close_campaign, slug)
    town.world("published").do(counting.publish_campaign, "published")
    known = [slug for slug in town.worlds if slug != "draft"]
    wait_until(lambda: all(town.answers(f"/c/{slug}") for slug in known), "the server knows every campaign", 10)
