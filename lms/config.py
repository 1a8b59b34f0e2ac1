"""Settings: read from the environment, typed and checked once, at start.

A missing or weak setting stops the start and is named in one line. In production (`LMS_EMBEDDED` unset) each setting
that a branch must decide has no default. `flask up` sets the values that a laptop needs and `LMS_EMBEDDED=1`.
"""

import re
from datetime import time, timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from lms.field_keys import NumberedKey

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
FARTHEST_REMINDER = 730
EARLIEST_REMINDER, LATEST_REMINDER = time(8), time(20)
PICTURE_BYTES = 1024 * 1024
_CONTACT = re.compile(r"mailto:[!-~]+@[!-~]+|https://[!-~]+")  # printable ASCII, as a line of security.txt
PNG_SIGN = b"\x89PNG\r\n\x1a\n"
APPLE_SETTINGS = ("apple_pass_certificate_file", "apple_pass_key_file", "apple_pass_wwdr_file")
GOOGLE_SETTINGS = ("google_wallet_issuer_id", "google_wallet_key_file")
WALLET_SETTINGS = (*APPLE_SETTINGS, *GOOGLE_SETTINGS)


class SettingsError(Exception):
    """Missing or weak settings. `lines` names each of them and says what to do, for the person who starts the system."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


class SecondFactor(StrEnum):
    """The second factor at sign-in: demanded of whoever has a role besides the trainee's, or offered to all."""

    DEMANDED = "demanded"
    OFFERED = "offered"


