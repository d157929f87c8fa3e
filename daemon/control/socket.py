"""The unix socket: one daemon at a time, for its owner only, even after a crash."""

from __future__ import annotations

import grp
import logging
import os
import select
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from common.file_lock import FileLock, LockHeldError
from daemon.errors import AlreadyRunningError, CommandError

log = logging.getLogger(__name__)

LONGEST_PATH = 107
"""Bytes in a unix socket's address (unix(7)), one of them the final null."""
SO_PEERGROUPS = 59
"""From asm-generic/socket.h; Python has no name for it."""
MOST_GROUPS = 256
"""Python takes no more than 1024 bytes."""
BACKLOG = 128
"""Connections that may wait to be accepted, so that many idle ones do not shut the others out."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end, as reported by the kernel."""

    pid: int
    uid: int
    groups: frozenset[int]


@dataclass(frozen=True, slots=True)
class Rights:
    """The users allowed to connect: the daemon's own, root, and the members of one group, if any."""

    uid: int
    gid: int | None = None

    def allow(self, peer: Peer) -> bool:
        return peer.uid in (0, self.uid) or (self.gid is not None and self.gid in peer.groups)


def rights(group: str) -> Rights:
    """The rights for this process's user and, if named, the group; a group that does not exist is logged."""
    if not group:
        return Rights(os.geteuid())
    try:
        return Rights(os.geteuid(), grp.getgrnam(group).gr_gid)
    except KeyError:
        # Fewer may control it then, but the wearer is warned.
        log.warning("control.group = %r: there is no such group; see `getent group`", group)
        return Rights(os.geteuid())


def peer(link: socket.socket) -> Peer:
    """Raises OSError."""
    pid, uid, gid = struct.unpack("iII", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    raw = b""
    # With more groups than MOST_GROUPS only the primary one counts.
    with suppress(OSError):
        # SO_PEERGROUPS: all groups of the peer, and not only the primary one of SO_PEERCRED (unix(7)).
        raw = link.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, 4 * MOST_GROUPS)
    return Peer(pid, uid, frozenset({gid, *struct.unpack(f"{len(raw) // 4}I", raw)}))


class ControlSocket:
    """Listens at a path. The lock beside it tells a daemon that runs from one that crashed.

    If the path cannot be used (a full disk, a folder that may not be written), it listens nowhere: the wearer
    is warned all the same. `restore` tries again.

    `wait` and `restore` are for one thread, that which accepts; `close` may be called from any.
    """

    def __init__(self, path: Path, allowed: Rights) -> None:
        """Raises CommandError: a daemon is running there already, or the path is too long."""
        self.path = path
        self._allowed = allowed
        self._closed = threading.Event()
        # `close` may come from another thread while `restore` finds the path gone, which must not listen anew
        # then.
        self._guard = threading.Lock()
        if len(os.fsencode(path)) > LONGEST_PATH:
            raise CommandError(
                f"{path} is longer than the {LONGEST_PATH} bytes a socket's path may have; "
                "set XDG_RUNTIME_DIR to a shorter folder"
            )
        self._lock: FileLock | None = None
        self.listener: socket.socket | None = None
        self._inode: tuple[int, int] | None = None
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _locked(self._lock_file, path)
            self.listener = _listening(path, allowed)
            self._inode = _inode(path)
        except OSError as error:
            log.warning("cannot offer the control socket %s: %s", path, error.strerror or error)

    @property
    def _lock_file(self) -> Path:
        return self.path.with_suffix(".lock")

    def wait(self, seconds: float) -> bool:
        """True as soon as a client connects; False after `seconds`."""
        if self.listener is None:
            self._closed.wait(seconds)
            return False
        poll = select.poll()
        try:
            poll.register(self.listener, select.POLLIN)
        # Closed since: it has no descriptor any more.
        except ValueError:
            return False
        return bool(poll.poll(seconds * 1000)) and not self._closed.is_set()

    def restore(self) -> None:
        """Listen anew if the path is not ours: it could not be used, or the folder or the socket was removed.

        Another daemon that has taken the path meanwhile keeps it. Raises OSError.
        """
        with self._guard:
            if self._closed.is_set() or (self.listener is not None and _inode(self.path) == self._inode):
                return
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The lock first: its holder owns the path.
            try:
                held = self._lock is not None and self._lock.holds(self._lock_file)
                lock = self._lock if held else FileLock(self._lock_file)
            except LockHeldError:
                return
            if lock is not self._lock:
                if self._lock is not None:
                    self._lock.release()
                self._lock = lock
            # The new one before the old one is closed: without it the daemon could not be reached at all.
            listener = _listening(self.path, self._allowed)
            if self.listener is not None:
                self.listener.close()
            self.listener, self._inode = listener, _inode(self.path)
            log.warning("the control socket %s was not there; it is now", self.path)

    def accept(self) -> socket.socket:
        """The connection of the next client. Raises OSError."""
        if self.listener is None:
            raise OSError("the control socket does not listen")
        link, _ = self.listener.accept()
        return link

    def close(self) -> None:
        """Wake the thread in `wait`, and remove everything but the lock file."""
        with self._guard:
            self._closed.set()
            if self.listener is not None:
                with suppress(OSError):
                    # Wakes `poll` in the accepting thread; closing alone would not.
                    self.listener.shutdown(socket.SHUT_RDWR)
                self.listener.close()
            # Never the socket of another daemon.
            if self._inode is not None and _inode(self.path) == self._inode:
                self.path.unlink(missing_ok=True)
            if self._lock is not None:
                self._lock.release()


def _inode(path: Path) -> tuple[int, int] | None:
    """Device and inode of the file there; None if nothing is."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _locked(lock: Path, path: Path) -> FileLock:
    try:
        return FileLock(lock)
    except LockHeldError as error:
        raise AlreadyRunningError(
            f"watchword is running already (process {error.holder}, socket {path}); "
            "stop it first, or give this one a name of its own in control.instance"
        ) from None


def _listening(path: Path, allowed: Rights) -> socket.socket:
    """Its rights are set before `listen`: until then no client can connect."""
    # Left by a daemon that was killed: the lock has shown that no other one runs.
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(os.fsencode(path))
        if allowed.gid is not None:
            os.chown(path, -1, allowed.gid)
        path.chmod(0o600 if allowed.gid is None else 0o660)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
