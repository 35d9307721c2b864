"""Nobody alone changes a count, a ballot or a frozen rule: an organizer presses everything there is, and more.

Every form that the desk ever shows to an organizer is collected while the campaign is a draft and at the stage that is
tried. Each is sent by each of its buttons, as it stands and with other values, with fields in it that no form has.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.nominators import call_for, id_of, send
from tests.services.test_counting import CLEAR, cast
from tests.spreadsheets import xlsx, zipped
from tests.storage.rows import VILLAGE
from tests.test_routes import ROUTES
from tests.web.desk import Person, token_in
from tests.web.forms import PageForm, forms_of
from tests.web.test_desk_candidates import picture
from tests.world import World, new_world, rules_text
from voting.services import campaigns, counting
from voting.services.rule_changes import ask_for_change, view_changes
from voting.services.trail import acting_as
from voting.storage.ballots import insert_void
from voting.storage.database import db

ACTS = (
    "pause",
    "resume",
    "open",
    "withdraw",
    "count",
    "ask",
    "confirm",
    "ask_close",
    "confirm_close",
    "withdraw_close",
)
ACTS += ("ask_close", "confirm_close", "close", "count", "ask", "confirm", "open")
STEPS = ("texts", "time", "awards", "quotas", "identity", "display", "purpose")
#: ends the session that the rest needs; tried by the tests of the door
LEFT_OUT = {"/organizer/sign-out"}
#: what pages offer only while voting is open
WHILE_OPEN = {
    "/organizer/campaigns/<slug>/stop",
    "/organizer/campaigns/<slug>/changes/new",
    "/organizer/campaigns/<slug>/changes/<any(confirm, withdraw, finish):decision>",
}
#: in no form of the desk
FORGED = {
    **dict.fromkeys(("votes", "count", "tally", "accepted", "recorded", "times", "rank", "seats", "weight"), "999"),
    **dict.fromkeys(("voided", "published_at", "opened_at", "sealed_ms", "expected", "tied"), "1"),
    **dict.fromkeys(("rules", "difference", "ballots", "choices", "results", "standings"), "{}"),
    **dict.fromkeys(("rules_hash", "epoch", "hash", "ballot_id", "voter_key", "receipt"), "0" * 26),
    "stage": "published",
    "state": "published",
    "standing": "withdrawn",
    "outcome": "selected",
    "paused_reason": "",
}
KEPT_AS_IT_IS = {"csrf_token", "seen", "version", "act", "award", "method", "kind", "form"}


@dataclass
class Organizer:
    """Somebody who presses everything.

    ``forms`` are those ever shown, by address; ``reached`` the routes that something was sent to; ``uploads`` the names
    of waiting files, by room; ``nominations`` wait for a decision.
    """

    world: World
    person: Person
    forms: dict[str, PageForm] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)
    uploads: dict[str, str] = field(default_factory=dict)
    nominations: tuple[int, ...] = ()

    @property
    def base(self) -> str:
        return f"/organizer/campaigns/{self.world.slug}"

    def addresses(self, rule: Rule) -> list[str]:
        """Every address of a route that belongs to this campaign."""
        paths = [rule.rule.replace("<slug>", self.world.slug)]
        some: dict[str, list[str]] = {
            "candidate_id": [str(one) for one in self.world.ids("c1", "c5", "w1")],
            "act": list(dict.fromkeys(ACTS)),
            "step": list(STEPS),
            "decision": ["confirm", "finish", "withdraw"],
            "nomination_id": [str(one) for one in self.nominations],
            "token": [token for room, token in self.uploads.items() if f"/candidates/{room}/" in rule.rule],
        }
        for name in rule.arguments - {"slug"}:
            paths = [re.sub(rf"<(?:[^<>]+:)?{name}>", value, path) for path in paths for value in some.get(name, ["1"])]
        return paths

    def look_everywhere(self) -> None:
        """Collect the forms of every page."""
        for rule in self.world.app.url_map.iter_rules():
            if rule.rule.startswith("/organizer") and "GET" in (rule.methods or ()):
                for path in self.addresses(rule):
                    page = self.person.client.get(path, query_string=FORGED)
                    assert page.status_code < 500, path
                    for found in forms_of(path, page.text) if page.mimetype == "text/html" else ():
                        if found.method == "post":
                            self.forms[found.action] = found
                    page.close()

    def bring_files(self) -> None:
        """A sheet and a zip that wait for their confirmation."""
        rows = [("c1", "别的名字", VILLAGE, "90", "", "", ""), ("new", "新来的", VILLAGE, "91", "", "", "")]
        for room, name, content in (
            ("import", "a.xlsx", xlsx(rows)),
            ("photos", "a.zip", zipped(("1.png", picture()))),
        ):
            answer = self.send_file(f"{self.base}/candidates/{room}", "file", name, content, award="centres")
            assert answer.status_code == 303, answer.text
            self.uploads[room] = answer.headers["Location"].rsplit("/", 1)[1]

    def send_file(self, path: str, place: str, name: str, content: bytes, **others: str) -> TestResponse:
        data = others | FORGED | {"csrf_token": self.token(), place: (io.BytesIO(content), name)}
        answer = self.person.client.post(path, data=data, content_type="multipart/form-data")
        answer.request.environ["wsgi.input"].close()
        return answer

    def token(self) -> str:
        return token_in(self.person.get("/organizer/account"))

    def press(self, path: str, fields: dict[str, Any]) -> None:
        """Send a form with all that is forged, as of the page that is newest."""
        version = str(self.world.campaign().version)
        data = FORGED | fields | {"csrf_token": self.token(), "version": version, "reason": "试一试"}
        # A number is the version of the campaign, anything else the mark of a candidate or a step.
        if "".join(data.get("seen", ())).isdigit():
            data["seen"] = version
        answer = self.person.client.post(path, data=data, query_string=FORGED)
        assert answer.status_code < 500, f"{path}: {answer.text}"
        answer.close()
        matched, _ = self.world.app.url_map.bind("localhost").match(path, method="POST", return_rule=True)
        self.reached.add(matched.rule)

    def press_everything(self) -> None:
        """Every form by every button, then files, then addresses that no page at this stage leads to."""
        for form in list(self.forms.values()):
            if form.action in LEFT_OUT or "/stages/" in form.action:
                continue
            fields = form.fields.to_dict(flat=False)
            for sent in (fields, {name: [changed(name, one) for one in values] for name, values in fields.items()}):
                for button in ({}, *({name: value} for name, value in form.buttons)):
                    self.press(form.action, sent | button)
        candidate = f"{self.base}/candidates/{self.world.ids('c2')[0]}/photo"
        for path, place, name, content in (
            (f"{self.base}/candidates/import", "file", "a.xlsx", xlsx([("c1", "又一个", VILLAGE, "9", "", "", "")])),
            (f"{self.base}/candidates/photos", "file", "a.zip", zipped(("1.png", picture()))),
            (candidate, "photo", "a.png", picture()),
        ):
            assert self.send_file(path, place, name, content, award="centres").status_code < 500
        for path in (f"{self.base}/discard", *(f"{self.base}/edit/{step}" for step in STEPS), f"{self.base}/trial"):
            self.press(path, {})

    def ask_for_a_change(self) -> None:
        """A change of the rules that could be confirmed, by somebody else."""

        def ask() -> None:
            version = view_changes(self.world.slug).campaign.version
            with acting_as(self.person.name):
                ask_for_change(self.world.slug, version, {"purpose": "别的用途"}, "试一试")

        self.world.do(ask)

    def press_every_stage(self) -> None:
        for act in ACTS:
            self.press(f"{self.base}/stages/{act}", {})


def changed(name: str, value: str) -> str:
    """Another value of the same shape."""
    if name in KEPT_AS_IT_IS or name.endswith("-key"):
        return value
    return str(int(value) + 1) if value.isdigit() else f"{value}改"


def draft_with_forms(app: Any) -> Organizer:
    world = new_world(app).put(rules_text(), opened=False)
    call_for(world)
    # Signed in twice: only then are there other devices to sign out.
    organizer = Organizer(world, Person(app, "organizer").signed_in().signed_in())
    organizer.nominations = tuple(id_of(world, send(world, name=name)) for name in ("王家", "李家"))
    organizer.bring_files()
    organizer.look_everywhere()
    return organizer


def bring_to(organizer: Organizer, stage: str) -> None:
    """Opened, with ballots; then on to the stage that is wanted, by somebody else."""
    world, other = organizer.world, Person(organizer.world.app, "organizer").signed_in()
    world.do(campaigns.open_campaign, world.slug)
    cast(world, *CLEAR)
    world.record()
    if stage == "closed":
        world.do(campaigns.seal_campaign, world.slug)
    elif stage != "open":
        world.do(counting.close_campaign, world.slug)
    if stage == "published":
        world.do(counting.publish_campaign, world.slug)
    assert world.campaign().stage == stage
    assert other.get(organizer.base).status_code == 200


def frozen(world: World) -> dict[str, Any]:
    """Ballots, the box's counts, the rules and who stands: what nobody changes alone once voting was opened."""
    slug = {"slug": world.slug}
    of_campaign = "campaign_id = (SELECT id FROM campaigns WHERE slug = :slug)"
    ledger = {name: Counter(map(repr, world.sql(f"SELECT * FROM {name}"))) for name in ("ballots", "choices", "voids")}
    columns = "id, award, code, number, name, area_code, group_key, standing, standing_reason"
    return ledger | {
        "campaign": world.sql(
            "SELECT slug, title, rules, rules_hash, epoch, opened_at FROM campaigns WHERE slug = :slug", **slug
        ),
        "candidates": world.sql(f"SELECT {columns} FROM candidates WHERE {of_campaign} ORDER BY id", **slug),
        "tally": world.valkey.hgetall(world.key("tally")),
        "accepted": world.valkey.hget(world.key("box"), "accepted"),
    }


