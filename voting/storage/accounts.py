"""Accounts of the desk, their recovery codes, invitations and sessions. No secret is stored as it is.

Passwords are Argon2id hashes, tokens of sessions and invitations SHA-256 digests, the secret of the six digits is
encrypted by the service. What an account did stands in the trail, so accounts are disabled, never deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, Text, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from voting.rules.account_errors import AccountNotFound
from voting.storage.database import Base


class Account(Base):
    """``roles``: words apart by spaces. ``last_step`` is the newest 30 s step whose six digits were used."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    full_name: Mapped[str] = mapped_column(String(64))
    roles: Mapped[str] = mapped_column(String(64))
    area_code: Mapped[str | None] = mapped_column(ForeignKey("areas.code"))
    password_hash: Mapped[str | None] = mapped_column(Text)
    totp_secret: Mapped[bytes | None] = mapped_column(LargeBinary(256))
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[int] = mapped_column(BigInteger)
    disabled_at: Mapped[int | None] = mapped_column(BigInteger)


class RecoveryCode(Base):
    """One of the codes on paper; used once."""

    __tablename__ = "recovery_codes"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)


class Invitation(Base):
    """A link with which somebody sets their own password and six digits; the newest of an account counts."""

    __tablename__ = "invitations"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    totp_secret: Mapped[bytes] = mapped_column(LargeBinary(256))
    expires_at: Mapped[int] = mapped_column(BigInteger)


class DeskSession(Base):
    """A browser that is signed in. ``agent`` and ``network`` help its owner to recognise it."""

    __tablename__ = "desk_sessions"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[int] = mapped_column(BigInteger)
    agent: Mapped[str] = mapped_column(String(120))
    network: Mapped[str] = mapped_column(String(43))


def find_account(session: Session, name: str) -> Account | None:
    return session.scalar(select(Account).where(Account.name == name))


def get_account(session: Session, account_id: int) -> Account:
    """Raises AccountNotFound."""
    account = session.get(Account, account_id)
    if account is None:
        raise AccountNotFound
    return account


def lock_account(session: Session, account_id: int) -> Account:
    """The account, for this transaction alone; raises AccountNotFound."""
    query = select(Account).where(Account.id == account_id).with_for_update().execution_options(populate_existing=True)
    account = session.scalar(query)
    if account is None:
        raise AccountNotFound
    return account


def list_accounts(session: Session) -> Sequence[Account]:
    return session.scalars(select(Account).order_by(Account.disabled_at.is_not(None), Account.name)).all()


def count_administrators(session: Session) -> int:
    """How many can sign in and give out accounts."""
    able = Account.disabled_at.is_(None) & Account.password_hash.is_not(None)
    return session.scalar(select(func.count()).where(able, Account.roles.contains("administrator"))) or 0


def replace_recovery_codes(session: Session, account_id: int, digests: Sequence[bytes]) -> None:
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    session.add_all(RecoveryCode(digest=digest, account_id=account_id) for digest in digests)


def use_recovery_code(session: Session, account_id: int, digest: bytes) -> bool:
    """Whether it was one of this account's; it is none any more."""
    mine = (RecoveryCode.account_id == account_id) & (RecoveryCode.digest == digest)
    done: Any = session.execute(delete(RecoveryCode).where(mine))
    return bool(done.rowcount)


def count_recovery_codes(session: Session, account_id: int) -> int:
    return session.scalar(select(func.count()).where(RecoveryCode.account_id == account_id)) or 0


def put_invitation(session: Session, account_id: int, digest: bytes, totp_secret: bytes, expires_at: int) -> None:
    session.execute(delete(Invitation).where(Invitation.account_id == account_id))
    session.add(Invitation(account_id=account_id, digest=digest, totp_secret=totp_secret, expires_at=expires_at))


def find_invitation(session: Session, digest: bytes) -> Invitation | None:
    return session.scalar(select(Invitation).where(Invitation.digest == digest).with_for_update())


def drop_invitation(session: Session, account_id: int) -> None:
    session.execute(delete(Invitation).where(Invitation.account_id == account_id))


def find_session(session: Session, digest: bytes) -> tuple[DeskSession, Account] | None:
    query = select(DeskSession, Account).join(Account).where(DeskSession.digest == digest)
    row = session.execute(query).one_or_none()
    return (row[0], row[1]) if row else None


def list_sessions(session: Session, account_id: int) -> Sequence[DeskSession]:
    """Newest use first."""
    query = select(DeskSession).where(DeskSession.account_id == account_id)
    return session.scalars(query.order_by(DeskSession.seen_at.desc())).all()


def touch_session(session: Session, digest: bytes, seen_at: int) -> None:
    session.execute(update(DeskSession).where(DeskSession.digest == digest).values(seen_at=seen_at))


def drop_sessions(session: Session, account_id: int, keep: bytes = b"", only: bytes | None = None) -> int:
    """End an account's sessions, all but ``keep``, or just ``only``; how many there were."""
    query = delete(DeskSession).where(DeskSession.account_id == account_id, DeskSession.digest != keep)
    done: Any = session.execute(query if only is None else query.where(DeskSession.digest == only))
    return int(done.rowcount)


def drop_old_sessions(session: Session, seen_before: int, created_before: int) -> None:
    session.execute(
        delete(DeskSession).where((DeskSession.seen_at < seen_before) | (DeskSession.created_at < created_before))
    )
