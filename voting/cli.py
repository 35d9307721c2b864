"""The commands of organizers and operators: flask campaign | ballots | ledger | account. Each calls one service."""

from __future__ import annotations

import getpass
import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from flask import Flask, g
from flask.cli import AppGroup
from redis.exceptions import ConnectionError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import OperationalError

from voting.rules.errors import BoxUnavailable, NotReadyToOpen, NotReadyToPublish, Refusal
from voting.rules.roles import ROLES
from voting.rules.rule_text import RuleTextError
from voting.services import (
    accounts,
    auditing,
    campaigns,
    counting,
    demonstration,
    importing,
    rebuilding,
    recording,
    trail,
)
from voting.services.catalogue import all_campaigns, every_campaign, get_campaign
from voting.services.trail import acting_as
from voting.tally.stream import StreamDamaged
from voting.web.organizer.import_wording import problem_line

Command = TypeVar("Command", bound=Callable[..., Any])

campaign = AppGroup("campaign", help="Prepare, open, pause, close and publish a campaign.")
ballots = AppGroup("ballots", help="Record accepted ballots in the ledger.")
ledger = AppGroup("ledger", help="Audit the ledger against the box, or make the box again.")
account = AppGroup("account", help="Give out accounts of the organizers' desk, and look at the audit trail.")


def init_cli(app: Flask) -> None:
    """Register the groups."""
    for group in (campaign, ballots, ledger, account):
        app.cli.add_command(group)


def plainly(command: Command) -> Command:
    """What goes wrong is one clear line on standard error and exit code 1, never a stack trace."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            with acting_as(f"cli:{_user()}"):
                return command(*args, **kwargs)
        except (NotReadyToOpen, NotReadyToPublish) as refusal:
            lines = refusal.issues if isinstance(refusal, NotReadyToOpen) else refusal.reasons
            raise click.ClickException("\n".join([f"{refusal.code}:", *(f"  - {line}" for line in lines)])) from None
        except BoxUnavailable as refusal:
            raise click.ClickException(f"the ballot box is not available ({refusal.reason})") from None
        except Refusal as refusal:
            facts = ", ".join(f"{name} {value}" for name, value in refusal.facts().items())
            raise click.ClickException(f"{refusal.code}: {facts}") from None
        except (recording.RecordingStopped, StreamDamaged, RuleTextError, campaigns.CampaignRefused) as stopped:
            raise click.ClickException(str(stopped)) from None
        except ConnectionError:
            raise click.ClickException("Redis cannot be reached: check REDIS_URL and try again") from None
        except OperationalError as error:
            raise click.ClickException(f"the database cannot be used: {error.orig}") from None

    return cast(Command, run)


def _user() -> str:
    """Who sits at the command line, for the trail."""
    try:
        return getpass.getuser()[:50]
    except (KeyError, OSError):  # a container without a user of that number
        return "unknown"


def _speaks_chinese() -> bool:
    """Whether the terminal was set up for Chinese; everything else is told in English."""
    named = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return next(filter(None, named), "").startswith("zh")


def _progress(text: str) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


@campaign.command("create")
@click.argument("slug")
@click.option("--title", required=True)
@click.option("--rules", "rules_file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--summary", default="")
@click.option("--organizer", default="", help="Who runs the selection.")
@click.option("--contact", default="", help="Where else the organizer can be reached.")
@click.option("--enquiry-phone", default="", help="The telephone number for questions.")
@click.option("--supervision-phone", default="", help="The telephone number for complaints, of another office.")
@plainly
def create(
    slug: str,
    title: str,
    rules_file: Path,
    summary: str,
    organizer: str,
    contact: str,
    enquiry_phone: str,
    supervision_phone: str,
) -> None:
    """Add a draft campaign with the rule set of a JSON file (docs/organizers.md)."""
    try:
        text = rules_file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise click.ClickException(f"{rules_file} is not UTF-8: save it as UTF-8 and try again") from None
    campaigns.create_campaign(
        slug,
        title,
        text,
        summary=summary,
        organizer_name=organizer,
        contact=contact,
        enquiry_phone=enquiry_phone,
        supervision_phone=supervision_phone,
    )
    click.echo(f"{slug}: created as a draft. Next: flask campaign import {slug} AWARD FILE.csv")


@campaign.command("import")
@click.argument("slug")
@click.argument("award")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@plainly
def import_file(slug: str, award: str, file: Path) -> None:
    """Import an award's candidates from a CSV file or a spreadsheet: all of them, or none and every error."""
    with _progress(f"{slug} {award}") as progress:
        task = progress.add_task(f"{slug} {award}", total=None)
        report = importing.import_candidates(
            slug, award, file, lambda done, total: progress.update(task, completed=done, total=total)
        )
    _print_report(report)


