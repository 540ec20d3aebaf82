"""Bodies as partners write them: forms, multipart, JSON with comments; and as attackers do."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sources.bodies import decode, decode_json
from app.sources.errors import PayloadError
from app.sources.html import text_of_html

FORM = "application/x-www-form-urlencoded"
BOUNDARY = "multipart/form-data; boundary=X"


def part(name: str, value: bytes, more: str = "") -> bytes:
    return f'--X\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


def test_a_form_is_nested_as_its_keys_say() -> None:
    body = b"event=X&data[A][0][id]=1&data[A][1][id]=2&auth[token]=t&tags[]=a&tags[]=b&text=%D1%82+%26"
    assert decode(body, f"{FORM}; charset=utf-8") == {
        "event": "X",
        "data": {"A": [{"id": "1"}, {"id": "2"}]},
        "auth": {"token": "t"},
        "tags": ["a", "b"],
        "text": "т &",
    }


def test_a_multipart_form_is_its_fields_and_files_stay_outside() -> None:
    body = (
        part("a", "так".encode())
        + part("b", b"")
        + part("f", b"\xff\x00", '; filename="x.png"')
        + b"--X--\r\n"
    )
    assert decode(body, BOUNDARY) == {"a": "так", "b": ""}


def test_json_under_the_name_of_a_form_is_json() -> None:
    assert decode(b' {"a": 1}', FORM) == {"a": 1}
    assert decode(b"a;b\n1;2\n", "text/csv") == "a;b\n1;2\n"
    assert decode(b'{"a": 1}', "") == {"a": 1}


def test_comments_and_trailing_commas_are_overlooked_and_texts_are_left_alone() -> None:
    written = (
        b'// first\n{"url": "http://x//y, }", "quote": "\\"// no\\"", // why\n "list": [1, 2, // two\n ],\n}'
    )
    assert decode_json(written) == {"url": "http://x//y, }", "quote": '"// no"', "list": [1, 2]}
    assert decode_json(b"\xef\xbb\xbf{}") == {}


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (b"{", "application/json", "malformed_json"),
        (b'{"a": NaN}', "application/json", "malformed_json"),
        (b"{'a': 1,}", "application/json", "malformed_json"),
        (b"[" * 900 + b"]" * 900, "application/json", "too_deep"),
        (b'{"a":"\\u0000"}', "application/json", "nul_character"),
        (b"a=%00", FORM, "nul_character"),
        (b"a=%ff", FORM, "malformed_form"),
        (b"\xff", FORM, "malformed_form"),
        (b"&".join(b"a=1" for _ in range(3_000)), FORM, "malformed_form"),
        (b"a" + b"[b]" * 100 + b"=1", FORM, "too_deep"),
        (b"hello", BOUNDARY, "malformed_form"),
        (b"hello", "multipart/form-data", "malformed_form"),
        (part("a", b"\xff") + b"--X--", BOUNDARY, "malformed_form"),
        (b"\xff", "text/csv", "malformed_text"),
        (b"a\x00", "text/csv", "nul_character"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(body: bytes, kind: str, reason: str) -> None:
    with pytest.raises(PayloadError) as refused:
        decode(body, kind)
    assert refused.value.reason == reason


@given(
    st.binary(max_size=300),
    st.sampled_from([FORM, BOUNDARY, "application/json", "text/csv", "text/plain", ""]),
)
def test_no_bytes_are_anything_but_a_document_or_a_refusal(body: bytes, kind: str) -> None:
    try:
        decode(body, kind)
    except PayloadError as error:
        assert error.reason


@given(st.text(alphabet='[]=&%a0"{},/#\n\\', max_size=200))
def test_no_punctuation_is_anything_but_a_document_or_a_refusal(text: str) -> None:
    for kind in (FORM, "application/json"):
        try:
            decode(text.encode(), kind)
        except PayloadError as error:
            assert error.reason


@pytest.mark.parametrize("unit", [b"/", b"//\n", b",", b", ", b'"', b"#", b",//\n", b'\\"', b"[,"])
def test_mending_takes_no_longer_than_reading(unit: bytes) -> None:
    body = b"{" + unit * (200_000 // len(unit))
    started = time.perf_counter()
    with pytest.raises(PayloadError):
        decode_json(body)
    assert time.perf_counter() - started < 2.0


def test_a_multipart_form_in_a_multipart_form_in_a_multipart_form_ends_somewhere() -> None:
    body = b"".join(
        f"--{'X' * n}\r\nContent-Type: multipart/mixed; boundary={'X' * (n + 1)}\r\n\r\n".encode()
        for n in range(1, 1_500)
    )
    with pytest.raises(PayloadError) as refused:
        decode(body, BOUNDARY)
    assert refused.value.reason == "malformed_form"


@pytest.mark.parametrize(
    "unit", ["<", "<br", "<script>", "< ", "\r", "<!", "&#", "</p", "<style", "{a:", "\u2003"]
)
def test_html_is_read_in_no_more_time_than_it_is_long(unit: str) -> None:
    started = time.perf_counter()
    text_of_html(unit * (200_000 // len(unit)))
    assert time.perf_counter() - started < 2.0


def test_html_becomes_what_a_person_reads() -> None:
    written = (
        "<div>Hi,<br>a &lt; b &amp; c</div><style>p{}</style><p>bye&nbsp;&nbsp;now</p><script>x<y</script>"
    )
    assert text_of_html(written) == "Hi,\na < b & c\nbye now"
    assert text_of_html("<p><img src='x'></p>") is None
    assert text_of_html("1 < 2") == "1 < 2"
