"""Ways of saying no to somebody who signs in, named like those of ``errors.py``; nothing was counted, nothing lost."""

from __future__ import annotations

from dataclasses import dataclass

from voting.rules.errors import Refusal


@dataclass(eq=False)
class SignInRequired(Refusal):
    """The campaign counts voters by one of ``providers``; this browser has not signed in with any of them."""

    code = "sign_in_required"
    providers: tuple[str, ...]


@dataclass(eq=False)
class SignInLost(Refusal):
    """The way back from a provider does not fit the way there: too late, another browser, or begun anew in between."""

    code = "sign_in_lost"
    provider: str


@dataclass(eq=False)
class SignInDenied(Refusal):
    """The person did not agree at the provider, or the provider said no."""

    code = "sign_in_denied"
    provider: str


@dataclass(eq=False)
class SnapshotVisitor(Refusal):
    """WeChat shows a preview of the page, under a made-up account that is nobody's."""

    code = "snapshot_visitor"


@dataclass(eq=False)
class ProviderUnavailable(Refusal):
    """The provider did not answer, or not as agreed; trying again later may help."""

    code = "provider_unavailable"
    provider: str


@dataclass(eq=False)
class NumberNotValid(Refusal):
    """Not a mobile number of mainland China."""

    code = "number_not_valid"


@dataclass(eq=False)
class CodeTooSoon(Refusal):
    """A code was sent to this number a moment ago."""

    code = "code_too_soon"
    retry_ms: int


@dataclass(eq=False)
class CodeLimited(Refusal):
    """Too many codes were asked for: ``scope`` is "number" or "address"."""

    code = "code_limited"
    scope: str
    retry_ms: int


@dataclass(eq=False)
class CodeWrong(Refusal):
    """Not the code that was sent; ``left`` more tries."""

    code = "code_wrong"
    left: int


@dataclass(eq=False)
class CodeExpired(Refusal):
    """The code is too old, was tried too often or was used: a new one is needed."""

    code = "code_expired"
