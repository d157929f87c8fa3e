"""Errors over HTTP: application/problem+json (RFC 9457) with a `code` for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from daemon.control.client import NotRunning
from daemon.errors import CommandError

MEDIA_TYPE = "application/problem+json"
RETRY_S = 2
MOST_ERRORS = 20
BUG_PREFIX = "a bug: "
"""Prefix of the daemon's replies to its own bugs; the rest belongs in its log."""

Code = Literal[
    "failed",
    "invalid",
    "busy",
    "unknown",
    "unavailable",
    "unauthorized",
    "forbidden",
    "not_allowed",
    "too_large",
    "unsupported",
    "too_many",
    "too_slow",
]

_CODES: Mapping[int, Code] = {
    400: "invalid",
    401: "unauthorized",
    403: "forbidden",
    404: "unknown",
    405: "not_allowed",
    406: "unsupported",
    408: "too_slow",
    409: "failed",
    413: "too_large",
    415: "unsupported",
    421: "forbidden",
    422: "invalid",
    429: "too_many",
    431: "too_large",
    503: "busy",
}

_STATUSES: Mapping[str, int] = {
    "invalid": 422,
    "busy": 503,
    "unknown": 404,
    "unavailable": 503,
    "failed": 409,
}


class ProblemDetails(BaseModel):
    """The body of an error response."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "about:blank",
                "title": "Service Unavailable",
                "status": 503,
                "detail": "another picture is being processed; try again in a moment",
                "code": "busy",
            }
        }
    )

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: Code
    errors: list[dict[str, str]] | None = Field(
        None, description="one entry for each mistake, with its place in the request"
    )


class Problem(HTTPException):
    """An error response. Derived from HTTPException so that FastAPI passes it to our handler."""

    def __init__(
        self,
        status: int,
        detail: str,
        code: Code | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        retry_s: int | None = None,
        errors: list[dict[str, str]] | None = None,
    ) -> None:
        retry = {} if retry_s is None else {"Retry-After": str(retry_s)}
        super().__init__(status, detail, {**(headers or {}), **retry})
        self.code: Code = code or _CODES.get(status, "failed")
        self.errors = errors


def from_command_error(error: CommandError) -> Problem:
    """Map an error of the daemon, or of the connection to it, to an HTTP problem."""
    text = str(error)
    # First: it is a CommandError too.
    if isinstance(error, NotRunning):
        away = "the daemon is not running; start it with `watchword run` or `systemctl start watchword`"
        return Problem(503, away, "unavailable", retry_s=RETRY_S)
    if text.startswith(BUG_PREFIX):
        # 502: the daemon is a server behind this one, and failed.
        return Problem(502, "the daemon met a bug of its own; its log says where", "failed")
    status = _STATUSES[error.code]
    return Problem(status, text, error.code, retry_s=RETRY_S if status == 503 else None)


def from_http_exception(error: HTTPException) -> Problem:
    """Map an error raised by the framework, such as an unknown route."""
    if isinstance(error, Problem):
        return error
    return Problem(error.status_code, error.detail, headers=error.headers)


def from_validation_errors(errors: Sequence[Any]) -> Problem:
    """Map the errors of pydantic. The request's values are not repeated."""
    # `msg` only: the input is left out, since it may be a token or a picture.
    mistakes = [
        {"where": ".".join(map(str, error["loc"])), "what": str(error["msg"]).removeprefix("Value error, ")}
        for error in errors[:MOST_ERRORS]
    ]
    first = mistakes[0] if mistakes else {"where": "request", "what": "invalid"}
    return Problem(422, f"{first['where']}: {first['what']}", "invalid", errors=mistakes)


def to_response(problem: Problem) -> JSONResponse:
    """Build the response."""
    details = ProblemDetails(
        title=HTTPStatus(problem.status_code).phrase,
        status=problem.status_code,
        detail=problem.detail,
        code=problem.code,
        errors=problem.errors,
    )
    return JSONResponse(
        details.model_dump(exclude_none=True), problem.status_code, problem.headers, media_type=MEDIA_TYPE
    )
