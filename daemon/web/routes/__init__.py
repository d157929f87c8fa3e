"""What is answered, by address."""

from __future__ import annotations

from typing import Any

from daemon.web.problems import MEDIA_TYPE, ProblemDetails

Responses = dict[int | str, dict[str, Any]]

_WHAT = {
    400: "not understood at all",
    401: "a token is needed",
    403: "from another site's page, or not allowed",
    404: "there is no such thing",
    408: "the request came too slowly",
    409: "the daemon cannot do it as things are",
    413: "too large",
    415: "another kind of content is wanted",
    421: "called by a name this machine does not go by",
    422: "not understood; `errors` or `detail` say what",
    429: "too many requests; `Retry-After` says when",
    431: "address and headers are too long",
    502: "the daemon is at fault",
    503: "busy or away; `Retry-After` says when to try again",
}
ALWAYS = (400, 401, 403, 408, 413, 421, 422, 429, 431, 502, 503)
"""What any route may answer."""


def problems(*statuses: int) -> Responses:
    """For a route's documentation, beside those that all share."""
    content = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}}}
    return {
        status: {"description": _WHAT[status], "content": content} for status in sorted({*ALWAYS, *statuses})
    }
