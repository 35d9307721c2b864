"""Environment and secrets, and nothing else: what differs between machines is read here, once, from the environment.

Lives here: names of environment variables, their defaults, and the refusal to start without what production needs.
Must not live here: rules, wiring, imports from `voting`. Importing this module reads and writes nothing.

    VOTING_ENV       development (default), testing or production
    VOTING_INSTANCE  the folder for everything this machine keeps; default: instance/ beside this file
    SECRET_KEY       signs cookies and forms              \\
    VOTER_SECRET     turns identities into pseudonyms      | production refuses to start without these four
    DATABASE_URL     SQLite or PostgreSQL: the ledger      |
    REDIS_URL        Redis 7 or Valkey 8: the ballot box  /
    TRUSTED_PROXIES  how many proxies of ours stand in front (default 0: X-Forwarded-For is not believed)
    PUBLIC_URL       the address citizens use, where it cannot be told from the request
    SCREENS_URL      where big screens get their events, when that is another address than the pages' own

Ways to sign in, each only where it is configured (docs/identity.md):
    WECHAT_APP_ID, WECHAT_SECRET                      an official account
    OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET   unified government log-in; OIDC_SCOPE, default openid
    SMS_PROVIDER     console (codes appear in the log; not in production) or tencent
    TENCENT_SECRET_ID, TENCENT_SECRET_KEY, TENCENT_SMS_APP_ID, TENCENT_SMS_SIGN, TENCENT_SMS_TEMPLATE_ID,
    TENCENT_REGION (default ap-guangzhou), TENCENT_VOICE_APP_ID (where codes may also be read out)
    WECHAT_API_BASE, WECHAT_AUTHORIZE_URL, TENCENT_ENDPOINT   other addresses than the providers' own, for tests
"""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent


class ConfigurationError(SystemExit):
    """One sentence for the person who starts the program. A SystemExit, so that any server shows only the sentence."""


class Config:
    """What every environment shares. Each environment fills `self.secret_key` and the other four in its own way."""

    TESTING: ClassVar[bool] = False
    SECURE_COOKIES: ClassVar[bool] = False
    #: where codes may go to the log and providers may be reached without TLS
    TRYING_OUT: ClassVar[bool] = True

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.instance = Path(environ.get("VOTING_INSTANCE") or self.default_instance()).resolve()

    def default_instance(self) -> Path:
        return ROOT / "instance"

    def needed(self) -> dict[str, str]:
        """SECRET_KEY, VOTER_SECRET, DATABASE_URL and REDIS_URL."""
        raise NotImplementedError

    def as_dict(self) -> dict[str, Any]:
        """The settings under the names Flask and its extensions read."""
        needed = self.needed()
        return {
            "TESTING": self.TESTING,
            "VOTING_INSTANCE": self.instance,
            "SECRET_KEY": needed["SECRET_KEY"],
            "VOTER_SECRET": needed["VOTER_SECRET"],
            "DATABASE_URL": database_url(needed["DATABASE_URL"]),
            "SQLALCHEMY_DATABASE_URI": database_url(needed["DATABASE_URL"]),
            "REDIS_URL": needed["REDIS_URL"],
            "TRUSTED_PROXIES": whole_number(self.environ, "TRUSTED_PROXIES", default=0),
            "PUBLIC_URL": self.environ.get("PUBLIC_URL", "").rstrip("/") or None,
            "SCREENS_URL": self.environ.get("SCREENS_URL", "").rstrip("/"),
            "SESSION_COOKIE_SECURE": self.SECURE_COOKIES,
            **sign_in_settings(self.environ, self.TRYING_OUT),
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "MAX_CONTENT_LENGTH": 64 * 1024,
            "MAX_FORM_MEMORY_SIZE": 64 * 1024,
            "MAX_FORM_PARTS": 2000,
        }


class Development(Config):
    """One machine, nothing to set: SQLite and the embedded Valkey in the instance folder, secrets made once."""

    def needed(self) -> dict[str, str]:
        given = {name: self.environ[name] for name in Production.NEEDED if self.environ.get(name)}
        if not {"SECRET_KEY", "VOTER_SECRET"} <= given.keys():
            given = keep_secrets(self.instance / "secrets.json") | given
        made_here = {"DATABASE_URL": f"sqlite:///{self.instance / 'voting.sqlite3'}", "REDIS_URL": self.embedded_url()}
        return made_here | given

    def embedded_url(self) -> str:
        """The socket of the embedded Valkey; it notes its address where the default path is too long for a socket."""
        try:
            return (self.instance / "valkey.url").read_text(encoding="utf-8").strip()
        except OSError:
            return "unix://" + quote(os.fsencode(self.instance / "valkey.sock"))


class Testing(Config):
    """Nothing shared with a demo that runs beside the tests; a test passes what it needs to create_app."""

    TESTING = True

    def default_instance(self) -> Path:
        return ROOT / "instance" / "testing"

    def needed(self) -> dict[str, str]:
        return {
            "SECRET_KEY": "testing: signs cookies",
            "VOTER_SECRET": "testing: makes pseudonyms",
            "DATABASE_URL": f"sqlite:///{self.instance / 'voting.sqlite3'}",
            "REDIS_URL": "unix://" + quote(os.fsencode(self.instance / "valkey.sock")),
        } | {name: self.environ[name] for name in Production.NEEDED if self.environ.get(name)}


