"""The command `watchword`: finds the subcommand, loads the settings, turns errors into exit codes."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from common.errors import WatchwordError
from common.plain_text import PlainStream, escaped
from daemon.cli.parser import Written, build_parser
from daemon.cli.remote.commands import REMOTE
from daemon.cli.streams import mend_standard_streams
from daemon.cli.working_line import working_line
from daemon.errors import ConfigError, UsageError

# Importing the settings takes a tenth of a second, which --help need not spend.
if TYPE_CHECKING:
    from daemon.config.settings import Loaded
    from daemon.config.start_policy import StartPolicy

FAILED, USAGE, BAD_CONFIGURATION, INTERRUPTED = 1, 2, 78, 130

TALKERS = frozenset({"run", "web", "events", "say", "tour", "tune", "journal", "completion"})
"""Commands that run for long, speak, or ask: they show no line "working"."""
DAEMON = "run"
"""The command whose failure is also spoken."""

log = logging.getLogger(__name__)

Load = Callable[[], "Loaded"]
Execute = Callable[[ModuleType, argparse.Namespace, Load], int]


def _with_settings(module: ModuleType, args: argparse.Namespace, load: Load) -> int:
    return int(module.execute(args, load().settings))


def _with_loader(module: ModuleType, args: argparse.Namespace, load: Load) -> int:
    return int(module.execute(args, load))


def _as_daemon(module: ModuleType, args: argparse.Namespace, _: Load) -> int:
    """The daemon reads its settings by a policy of its own: as a service, the last good ones may stand in."""

    @cache
    def policy() -> StartPolicy:
        # Imported when the settings are first read: by then the daemon's processes are being started.
        from daemon.config.start_policy import StartPolicy
        from daemon.process.systemd import is_service

        return StartPolicy(args.config, os.environ, _options(args), service=is_service(os.environ))

    # Not `_load`: the daemon must start even if the present configuration is damaged.
    return int(module.execute(args, lambda: _with_logs(policy().load())))


def _say_failure(error: Exception, args: argparse.Namespace) -> None:
    """Speak the reason why the daemon could not start or has broken: its wearer reads no log."""
    from daemon.process import last_words

    if (reason := last_words.reason_of(error)) is not None:
        last_words.say(reason, getattr(args, "config", None), os.environ)


@dataclass(frozen=True)
class Subcommand:
    """A subcommand; its module is imported when it is chosen and offers `configure` and `execute`."""

    help: str
    module: str
    execute: Execute = _with_settings
    watches: bool = True
    """False: it only talks to a daemon, and need not read the hazards taught to it."""
    acts_as_service: bool = True
    """True: for root it acts as the user of the installed service, on that one's folders."""


COMMANDS = {
    "run": Subcommand("watch, and say what is dangerous", "daemon.cli.run", _as_daemon),
    "replay": Subcommand("the same over a file, frame by frame", "daemon.cli.replay"),
    "status": Subcommand(
        "how the running daemon is", "daemon.cli.remote.status", _with_loader, acts_as_service=False
    ),
    "say": Subcommand("speak a sentence", "daemon.cli.remote.say", _with_loader, acts_as_service=False),
    "tour": Subcommand(
        "hear what a wearer hears, in a minute", "daemon.cli.remote.tour", _with_loader, acts_as_service=False
    ),
    **{
        name: Subcommand(one.help, "daemon.cli.remote.commands", _with_loader, acts_as_service=False)
        for name, one in REMOTE.items()
    },
    "why": Subcommand("what led to what was said, or to silence", "daemon.cli.why", _with_loader),
    "journal": Subcommand("what happened: show, export, purge", "daemon.cli.journal", _with_loader),
    "web": Subcommand(
        "the web page, HTTP interface and home automation", "daemon.cli.web", _with_loader, watches=False
    ),
    "check": Subcommand(
        "what works on this machine, and what to do about the rest", "daemon.cli.check", _with_loader
    ),
    "models": Subcommand("pull, list, fit, verify and remove models", "daemon.cli.models"),
    "config": Subcommand("show, check, set and reset settings", "daemon.cli.config", _with_loader),
    "completion": Subcommand(
        "completion for bash or zsh", "daemon.cli.completion", _with_loader, acts_as_service=False
    ),
    "evaluate": Subcommand("recall and false alarms on labelled media", "daemon.cli.evaluate"),
    "calibrate": Subcommand("thresholds from your own normal footage", "daemon.cli.calibrate"),
    "teach": Subcommand("a hazard from a few pictures of it", "daemon.cli.teach"),
    "tune": Subcommand("plan devices and rate for this machine", "daemon.cli.tune", _with_loader),
    "bench": Subcommand("measure speed as ratios", "daemon.cli.bench"),
}

