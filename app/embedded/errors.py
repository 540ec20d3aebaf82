"""What can go wrong with the embedded server, told to the person at the terminal."""

from __future__ import annotations


class EmbeddedError(Exception):
    """The embedded server cannot be used now: `reason` is a slug, `cure` one sentence that says what to do.

    Reasons: already_running, home_closed, no_account, not_installed, initdb_failed, other_version,
    port_taken, secret_lost, start_failed, stop_failed, still_used, unsafe_path.
    """

    def __init__(self, reason: str, detail: str, *, cure: str) -> None:
        super().__init__(f"{detail} {cure}")
        self.reason = reason
        self.detail = detail
        self.cure = cure