class Production(Config):
    """Everything is given; nothing is guessed or made up."""

    SECURE_COOKIES = True
    TRYING_OUT = False
    NEEDED: ClassVar[tuple[str, ...]] = ("SECRET_KEY", "VOTER_SECRET", "DATABASE_URL", "REDIS_URL")

    def needed(self) -> dict[str, str]:
        missing = [name for name in self.NEEDED if not self.environ.get(name)]
        if missing:
            raise ConfigurationError(
                f"Production does not start without {_listed(missing)}: set {'it' if len(missing) == 1 else 'them'} "
                "in the environment."
            )
        return {name: self.environ[name] for name in self.NEEDED}


ENVIRONMENTS: dict[str, type[Config]] = {
    "development": Development,
    "testing": Testing,
    "production": Production,
}


def load_config(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The settings of the environment named by VOTING_ENV; raises ConfigurationError with one sentence."""
    environ = os.environ if environ is None else environ
    name = environ.get("VOTING_ENV") or "development"
    if name not in ENVIRONMENTS:
        raise ConfigurationError(f"VOTING_ENV is {name!r}, but it must be one of {_listed(list(ENVIRONMENTS), 'or')}.")
    return ENVIRONMENTS[name](environ).as_dict()


#: a way to sign in -> what it needs once the first of it is set, and what it may have with its default
SIGN_INS: dict[str, tuple[Sequence[str], dict[str, str]]] = {
    "wechat": (("WECHAT_APP_ID", "WECHAT_SECRET"), {"WECHAT_API_BASE": "", "WECHAT_AUTHORIZE_URL": ""}),
    "oidc": (("OIDC_ISSUER", "OIDC_CLIENT_ID"), {"OIDC_CLIENT_SECRET": "", "OIDC_SCOPE": "openid"}),
    "sms": (("SMS_PROVIDER",), {}),
    "tencent": (
        (
            "TENCENT_SECRET_ID",
            "TENCENT_SECRET_KEY",
            "TENCENT_SMS_APP_ID",
            "TENCENT_SMS_SIGN",
            "TENCENT_SMS_TEMPLATE_ID",
        ),
        {"TENCENT_REGION": "ap-guangzhou", "TENCENT_VOICE_APP_ID": "", "TENCENT_ENDPOINT": ""},
    ),
}
ADDRESSES = ("WECHAT_API_BASE", "WECHAT_AUTHORIZE_URL", "OIDC_ISSUER", "TENCENT_ENDPOINT")


def sign_in_settings(environ: Mapping[str, str], trying_out: bool) -> dict[str, str]:
    """What the ways to sign in need; half of it is a mistake that voters would meet first, so it stops the start."""
    settings: dict[str, str] = {}
    for needed, optional in SIGN_INS.values():
        settings |= {name: environ.get(name, "").strip() for name in needed}
        settings |= {name: environ.get(name, "").strip() or default for name, default in optional.items()}
    provider = settings["SMS_PROVIDER"]
    if provider not in ("", "console", "tencent"):
        raise ConfigurationError(f"SMS_PROVIDER is {provider!r}, but it must be console or tencent.")
    if provider == "console" and not trying_out:
        raise ConfigurationError("SMS_PROVIDER is console, which writes codes to the log: production needs tencent.")
    for way, (needed, _) in SIGN_INS.items():
        given = [name for name in needed if settings[name]]
        missing = [name for name in needed if not settings[name]]
        if missing and (given or (way == "tencent" and provider == "tencent")):
            raise ConfigurationError(
                f"{_listed(missing)} must be set too: {_listed(given or ['SMS_PROVIDER'])} is set."
            )
    for name in ADDRESSES:
        # A code or a secret that travels in the clear is everybody's.
        if settings[name] and not settings[name].startswith("https://") and not trying_out:
            raise ConfigurationError(f"{name} is {settings[name]!r}, but in production it must begin with https://.")
        # An issuer is compared letter by letter, a slash at its end included.
        settings[name] = settings[name] if name == "OIDC_ISSUER" else settings[name].rstrip("/")
    return settings


def database_url(url: str) -> str:
    """The URL with the driver we ship: hosting providers hand out postgres:// and postgresql://."""
    for short in ("postgres://", "postgresql://"):
        if url.startswith(short):
            return "postgresql+psycopg://" + url.removeprefix(short)
    return url


def whole_number(environ: Mapping[str, str], name: str, default: int) -> int:
    """A number of things, zero or more."""
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit()):
        raise ConfigurationError(f"{name} is {text!r}, but it must be a whole number, 0 or more.")
    return int(text)


def keep_secrets(path: Path) -> dict[str, str]:
    """The two secrets kept in `path`, made on first use; two processes that start at once end with the same ones."""
    made = {"SECRET_KEY": secrets.token_urlsafe(32), "VOTER_SECRET": secrets.token_urlsafe(32)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            draft = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
            draft.touch(mode=0o600, exist_ok=False)
            draft.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
            try:
                os.link(draft, path)  # fails when the other process was first, and never shows half a file
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        kept = json.loads(path.read_text(encoding="utf-8"))
        return {name: str(kept[name]) for name in made}
    except OSError as error:
        raise ConfigurationError(f"The secrets in {path} cannot be kept: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{path} is damaged: put back SECRET_KEY and VOTER_SECRET, or remove the file to start with new secrets."
        ) from error


def _listed(names: list[str], word: str = "and") -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"
