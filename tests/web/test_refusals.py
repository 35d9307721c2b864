"""Every no that a voter can meet, through the API and as a plain form: its own code and sentence, nothing counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from itsdangerous import Signer
from ulid import ULID

from tests.web.attempts import CHANNELS, Attempt, check_page, check_problem, check_refused
from tests.world import DAY_S, HOUR_S, World, aged_id, application, calm_zone, new_world, quota, rules_text
from voting.identity.device import DeviceIdentity
from voting.identity.tokens import BallotTokens
from voting.services import campaigns, counting


def with_cookie(attempt: Attempt, value: str) -> Attempt:
    attempt.client.set_cookie("device", value)
    return attempt


def _used_before(world: World, other_voter: bool) -> Attempt:
    voter, ballot_id = world.voter(), str(ULID())
    assert voter.cast("c1", ballot_id=ballot_id).status_code == 201
    return Attempt.of(world.voter() if other_voter else voter, "c1" if other_voter else "c2", ballot_id=ballot_id)


def _other_token(world: World) -> Attempt:
    other = world.voter()
    other.paper()
    return Attempt.of(world.voter(), "c1", token=other.token)


def _other_campaigns_token(world: World) -> Attempt:
    other, voter = new_world(world.app).put(rules_text()), world.voter()
    attempt = Attempt.of(voter, "c1")
    attempt.token = voter.client.get(f"{other.api}/ballot").json["csrf_token"]
    return attempt


def _altered_cookie(world: World) -> Attempt:
    voter = world.voter()
    attempt = Attempt.of(voter, "c1")
    # The subject's first character: the last one of base64 may not matter.
    first = "A" if voter.cookie[0] != "A" else "B"
    return with_cookie(attempt, first + voter.cookie[1:])


def _foreign_cookie(world: World) -> Attempt:
    """Signed well, with the key of another site."""
    secret = "the key of another site"
    other = DeviceIdentity(secret)
    cookie = other.issue()
    token = BallotTokens(secret).make(other.read(cookie), world.slug)
    return with_cookie(Attempt.of(world.voter(), "c1", token=token), cookie)


def _cookie_of_another_kind(world: World) -> Attempt:
    """Signed with our key, for something else."""
    signer = Signer(world.app.config["SECRET_KEY"], salt="other")
    return with_cookie(Attempt.of(world.voter(), "c1"), signer.sign("x").decode())


def _no_cookie(world: World) -> Attempt:
    attempt = Attempt.of(world.voter(), "c1")
    attempt.client.delete_cookie("device")
    return attempt


#: what is wrong -> status, code, and the ballot that shows it in an open campaign
WRONG: dict[str, tuple[int, str, Callable[[World], Attempt]]] = {
    "unknown candidate": (422, "unknown_candidate", lambda w: Attempt.of(w.voter(), "c1", choices=[1, 999_999])),
    "candidate zero": (422, "unknown_candidate", lambda w: Attempt.of(w.voter(), choices=[7_000_000_000])),
    "withdrawn": (422, "candidate_withdrawn", lambda w: Attempt.of(w.voter(), "c1", "w1")),
    "doubled": (422, "repeated_candidate", lambda w: Attempt.of(w.voter(), "c1", "h1", "h1")),
    "too many of an award": (422, "too_many_choices", lambda w: Attempt.of(w.voter(), "c1", "c2", "c3", "c4")),
    "too many": (422, "too_many_choices", lambda w: Attempt.of(w.voter(), "c1", "c2", "c3", "h1", "h2", "h3", "h4")),
    "id used with other choices": (409, "ballot_id_conflict", lambda w: _used_before(w, other_voter=False)),
    "id used by another voter": (409, "ballot_id_conflict", lambda w: _used_before(w, other_voter=True)),
    "old id": (409, "ballot_id_expired", lambda w: Attempt.of(w.voter(), "c1", ballot_id=aged_id(DAY_S + 5))),
    "id of 1970": (409, "ballot_id_expired", lambda w: Attempt.of(w.voter(), "c1", ballot_id="0" * 26)),
    "id of tomorrow": (409, "ballot_id_from_future", lambda w: Attempt.of(w.voter(), "c1", ballot_id=aged_id(-310))),
    "id of far ahead": (409, "ballot_id_from_future", lambda w: Attempt.of(w.voter(), "c1", ballot_id="7" + "Z" * 25)),
    "no cookie": (403, "identity_missing", _no_cookie),
    "altered cookie": (403, "identity_forged", _altered_cookie),
    "foreign cookie": (403, "identity_forged", _foreign_cookie),
    "cookie of another kind": (403, "identity_forged", _cookie_of_another_kind),
    "nonsense cookie": (403, "identity_forged", lambda w: with_cookie(Attempt.of(w.voter(), "c1"), "x" * 3000)),
    "no token": (403, "wrong_token", lambda w: Attempt.of(w.voter(), "c1", token="")),
    "wrong token": (403, "wrong_token", lambda w: Attempt.of(w.voter(), "c1", token="0" * 32)),
    "another voter's token": (403, "wrong_token", _other_token),
    "another campaign's token": (403, "wrong_token", _other_campaigns_token),
    "another site": (403, "wrong_origin", lambda w: Attempt.of(w.voter(), "c1", headers={"Origin": "https://evil.example"})),
    "nowhere": (403, "wrong_origin", lambda w: Attempt.of(w.voter(), "c1", headers={"Origin": "null"})),
    "another port": (403, "wrong_origin", lambda w: Attempt.of(w.voter(), "c1", headers={"Origin": "http://localhost:81"})),
    "a name like ours": (403, "wrong_origin", lambda w: Attempt.of(w.voter(), "c1", headers={"Origin": "http://localhost.evil.example"})),
    "unknown campaign": (404, "campaign_not_found", lambda w: Attempt.of(w.voter(), "c1", slug="no-such-campaign")),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_named_and_changes_nothing(lite_world: World, wrong: str) -> None:
    status, code, make = WRONG[wrong]
    check_refused(lite_world, make(lite_world), status, code)


def test_too_few_choices(lite_app: Flask) -> None:
    world = new_world(lite_app).put(rules_text(ballot={"min": 3, "max": 5}))
    problem = check_refused(world, Attempt.of(world.voter(), "c1", "h1"), 422, "too_few_choices")
    assert problem["facts"] == {"scope": "ballot", "key": "", "chosen": 2, "least": 3}


def test_before_opening(lite_app: Flask) -> None:
    world = new_world(lite_app).put(rules_text(opens_s=HOUR_S, closes_s=DAY_S))
    problem = check_refused(world, Attempt.of(world.voter(), "c1"), 403, "not_open_yet")
    assert HOUR_S - 10 < problem["retry_after"] <= HOUR_S


def test_a_draft_does_not_exist_for_the_public(lite_app: Flask, lite_world: World) -> None:
    draft = new_world(lite_app).put(rules_text(), opened=False)
    attempt = Attempt.of(lite_world.voter(), "c1", slug=draft.slug)
    check_refused(draft, attempt, 404, "campaign_not_found")
    assert draft.get(f"{draft.api}/ballot").status_code == 404


def test_paused(lite_world: World) -> None:
    lite_world.do(campaigns.pause_campaign, lite_world.slug, "设备检修")
    problem = check_refused(lite_world, Attempt.of(lite_world.voter(), "c1"), 403, "voting_paused")
    assert "设备检修" in problem["title"]
    lite_world.do(campaigns.resume_campaign, lite_world.slug)
    assert lite_world.voter().cast("c1").status_code == 201


def test_closed_by_hand(lite_world: World) -> None:
    attempt = Attempt.of(lite_world.voter(), "c1")
    lite_world.do(campaigns.seal_campaign, lite_world.slug)
    check_refused(lite_world, attempt, 403, "voting_closed")
    lite_world.do(counting.close_campaign, lite_world.slug)
    check_refused(lite_world, attempt, 403, "voting_closed")


def test_closed_by_the_clock(lite_app: Flask) -> None:
    world = new_world(lite_app).put(rules_text(opens_s=-HOUR_S, closes_s=3))
    attempt = Attempt.of(world.voter(), "c1")
    wait_s = world.campaign().rules.closes_ms / 1000 - time.time()
    assert wait_s < 4
    time.sleep(max(0.0, wait_s) + 0.01)
    check_refused(world, attempt, 403, "voting_closed")


def test_outside_the_daily_hours(lite_app: Flask) -> None:
    later = datetime.now(ZoneInfo(calm_zone())) + timedelta(hours=1)
    world = new_world(lite_app).put(rules_text(daily_hours=[f"{later:%H:%M}", "23:00"]))
    problem = check_refused(world, Attempt.of(world.voter(), "c1"), 403, "outside_daily_hours")
    assert f"{later.hour}:{later:%M}" in problem["detail"].replace(f"{later:%H:%M}", f"{later.hour}:{later:%M}")


@pytest.mark.parametrize(
    ("line", "first", "second", "says"),
    [
        (quota("choices", "candidate", "day", 1), "c1", "c1", "tomorrow"),
        (quota("choices", "award", "day", 1), "c1", "c2", "tomorrow"),
        (quota("choices", "voter", "rolling", 1), "c1", "h1", "in a day"),
        (quota("ballots", "voter", "campaign", 1), "c1", "h1", "never"),
    ],
)
def test_quota_spent(lite_app: Flask, line: dict[str, object], first: str, second: str, says: str) -> None:
    """With the time at which it gives again, where there is one before the end."""
    world = new_world(lite_app).put(rules_text(closes_s=10 * DAY_S, quotas=[line]))
    voter = world.voter()
    assert voter.cast(first).status_code == 201
    problem = check_refused(world, Attempt.of(voter, second), 403, "quota_spent")
    facts = problem["facts"]
    assert (facts["unit"], facts["per"], facts["period"], facts["limit"]) == tuple(
        line[k] for k in ("unit", "per", "period", "limit")
    )
    assert (facts["used"], facts["asked"]) == (1, 1)
    wait = {"tomorrow": range(10 * HOUR_S, 14 * HOUR_S), "in a day": range(DAY_S - 60, DAY_S + 1), "never": [None]}[
        says
    ]
    assert problem.get("retry_after") in wait


def test_too_soon(lite_app: Flask) -> None:
    world = new_world(lite_app).put(rules_text(interval_s=600))
    voter = world.voter()
    assert voter.cast("c1").status_code == 201
    problem = check_refused(world, Attempt.of(voter, "c2"), 403, "too_soon")
    assert 590 < problem["retry_after"] <= 600


def test_the_box_is_missing_or_of_another_life(lite_world: World) -> None:
    world, attempt = lite_world, Attempt.of(lite_world.voter(), "c1")
    world.valkey.hset(world.key("box"), "epoch", "another")
    assert "facts" not in check_refused(world, attempt, 503, "box_unavailable"), "which part failed is for operators"
    world.valkey.delete(world.key("box"))
    assert check_refused(world, attempt, 503, "box_unavailable")["retry_after"] >= 1


def test_redis_is_away(sqlite_url: str, lite_world: World, tmp_path: Path) -> None:
    """503 through both doors, in both languages; the same ballot is accepted when Redis is back."""
    attempt = Attempt.of(lite_world.voter(), "c1")
    before = lite_world.dump()
    with application(sqlite_url, f"unix://{tmp_path / 'nobody.sock'}", tmp_path) as app:
        there, attempt.client = attempt.client, app.test_client()
        cookie = there.get_cookie("device")
        assert cookie is not None
        attempt.client.set_cookie("device", cookie.value)
        problem = check_problem(attempt.send("api"), 503, "box_unavailable")
        page = attempt.send("form")
        check_page(page, 503, problem["title"])
        assert attempt.ballot_id in page.text, "the page offers the same ballot again"
        english = attempt.send("api", **{"Accept-Language": "en"})
        assert english.json["code"] == "box_unavailable"
        for url in ("/", f"/c/{lite_world.slug}", f"/c/{lite_world.slug}/rules", f"/c/{lite_world.slug}/candidates/1"):
            assert app.test_client().get(url).status_code == 200, url
        for url in (f"/c/{lite_world.slug}/leaderboard", "/readyz", f"{lite_world.api}/leaderboard"):
            assert app.test_client().get(url).status_code == 503, url
        unknown = attempt.client.get("/api/v1/receipts/0000000000000000")
        check_problem(unknown, 503, "box_unavailable")
    assert lite_world.dump() == before
    attempt.client = there
    assert attempt.send("api").status_code == 201
    assert attempt.send("form").status_code == 303


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("origin", ["http://localhost", "https://localhost", None])
def test_our_own_pages_and_programs_may(lite_world: World, channel: str, origin: str | None) -> None:
    headers = {"Origin": origin} if origin else {}
    answer = Attempt.of(lite_world.voter(), "c1", headers=headers).send(channel)
    assert answer.status_code == {"api": 201, "form": 303}[channel]
