"""The `[web]` section."""

from __future__ import annotations

from pydantic import BaseModel, Field


class WebSettings(BaseModel, frozen=True, extra="forbid"):
    """The web page and the HTTP interface of `watchword web`. See docs/api.md."""

    address: str = Field(
        "127.0.0.1",
        pattern=r"^[0-9A-Fa-f.:]*$",
        description="address to listen at; others than this machine's own need token_file, empty for none",
    )
    port: int = Field(8780, ge=0, le=65535, description="port to listen at; 0 takes a free one")
    socket: str = Field(
        "auto", description="auto | unix socket to listen at, for those who may open it; empty for none"
    )
    token_file: str = Field(
        "",
        description="file that holds the token callers have to show, of 16 characters or more; a bare "
        "name means a systemd credential",
    )
    certificate_file: str = Field("", description="certificate chain, for TLS; empty speaks plain HTTP")
    key_file: str = Field(
        "", description="the certificate's private key; a bare name means a systemd credential"
    )
    hosts: tuple[str, ...] = Field(
        (), max_length=32, description="names by which browsers may call this machine, such as box.local"
    )
    url_hosts: tuple[str, ...] = Field(
        (),
        max_length=32,
        description="hosts whose pictures `/process` may fetch, as HOST or HOST:PORT; empty fetches none",
    )
    url_private_hosts: tuple[str, ...] = Field(
        (),
        max_length=32,
        description="those of them that may be at an address of the home or of this machine",
    )
    largest_body_mb: float = Field(
        12.0, gt=0, le=100, description="megabytes a request may have, a picture in it included"
    )
    largest_picture_mpx: float = Field(50.0, gt=0, le=200, description="million pixels a picture may have")
    requests_per_s: float = Field(
        30.0,
        gt=0,
        le=1000,
        description="requests a second of one client, over a while; three times as many at once",
    )
    requests_at_once: int = Field(32, ge=1, le=500, description="requests answered at the same time, of all")
    request_timeout_s: float = Field(
        90.0, ge=5, le=600, description="seconds an answer may take, reading the request included"
    )
    listeners: int = Field(16, ge=1, le=200, description="listeners to `/events` at the same time")
    viewers: int = Field(8, ge=1, le=100, description="viewers of `/live` at the same time")
    live_side: int = Field(960, ge=64, le=1920, description="pixels of the live picture's longer side")
    live_fps: float = Field(8.0, gt=0, le=10, description="live pictures a second, at most")
