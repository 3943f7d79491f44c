"""Every setting of the service, read from USHER_* variables and `.env`; nothing else reads them.

Knows names, defaults, meanings and which values are possible. Does not know what a choice leads to
(infra/wiring.py picks the implementations). Called by wiring and by the CLI, whose flags win over
the environment; `usher doctor` prints `rows` and `unknown_names`.
"""

import difflib
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "USHER_"
ENV_FILE = Path(".env")
"""Read from the working directory, below the environment itself."""
SECRET_CHARS = 32
NEAR = 0.75
"""Likeness (0-1) above which a name is offered as what was meant; the prefix alone gives 0.6."""
NOT_REACHED = "default_factory_not_called"
"""Pydantic's complaint about every derived default once another field is wrong: noise."""

CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
"""In an address: never shown."""

Names = Annotated[tuple[str, ...], NoDecode]
"""A comma-separated list."""


class SettingProblem(Exception):
    """A setting cannot be used; one line that names the variable and says what it may be."""


def default_home() -> Path:
    """The platform's folder for application data, plus `usher`."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        base = "~/Library/Application Support"
    else:
        base = os.environ.get("XDG_DATA_HOME", "")
        # The XDG specification: a relative path is invalid and must be ignored.
        base = base if Path(base).is_absolute() else "~/.local/share"
    return Path(base).expanduser() / "usher"


def _by_backend(embedded: str, aws: str) -> Any:
    return Field(default_factory=lambda given: aws if given.get("backend") == "aws" else embedded)


class Settings(BaseSettings):
    """The settings as read; immutable. Make one with `load`, which words errors for people."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    backend: Literal["embedded", "aws"] = "embedded"
    """The one dial: sets the defaults of `model`, `index` and `store`."""
    model: Literal["offline", "bedrock", "anthropic", "openai"] = _by_backend("offline", "bedrock")
    """Who decides and writes the answers."""
    index: Literal["local", "opensearch"] = _by_backend("local", "opensearch")
    """Where movies are searched."""
    store: Literal["sqlite", "dynamodb"] = _by_backend("sqlite", "dynamodb")
    """Where conversations, profiles and interactions are kept."""

    home: Path = Field(default_factory=default_home)
    """Folder of everything that Usher keeps: index, store and session secret."""
    index_dir: Path = Field(default_factory=lambda given: given.get("home", Path()) / "index")
    """Folder of the local index; by default `index` in the home folder."""
    encoder_dir: Path | None = None
    """Folder of another encoder than the one that ships; an index works with its own only."""
    data: Path | None = None
    """Folder of the large data sets that `make figures` measures on."""

    host: str = "127.0.0.1"
    """Address to serve on. Beyond loopback, put a proxy that speaks TLS in front."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port to serve on; 0 takes any free one."""
    allowed_hosts: Names = ()
    """Comma-separated host names that requests may name, besides loopback ones."""
    allowed_origins: Names = ()
    """Comma-separated origins (https://example.org) that may call with a visitor's cookie."""
    session_secret: SecretStr | None = None
    """Key that signs sessions, 32 characters or more; made on first run if not given."""

    turn_deadline_s: float = Field(default=20.0, gt=0, le=600)
    """Seconds that one turn may take before it is cut short."""
    grace_s: float = Field(default=10.0, ge=0, le=600)
    """Seconds that a turn runs on after its last reader left."""
    drain_s: float = Field(default=5.0, ge=0, le=600)
    """Seconds that running turns get to finish when the service is told to stop."""
    max_turns: int = Field(default=100, ge=1)
    """Turns that may run at the same time; more are refused at once with Retry-After."""
    search_cache_s: float = Field(default=3600.0, ge=0, le=30 * 24 * 3600)
    """Seconds that a ranked list is used again for near-equal requests; 0 makes each anew."""
    requests_per_minute: int = Field(default=120, ge=1)
    """Requests to the plain endpoints per session; requests that begin one, per address."""
    key_requests_per_minute: int = Field(default=6000, ge=1)
    """Requests to the plain endpoints per API key, all its users together."""

    opensearch_url: str | None = None
    """Address of OpenSearch, when `index` is opensearch; user:password@ may stand in it."""
    opensearch_index: str = Field(default="usher", pattern=r"^[a-z][a-z0-9_-]{0,99}$")
    """Name of the index in OpenSearch: an alias, behind which generations come and go."""
    opensearch_engine: Literal["lucene", "faiss"] = "lucene"
    """What searches vectors in an index built from now on; Serverless always takes faiss."""
    opensearch_auth: Literal["auto", "none", "basic", "es", "aoss"] = "auto"
    """How requests are signed: as the address tells, or es (a domain), aoss (Serverless)."""
    aws_region: str | None = None
    """AWS region of DynamoDB and OpenSearch; by default the one of the AWS configuration."""
    dynamodb_endpoint_url: str | None = None
    """Another DynamoDB endpoint, such as a VPC endpoint or a server on this machine."""
    dynamodb_table_prefix: str = "usher"
    """First part of every DynamoDB table name, so that several Ushers can share an account."""
    bedrock_endpoint_url: str | None = None
    """Another Bedrock endpoint, such as a VPC endpoint or a test double."""

    decide_model: str | None = None
    """Model that decides and explains: any id, profile or ARN; a small, quick one by default."""
    respond_model: str | None = None
    """Model that writes the answers; a larger one by default."""
    fallback_model: str | None = None
    """Model asked when the one meant for a call fails; by default the one that decides."""
    bedrock_region: str | None = None
    """AWS region of Bedrock; by default what the AWS configuration says."""
    bedrock_provider: str | None = None
    """Maker of the models behind ARNs (anthropic, amazon ...), which do not say it."""
    bedrock_base_model: str | None = None
    """Base model behind an application inference profile, by its id."""
    bedrock_guardrail: str | None = None
    """Guardrail for every call, as `id:version`."""
    anthropic_api_key: SecretStr | None = None
    """Key of Anthropic's API, when `model` is anthropic; by default the SDK's own variables."""
    anthropic_base_url: str | None = None
    """Another address of Anthropic's API, such as a gateway or a test double."""
    openai_base_url: str | None = None
    """Address of a server that speaks OpenAI's chat completions: http://127.0.0.1:8080/v1."""
    openai_api_key: SecretStr | None = None
    """Key of that server, if it wants one."""
    prompt_cache: bool = False
    """Mark prompts and tool specs for the provider's prompt cache."""
    model_calls: int = Field(default=64, ge=1, le=1000)
    """Model calls at the same time: threads and connections."""
    model_first_s: float = Field(default=6.0, gt=0, le=120)
    """Seconds that a model may take to begin its answer."""
    model_idle_s: float = Field(default=4.0, gt=0, le=120)
    """Seconds that a model may pause in the middle of its answer."""
    explain_s: float = Field(default=2.0, ge=0, le=60)
    """Seconds that cards may wait for reasons in a model's words; 0 keeps the templates."""
    turn_tokens: int = Field(default=40_000, ge=1)
    """Model tokens that one turn may use; what is over is answered offline."""
    daily_tokens: int = Field(default=400_000, ge=1)
    """Model tokens that one person may use in a day (UTC); after that, answers are offline."""
    prices: Path | None = None
    """YAML file of what models cost; by default infra/prices.yaml, which names none."""

    @field_validator("allowed_hosts", "allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            scheme, separator, rest = origin.partition("://")
            if scheme not in ("http", "https") or not separator or not rest or "/" in rest:
                raise ValueError(f"an origin looks like https://example.org, not {origin!r}")
        return origins

    @field_validator("dynamodb_table_prefix")
    @classmethod
    def _check_prefix(cls, prefix: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,200}", prefix):
            raise ValueError("use 1 to 200 of the characters a-z, A-Z, 0-9, -, _ and .")
        return prefix

    @field_validator("session_secret")
    @classmethod
    def _check_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < SECRET_CHARS:
            raise ValueError(f"must have {SECRET_CHARS} characters or more")
        return secret

    @field_validator("home", "index_dir", "encoder_dir", "data", "prices")
    @classmethod
    def _expand(cls, path: Path | None) -> Path | None:
        return path.expanduser() if path else path

    @property
    def store_file(self) -> Path:
        """The SQLite file, when `store` is sqlite."""
        return self.home / "usher.sqlite3"

    @property
    def secret_file(self) -> Path:
        """Where the session secret is kept when none is given."""
        return self.home / "session.secret"


def load(**flags: Any) -> Settings:
    """The settings; flags that are not None win over the environment. Raises: SettingProblem."""
    given = {name: value for name, value in flags.items() if value is not None}
    unknown = given.keys() - Settings.model_fields.keys()
    if unknown:
        raise TypeError(f"no such setting: {sorted(unknown)}")
    try:
        return Settings(**given)
    except ValidationError as error:
        problems = [one for one in error.errors() if one["type"] != NOT_REACHED]
        raise SettingProblem("; ".join(_problem(one) for one in problems)) from None
    except UnicodeDecodeError:
        raise SettingProblem(f"{ENV_FILE.resolve()} is not UTF-8 text: save it as UTF-8") from None


def _problem(error: ErrorDetails) -> str:
    name = str(error["loc"][0])
    reason = str(error["msg"]).removeprefix("Value error, ")
    return f"{variable(name)}: {reason[0].lower()}{reason[1:]}"


def variable(name: str) -> str:
    """The environment variable of a field."""
    return PREFIX + name.upper()


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A USHER_* variable that no setting has; most likely a typing error."""

    name: str
    suggestion: str | None


def unknown_names(environ: Mapping[str, str | None] | None = None) -> list[UnknownName]:
    """The USHER_* names that mean nothing, from the environment and `.env` when none is passed."""
    if environ is None:
        environ = {**dotenv_values(ENV_FILE), **os.environ}
    known = [variable(name) for name in Settings.model_fields]
    found = []
    for name in sorted(environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            nearest = difflib.get_close_matches(name.upper(), known, n=1, cutoff=NEAR)
            found.append(UnknownName(name, nearest[0] if nearest else None))
    return found


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting as `usher doctor` explains it."""

    variable: str
    value: str
    is_default: bool
    doc: str


def rows(settings: Settings) -> list[SettingRow]:
    """Every setting with its value and meaning, in reading order; secrets are masked."""
    return [
        SettingRow(
            variable=variable(name),
            value=_shown(getattr(settings, name)),
            is_default=name not in settings.model_fields_set,
            doc=field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(value)
    return CREDENTIALS.sub("***@", str(value))


def session_secret(settings: Settings) -> bytes:
    """The key that signs sessions; made once and kept, readable by the owner only.

    Raises: SettingProblem when the home folder cannot be written or the kept secret was damaged.
    """
    if settings.session_secret is not None:
        return settings.session_secret.get_secret_value().encode()
    path = settings.secret_file
    try:
        with suppress(FileNotFoundError):
            return _checked(path, path.read_bytes())
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".secret-")
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(SECRET_CHARS).encode())
        # A link fails if another process was first, whose secret then counts for both.
        with suppress(FileExistsError):
            os.link(temporary, path)
        os.unlink(temporary)
        return _checked(path, path.read_bytes())
    except OSError as error:
        raise SettingProblem(
            f"USHER_HOME: cannot keep the session secret in {path} ({error.strerror}); "
            "name a folder that can be written, or give USHER_SESSION_SECRET"
        ) from None


def _checked(path: Path, secret: bytes) -> bytes:
    if len(secret) < SECRET_CHARS:
        raise SettingProblem(
            f"USHER_HOME: the session secret in {path} is damaged; delete it "
            "(everyone gets a new session) or give USHER_SESSION_SECRET"
        )
    return secret