GROUPS = {
    "Watch and listen": ("run", "replay", "tour"),
    "Talk to the running daemon": ("status", "say", *REMOTE),
    "Look back": ("why", "journal"),
    "Set up": ("check", "config", "models", "web", "completion"),
    "Make it fit": ("tune", "calibrate", "teach", "evaluate", "bench"),
}
"""The commands under the headings of the help."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the exit code: 0 fine, 1 failed, 2 usage, 78 bad configuration."""
    mend_standard_streams()
    # Our matrices are small: OpenBLAS's threads would only wait for each other, between every two frames.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Journals, pictures and sockets are for their owner only, as in systemd's units.
    os.umask(os.umask(0o077) | 0o077)
    args = argparse.Namespace()
    try:
        with redirect_stdout(PlainStream(sys.stdout)):
            # Assigned only after parsing: until then `args` is empty, for the failure that is reported below.
            args = build_parser(COMMANDS, GROUPS).parse_args(argv)
            command = COMMANDS[args.command]
            # Commands that only talk to a daemon stay root's; the service's own user has no other folders.
            if command.acts_as_service or os.geteuid() != 0:
                _act_as_service(args)
            with _working_line(args):
                code = command.execute(args.module, args, lambda: _load(args, command.watches))
            # Here, so that a broken pipe is caught below and not at the interpreter's exit.
            sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone.
        _discard_output()
        return FAILED
    except Exception as error:
        code = _report(error)
        _flush_or_discard()
        # By the arguments, since `args` is empty if the import of a command has failed.
        if DAEMON in (sys.argv[1:] if argv is None else argv):
            _say_failure(error, args)
    return code


def _flush_or_discard() -> None:
    """Write what was printed before a failure; a disk that is full or a reader that has gone is no news."""
    try:
        sys.stdout.flush()
    except OSError:
        _discard_output()


def _discard_output() -> None:
    """Let the interpreter's last flush succeed: it would complain, and exit with 120."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _working_line(args: argparse.Namespace) -> Iterator[None]:
    """A command that takes its time says so on a terminal; `args.note` tells how far it is."""
    args.note = lambda _: None
    if args.command in TALKERS:
        yield
        return
    with working_line(args.command, os.environ.get("TERM", "")) as args.note:
        yield


def _act_as_service(args: argparse.Namespace) -> None:
    from daemon.process.service_account import act_as_service

    act_as_service(
        args.config, os.environ, vars(args).get("instance") or vars(args).get("control.instance") or ""
    )


def _load(args: argparse.Namespace, watches: bool) -> Loaded:
    from daemon.config import settings

    loaded = settings.load(args.config, os.environ, _options(args), watches=watches)
    return _with_logs(loaded, warn=args.command != "config")


def _options(args: argparse.Namespace) -> dict[str, Any]:
    """The options that name a setting, by dotted key."""
    found = {key: value for key, value in vars(args).items() if "." in key}
    # Only then: the schema is expensive to import.
    if any(isinstance(value, Written) for value in found.values()):
        from daemon.config.layers import decode
        from daemon.config.settings import SCHEMA

        for key, value in found.items():
            if isinstance(value, Written):
                found[key] = decode(str(value), tuple(key.split(".")), SCHEMA)
    return found


def _with_logs(loaded: Loaded, *, warn: bool = True) -> Loaded:
    """Configure the logs as set, and log the settings' warnings; `config` prints those itself (`warn`)."""
    from daemon.process import logs

    logs.configure(loaded.settings.log, os.environ, sys.stderr)
    for warning in loaded.warnings if warn else ():
        log.warning("%s", warning)
    for mistake in loaded.refused:
        log.error("%s", mistake)
    if loaded.refused:
        log.error("the last good configuration is used instead; mend these mistakes, then reload")
    return loaded


def _report(error: Exception) -> int:
    if isinstance(error, ConfigError):
        _complain(str(error))
        return BAD_CONFIGURATION
    if isinstance(error, UsageError):
        _complain(str(error))
        return USAGE
    if isinstance(error, WatchwordError | OSError):
        _complain(_plain(error))
    # A traceback for logs and for debugging; a terminal gets one line.
    elif not sys.stderr.isatty() or logging.getLogger().isEnabledFor(logging.DEBUG):
        traceback.print_exception(error)
    else:
        _complain(f"a bug: {type(error).__name__}: {error}; --log-level debug shows where, please report it")
    return FAILED


def _plain(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return ": ".join(str(part) for part in (error.filename, error.strerror) if part)
    return str(error)


def _complain(message: str) -> None:
    for line in message.splitlines():
        # Escaped: names of files and devices in a message may hold control characters.
        sys.stderr.write(f"watchword: {escaped(line)}\n")


if __name__ == "__main__":
    sys.exit(main())
