"""One call of the construct codec: what it may still spend, and where it was when something went wrong.

A schema is shared by all calls, so what belongs to one call travels in construct's context, under a private key of the
parameters that every nested context points to.
"""

import io
from typing import Any

import construct

__all__ = ["Guard", "LimitError", "Refusal", "guard_of"]

KEY = "_guard"

# Every element of an array takes at least a bit, except those of no size: their number would be free for the taking.
ITEMS_PER_BYTE = 8
FREE_ITEMS = 1024

# Up to this size the ratio does not matter: a kilobyte of zeros is no attack.
FREE_EXPANDED_SIZE = 64 * 1024


# A path longer than this shows its beginning and its end.
SHOWN_STEPS = 16


class LimitError(construct.ExplicitError):  # type: ignore[misc]  # construct has no types
    """A limit was met. `ExplicitError` is the one error that no construct swallows."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refusal(construct.ConstructError):  # type: ignore[misc]  # construct has no types
    """Strict parsing says no. Like any mismatch it makes `Select` try the next alternative."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Guard:
    """The limits, the position and the trail of one call.

    Args:
        stream: the payload's own stream, to tell which offsets count from its start.
        size: the payload's size, to which the limits on items and on expansion relate.
        max_items, max_depth, max_expanded_size, max_ratio: see `ConstructCodec`.
    """

    __slots__ = (
        "depth",
        "error",
        "expandable_size",
        "item_count",
        "max_depth",
        "max_items",
        "offset",
        "steps",
        "stream",
    )

    def __init__(
        self, stream: Any, size: int, *, max_items: int, max_depth: int, max_expanded_size: int, max_ratio: int
    ) -> None:
        self.stream = stream
        self.max_items = min(max_items, FREE_ITEMS + ITEMS_PER_BYTE * size)
        self.max_depth = max_depth
        self.expandable_size = min(max_expanded_size, max(FREE_EXPANDED_SIZE, max_ratio * size))
        self.item_count = 0
        self.depth = 0
        self.error: Exception | None = None
        self.offset: int | None = None
        self.steps: list[str] = []

    def context(self, *, parsing: bool) -> Any:
        """Return the outermost context, as construct's own `parse` and `build` make it, with this guard inside."""
        context = construct.Container(_parsing=parsing, _building=not parsing, _sizing=False)
        context["_params"] = context
        context[KEY] = self
        return context

    def spend_items(self, count: int) -> None:
        """Count array elements and steps of recursion, before they are parsed.

        Raises:
            LimitError: these would be too many.
        """
        self.item_count += count
        if self.item_count > self.max_items:
            raise LimitError(f"more items than this payload may have, {self.max_items} (max_items)")

    def spend_size(self, size: int) -> None:
        """Count bytes that came out of a decompressor; they may hold items, too.

        Raises:
            LimitError: these are too many.
        """
        self.expandable_size -= size
        self.max_items += ITEMS_PER_BYTE * size
        if self.expandable_size < 0:
            raise LimitError("it expands to more than this payload may (max_expanded_size, max_ratio)")

    def note(self, error: Exception, step: str, stream: Any = None, start: int | None = None) -> None:
        """Remember, while `error` unwinds, that it came through `step`, which began at `start` of `stream`.

        An error that `Select` or its like swallows leaves its steps behind, so another error begins anew.
        """
        if error is not self.error:
            self.error, self.steps, self.offset = error, [], None
        self.steps.append(step)
        if self.offset is None and start is not None and self._counts_from_payload(stream):
            self.offset = start

    def take_place(self, error: Exception) -> tuple[str | None, int | None]:
        """Return path and offset of where `error` came from, such as `header.items[3]`, as far as known, and forget it.

        Another error than the last that was noted came through no named field.
        """
        steps, offset = (self.steps[::-1], self.offset) if error is self.error else ([], None)
        # An error holds on to the frames it came through, and they to this guard.
        self.error = None
        if len(steps) > SHOWN_STEPS:
            steps[SHOWN_STEPS // 2 : -SHOWN_STEPS // 2] = [" … "]
        return "".join(steps).removeprefix(".") or None, offset

    def _counts_from_payload(self, stream: Any) -> bool:
        while isinstance(stream, construct.core.BytesIOWithOffsets):
            stream = stream.parent_stream
        return stream is self.stream


def guard_of(context: Any) -> Guard:
    """Return the guard of the call that `context` belongs to."""
    scope = context
    while scope is not None:
        # Some constructs start anew with the old context as parameters: then the guard is one level further up.
        params = scope["_params"]
        if KEY in params:
            return params[KEY]  # type: ignore[no-any-return]  # construct has no types
        scope = scope.get("_")
    # A schema that calls parse() on one of its own parts by hand hides whose call it is: it gets what is free.
    guard = Guard(
        io.BytesIO(), 0, max_items=FREE_ITEMS, max_depth=16, max_expanded_size=FREE_EXPANDED_SIZE, max_ratio=1
    )
    context["_params"][KEY] = guard
    return guard
