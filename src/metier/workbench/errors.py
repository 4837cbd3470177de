"""Errors of the shared machine, each with the HTTP status that a face answers with.

UserError
├── NotFoundError      404  there is none, or it is not yours
├── NotSignedInError   401
├── RefusedError       403  you may not
├── ConflictError      409  it cannot be done in this state
├── TooLargeError      413
├── TooManyError       429  fields: retry_after_seconds
└── UnavailableError   503  the store does not answer, the disk is full, the server drains
"""

from __future__ import annotations

from metier.core.errors import UserError


class NotFoundError(UserError):
    status = 404


class NotSignedInError(UserError):
    status = 401


class RefusedError(UserError):
    status = 403


class ConflictError(UserError):
    status = 409


class TooLargeError(UserError):
    status = 413


class TooManyError(UserError):
    status = 429


class UnavailableError(UserError):
    status = 503
