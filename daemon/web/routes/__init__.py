"""The routes, and their documented errors."""

from __future__ import annotations

from typing import Any

from daemon.web.problems import MEDIA_TYPE, ProblemDetails

Responses = dict[int | str, dict[str, Any]]

_DESCRIPTIONS = {
    400: "malformed",
    401: "a token is needed",
    403: "from another site's page, or not allowed",
    404: "not found",
    408: "the request came too slowly",
    409: "the daemon cannot do it at present",
    413: "too large",
    415: "another content type is expected",
    421: "unknown host name",
    422: "invalid; `errors` or `detail` say where",
    429: "too many requests; `Retry-After` says when",
    431: "address and headers are too long",
    502: "an error of the daemon",
    503: "busy or unavailable; `Retry-After` says when to try again",
}
ALWAYS = (400, 401, 403, 408, 413, 421, 422, 429, 431, 502, 503)
"""Statuses of every route."""


def problems(*statuses: int) -> Responses:
    """OpenAPI responses of a route: `statuses` and those that all routes share."""
    content = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}}}
    return {
        status: {"description": _DESCRIPTIONS[status], "content": content}
        for status in sorted({*ALWAYS, *statuses})
    }
