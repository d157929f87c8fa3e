"""The `Converter` that comes with the program."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from pipeline.store.catalogue.catalogue import CatalogueEntry
from pipeline.store.errors import PrepareError
from pipeline.store.preparer import ConvertedFiles
from pipeline.store.source import Fetched, FetchJob


class OpenClipConverter:
    """Converts open_clip models and describers to OpenVINO. A conversion needs the extra `prepare`.

    Constructing it imports nothing heavy: the conversions themselves are imported when one starts.
    """

    def __init__(self, needs: tuple[str, ...] = ("torch", "open_clip", "timm", "nncf")) -> None:
        self._needs = needs

    def require_ready(self, entry: CatalogueEntry) -> None:
        needs = ("torch", "transformers", "optimum", "nncf") if entry.prepare == "vlm" else self._needs
        missing = [name for name in needs if importlib.util.find_spec(name) is None]
        if missing:
            raise PrepareError(
                f"{entry.name} must be converted here, which needs {', '.join(missing)}: run "
                '`pip install "watchword[prepare]"`, or pull it on a machine that has it, '
                f"carry the model's folder over and run `watchword models pull {entry.name} --from FOLDER`"
            )

    def convert(
        self, entry: CatalogueEntry, fetched: Fetched, job: FetchJob, frames: Path | None
    ) -> ConvertedFiles:
        if entry.prepare == "vlm":
            from pipeline.conversion.vlm import convert_vlm

            return convert_vlm(entry, fetched, job)
        from pipeline.conversion.run import convert_open_clip

        return convert_open_clip(entry, fetched, job, frames)
