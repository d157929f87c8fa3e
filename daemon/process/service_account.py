"""Commands about the system service act as its user, on its folders.

`sudo watchword models pull NAME` is meant for the service: it has to fill the store that the service reads,
with files that the service's user owns. So a command that finds the configuration of the service and runs as
root becomes that user, with the folders that the units name. A command that this user starts itself
(`sudo -u watchword`) always takes these folders, whatever configuration it finds: the account has no others.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from daemon import paths

CONFIG = Path("/etc") / paths.NAME
STATE, CACHE = Path("/var/lib") / paths.NAME, Path("/var/cache") / paths.NAME
"""As in systemd/watchword.service."""
_OWN_FOLDERS = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")


@dataclass(frozen=True, slots=True)
class Account:
    """The service's user."""

    name: str
    uid: int
    gid: int


def find_account() -> Account | None:
    """The user of the installed system service; None if there is none."""
    try:
        entry = pwd.getpwnam(paths.NAME)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def service_config(
    config: Path | None, env: Mapping[str, str], instance: str = "", folder: Path = CONFIG
) -> Path | None:
    """The service's configuration file, if that is what the command would read; else None.

    `config`: what --config named. With `instance` alone it is that of the unit `watchword@INSTANCE`.
    """
    named = config or (Path(env["WATCHWORD_CONFIG"]) if env.get("WATCHWORD_CONFIG") else None)
    if named is None:
        of_instance = folder / f"{instance}.toml"
        if instance and of_instance.exists():
            return of_instance
        named = next((path for path in paths.config_files(env) if path.exists()), None)
    return named if named and named.absolute().parent == folder and named.suffix == ".toml" else None


def service_environment(
    config: Path | None, env: Mapping[str, str], account: Account, instance: str = ""
) -> dict[str, str]:
    """The variables by which a unit of the service tells the program its folders.

    `config`: the service's configuration; None leaves the choice of a file to the usual search.
    """
    if config is not None and config.stem != "config":
        instance = instance or config.stem
    below = Path("instances") / instance if instance else Path()
    own = {
        "HOME": str(STATE / below),
        "USER": account.name,
        "LOGNAME": account.name,
        "STATE_DIRECTORY": str(STATE / below),
        "CACHE_DIRECTORY": str(CACHE / below),
    }
    if config is not None:
        own["WATCHWORD_CONFIG"] = str(config)
    if instance:
        own |= {
            "WATCHWORD_PATHS__MODELS": str(STATE / "models"),
            "WATCHWORD_CONTROL__INSTANCE": instance,
        }
    kept = {name: value for name, value in env.items() if name not in _OWN_FOLDERS}
    return {**own, **kept, **{name: own[name] for name in ("HOME", "USER", "LOGNAME")}}


def act_as_service(
    config: Path | None, env: MutableMapping[str, str], instance: str = "", account: Account | None = None
) -> bool:
    """Become the service's user if the command is about the service, and take its folders.

    Returns True if the command acts as the service. Nothing happens for any other user than root and the
    service's own, nor within a unit.
    """
    account = account or find_account()
    if account is None or env.get("STATE_DIRECTORY") or os.geteuid() not in (0, account.uid):
        return False
    chosen = service_config(config, env, instance)
    if chosen is None and os.geteuid() == 0:
        return False
    changed = service_environment(chosen, env, account, instance)
    if os.geteuid() == 0:
        os.initgroups(account.name, account.gid)
        os.setgid(account.gid)
        os.setuid(account.uid)
    env.clear()
    env.update(changed)
    return True
