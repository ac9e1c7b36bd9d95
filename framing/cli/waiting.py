"""What `framing decode --follow` does at the end of the file: wait, say once what for, and end where it is told to."""

from collections.abc import Callable

from framing.capture.files import look_again
from framing.errors import CaptureError

__all__ = ["Waiting"]


class Waiting:
    """Asked at the end of a file that grows whether to look again; `framing.capture.read` takes it as `follow`.

    Args:
        file: what people call the file.
        told: where to say something to people.

    Attributes:
        is_fruitful: set by whoever gets something to show: from then on nobody wonders what is waited for.
        is_interrupted: somebody pressed Ctrl-C while it waited; what was read until then is still shown.
    """

    def __init__(self, file: str, told: Callable[[str], None]) -> None:
        self._file = file
        self._tell = told
        self._kinds_told: set[bool] = set()
        self.is_fruitful = False
        self.is_interrupted = False

    def __call__(self, problem: CaptureError | None) -> bool:
        """Wait a while, and return whether to look again."""
        try:
            self._tell_once(problem)
            return look_again()
        except KeyboardInterrupt:
            self.is_interrupted = True
            return False

    def _tell_once(self, problem: CaptureError | None) -> None:
        # Once where there is nothing yet, and once where there is something else than what was asked for.
        if not self.is_fruitful and (problem is not None) not in self._kinds_told:
            self._kinds_told.add(problem is not None)
            self._tell(
                f"nothing to show yet, waiting for more of {self._file}{'' if problem is None else f': {problem}'}"
            )
