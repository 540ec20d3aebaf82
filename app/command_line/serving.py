"""`serve`, `worker`, `all`, `demo`, `catch`: the roles of a process."""

from __future__ import annotations

import asyncio
import signal
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from pydantic import SecretStr

from app.command_line.console import err, fail, load_settings
from app.db.migrate import migrate
from app.demo.catcher import run_catcher
from app.demo.keys import keep_keys
from app.demo.seed import seed_demo
from app.demo.tour import tour_text
from app.embedded import EmbeddedError, start_embedded
from app.kit.instruments import serve_exposition
from app.kit.logging import configure_logging
from app.kit.memory import settle_memory
from app.main import create_app
from app.settings import Settings
from app.wiring import build_services
from app.worker import run_worker

GRACE_SECONDS = 10
"""How long requests in flight may go on after SIGTERM."""


def serve() -> None:
    """Run the API."""
    _run_server(load_settings(), with_worker=False)


def run_all() -> None:
    """Run the API and the background loops in one process."""
    _run_server(load_settings(), with_worker=True)


def worker() -> None:
    """Run the background loops."""
    asyncio.run(_run_worker(load_settings()))


def demo(
    port: Annotated[int | None, typer.Option(help="port of the API")] = None,
    home: Annotated[Path | None, typer.Option(help="where the database and the keys are kept")] = None,
) -> None:
    """Run everything on an embedded PostgreSQL with a demonstration tenant; Ctrl-C stops it all."""
    # SIGTERM must leave through the `with` below, or the database would be orphaned
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    base = Settings(log_json=False)
    configure_logging(base.log_level, as_json=False)
    folder = (home or base.home).absolute()
    try:
        with start_embedded(folder) as server:
            urls = server.ensure_roles()
            keys = keep_keys(folder)
            settings = base.model_copy(
                update={
                    "database_url": urls.database_url,
                    "migration_url": urls.migration_url,
                    "home": folder,
                    "port": base.port if port is None else port,
                    "master_keys": base.master_keys or [SecretStr(keys.master)],
                    "operator_key": base.operator_key or SecretStr(keys.operator),
                    "environment": "demo",
                    "egress_allow": base.egress_allow or ["127.0.0.0/8"],
                }
            )
            asyncio.run(_prepare_demo(settings, folder))
            _run_server(settings, with_worker=True)
    except EmbeddedError as error:
        fail(str(error))
    except KeyboardInterrupt:
        err.print("stopped")


def catch(
    port: Annotated[int, typer.Option(help="port to listen on (loopback only)")] = 9099,
    secret: Annotated[
        str | None, typer.Option(help="whsec_... of the endpoint, to verify signatures")
    ] = None,
    status: Annotated[int, typer.Option(help="answer with this status")] = 204,
) -> None:
    """Listen for webhooks on this machine, print each one and say whether its signature is right."""
    try:
        asyncio.run(run_catcher(port, secret, status))
    except KeyboardInterrupt:
        err.print("stopped")


def alive() -> None:
    """Ask the process of this machine (or container) whether it lives: the API, else the worker's metrics."""
    settings = load_settings()
    if _answers(settings.port, "/healthz"):
        return
    if settings.metrics_port is not None and _answers(settings.metrics_port, "/metrics"):
        return
    fail("nobody answers", "start `vidhuk serve`, `all`, or `worker` with VIDHUK_METRICS_PORT")


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


async def _prepare_demo(settings: Settings, folder: Path) -> None:
    await migrate(settings.owner_url, settings.database_url)
    services = build_services(settings)
    try:
        with err.status("filling in ninety synthetic days ...") as status:
            made = await seed_demo(
                services,
                folder,
                lambda percent: status.update(f"filling in ninety synthetic days ... {percent} %"),
            )
    finally:
        await services.close()
    operator = settings.operator_key.get_secret_value() if settings.operator_key else ""
    typer.echo(
        tour_text(f"http://{settings.host}:{settings.port}", made.key, operator, settings.database_url)
    )


def _run_server(settings: Settings, *, with_worker: bool) -> None:
    services = build_services(settings)
    config = uvicorn.Config(
        create_app(services, with_worker=with_worker),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=64 * 1024,
    )
    settle_memory()
    uvicorn.Server(config).run()


async def _run_worker(settings: Settings) -> None:
    services = build_services(settings)
    settle_memory()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    if settings.metrics_port is not None:
        try:
            serve_exposition(settings.host, settings.metrics_port)
        except OSError as error:
            fail(f"cannot answer on {settings.host}:{settings.metrics_port}: {error.strerror}")
    try:
        await run_worker(services, stop)
    finally:
        await services.close()
