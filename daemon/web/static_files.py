"""The page: each of its files has an address of its own, so that no other file can be reached."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, JSONResponse, Response

from pipeline.hazards import builtin_hazards

FOLDER = Path(__file__).parent / "page"
INDEX = "index.html"
TEXTS = "texts"
"""Folder of the page's words, one file a language."""
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""Named here, since the machine's own table of types may be wrong or missing."""


def addresses(folder: Path = FOLDER) -> dict[str, Path]:
    """Where each file is found, `/` for the page itself."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in TYPES)
    found = {f"/{path.relative_to(folder).as_posix()}": path for path in files}
    index = folder / INDEX
    return {**found, "/": index} if index.is_file() else found


def add_page(app: FastAPI, folder: Path = FOLDER) -> frozenset[str]:
    """Offer the files; returns their addresses."""
    found = addresses(folder)
    for address, path in found.items():
        sender = _texts_sender(path) if path.parent.name == TEXTS else _sender(path)
        app.add_api_route(address, sender, methods=["GET", "HEAD"], include_in_schema=False)
    return frozenset(found)


def page_texts(path: Path) -> dict[str, str]:
    """The page's words in one language, by key: those of the file `LANGUAGE.json`, and each hazard's name."""
    texts: dict[str, str] = json.loads(path.read_text("utf-8"))
    labels = {f"hazard.{name}": one.label[path.stem] for name, one in builtin_hazards().items()}
    return {**texts, **labels}


def _texts_sender(path: Path) -> Callable[[], Response]:
    def send() -> Response:
        return JSONResponse(page_texts(path), headers={"Cache-Control": "no-cache"})

    return send


def _sender(path: Path) -> Callable[[], Response]:
    def send() -> Response:
        return FileResponse(path, media_type=TYPES[path.suffix], headers={"Cache-Control": "no-cache"})

    return send
