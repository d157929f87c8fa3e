"""The page's files. Each has a route of its own, so that no other file can be reached."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, JSONResponse, Response

from daemon.config.layers import leaves
from daemon.config.schema import dotted
from pipeline.hazards import builtin_hazards

FOLDER = Path(__file__).parent / "page"
SETTING_TEXTS = Path(__file__).parent / "setting_texts"
"""Folder of the settings' titles and descriptions, one file a language."""
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
"""Named here, since the system's table of types may be wrong or missing."""


def page_files(folder: Path = FOLDER) -> dict[str, Path]:
    """Files by address; `/` is the page itself."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in TYPES)
    found = {f"/{path.relative_to(folder).as_posix()}": path for path in files}
    index = folder / INDEX
    return {**found, "/": index} if index.is_file() else found


def add_page(app: FastAPI, folder: Path = FOLDER) -> frozenset[str]:
    """Add a route for each file. Returns the addresses."""
    found = page_files(folder)
    for address, path in found.items():
        # Hazards' names come from hazards.toml, so that a new hazard needs no edit of the page.
        route = _texts_route(path) if path.parent.name == TEXTS else _file_route(path)
        app.add_api_route(address, route, methods=["GET", "HEAD"], include_in_schema=False)
    return frozenset(found)


def page_texts(path: Path) -> dict[str, str]:
    """The page's texts in one language, by key: the file `LANGUAGE.json`, each hazard's name, and the texts
    of the settings.
    """
    texts: dict[str, str] = json.loads(path.read_text("utf-8"))
    labels = {f"hazard.{name}": one.label[path.stem] for name, one in builtin_hazards().items()}
    settings = {f"setting.{key}": text for key, text in setting_texts(path.stem).items()}
    return {**texts, **labels, **settings}


def setting_texts(language: str) -> dict[str, str]:
    """Titles and descriptions, as `speech.volume.title`; `*` stands for the name of a hazard, key or field.

    The page shows the schema's English description for a text that is missing.
    """
    file = SETTING_TEXTS / f"{language}.toml"
    return {dotted(path): text for path, text in leaves(tomllib.loads(file.read_text("utf-8")))}


def _texts_route(path: Path) -> Callable[[], Response]:
    def send() -> Response:
        # `no-cache` means "ask each time" (RFC 9111): after an update no old script runs with a new page.
        return JSONResponse(page_texts(path), headers={"Cache-Control": "no-cache"})

    return send


def _file_route(path: Path) -> Callable[[], Response]:
    def send() -> Response:
        return FileResponse(path, media_type=TYPES[path.suffix], headers={"Cache-Control": "no-cache"})

    return send
