"""The source distribution holds the whole repository, and the wheel made from it what runs."""

from __future__ import annotations

import email
import re
import subprocess
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VERSION = PROJECT["version"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both, made as for a release."""
    folder = tmp_path_factory.mktemp("dist")
    command = [str(ROOT / "script/package"), "--into", str(folder), "sdist", "wheel"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, result.stderr
    return folder


def _tracked() -> set[str]:
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    if listed.returncode:
        pytest.skip("the complete list of files is git's, and this is no clone")
    return {line for line in listed.stdout.splitlines() if (ROOT / line).exists()}


def test_the_source_distribution_is_complete(built: Path) -> None:
    with tarfile.open(built / f"watchword-{VERSION}.tar.gz") as archive:
        held = {name.partition("/")[2] for name in archive.getnames() if archive.getmember(name).isfile()}
    assert _tracked() - held == set()
    assert {name for name in held if "/train/" in name or name.endswith((".pyc", ".mp4"))} == set()


def test_the_wheel_has_its_metadata_and_shared_files(built: Path) -> None:
    with zipfile.ZipFile(built / f"watchword-{VERSION}-py3-none-any.whl") as wheel:
        names = wheel.namelist()
        metadata = email.message_from_bytes(wheel.read(f"watchword-{VERSION}.dist-info/METADATA"))
    assert metadata["Version"] == VERSION and metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Author"] and metadata["Keywords"] and metadata["Summary"]
    assert {line.partition(",")[0] for line in metadata.get_all("Project-URL", [])} >= {"Homepage", "Issues"}
    classifiers = metadata.get_all("Classifier", [])
    assert "Natural Language :: Korean" in classifiers and "Typing :: Typed" in classifiers
    shared = f"watchword-{VERSION}.data/data/share"
    for name in (
        "watchword/config.toml",
        "watchword/config.schema.json",
        "man/man1/watchword.1",
        "bash-completion/completions/watchword",
        "zsh/site-functions/_watchword",
    ):
        assert f"{shared}/{name}" in names


def test_the_changelog_has_the_version_with_its_date() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    (notes,) = re.findall(
        rf"^## \[{re.escape(VERSION)}\] - \d{{4}}-\d\d-\d\d\n(.*?)^## ", text + "\n## ", re.M | re.S
    )
    assert len(notes.splitlines()) > 10
