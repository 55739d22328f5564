"""A command as it was given, and as it is given for some of its files alone."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """A verb as it was called.

    Args:
        verb: the words before its inputs.
        inputs: files, folders and patterns.
        options: the words of each option that was given, by the name of its parameter.
    """

    verb: tuple[str, ...]
    inputs: tuple[str, ...]
    options: Mapping[str, tuple[str, ...]]

    def line(self, inputs: Sequence[str] = (), **changed: tuple[str, ...]) -> str:
        """The command in the words of a POSIX shell; with other inputs, and with the words of some options changed.

        >>> Command(("quietlight", "denoise"), ("in",), {"out": ("--out", "o")}).line(["a b.dng"], overwrite=("--overwrite",))
        "quietlight denoise 'a b.dng' --out o --overwrite"
        """
        words = [word for option in {**self.options, **changed}.values() for word in option]
        return shlex.join([*self.verb, *(inputs or self.inputs), *words])