@campaign.command("import-areas")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@plainly
def import_areas(file: Path) -> None:
    """Import the area tree from a CSV file: code,name,level,parent_code."""
    _print_report(importing.import_areas(file))


def _print_report(report: importing.ImportReport) -> None:
    if report.ok:
        kept = f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged"
        click.echo(f"{report.rows} rows: {kept}")
        return
    g.locale = "zh_Hans_CN" if _speaks_chinese() else "en"
    for problem in report.problems:
        click.echo(problem_line(problem), err=True)
    more = f", and {report.more} more that are not listed" if report.more else ""
    raise click.ClickException(f"nothing was imported: {len(report.problems)} problems{more}")


@campaign.command("sample")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@plainly
def sample(folder: Path) -> None:
    """Write centres.csv (878) and households.csv (35,000, made up) to try an import with."""
    for path in demonstration.write_samples(folder):
        click.echo(str(path))


@campaign.command("open")
@click.argument("slug")
@plainly
def open_(slug: str) -> None:
    """Freeze and hash the rules and put up the ballot box; voting begins when the rules say so."""
    campaigns.open_campaign(slug)
    click.echo(f"{slug}: the box is up; rules {get_campaign(slug).rules_hash}")


@campaign.command("pause")
@click.argument("slug")
@click.option("--reason", required=True, help="Public: citizens read it.")
@plainly
def pause(slug: str, reason: str) -> None:
    """Stop admitting ballots until resumed."""
    campaigns.pause_campaign(slug, reason)
    click.echo(f"{slug}: paused")


@campaign.command("resume")
@click.argument("slug")
@plainly
def resume(slug: str) -> None:
    """Go on admitting ballots."""
    campaigns.resume_campaign(slug)
    click.echo(f"{slug}: resumed")


@campaign.command("close")
@click.argument("slug")
@plainly
def close(slug: str) -> None:
    """Seal the box, record the rest, recount from the ledger and rank: a provisional result. Safe to repeat."""
    result = counting.close_campaign(slug)
    click.echo(
        f"{slug}: sealed and counted, version {result.version}: {result.ballots} ballots, {result.voided} voided"
    )
    for candidate, (recorded, tally) in result.difference.items():
        click.echo(f"  differs: candidate {candidate}: ledger {recorded}, tally {tally} (the ledger governs)", err=True)


@campaign.command("publish")
@click.argument("slug")
@plainly
def publish(slug: str) -> None:
    """Make the provisional result final."""
    counting.publish_campaign(slug)
    click.echo(f"{slug}: published")


