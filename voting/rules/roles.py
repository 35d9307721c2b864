"""Who may do what at the organizers' desk: roles, which of them never meet in one account, and what an account is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast, get_args

from voting.rules.account_errors import AreaNeeded, RolesApart, UnknownRole

Role = Literal["administrator", "organizer", "reviewer", "judge", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)
#: Whoever gives out accounts does not run campaigns, and whoever checks does neither.
APART: frozenset[Role] = frozenset({"administrator", "organizer", "auditor"})


@dataclass(frozen=True, slots=True)
class Holder:
    """An account as the desk sees it: ``name`` signs in and stands in the trail, ``area`` is a reviewer's code."""

    id: int
    name: str
    full_name: str
    roles: frozenset[Role]
    area: str | None = None

    def may(self, *roles: Role) -> bool:
        """Whether the account has one of these roles."""
        return bool(self.roles & set(roles))

    def sees(self, area: str | None) -> bool:
        """Whether something of that area is this account's business: a reviewer has one area and what lies in it."""
        if self.may("administrator", "organizer", "auditor"):
            return True
        return self._holds(area)

    def reviews(self, area: str | None) -> bool:
        """Whether this account decides on nominations of that area, and may know who sent them."""
        return self.may("organizer") or (self.may("reviewer") and self._holds(area))

    def _holds(self, area: str | None) -> bool:
        # Codes nest: 4417 is the city, 441702 a county of it, 441702103 a town of that county.
        return bool(self.area and area and area.startswith(self.area))


def check_roles(roles: Iterable[str], area: str | None) -> frozenset[Role]:
    """The roles of an account as a set; raises UnknownRole, RolesApart or AreaNeeded."""
    found = frozenset(roles)
    for role in sorted(found):
        if role not in ROLES:
            raise UnknownRole(role)
    if not found:
        raise UnknownRole("")
    together = sorted(found & APART)
    if len(together) > 1:
        raise RolesApart(tuple(together))
    if "reviewer" in found and not area:
        raise AreaNeeded
    return cast("frozenset[Role]", found)
