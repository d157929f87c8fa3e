"""Talks to a model hub in a process of its own, which the parent can watch and kill; see hub.py.

resolve REPO REVISION OUT.json            write the commit and the files of the repository
download REPO REVISION FOLDER FILE...     fetch these files into the folder
"""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FAILED = 3
"""Exit code of a failure. The last line of the output is then `error: ...`."""


def resolve(repo: str, revision: str, out: str) -> None:
    """Write commit and files (size, sha256 of large ones, git blob id of all) as JSON."""
    from huggingface_hub import HfApi

    info = HfApi().model_info(repo, revision=revision or None, files_metadata=True)
    files = {sibling.rfilename: _facts(sibling) for sibling in info.siblings or ()}
    Path(out).write_text(json.dumps({"revision": info.sha, "files": files}), encoding="utf-8")


def _facts(sibling: Any) -> dict[str, object]:
    return {
        "size": sibling.size,
        "sha256": sibling.lfs.sha256 if sibling.lfs else None,
        "blob": sibling.blob_id,
    }


def download(repo: str, revision: str, folder: str, *names: str) -> None:
    """Fetch files into a folder; half-finished downloads are resumed."""
    from huggingface_hub import hf_hub_download

    for name in names:
        hf_hub_download(repo, name, revision=revision, local_dir=folder)


def explain(error: Exception) -> str:
    """Return the error of the hub's library as one line, with the remedy if there is one."""
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return "the repository asks for an account: agree to its terms there and log in with `hf auth login`"
    if isinstance(error, errors.RepositoryNotFoundError):
        return "the hub has no such repository, or it is private"
    if isinstance(error, errors.RevisionNotFoundError):
        return "the repository has no such revision"
    # Its subclass LocalEntryNotFoundError means something else: the hub could not be reached.
    if isinstance(error, errors.EntryNotFoundError) and not isinstance(error, errors.LocalEntryNotFoundError):
        return "the repository has no such file"
    # The parent process looks for this very sentence.
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "No space left on device"
    if isinstance(error, errors.LocalEntryNotFoundError | errors.OfflineModeIsEnabled | OSError):
        return "the hub cannot be reached; check the network"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def main(arguments: Sequence[str]) -> int:
    """Run `resolve` or `download`. Any failure becomes one line."""
    verb, *rest = arguments
    try:
        (resolve if verb == "resolve" else download)(*rest)
    except ModuleNotFoundError as error:
        sys.stdout.write(f"error: {error.name} is not installed (pip install huggingface_hub)\n")
        return FAILED
    except Exception as error:  # any exception of the library becomes one line for the parent
        sys.stdout.write(f"error: {explain(error)}\n")
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
