"""The errors of the domain: each says what is wrong, where, and how to mend it.

DomainError
├── InvalidError        the input can never be right: mend it and send it again      (422)
├── ConflictError       right in itself, not in the present state                    (409)
├── NotFoundError       no such thing for this tenant                                (404)
├── ForbiddenError      known, but not allowed                                       (403)
└── NotAcceptableError  understood, but not to be had in the form that is asked for  (406)
"""

from __future__ import annotations


class DomainError(Exception):
    """A refusal with a stable `reason` slug (also log field and metric label).

    `pointer` is an RFC 6901 JSON pointer into the refused document ("" = the whole of it);
    `cure` is one sentence that says how to mend it.
    """

    def __init__(self, reason: str, detail: str, *, pointer: str = "", cure: str = "") -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.pointer = pointer
        self.cure = cure


class InvalidError(DomainError):
    """The document breaks a rule that no state can change."""


class ConflictError(DomainError):
    """The document is well formed, but what is stored forbids it now."""


class NotFoundError(DomainError):
    """Nothing of that name exists for the tenant that asks."""


class ForbiddenError(DomainError):
    """The caller is known and may not do this."""


class TooManyError(DomainError):
    """The caller has done this as often as he may for now (429)."""


class NotAcceptableError(DomainError):
    """The answer exists, but this installation cannot write it in that form."""
