"""What the organizers' desk says no to, as named types; wording and status live at the edge as for every refusal."""

from __future__ import annotations

from dataclasses import dataclass

from voting.rules.errors import Refusal


@dataclass(eq=False)
class SignInFailed(Refusal):
    """Name, password or code is wrong: which of them is not told."""

    code = "desk_sign_in_failed"


@dataclass(eq=False)
class AccountLocked(Refusal):
    """Too many failures in a row; also the right password waits."""

    code = "account_locked"
    until_ms: int


@dataclass(eq=False)
class SignInNeeded(Refusal):
    """Nobody is signed in, or the session is over."""

    code = "desk_sign_in_needed"


@dataclass(eq=False)
class NotPermitted(Refusal):
    """This account has no role for it."""

    code = "not_permitted"


@dataclass(eq=False)
class InvitationInvalid(Refusal):
    """The link was used, is too old, or was never given out."""

    code = "invitation_invalid"


@dataclass(eq=False)
class PasswordRefused(Refusal):
    """``problems``: too_short, too_long, too_common, too_plain, like_name."""

    code = "password_refused"
    problems: tuple[str, ...]


@dataclass(eq=False)
class CodeRefused(Refusal):
    """The six digits do not belong to the secret just shown, or were used before."""

    code = "code_refused"


@dataclass(eq=False)
class NameRefused(Refusal):
    """``problem``: taken or malformed."""

    code = "account_name_refused"
    problem: str


@dataclass(eq=False)
class UnknownRole(Refusal):
    code = "unknown_role"
    role: str


@dataclass(eq=False)
class RolesApart(Refusal):
    """Roles that one account must not hold together."""

    code = "roles_apart"
    roles: tuple[str, ...]


@dataclass(eq=False)
class AreaNeeded(Refusal):
    """A reviewer reviews one county or town."""

    code = "area_needed"


@dataclass(eq=False)
class AccountNotFound(Refusal):
    code = "account_not_found"


@dataclass(eq=False)
class LastAdministrator(Refusal):
    """Without it nobody could give out accounts any more."""

    code = "last_administrator"
