"""The Redis client and the ballot boxes of this process: made once, shared by every thread and service."""

from __future__ import annotations

from threading import Lock

from flask import Flask, current_app
from redis import Redis

from voting.rules.campaign import RuleSet
from voting.tally.ballot_box import AddressLimits, BallotBox
from voting.tally.combining import Combiner
from voting.tally.connection import connect

_EXTENSION = "voting_boxes"


class Boxes:
    """Boxes by campaign; a box is made anew when the campaign's rules were."""

    def __init__(self, url: str, address_limits: AddressLimits) -> None:
        self.client: Redis = connect(url)
        self._combiner = Combiner(self.client)
        self._address_limits = address_limits
        self._boxes: dict[int, BallotBox] = {}
        self._lock = Lock()

    def get(self, campaign: int, rules: RuleSet) -> BallotBox:
        """The campaign's box."""
        box = self._boxes.get(campaign)
        if box is None or (box.layout.rules is not rules and box.layout.rules != rules):
            with self._lock:
                box = BallotBox(self.client, campaign, rules, self._address_limits, combiner=self._combiner)
                self._boxes[campaign] = box
        return box


def init_boxes(app: Flask) -> None:
    """Give the application its client; nothing is sent to Redis yet."""
    limits = AddressLimits(**app.config.get("ADDRESS_LIMITS", {}))
    app.extensions[_EXTENSION] = Boxes(app.config["REDIS_URL"], limits)


def boxes() -> Boxes:
    found: Boxes = current_app.extensions[_EXTENSION]
    return found


def box_of(campaign: int, rules: RuleSet) -> BallotBox:
    """The box of a campaign of the current application."""
    return boxes().get(campaign, rules)