@campaign.command("status")
@click.argument("slug", required=False)
@plainly
def status(slug: str | None) -> None:
    """What stage a campaign is at, what its box says, and how far recording is."""
    slugs = [slug] if slug else [view.slug for view in every_campaign()]
    if not slugs:
        click.echo("There is no campaign yet. Begin with: flask campaign create --help")
    for each in slugs:
        state = campaigns.campaign_state(each)
        rules = state.campaign.rules
        click.echo(f"{each}: {state.campaign.title}")
        click.echo(
            f"  stage      {state.phase}" + (f" ({state.campaign.paused_reason})" if state.phase == "paused" else "")
        )
        click.echo(
            f"  window     {rules.local(rules.opens_ms):%Y-%m-%d %H:%M} to "
            f"{rules.local(rules.closes_ms):%Y-%m-%d %H:%M %Z}"
        )
        click.echo(f"  rules      {state.campaign.rules_hash or 'not frozen yet'}")
        if state.box and state.backlog:
            click.echo(
                f"  box        accepted {state.box.accepted}, recorded {state.recorded}, waiting {state.backlog.lag}"
            )
        elif state.campaign.stage == "open":
            click.echo(f"  box        MISSING: run flask ledger rebuild {each}")
        else:
            click.echo(f"  ledger     {state.recorded} ballots")


@ballots.command("record")
@click.option("--follow", is_flag=True, help="Go on until stopped; otherwise record what is waiting and end.")
@plainly
def record(follow: bool) -> None:
    """Record accepted ballots in the ledger, exactly once. Several may run at the same time."""
    recorder = recording.Recorder()
    if not follow:
        total = 0
        while done := recorder.step(block_ms=0):
            total += done
        click.echo(f"{total} entries recorded")
        return
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, frame: stopping.append(received))
    recording.follow(recorder, lambda: bool(stopping))


@ledger.command("audit")
@click.argument("slug", required=False)
@plainly
def audit(slug: str | None) -> None:
    """Check invariants I1 to I7 with figures; exit code 1 when one does not hold."""
    failed = False
    views = (
        [get_campaign(slug)] if slug else [v for v in all_campaigns() if v.stage in ("open", "closed", "provisional")]
    )
    if not views:
        click.echo("There is no campaign with a ballot box to audit.")
    for view in views:
        click.echo(f"{view.slug}:")
        for check in auditing.audit(view.slug):
            failed |= not check.holds
            click.echo(f"  {'ok  ' if check.holds else 'FAIL'} {check.name}: {check.figures}")
    if failed:
        sys.exit(1)


@ledger.command("rebuild")
@click.argument("slug")
@plainly
def rebuild(slug: str) -> None:
    """Make a campaign's ballot box again from the ledger and what is left of the stream."""
    with _progress(f"{slug} replaying") as progress:
        task = progress.add_task(f"{slug} replaying", total=None)
        rebuilt = rebuilding.rebuild(slug, lambda done: progress.update(task, completed=done))
    click.echo(f"{slug}: {rebuilt.ballots} ballots counted again; the box is up under epoch {rebuilt.epoch}")


@account.command("create")
@click.argument("name")
@click.option("--full-name", required=True)
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(ROLES))
@click.option("--area", help="A reviewer's county or town, by its code.")
@click.option("--site", default="http://127.0.0.1:8000", help="Where the desk is reached; stands in the link.")
@plainly
def create_account(name: str, full_name: str, roles: tuple[str, ...], area: str | None, site: str) -> None:
    """Make an account and print the link with which its owner sets password and six digits."""
    token = accounts.create_account(name, full_name, roles, area)
    click.echo("Good once and for three days; give it to nobody else:")
    click.echo(f"{site.rstrip('/')}/organizer/invitations/{token}")


@account.command("list")
@plainly
def list_accounts() -> None:
    """Every account with its roles and state."""
    found = accounts.all_accounts()
    if not found:
        click.echo("There is no account yet. Begin with: flask account create --help")
    for one in found:
        click.echo(f"{one.name}: {', '.join(one.roles)}{f' of {one.area}' if one.area else ''}, {one.state}")


@account.command("check-trail")
@plainly
def check_trail() -> None:
    """Walk the audit trail; exit code 1 when an entry was edited, removed or put elsewhere."""
    faults = trail.check_trail()
    for fault in faults:
        click.echo(f"{fault.kind}: at entry {fault.number}", err=True)
    if faults:
        sys.exit(1)
    click.echo("The trail is whole.")
