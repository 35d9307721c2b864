"""Accounts of the desk: give out, invite, set password and six digits, disable; and the proof of who signs in.

Nobody but its owner ever knows a password: an account is made empty, with a link that is good once and for three days.
"""

from __future__ import annotations

import re
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app
from sqlalchemy.orm import Session

from voting.rules.account_errors import (
    AccountLocked,
    CodeRefused,
    InvitationInvalid,
    LastAdministrator,
    NameRefused,
    SignInFailed,
)
from voting.rules.passwords import check_password
from voting.rules.roles import Holder, check_roles
from voting.services.trail import acting_as, write_entry
from voting.services.transactions import reading, writing
from voting.storage.accounts import (
    Account,
    Invitation,
    count_administrators,
    drop_invitation,
    drop_sessions,
    find_account,
    find_invitation,
    get_account,
    list_accounts,
    lock_account,
    put_invitation,
    replace_recovery_codes,
    use_recovery_code,
)

ISSUER = "评选投票"
INVITATION_MS = 3 * 86_400_000
MOST_FAILURES = 5
LOCKED_MS = 15 * 60_000
STEP_S = 30
RECOVERY_CODES = 10
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}[a-z0-9]")
_hasher = PasswordHasher()
#: A wrong name takes as long as a wrong password.
_NOBODY = _hasher.hash(secrets.token_urlsafe(16))


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account in the list of accounts. ``state``: invited, active, locked or disabled."""

    id: int
    name: str
    full_name: str
    roles: tuple[str, ...]
    area: str | None
    state: str


@dataclass(frozen=True, slots=True)
class Setup:
    """What somebody invited is shown: ``uri`` is what an authenticator application scans, ``secret`` to type it."""

    name: str
    full_name: str
    secret: str
    uri: str


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def digest(token: str) -> bytes:
    """How a token of ours is stored: it has 256 bits of chance, so a plain hash is enough."""
    return sha256(token.encode()).digest()


def holder_of(account: Account) -> Holder:
    return Holder(
        account.id, account.name, account.full_name, check_roles(account.roles.split(), account.area_code),
        account.area_code,
    )  # fmt: skip


def create_account(name: str, full_name: str, roles: Iterable[str], area: str | None = None) -> str:
    """Make an account and return the token of its invitation.

    Raises NameRefused, UnknownRole, RolesApart or AreaNeeded.
    """
    name, full_name = name.strip().lower(), full_name.strip()
    if not _NAME.fullmatch(name) or not full_name or len(full_name) > 64:
        raise NameRefused("malformed")
    given = check_roles(roles, area)
    with writing() as session:
        if find_account(session, name) is not None:
            raise NameRefused("taken")
        account = Account(
            name=name, full_name=full_name, roles=" ".join(sorted(given)), area_code=area, created_at=now_ms()
        )
        session.add(account)
        session.flush()
        write_entry(session, "account.create", name, after=_facts(account))
        return _invite(session, account)


def invite_again(account_id: int) -> str:
    """A new link for somebody who lost the old one, or password and telephone: what they had is void at once."""
    with writing() as session:
        account = lock_account(session, account_id)
        account.password_hash = account.totp_secret = None
        account.failures = account.locked_until = 0
        drop_sessions(session, account.id)
        replace_recovery_codes(session, account.id, ())
        write_entry(session, "account.invite", account.name)
        return _invite(session, account)


def _invite(session: Session, account: Account) -> str:
    token = secrets.token_urlsafe(32)
    secret = _vault().encrypt(pyotp.random_base32().encode())
    put_invitation(session, account.id, digest(token), secret, now_ms() + INVITATION_MS)
    return token


def read_invitation(token: str) -> Setup:
    """What to show to whoever follows the link; raises InvitationInvalid."""
    with reading() as session:
        account, invitation = _invited(session, token)
        secret = _vault().decrypt(invitation.totp_secret).decode()
        uri = pyotp.TOTP(secret, name=account.name, issuer=ISSUER).provisioning_uri()
        return Setup(account.name, account.full_name, secret, uri)


def accept_invitation(token: str, password: str, code: str) -> tuple[str, list[str]]:
    """Set the password and the six digits; returns the account's name and its recovery codes, shown this once.

    Raises InvitationInvalid, PasswordRefused or CodeRefused; nothing is changed then.
    """
    setup = read_invitation(token)
    check_password(password, setup.name, setup.full_name)
    hashed = _hasher.hash(password)
    with writing() as session:
        account, invitation = _invited(session, token)
        step = _step_of(_vault().decrypt(invitation.totp_secret).decode(), code, 0)
        if step is None:
            raise CodeRefused
        account.password_hash, account.totp_secret = hashed, invitation.totp_secret
        account.last_step, account.failures, account.locked_until = step, 0, 0
        drop_invitation(session, account.id)
        codes = _new_recovery_codes(session, account)
        with acting_as(account.name):
            write_entry(session, "account.accept", account.name)
        return account.name, codes


def _invited(session: Session, token: str) -> tuple[Account, Invitation]:
    invitation = find_invitation(session, digest(token))
    if invitation is None or invitation.expires_at < now_ms():
        raise InvitationInvalid
    account = lock_account(session, invitation.account_id)
    if account.disabled_at is not None:
        raise InvitationInvalid
    return account, invitation


def _new_recovery_codes(session: Session, account: Account) -> list[str]:
    codes = [secrets.token_hex(5) for _ in range(RECOVERY_CODES)]
    replace_recovery_codes(session, account.id, [digest(code) for code in codes])
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def prove(name: str, password: str, code: str) -> Holder:
    """Who this is, by password and six digits or a recovery code; each failure counts, whatever was wrong.

    Raises SignInFailed or AccountLocked.
    """
    with reading() as session:
        found = find_account(session, name.strip().lower())
        usable = found is not None and found.disabled_at is None
        known = found.password_hash if found is not None and usable else None
        account_id = found.id if found else 0
    # Outside any transaction, because it is slow on purpose; and in any case, so that time tells nobody who exists.
    fits = _verify(known or _NOBODY, password)
    if known is None:
        raise SignInFailed
    failed: SignInFailed | AccountLocked
    with writing() as session:
        account = lock_account(session, account_id)
        if account.locked_until > now_ms():
            failed = AccountLocked(account.locked_until)
        elif fits and account.password_hash == known and _second(session, account, code):
            account.failures = account.locked_until = 0
            return holder_of(account)
        else:
            failed = _count_failure(session, account)
    # Only now: what was counted has to be committed.
    raise failed


def _count_failure(session: Session, account: Account) -> SignInFailed | AccountLocked:
    account.failures += 1
    if account.failures < MOST_FAILURES:
        return SignInFailed()
    account.failures, account.locked_until = 0, now_ms() + LOCKED_MS
    write_entry(session, "account.lock", account.name, after={"failures": MOST_FAILURES})
    return AccountLocked(account.locked_until)


def _verify(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password[:1000])
    except (VerificationError, InvalidHashError):
        return False


def _second(session: Session, account: Account, code: str) -> bool:
    """Six digits that were not used before, or one of the codes on paper."""
    plain = "".join(char for char in code.lower() if char.isalnum())
    if len(plain) == 10:
        used = use_recovery_code(session, account.id, digest(plain))
        if used:
            with acting_as(account.name):
                write_entry(session, "account.recover", account.name)
        return used
    if account.totp_secret is None:
        return False
    step = _step_of(_vault().decrypt(account.totp_secret).decode(), plain, account.last_step)
    if step is not None:
        account.last_step = step
    return step is not None


def _step_of(secret: str, code: str, last_step: int) -> int | None:
    """The 30 s step whose six digits these are: now, or one beside it, and after ``last_step``."""
    totp, now = pyotp.TOTP(secret), int(time.time()) // STEP_S
    for step in (now, now - 1, now + 1):
        if step > last_step and secrets.compare_digest(totp.at(step * STEP_S).encode(), code.encode()):
            return step
    return None


def change_password(account_id: int, old: str, new: str, keep: bytes) -> None:
    """Set another password; every other session of the account ends. Raises SignInFailed or PasswordRefused."""
    with reading() as session:
        account = get_account(session, account_id)
        known, names = account.password_hash, (account.name, account.full_name)
    if known is None or not _verify(known, old):
        raise SignInFailed
    check_password(new, *names)
    hashed = _hasher.hash(new)
    with writing() as session:
        account = lock_account(session, account_id)
        if account.password_hash != known:
            raise SignInFailed
        account.password_hash = hashed
        ended = drop_sessions(session, account.id, keep=keep)
        write_entry(session, "account.password", account.name, after={"sessions ended": ended})


def change_roles(account_id: int, roles: Iterable[str], area: str | None = None) -> None:
    """Give an account other roles; it signs in again. Raises RolesApart, AreaNeeded or LastAdministrator."""
    with writing() as session:
        account = lock_account(session, account_id)
        before = _facts(account)
        account.roles, account.area_code = " ".join(sorted(check_roles(roles, area))), area
        session.flush()
        if "administrator" in before["roles"].split() and not count_administrators(session):
            raise LastAdministrator
        drop_sessions(session, account.id)
        write_entry(session, "account.roles", account.name, before=before, after=_facts(account))


def disable_account(account_id: int) -> None:
    """Nobody signs in with it any more; what it did stays on record. Raises LastAdministrator."""
    with writing() as session:
        account = lock_account(session, account_id)
        able = account.disabled_at is None and account.password_hash is not None
        account.disabled_at = account.disabled_at or now_ms()
        session.flush()
        if able and "administrator" in account.roles.split() and not count_administrators(session):
            raise LastAdministrator
        drop_sessions(session, account.id)
        drop_invitation(session, account.id)
        write_entry(session, "account.disable", account.name)


def all_accounts() -> list[AccountView]:
    """Every account, disabled ones last."""
    with reading() as session:
        return [
            AccountView(a.id, a.name, a.full_name, tuple(a.roles.split()), a.area_code, _state(a))
            for a in list_accounts(session)
        ]


def _state(account: Account) -> str:
    if account.disabled_at is not None:
        return "disabled"
    if account.password_hash is None:
        return "invited"
    return "locked" if account.locked_until > now_ms() else "active"


def _facts(account: Account) -> dict[str, str]:
    return {"roles": account.roles, "area": account.area_code or ""}


def _vault() -> Fernet:
    """What encrypts the secrets of the six digits: a copy of the database alone signs nobody in."""
    key = HKDF(SHA256(), 32, None, b"desk totp").derive(str(current_app.config["SECRET_KEY"]).encode())
    return Fernet(urlsafe_b64encode(key))
