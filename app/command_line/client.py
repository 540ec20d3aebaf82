"""The service as a command sees it from outside: our own API with a key, and its refusals as exits."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import httpx
import typer

from app.command_line.console import err

Url = Annotated[str, typer.Option(envvar="VIDHUK_URL", help="the service")]
Key = Annotated[str, typer.Option(envvar="VIDHUK_KEY", help="API key")]
HERE = "http://127.0.0.1:8080"

STARTED_NOTHING = 2
INTERRUPTED = 130
_TRIES = 5
_LONGEST_WAIT_SECONDS = 30
_PASSING = (429, 502, 503, 504)


class RefusedError(Exception):
    """The service does not do what was asked, or is not there (`status` 0)."""

    def __init__(self, status: int, detail: str, cure: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.cure = cure


class Client:
    """One service, one key. Waits out what passes (429, 503, `Retry-After`); raises RefusedError else."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def get(self, path: str, **parameters: Any) -> Any:
        """The document at a path."""
        return self._send("GET", path, params=_given(parameters)).json()

    def find(self, path: str) -> tuple[Any, str | None]:
        """The document at a path and its ETag; (None, None) where there is none."""
        try:
            answer = self._send("GET", path)
        except RefusedError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None, None
            raise
        return answer.json(), answer.headers.get("etag")

    def items(self, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """What a list holds, page after page."""
        cursor: str | None = None
        while True:
            page = self.get(path, **parameters, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def put(self, path: str, document: Any, etag: str | None = None) -> None:
        """Write a document; with an ETag only over that version."""
        self._send("PUT", path, json=document, headers={} if etag is None else {"If-Match": etag})

    def post(self, path: str, document: Any) -> Any:
        """What a command answers."""
        return self._send("POST", path, json=document).json()

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        problem = RefusedError(0, "")
        for attempt in range(_TRIES):
            wait = min(_LONGEST_WAIT_SECONDS, 0.5 * 2.0**attempt)
            try:
                answer = self._http.request(method, path, **request)
            except httpx.TransportError as error:
                raise RefusedError(
                    0, f"{error or type(error).__name__}", "Start the service, or check --url."
                ) from error
            if answer.is_success:
                return answer
            problem = _refusal(answer)
            if answer.status_code not in _PASSING:
                break
            told = answer.headers.get("retry-after", "")
            time.sleep(min(_LONGEST_WAIT_SECONDS, int(told)) if told.isdigit() else wait)
        raise problem


@contextmanager
def connected(url: str, key: str) -> Iterator[Client]:
    """A client; what the service refuses becomes a message and exit code 2, Ctrl-C 130."""
    try:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60.0) as http:
            yield Client(http)
    except RefusedError as error:
        _leave(str(error), error.cure)
    except (httpx.InvalidURL, ValueError) as error:
        _leave(str(error), "Give --url as http://host:port, and an ASCII key.")
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def _leave(detail: str, cure: str) -> None:
    err.print(detail, style="red", markup=False)
    err.print(cure, markup=False)
    raise typer.Exit(STARTED_NOTHING) from None


def _given(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _refusal(answer: httpx.Response) -> RefusedError:
    """The first place of a problem document; or whatever else answered."""
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict) or "code" not in problem:
        return RefusedError(answer.status_code, f"HTTP {answer.status_code}", "Check that --url leads here.")
    first = next(iter(problem.get("errors") or [{}]))
    place = f"{first['pointer']}: " if first.get("pointer") else ""
    return RefusedError(
        answer.status_code, f"{place}{first.get('detail') or problem['detail']}", first.get("cure") or ""
    )
