"""The integrators' page: its code verifies what we send and refuses what we did not, and it never drifts."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from app.domain.signature import HmacSecret
from app.webhooks.catalogue import OUTGOING
from app.webhooks.docs import fill
from app.webhooks.egress import EgressGuard
from app.webhooks.sender import Parcel, Sender
from app.webhooks.transport import VettedTransport
from tests.receiver import Arrival, Receiver, status
from tests.webhooks.senders import HOME

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "webhooks.md"
EXAMPLES = ROOT / "examples" / "webhooks"
SECRET = HmacSecret(bytes(range(40, 80)))
OTHER, STRANGER = HmacSecret(bytes(range(100, 132))), HmacSecret(bytes(range(150, 190)))
BODY = '{"type":"sla.breached","data":{"note":"Привіт \\u2028"}}'.encode()


@pytest.fixture
async def arrival(receiver: Receiver) -> Arrival:
    """A request as we send it, signed by two secrets (an overlap)."""
    sender = Sender(VettedTransport(EgressGuard(HOME)))
    parcel = Parcel("msg_1", receiver.on("/hook", status(200)), BODY, [OTHER, SECRET])
    await sender.send(parcel, datetime.now(UTC))
    await sender.close()
    return receiver.arrivals()[0]


def test_the_page_is_what_its_parts_make_it() -> None:
    assert fill(PAGE.read_text(), ROOT) == PAGE.read_text(), "run tools/write-docs.py"


def test_the_page_has_every_type_and_every_header() -> None:
    page = PAGE.read_text()
    assert re.findall(r"^### `(.+)`$", page, re.MULTILINE) == list(OUTGOING)
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature", "webhook-delivery"):
        assert name in page


def _example() -> ModuleType:
    module = ModuleType("verify")
    exec((EXAMPLES / "verify.py").read_text(), module.__dict__)
    return module


async def test_the_python_example_takes_ours_and_nothing_else(arrival: Arrival) -> None:
    example = _example()
    headers, body = arrival.headers, arrival.body
    assert example.verify(headers, body, [SECRET.text]) == "msg_1"
    assert example.verify(headers, body, [STRANGER.text, OTHER.text]) == "msg_1"
    stale = time.time() + 301
    bad = [
        (headers, body + b" ", [SECRET.text], None),
        (headers, body, [STRANGER.text], None),
        (headers, body, [SECRET.text], stale),
        ({**headers, "webhook-id": "msg_2"}, body, [SECRET.text], None),
        ({**headers, "webhook-timestamp": "now"}, body, [SECRET.text], None),
        ({**headers, "webhook-signature": "v1,ї"}, body, [SECRET.text], None),
        ({}, body, [SECRET.text], None),
    ]
    for arguments in bad:
        with pytest.raises(example.NotOurs):
            example.verify(*arguments)


_NODE = """
import { verify } from %r;
import { readFileSync } from "node:fs";
const [headers, secrets, now] = JSON.parse(process.argv[2]);
try { console.log(verify(headers, readFileSync(0), secrets, now)); }
catch (error) { console.log("refused: " + error.message); }
"""


async def _run(command: list[str], body: bytes) -> tuple[int, str]:
    done = await asyncio.to_thread(
        subprocess.run, command, input=body, capture_output=True, timeout=20, check=False
    )
    return done.returncode, done.stdout.decode() + done.stderr.decode()


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
async def test_the_node_example_takes_ours_and_nothing_else(arrival: Arrival, tmp_path: Path) -> None:
    import json

    script = tmp_path / "run.mjs"
    script.write_text(_NODE % str(EXAMPLES / "verify.mjs"))

    async def verdict(headers: dict[str, str], body: bytes, *secrets: str, ahead: float = 0) -> str:
        given = json.dumps([headers, secrets, time.time() + ahead])
        return (await _run(["node", str(script), given], body))[1].strip()

    headers, body = arrival.headers, arrival.body
    assert await verdict(headers, body, SECRET.text) == "msg_1"
    assert await verdict(headers, body, STRANGER.text, OTHER.text) == "msg_1"
    assert "no signature" in await verdict(headers, body + b" ", SECRET.text)
    assert "too old" in await verdict(headers, body, SECRET.text, ahead=301)
    assert "header" in await verdict({}, body, SECRET.text)


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@needs_openssl
async def test_the_openssl_example_takes_ours_and_nothing_else(arrival: Arrival) -> None:
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    command = [str(EXAMPLES / "verify.sh"), *(arrival.headers[name] for name in names)]
    assert await _run([*command, SECRET.text], arrival.body) == (0, "verified msg_1\n")
    assert (await _run([*command, SECRET.text], arrival.body + b" "))[0] == 1
    assert (await _run([*command, STRANGER.text], arrival.body))[0] == 1


@needs_openssl
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_curl_example_sends_what_an_independent_library_verifies(receiver: Receiver) -> None:
    url = receiver.on("/mine", status(204), secret=SECRET.text)
    code, text = await _run([str(EXAMPLES / "send.sh"), url, SECRET.text], BODY)
    assert code == 0, text
    assert receiver.arrivals("/mine")[0].verified is True


_GO = """package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"example.com/receiver/webhooks"
)

