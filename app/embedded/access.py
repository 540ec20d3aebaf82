"""Where the embedded server listens and how its logins get in: all passwords follow from one secret."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

HOST = "127.0.0.1"
SUPERUSER = "postgres"
OWNER = "vidhuk_owner"
SERVICE = "vidhuk"
DATABASE = "vidhuk"


@dataclass(frozen=True)
class ServiceUrls:
    """What the service asks for as DATABASE_URL and MIGRATION_URL."""

    database_url: str
    migration_url: str


@dataclass(frozen=True)
class Access:
    """The address of one server and the keys to it."""

    port: int
    secret: str = field(repr=False)
    host: str = HOST

    def password_of(self, login: str) -> str:
        """The password of a login: the same at every start, and of no use for another login."""
        return hmac.new(self.secret.encode(), login.encode(), hashlib.sha256).hexdigest()

    def dsn(self, database: str = DATABASE, login: str = SUPERUSER) -> str:
        """The URL by which `login` reaches `database`."""
        return f"postgresql://{login}:{self.password_of(login)}@{self.host}:{self.port}/{database}"

    def urls(self, database: str = DATABASE) -> ServiceUrls:
        """The service's two URLs for one database."""
        return ServiceUrls(database_url=self.dsn(database, SERVICE), migration_url=self.dsn(database, OWNER))
