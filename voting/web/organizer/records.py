"""The desk's first page and its audit trail: what there is, and who did what. Reading only."""

from __future__ import annotations

from flask import Response, render_template, request
from werkzeug.wrappers import Response as BaseResponse
from wtforms import Form, IntegerField, StringField
from wtforms.validators import Length, NumberRange, Optional

from voting.rules.roles import ROLES
from voting.services import trail
from voting.services.catalogue import every_campaign
from voting.web.organizer.guard import allows, bp
from voting.web.organizer.trail_wording import changes_of
from voting.web.times import now_ms

PAGE = 50
#: of one entry; the others are there for whoever opens them
CHANGES_SHOWN = 8


class TrailFilter(Form):
    """What of the trail is asked for; ``before`` is the number to go on from."""

    campaign = StringField(validators=[Optional(), Length(max=64)])
    actor = StringField(validators=[Optional(), Length(max=64)])
    act = StringField(validators=[Optional(), Length(max=64)])
    before = IntegerField(validators=[Optional(), NumberRange(1)])


@bp.get("/")
@allows(*ROLES)
def desk_home() -> BaseResponse:
    """Every campaign with its stage, drafts too."""
    campaigns = every_campaign()
    body = render_template("organizer/home.html", campaigns=[(one, one.phase(now_ms())) for one in campaigns])
    return Response(body, mimetype="text/html")


@bp.get("/trail")
@allows("administrator", "organizer", "auditor")
def show_trail() -> BaseResponse:
    """Entries, newest first, fifty a page."""
    asked = TrailFilter(request.args)
    asked.validate()
    given = {name: field.data or "" for name, field in asked._fields.items() if name != "before" and not field.errors}
    before = None if asked.before.errors else asked.before.data
    entries = trail.list_entries(**given, before=before, limit=PAGE + 1)
    body = render_template(
        "organizer/trail.html",
        entries=entries[:PAGE],
        changes_of=changes_of,
        shown=CHANGES_SHOWN,
        asked=given,
        older=entries[PAGE - 1].number if len(entries) > PAGE else None,
    )
    return Response(body, mimetype="text/html")


@bp.get("/trail/check")
@allows("administrator", "auditor")
def check_trail() -> BaseResponse:
    """Walk the whole chain and say what was found."""
    faults = trail.check_trail()
    return Response(render_template("organizer/trail_check.html", faults=faults), mimetype="text/html")
