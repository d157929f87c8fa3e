"""Errors of the store, each class named by the caller's choice of action."""

from __future__ import annotations

from common.errors import WatchwordError


class StoreError(WatchwordError):
    """An error of the store; the message is one line with the cure."""


class UnknownModelError(StoreError):
    """No such name: choose another."""


class NotInstalledError(StoreError):
    """Known, but not here or not whole: pull it."""


class FetchError(StoreError):
    """The files could not be had: try again, or carry them over by hand."""


class StoreUnusableError(StoreError):
    """The store folder itself is at fault: another folder, other rights, more room."""


class BusyError(StoreError):
    """Another process is working on the same model: wait."""


class ConsentError(StoreError):
    """The licence asks for an explicit yes."""


class TooLargeError(StoreError):
    """More than this machine has memory for: take a smaller one, or insist."""


class PrepareError(StoreError):
    """The files are here but could not be made into a model that runs."""