class Settings(BaseSettings):
    """Typed settings of the environment. Field names are the environment's names in lower case."""

    model_config = SettingsConfigDict(env_prefix="", case_sensitive=False, extra="ignore", frozen=True)

    lms_embedded: bool = False
    database_url: str
    database_replica_url: str | None = None
    replica_limit_seconds: float = Field(default=30, ge=1, le=3600)
    redis_url: str | None = None
    broker_url: str | None = None
    secret_key: str
    secret_key_fallbacks: Annotated[tuple[str, ...], NoDecode] = ()
    field_key: str
    field_key_fallbacks: Annotated[tuple[str, ...], NoDecode] = ()
    public_url: str
    mail_url: str | None = None
    mail_from: str = "no-reply@localhost"
    sms_gateway: Literal["alibaba", "tencent"] | None = None
    sms_key_id: str | None = None
    sms_key_secret: str | None = None
    sms_sign_name: str | None = None
    sms_app_id: str | None = None
    sms_region: str = "ap-beijing"
    sms_endpoint: str | None = None
    sms_templates: dict[str, str] = Field(default_factory=dict)
    hsts_subdomains: bool = False
    security_contact: Annotated[tuple[str, ...], NoDecode] = ()
    security_policy_url: str | None = None
    metrics_token: str | None = Field(default=None, min_length=16)
    backup_recipient: Annotated[tuple[str, ...], NoDecode] = ()
    keys_dir: Path
    instance_dir: Path = ROOT / "instance"
    time_zone: str = "Asia/Shanghai"
    organisation_name_zh: str = "北京市红十字会"
    organisation_name_en: str = "Red Cross Society of China Beijing Branch"
    privacy_contact: str | None = Field(default=None, max_length=300)
    verification_contact: str | None = Field(default=None, max_length=300)
    map_link: str | None = "https://uri.amap.com/search?keyword={address}"
    seal_file: Path | None = None
    logo_file: Path | None = None
    apple_pass_certificate_file: Path | None = None
    apple_pass_key_file: Path | None = None
    apple_pass_wwdr_file: Path | None = None
    google_wallet_issuer_id: str | None = Field(default=None, pattern=r"^[0-9]{1,30}$")
    google_wallet_key_file: Path | None = None
    seal_on_district_certificates: bool = False
    fonts_dir: Annotated[tuple[Path, ...], NoDecode] = ()
    branch_code: str = Field(default="BJ", pattern=r"^[A-Z]{1,6}$")
    upload_limit_bytes: int = Field(default=8 * 1024 * 1024, ge=1024)
    import_limit_bytes: int = Field(default=64 * 1024 * 1024, ge=1024)
    reads_per_day: int = Field(default=60, ge=1, le=10_000)
    session_days: int = Field(default=30, ge=1, le=365)
    staff_idle_hours: int = Field(default=12, ge=1, le=720)
    second_factor: SecondFactor | None = None
    reminder_days: Annotated[tuple[int, ...], NoDecode] = (90, 30, 7)
    session_reminder_at: time | None = time(17)
    waiting_list_offer_hours: int = Field(default=24, ge=0, le=336)
    renewal_begins: Literal["at_old_end", "on_issue"] = "at_old_end"
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    export_limit_rows: int = Field(default=50_000, ge=1, le=1_000_000)
    web_workers: int = Field(default=1, ge=1, le=64)

    @field_validator(
        "secret_key_fallbacks",
        "field_key_fallbacks",
        "security_contact",
        "backup_recipient",
        "fonts_dir",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("reminder_days", mode="before")
    @classmethod
    def _days(cls, value: object) -> object:
        try:
            days = [int(part) for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        except ValueError:
            days = None
        if not isinstance(days, list | tuple) or any(not 1 <= day <= FARTHEST_REMINDER for day in days):
            raise ValueError(f"must be whole days from 1 to {FARTHEST_REMINDER}, as in 90,30,7; empty for no reminders")
        return tuple(sorted(set(days), reverse=True))

    @field_validator("session_reminder_at", mode="before")
    @classmethod
    def _time_of_day(cls, value: object) -> object:
        if isinstance(value, str) and not value.strip():
            return None
        try:
            at = time.fromisoformat(value.strip()) if isinstance(value, str) else value
        except ValueError:
            at = time()
        if at is not None and not (isinstance(at, time) and EARLIEST_REMINDER <= at <= LATEST_REMINDER):
            raise ValueError("must be a time from 08:00 to 20:00, as in 17:00; empty for no reminders of sessions")
        return at

    @field_validator("web_workers", mode="before")
    @classmethod
    def _at_least_one(cls, value: object) -> object:
        return value or 1  # gunicorn's configuration, too, takes an empty one for none

    @field_validator("database_replica_url", "second_factor", mode="before")
    @classmethod
    def _none_when_empty(cls, value: object) -> object:
        return value or None

    @field_validator("secret_key")
    @classmethod
    def _strong(cls, value: str) -> str:
        if len(value) < 32 or len(set(value)) < 8:
            raise ValueError(
                "is weak: give at least 32 random characters (python3 -c 'import secrets; print(secrets.token_hex(32))')"
            )
        return value

    @field_validator("field_key", "field_key_fallbacks")
    @classmethod
    def _keys(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for text in (value,) if isinstance(value, str) else value:
            NumberedKey.parse(text)
        return value

    @field_validator("database_url", "database_replica_url")
    @classmethod
    def _postgresql(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("postgresql+psycopg://", "postgresql://")):
            raise ValueError("must be a postgresql:// address; the system runs on PostgreSQL only")
        return value.replace("postgresql://", "postgresql+psycopg://", 1)

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("redis://", "rediss://")):
            raise ValueError("must be a redis:// or rediss:// address")
        return value

    @field_validator("mail_url")
    @classmethod
    def _smtp(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).scheme not in {"smtp", "smtp+starttls", "smtps"}:
            raise ValueError("must be an smtp://, smtp+starttls:// or smtps:// address")
        return value

    @field_validator("security_contact")
    @classmethod
    def _contacts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_CONTACT.fullmatch(contact) for contact in value):
            raise ValueError("must be addresses such as mailto:security@example.org or https://example.org/report")
        return value

    @field_validator("security_policy_url")
    @classmethod
    def _policy(cls, value: str | None) -> str | None:
        if value is not None and not (value.startswith("https://") and _CONTACT.fullmatch(value)):
            raise ValueError("must be an address, as in https://example.org/security")
        return value

    @field_validator(
        "sms_gateway",
        "sms_endpoint",
        "metrics_token",
        "security_policy_url",
        "map_link",
        *WALLET_SETTINGS,
        mode="before",
    )
    @classmethod
    def _unset_when_empty(cls, value: object) -> object:
        return value or None

    @field_validator("map_link")
    @classmethod
    def _map(cls, value: str | None) -> str | None:
        if value is not None and (not value.startswith("https://") or value.count("{address}") != 1):
            raise ValueError("must be a map's search address, as in https://uri.amap.com/search?keyword={address}")
        return value

    @field_validator("sms_endpoint")
    @classmethod
    def _gateway_address(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).netloc):
            raise ValueError("must be an address, as in https://dysmsapi.aliyuncs.com")
        return value

    @field_validator("public_url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError("must be the site's address alone, as in https://training.example.org")
        return f"{parts.scheme}://{parts.netloc}".lower()

    @field_validator("seal_file", "logo_file")
    @classmethod
    def _picture(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        try:
            size = value.stat().st_size
            content = value.read_bytes() if size <= PICTURE_BYTES else b""
        except OSError as error:
            raise ValueError(f"cannot be read: {value}") from error
        if size > PICTURE_BYTES:
            raise ValueError("is larger than 1 MB")
        kind = value.suffix.lower()
        # An SVG may begin with a declaration and comments; a PNG begins with its sign.
        if not (kind == ".png" and content.startswith(PNG_SIGN)) and not (kind == ".svg" and b"<svg" in content[:4096]):
            raise ValueError("must be an SVG or PNG picture, named .svg or .png")
        return value.resolve()

    @field_validator("fonts_dir")
    @classmethod
    def _folders(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        for folder in value:
            if not folder.is_dir():
                raise ValueError(f"is not a folder: {folder}")
        return tuple(folder.resolve() for folder in value)

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("is not a time zone; use a name such as Asia/Shanghai") from error
        return value

    @model_validator(mode="after")
    def _numbers(self) -> "Settings":
        numbers = [NumberedKey.parse(text).number for text in (self.field_key, *self.field_key_fallbacks)]
        if len(set(numbers)) < len(numbers):
            raise ValueError(
                "FIELD_KEY_FALLBACKS: two field keys have the same number; give a new one a new number, as in 2:…"
            )
        return self

    @model_validator(mode="after")
    def _gateway(self) -> "Settings":
        if self.sms_gateway is None:
            return self
        names = ["sms_key_id", "sms_key_secret", "sms_sign_name", "sms_templates"]
        if self.sms_gateway == "tencent":
            names.append("sms_app_id")
        missing = [name.upper() for name in names if not getattr(self, name)]
        if missing:
            raise ValueError(f"{', '.join(missing)}: missing; SMS_GATEWAY={self.sms_gateway} needs it")
        return self

    @model_validator(mode="after")
    def _wallets(self) -> "Settings":
        # The web may not read these files: the worker alone signs, and says what is wrong with them when it does.
        for names in (APPLE_SETTINGS, GOOGLE_SETTINGS):
            missing = [name.upper() for name in names if getattr(self, name) is None]
            if 0 < len(missing) < len(names):
                raise ValueError(f"{', '.join(missing)}: missing; passes of this wallet need all of its settings")
        return self

    @model_validator(mode="after")
    def _production(self) -> "Settings":
        if self.lms_embedded:
            return self
        missing = [name.upper() for name in ("redis_url", "mail_url") if getattr(self, name) is None]
        if missing:
            raise ValueError(f"{', '.join(missing)}: missing; production needs it")
        if not self.public_url.startswith("https://") and urlsplit(self.public_url).hostname not in LOOPBACK:
            raise ValueError("PUBLIC_URL: must begin with https:// in production; certificates carry it for years")
        absent = [
            name.upper()
            for name in ("time_zone", "organisation_name_zh", "organisation_name_en", "mail_from")
            if name not in self.model_fields_set
        ]
        if absent:
            raise ValueError(f"{', '.join(absent)}: missing; production needs it")
        return self

    @cached_property
    def zone(self) -> ZoneInfo:
        """The branch's time zone, in which days, months and quarters begin."""
        return ZoneInfo(self.time_zone)

    @property
    def staff_idle(self) -> timedelta:
        """For how long the session of a user with a role besides the trainee's lives without a request."""
        return timedelta(hours=self.staff_idle_hours)

    @property
    def demands_second_factor(self) -> bool:
        """True if a second factor is demanded: as it is set, else in production alone."""
        default = SecondFactor.OFFERED if self.lms_embedded else SecondFactor.DEMANDED
        return (self.second_factor or default) is SecondFactor.DEMANDED

    @property
    def celery_broker_url(self) -> str:
        """URL of Celery's broker: the one that is set, else Redis, else tables in the same PostgreSQL."""
        return self.broker_url or self.redis_url or f"sqla+{self.database_url}"

    @property
    def limits_storage_url(self) -> str:
        """URL of the storage for request limits: Redis if it is set, else the memory of this process."""
        return self.redis_url or "memory://"

    @property
    def mail_dir(self) -> Path:
        """Folder to which messages are written as files when no mail server or SMS gateway is set."""
        return self.instance_dir / "mail"

    @property
    def strict_transport_security(self) -> str:
        """The header by which browsers come by https for a year; the other hosts of this domain, too, where that is set."""
        return "max-age=31536000; includeSubDomains" if self.hsts_subdomains else "max-age=31536000"

    @property
    def secure(self) -> bool:
        """True if browsers reach the site by https, so that cookies can be restricted to it."""
        return self.public_url.startswith("https://")


def load_settings() -> Settings:
    """Read and check the environment.

    Raises SettingsError, which names every wrong setting at once, so that a start needs one correction and not several.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            name = str(problem["loc"][0]).upper() if problem["loc"] else ""
            message = "is missing" if problem["type"] == "missing" else problem["msg"].removeprefix("Value error, ")
            lines.append(f"{name} {message}".strip())
        raise SettingsError(lines) from None
