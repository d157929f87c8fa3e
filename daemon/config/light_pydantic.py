"""Imports pydantic-settings without asyncio, which only its command-line runner needs.

That runner is not used here, and asyncio with ssl would take a hundredth of a second of each start and 5 MB.
"""

from __future__ import annotations

import sys
from types import ModuleType

_UNUSED = "asyncio"
_stands_in = _UNUSED not in sys.modules
if _stands_in:
    # Empty, so that any use of it fails at once and by name.
    sys.modules[_UNUSED] = ModuleType(_UNUSED)
try:
    from pydantic_settings import BaseSettings as BaseSettings
    from pydantic_settings import PydanticBaseSettingsSource as PydanticBaseSettingsSource
    from pydantic_settings import SettingsConfigDict as SettingsConfigDict
finally:
    # Whoever imports asyncio later gets the real one.
    if _stands_in:
        del sys.modules[_UNUSED]
