"""The failures that are expected, with the exit code that each gives the command line."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the `daymark` command; `daymark --help` lists them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_RUNNING = 3
    PREREQUISITE = 4
    WAITING = 5
    INTERRUPTED = 130


class StackError(Exception):
    """Something that a person can put right. The message says what is wrong, where, and what to do."""

    def __init__(self, message: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.code = code