def counted(world: World) -> dict[int, list[tuple[Any, ...]]]:
    """Every version of the result, as it was written."""
    versions = world.sql("SELECT id, version, created_at, inputs, difference FROM results ORDER BY id")
    return {
        number: [row, *world.sql("SELECT * FROM standings WHERE result_id = :id ORDER BY candidate_id", id=number)]
        for number, *row in versions
    }


def test_on_a_draft_the_same_presses_change_a_lot_and_reach_every_route(lite_app: Any) -> None:
    """What follows proves nothing if the presses are empty: here they are not."""
    organizer = draft_with_forms(lite_app)
    world, before = organizer.world, frozen(organizer.world)
    organizer.press_everything()
    after = frozen(world)
    assert before["campaign"] != after["campaign"]
    assert before["candidates"] != after["candidates"]
    assert "新来的" in {name for _, _, _, _, name, *_ in after["candidates"]}, "the sheet was imported"
    organizer.press_every_stage()
    writable = {
        route
        for route, (methods, who) in ROUTES.items()
        if route.startswith("/organizer") and "POST" in methods and "organizer" in who.split()
    }
    there = {rule.rule for rule in world.app.url_map.iter_rules()}
    missing = (writable & there) - organizer.reached - LEFT_OUT - WHILE_OPEN
    assert not missing, f"nothing was pressed at {sorted(missing)}"


