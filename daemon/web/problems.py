"""Errors as they are told over HTTP: application/problem+json (RFC 9457) with a `code` for programs."""

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
MOST_MISTAKES = 20
A_BUG = "a bug: "
"""How the daemon's reply begins when it is at fault; the rest is for its log."""

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
    """What went wrong, and what to do about it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "about:blank",
                "title": "Service Unavailable",
                "status": 503,
                "detail": "another picture is being looked at; try again in a moment",
                "code": "busy",
            }
        }
    )

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: Code
    errors: list[dict[str, str]] | None = Field(None, description="where in the request, one entry a mistake")


class Problem(HTTPException):
    """An answer that is none. An HTTPException, so that frameworks let it through."""

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


def of_command(error: CommandError) -> Problem:
    """What the daemon, or the way to it, says, for whoever asked over HTTP."""
    text = str(error)
    if isinstance(error, NotRunning):
        away = "the daemon is not running; start it with `watchword run` or `systemctl start watchword`"
        return Problem(503, away, "unavailable", retry_s=RETRY_S)
    if text.startswith(A_BUG):
        return Problem(502, "the daemon met a bug of its own; its log says where", "failed")
    status = _STATUSES[error.code]
    return Problem(status, text, error.code, retry_s=RETRY_S if status == 503 else None)


def of_http(error: HTTPException) -> Problem:
    """The framework's own refusals."""
    if isinstance(error, Problem):
        return error
    return Problem(error.status_code, error.detail, headers=error.headers)


def of_mistakes(errors: Sequence[Any]) -> Problem:
    """What is wrong with a request; what was sent is not sent back."""
    mistakes = [
        {"where": ".".join(map(str, error["loc"])), "what": str(error["msg"])}
        for error in errors[:MOST_MISTAKES]
    ]
    first = mistakes[0] if mistakes else {"where": "request", "what": "not understood"}
    return Problem(422, f"{first['where']}: {first['what']}", "invalid", errors=mistakes)


def answer(problem: Problem) -> JSONResponse:
    """The response."""
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