func main() {
	header := http.Header{}
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		header.Set(name, os.Getenv(name))
	}
	ahead, _ := strconv.Atoi(os.Args[1])
	body, _ := io.ReadAll(os.Stdin)
	id, err := webhooks.Verify(header, body, os.Args[2:], time.Now().Add(time.Duration(ahead)*time.Second))
	fmt.Println(id, err)
}
"""


@pytest.mark.skipif(shutil.which("go") is None, reason="go is not installed")
async def test_the_go_example_takes_ours_and_nothing_else(arrival: Arrival, tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.com/receiver\n\ngo 1.19\n")
    (tmp_path / "main.go").write_text(_GO)
    (tmp_path / "webhooks").mkdir()
    shutil.copy(EXAMPLES / "verify.go", tmp_path / "webhooks")
    settings = {**os.environ, "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local"}
    program = str(tmp_path / "receiver")
    built = await asyncio.to_thread(
        subprocess.run, ["go", "build", "-o", program, "."], cwd=tmp_path, env=settings, capture_output=True
    )
    assert built.returncode == 0, built.stderr.decode()

    async def verdict(headers: dict[str, str], body: bytes, *secrets: str, ahead: int = 0) -> str:
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        given = ["env", *(f"{name}={headers.get(name, '')}" for name in names)]
        return (await _run([*given, program, str(ahead), *secrets], body))[1].strip()

    headers, body = arrival.headers, arrival.body
    refused = "not signed by us, or too old"
    assert await verdict(headers, body, SECRET.text) == "msg_1 <nil>"
    assert await verdict(headers, body, STRANGER.text, OTHER.text) == "msg_1 <nil>"
    assert await verdict(headers, body + b" ", SECRET.text) == refused
    assert await verdict(headers, body, STRANGER.text) == refused
    assert await verdict(headers, body, SECRET.text, ahead=301) == refused
    assert await verdict({}, body, SECRET.text) == refused


async def test_the_library_of_svix_takes_ours_and_nothing_else(arrival: Arrival) -> None:
    """In a process of its own: the library warns, and warnings are errors here."""
    code = (
        "import sys\n"
        "from svix.webhooks import Webhook, WebhookVerificationError\n"
        "body, headers = sys.stdin.buffer.read(), dict(pair.split('=', 1) for pair in sys.argv[2:])\n"
        "try:\n    Webhook(sys.argv[1]).verify(body, headers); print('verified')\n"
        "except WebhookVerificationError: print('refused')\n"
    )
    pairs = [f"{name}={value}" for name, value in arrival.headers.items() if name.startswith("webhook-")]

    async def verdict(secret: HmacSecret, body: bytes) -> str:
        return (await _run([sys.executable, "-W", "ignore", "-c", code, secret.text, *pairs], body))[1]

    assert os.environ.get("PYTHONWARNINGS") is None
    assert await verdict(SECRET, arrival.body) == "verified\n"
    assert await verdict(SECRET, arrival.body + b" ") == "refused\n"
    assert await verdict(STRANGER, arrival.body) == "refused\n"
