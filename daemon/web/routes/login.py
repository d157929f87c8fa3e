"""The token for browsers: body once, then a cookie that no script can read."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers

from daemon.web.routes import Responses, problems
from daemon.web.server.guard import COOKIE, Guard, client_of, session_cookie
from daemon.web.server.sessions import SESSION_S

router = APIRouter(tags=["token"], responses=problems(415))
DONE: Responses = {204: {"description": "done"}}


class LoginBody(BaseModel):
    """The token in web.token_file."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"token": "a long random text"}})

    token: str = Field(min_length=1, max_length=4096)


@router.post(
    "/login",
    status_code=204,
    response_class=Response,
    responses=DONE,
    summary="Exchange the token for a cookie",
)
async def login(request: Request, body: LoginBody) -> Response:
    """Sets a cookie that is accepted in place of the token until twelve hours without a request."""
    guard: Guard = request.state.guard
    guard.check_token(client_of(request.scope), body.token)
    answer = Response(status_code=204)
    answer.set_cookie(
        COOKIE,
        guard.sessions.open(time.monotonic()),
        max_age=round(SESSION_S),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post(
    "/logout", status_code=204, response_class=Response, responses=DONE, summary="Invalidate the cookie"
)
async def logout(request: Request) -> Response:
    guard: Guard = request.state.guard
    guard.sessions.close(session_cookie(Headers(scope=request.scope)))
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer
