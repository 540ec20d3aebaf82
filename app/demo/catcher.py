"""A webhook catcher for the tour: prints what arrives and whether its signature is right."""

from __future__ import annotations

import asyncio
import hmac
import time

import typer

from app.domain.errors import DomainError
from app.domain.signature import parse_secret, sign

_LONGEST_BODY = 1_000_000


async def run_catcher(port: int, secret: str | None, status: int) -> None:
    """Listen on the loopback address until interrupted."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(30):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                headers = _headers(head)
                size = min(int(headers.get("content-length", "0")), _LONGEST_BODY)
                body = await reader.readexactly(size)
            typer.echo(_report(headers, body, secret))
            writer.write(
                f"HTTP/1.1 {status} Caught\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
            )
            await writer.drain()
        except (TimeoutError, ValueError, OSError, EOFError):
            typer.echo("something arrived that is no webhook", err=True)
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", port)
    typer.echo(f"catching webhooks on http://127.0.0.1:{port}/")
    async with server:
        await server.serve_forever()


def _headers(head: str) -> dict[str, str]:
    lines = (line.partition(":") for line in head.split("\r\n")[1:] if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def _report(headers: dict[str, str], body: bytes, secret: str | None) -> str:
    verdict = "signature not checked (no --secret)"
    if secret is not None:
        verdict = "signature right" if _is_genuine(headers, body, secret) else "SIGNATURE WRONG"
    stamp = time.strftime("%H:%M:%S")
    return f"{stamp} {headers.get('webhook-id', '-')} {verdict}\n{body.decode('utf-8', 'replace')}\n"


def _is_genuine(headers: dict[str, str], body: bytes, secret: str) -> bool:
    try:
        expected = sign(
            headers["webhook-id"], int(headers["webhook-timestamp"]), body, [parse_secret(secret)]
        )
    except (KeyError, ValueError, DomainError):
        return False
    offered = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(one.encode(), expected.encode()) for one in offered)
