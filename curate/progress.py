"""What a run tells about itself while it works."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any


class Progress:
    """What a run tells about itself while it works; this one says nothing. The command line has one that draws."""

    def stage(self, name: str, total: int) -> Any:
        """Enter a stage of `total` bytes of input; used as a context manager."""
        return nullcontext()

    def advance(self, size: int) -> None:
        """Count bytes of input as done in this stage."""

    def say(self, message: str) -> None:
        """Tell the user something that is not a result."""