@pytest.mark.parametrize("stage", ["open", "closed", "provisional", "published"])
def test_whatever_one_person_presses_counts_ballots_and_rules_stay(app: Any, stage: str) -> None:
    organizer = draft_with_forms(app)
    world = organizer.world
    bring_to(organizer, stage)
    before, results = frozen(world), counted(world)
    organizer.look_everywhere()
    organizer.press_everything()
    if stage == "open":
        # Whatever was asked with values that nobody can mean was refused.
        organizer.ask_for_a_change()
    # Now there are requests that wait for another person, and buttons to answer them.
    organizer.look_everywhere()
    organizer.press_everything()
    assert frozen(world) == before
    if stage == "open":
        assert organizer.reached >= WHILE_OPEN - LEFT_OUT
    organizer.press_every_stage()
    assert frozen(world) == before
    after = counted(world)
    assert {number: after[number] for number in results} == results, "a result that was written stays as it was"
    votes = dict(world.sql("SELECT candidate_id, sum(times) FROM choices GROUP BY candidate_id"))
    for number in after:
        told = dict(world.sql("SELECT candidate_id, votes FROM standings WHERE result_id = :id", id=number))
        assert {one: n for one, n in told.items() if n} == {one: int(n) for one, n in votes.items()}
    # One person can count what is closed; to close before the time, or to publish, takes two.
    assert world.campaign().stage == {"open": "open", "published": "published"}.get(stage, "provisional")
    assert world.failing() == set()


def test_the_second_person_is_another_one_and_published_is_what_was_counted(app: Any) -> None:
    organizer = draft_with_forms(app)
    world = organizer.world
    bring_to(organizer, "provisional")
    before = counted(world)
    organizer.press(f"{organizer.base}/stages/ask", {})
    organizer.press(f"{organizer.base}/stages/confirm", {})
    # A second session of the same person is the same person.
    again = Organizer(world, organizer.person.signed_in())
    again.press(f"{organizer.base}/stages/confirm", {"votes": "999"})
    assert world.campaign().stage == "provisional"
    other = Organizer(world, Person(world.app, "organizer").signed_in())
    other.press(f"{organizer.base}/stages/confirm", {"votes": "999", "rank": "1"})
    assert world.campaign().stage == "published"
    assert counted(world) == before


def void_one(world: World) -> None:
    """A ballot is marked as void, so that there is a row."""

    def void() -> None:
        (ballot_id,) = world.sql("SELECT min(ballot_id) FROM ballots")[0]
        insert_void(db.session(), ballot_id, "测试", "chen", "-", 1)
        db.session.commit()

    world.do(void)


@pytest.mark.parametrize("table", ["ballots", "choices", "voids", "trail"])
@pytest.mark.parametrize("statement", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}", "replace"])
def test_the_database_itself_refuses(world: World, table: str, statement: str) -> None:
    """The application's own connection, and whoever can put SQL through it, cannot rewrite what was voted and done."""
    cast(world, *CLEAR)
    world.record()
    void_one(world)
    before = world.sql(f"SELECT * FROM {table}")
    assert before, "an empty table refuses nothing"
    column = {"ballots": "receipt", "choices": "times", "voids": "reason", "trail": "actor"}[table]
    sqlite = world.do(lambda: db.engine.dialect.name) == "sqlite"
    asked = statement.format(table=table, column=column)
    if statement == "replace":
        asked = f"REPLACE INTO {table} SELECT * FROM {table}" if sqlite else f"TRUNCATE {table} CASCADE"
    with world.app.app_context():
        with pytest.raises(DatabaseError, match="append-only"):
            db.session.execute(text(asked))
        db.session.rollback()
    assert world.sql(f"SELECT * FROM {table}") == before
