"""Imports OpenVINO without its converter of foreign models, which a start need not wait for."""

from __future__ import annotations

import sys

_CONVERTER = "openvino.tools"
"""Takes a third of the import: it loads the readers of every foreign format, numpy's tools and argparse."""


def import_light() -> None:
    """Import `openvino`, unless it is imported already; `openvino.convert_model` is then missing.

    The package imports its converter last and goes on without it, as it does where that is not installed.
    A later `import openvino.tools.ovc` works as usual.
    """
    if "openvino" in sys.modules or _CONVERTER in sys.modules:
        return
    # A module that stands as None in `sys.modules` cannot be imported.
    sys.modules[_CONVERTER] = None  # type: ignore[assignment]
    try:
        import openvino  # noqa: F401
    finally:
        del sys.modules[_CONVERTER]
