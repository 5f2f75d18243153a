"""Every setting, in one frozen value. Nothing else reads the environment.

Each is an environment variable `MOONLAKE_<NAME>`, a line of `.env`, and an option of the command
line; a secret is no option, since everybody on a machine can read a command line. The README's
table of settings is compared with this class by a test.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from dataclasses import dataclass, field
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ledger.domain.verification import Finality, Level
from ledger.errors import InvalidSetting

ENVIRONMENT_PREFIX = "MOONLAKE_"
ENVIRONMENT_FILE = ".env"

_OF_SCRIPTS = frozenset({"MOONLAKE_PYTHON_TRIED"})
"""What `scripts/python311.py` sets for itself."""


_KEY_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_REMOTE = re.compile(r"remote:(0x[0-9a-fA-F]{40})@(.+)")
_DEVNET_KEY = re.compile(_KEY_NAME.pattern + r"=0x[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class RemoteAccount:
    """An account (0x hex) that a remote signer signs for, and the signer's URL."""

    address: str
    url: str = field(repr=False)


class Settings(BaseSettings):
    """The settings of one process; paths are made absolute, URLs are kept as given."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_file=ENVIRONMENT_FILE,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # some of them are secret
    )

    home: Path = Field(Path(".moonlake"), description="The data folder.")
    host: str = Field("127.0.0.1", description="The address that the server listens on.")
    port: int = Field(8000, ge=1, le=65535, description="The port that the server listens on.")
    devnet_port: int = Field(8545, ge=1, le=65535, description="The devnet's port on loopback.")
    database_url: str = Field(
        "",
        repr=False,  # it may hold a password, as may a node's address
        description="A SQLAlchemy URL; empty means SQLite in the data folder.",
    )
    rpc_url: Annotated[tuple[str, ...], NoDecode] = Field(
        (), repr=False, description="Nodes, comma-separated; empty means the devnet."
    )
    deployment: Path | None = Field(
        None,
        description="The deployment file; empty means the chain's in the data folder.",
    )
    anvil: Path | None = Field(
        None, description="The anvil program; empty means node_modules, then PATH."
    )
    key_password_file: Path | None = Field(
        None, description="A file whose first line opens the keystores of the data folder."
    )
    key_password: SecretStr = Field(
        SecretStr(""), description="The keystores' password itself, where it cannot be in a file."
    )
    signers: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        repr=False,  # a remote signer's URL may hold a password
        description="What stands behind a key's name, comma-separated: another keystore's name, "
        "or a remote signer.",
    )
    devnet_keys: SecretStr = Field(
        SecretStr(""), description="Secret keys for the devnet alone, comma-separated."
    )
    max_fee_gwei: Decimal = Field(
        Decimal(200),
        ge=0,
        le=10**9,
        description="The most that one unit of gas may cost, in gwei; 0 where nothing may.",
    )
    poll_interval: float = Field(
        0.1, gt=0, le=60, description="Seconds between two looks at the chain's head."
    )
    finality_blocks: int = Field(
        64,
        ge=1,
        le=1_000_000,
        description="Blocks after which a block may no longer be reorganised.",
    )
    finality: Finality = Field(
        Finality.EITHER,
        description="What makes a block final: depth, tag (the chain's own word), or either.",
    )
    verify: Level = Field(
        Level.RECEIPTS,
        description="What new rows rest on: receipts, or heads for nodes that serve no receipts.",
    )
    subscribe_url: str = Field(
        "", description="A node's WebSocket that pushes new blocks; empty means polling alone."
    )
    stale_after: float = Field(
        30.0, gt=0, description="Seconds without a look at the chain after which /readyz says no."
    )
    language: str = Field("zh-CN", description="The console's language where a reader names none.")
    public_url: str = Field(
        "",
        description="The address that people reach the server at; empty means its host and port. "
        "Whoever signs in, signs for it.",
    )
    read_policy: Literal["open", "members"] = Field(
        "open", description="Who may read: open (everybody), or members (and officers) alone."
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Origins whose pages may use the API, comma-separated, exactly as written."
    )
    rate_limit: int = Field(
        6000,
        ge=0,
        le=10**9,
        description="Requests a minute that one address, or one API key, may make of a server "
        "process; 0 where any number may.",
    )
    log_format: Literal["text", "json"] = Field(
        "text",
        description="How the server writes its log: text (trouble alone), or json, a line for each "
        "request and operation.",
    )
    serve_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Names of the keys that the server may sign with, comma-separated; empty "
        "means that it signs nothing.",
    )
    serve_processes: int = Field(
        1, ge=1, le=64, description="How many processes serve; each has its own share of the work."
    )
    webhook_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Networks that webhooks may reach though they are not public, comma-separated.",
    )
    evidence_url: str = Field(
        "",
        repr=False,
        description="A storage of documents that several machines share; empty means the data "
        "folder.",
    )
    evidence_scan: str = Field(
        "", description="A command that scans a document before it is kept; empty means none."
    )
    evidence_max_mib: int = Field(
        64, ge=1, le=4096, description="The largest document that is kept, in MiB."
    )
    smtp_url: str = Field(
        "",
        repr=False,
        description="The mail server that notices to members go to; empty means that none go.",
    )
    smtp_password: SecretStr = Field(
        SecretStr(""), description="The password of the user in MOONLAKE_SMTP_URL."
    )
    smtp_from: str = Field("", description="The address that notices come from.")
    issuer_name: str = Field(
        "明月湖 Moonlake",
        min_length=1,
        max_length=200,
        description="Who gives membership credentials, as a credential names it.",
    )

    @field_validator("*", mode="before")
    @classmethod
    def _readable(cls, value: Any) -> Any:
        # What an environment or a command line holds need not be text; SQL and JSON need it.
        try:
            if isinstance(value, str | Path):
                str(value).encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError("it is not UTF-8") from error
        return value

    @field_validator("home", "host", mode="before")
    @classmethod
    def _empty_is_default(cls, value: Any, info: ValidationInfo) -> Any:
        # An empty folder would be the current one, an empty host every address of the machine.
        empty = value == "" and info.field_name is not None
        return cls.model_fields[info.field_name or ""].default if empty else value

    @field_validator("host", mode="after")
    @classmethod
    def _is_host(cls, value: str) -> str:
        try:
            value.encode("idna")
        except UnicodeError as error:
            raise ValueError(f"{value} is no name and no address of a machine") from error
        return value

    @field_validator("webhook_networks", mode="after")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                ipaddress.ip_network(text)
            except ValueError:
                raise ValueError(f"{text} is no network such as 10.1.0.0/16") from None
        return value

    @field_validator(
        "rpc_url", "signers", "cors_origins", "serve_keys", "webhook_networks", mode="before"
    )
    @classmethod
    def _split_list(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("rpc_url", mode="after")
    @classmethod
    def _are_http_urls(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            _check_url(url, ("http", "https"))
        return value

    @field_validator("subscribe_url", mode="after")
    @classmethod
    def _is_websocket(cls, value: str) -> str:
        if value:
            _check_url(value, ("ws", "wss"))
        return value

    @field_validator("smtp_url", mode="after")
    @classmethod
    def _is_mail_server(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("smtp", "smtps") or not parts.hostname):
            raise ValueError("it is no address such as smtps://user@mail.example.org")
        if parts.password:
            raise ValueError("a password belongs into MOONLAKE_SMTP_PASSWORD")
        return value

    @field_validator("smtp_from", mode="after")
    @classmethod
    def _is_sender(cls, value: str) -> str:
        if value and not re.fullmatch(r"[^@\s<>]+@[A-Za-z0-9.-]+", value):
            raise ValueError("it is no e-mail address")
        return value

    @field_validator("public_url", mode="after")
    @classmethod
    def _is_origin(cls, value: str) -> str:
        if value:
            _check_origin(value)
        return value.lower()

    @field_validator("cors_origins", mode="after")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            _check_origin(origin)
        return tuple(origin.lower() for origin in value)

    @field_validator("serve_keys", mode="after")
    @classmethod
    def _are_key_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _KEY_NAME.fullmatch(name):
                raise ValueError(f"{name} is no name of a key")
        return value

    @field_validator("signers", mode="after")
    @classmethod
    def _are_signers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = []
        for entry in value:
            name, _, behind = entry.partition("=")
            if not _KEY_NAME.fullmatch(name):
                raise ValueError("each of its entries begins with a key's name and =")
            names.append(name)
            url = _REMOTE.fullmatch(behind)
            if url is not None:
                _check_url(url[2], ("http", "https"))
            elif not _KEY_NAME.fullmatch(behind):
                raise ValueError(
                    f"what stands behind {name} is neither a keystore's name nor "
                    "remote:0xADDRESS@URL"
                )
        if len(set(names)) != len(names):
            raise ValueError("it names one key twice")
        return value

    @field_validator("devnet_keys", mode="after")
    @classmethod
    def _are_devnet_keys(cls, value: SecretStr) -> SecretStr:
        entries = [part for part in value.get_secret_value().split(",") if part.strip()]
        if not all(_DEVNET_KEY.fullmatch(entry.strip()) for entry in entries):
            raise ValueError("its entries are not NAME=0x and 64 hex digits")
        return value

    @field_validator("home", "deployment", "anvil", "key_password_file", mode="after")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        try:
            return value.expanduser().absolute() if value is not None else None
        except RuntimeError as error:
            raise ValueError(f"the home folder in {value} is not known") from error
        except FileNotFoundError as error:
            raise ValueError("the current folder is gone; name an absolute path") from error

    @field_validator("deployment", "anvil", "key_password_file", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return None if value == "" else value

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes' URLs, the devnet's where none is named."""
        return self.rpc_url or (f"http://127.0.0.1:{self.devnet_port}",)

    @property
    def origin(self) -> str:
        """Where people reach the server: scheme, host and port, without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def sends_mail(self) -> bool:
        """Whether a mail server is named, and who its mail is from."""
        return bool(self.smtp_url and self.smtp_from)

    @property
    def uses_devnet(self) -> bool:
        """Whether the chain is the devnet that Moonlake itself starts."""
        return not self.rpc_url

    @property
    def fee_ceiling(self) -> int:
        """The most that one unit of gas may cost, in wei."""
        return int(self.max_fee_gwei * 10**9)

    @property
    def signers_by_name(self) -> dict[str, str | RemoteAccount]:
        """What MOONLAKE_SIGNERS puts behind a key's name: a keystore's name or a remote account."""
        found: dict[str, str | RemoteAccount] = {}
        for entry in self.signers:
            name, _, behind = entry.partition("=")
            remote = _REMOTE.fullmatch(behind)
            found[name] = behind if remote is None else RemoteAccount(remote[1], remote[2])
        return found

    @property
    def devnet_keys_by_name(self) -> dict[str, SecretStr]:
        """The secret keys of MOONLAKE_DEVNET_KEYS, 0x and 64 hex digits each."""
        entries = (part.strip() for part in self.devnet_keys.get_secret_value().split(","))
        pairs = (entry.partition("=") for entry in entries if entry)
        return {name: SecretStr(key) for name, _, key in pairs}

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in use."""
        return self.database_url or f"sqlite:///{self.home / 'moonlake.sqlite3'}"

    def as_environment(self) -> dict[str, str]:
        """The variables that give a child process these very settings."""
        found = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, SecretStr):
                value = value.get_secret_value()
            text = ",".join(value) if isinstance(value, tuple) else str(value)
            found[ENVIRONMENT_PREFIX + name.upper()] = "" if value is None else text
        return found


def load_settings(**overrides: Any) -> Settings:
    """Read the environment and `.env`; `overrides` (options of the command line) win.

    Overrides that are None count as not given. Raises InvalidSetting with the first problem.
    """
    _check_file(Path(ENVIRONMENT_FILE))
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ENVIRONMENT_PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        problem = first["msg"].removeprefix("Value error, ")
        raise InvalidSetting(setting=name, problem=problem) from error


def unknown_settings() -> list[tuple[str, str]]:
    """Names in the environment and `.env` that begin as ours and are none, with the nearest one.

    A misspelt name is passed over, and what was meant by it is not done. Raises InvalidSetting for
    a `.env` that cannot be read.
    """
    known = [ENVIRONMENT_PREFIX + name.upper() for name in Settings.model_fields]
    path = Path(ENVIRONMENT_FILE)
    _check_file(path)
    names = {*os.environ, *(dotenv_values(path) if path.is_file() else ())}
    ours = {name for name in names if name.upper().startswith(ENVIRONMENT_PREFIX)}
    return [
        (name, difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.0)[0])
        for name in sorted(ours)
        if name.upper() not in known and name not in _OF_SCRIPTS
    ]


def _check_url(url: str, schemes: tuple[str, str]) -> None:
    """Raise ValueError, without what may be secret in the URL: its path, user and password."""
    kind = "an http(s)" if "http" in schemes else "a ws(s)"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(f"one of its addresses is not {kind} URL") from None
    if not usable:
        shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else url
        if not parts.netloc and {"@", "/", "?"} & set(url):
            shown = "one of its addresses"
        raise ValueError(f"{shown} is not {kind} URL")


def _check_origin(url: str) -> None:
    _check_url(url, ("http", "https"))
    parts = urlsplit(url)
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("an origin is a scheme, a host and perhaps a port, and nothing more")


def _check_file(path: Path) -> None:
    """Raise InvalidSetting where a line cannot be read: its reader would pass over it."""
    if not path.is_file():
        return
    try:
        content = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, f"line {line} is not UTF-8") from error
    except OSError as error:
        raise _unreadable(path, f"it cannot be read: {error.strerror}") from error
    for found in parse_stream(StringIO(content)):
        is_bare = found.value is None and (found.key or "").upper().startswith(ENVIRONMENT_PREFIX)
        if found.error or is_bare:
            lead = found.original.string[: -len(found.original.string.lstrip()) or None]
            skipped = lead.count("\n") if found.original.string.strip() else 0
            line = found.original.line + skipped
            raise _unreadable(path, f"line {line} is not NAME=value")


def _unreadable(path: Path, problem: str) -> InvalidSetting:
    return InvalidSetting(setting=f"file {path.absolute()}", problem=problem)
