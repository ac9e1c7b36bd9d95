"""What a length counts, as names: "payload", "length payload", "frame". Never a signed adjustment. Spec: [F15]."""

from framing.errors import DefinitionError
from framing.formats.fields.layout import Layout

__all__ = ["check_counted_once", "counted_size"]


def counted_size(counts: str, sizes: dict[str, int], source: str) -> int:
    """Return how many bytes besides the payload a length counts. [F15]

    Args:
        counts: names, such as "length payload" or "frame".
        sizes: the bytes of everything that can be counted.
        source: the declaration, for the error.

    Raises:
        DefinitionError: an unknown name, or the payload is not among them.
    """
    words = counts.split()
    if words == ["frame"]:
        words = ["header", "payload", "trailer"]
    for word in words:
        if word not in sizes or words.count(word) > 1:
            raise DefinitionError(
                f"a length cannot count {word}" if word not in sizes else f"a length counts {word} twice",
                source=source,
                key="counts",
                found=counts,
                allowed=f"frame, or some of {', '.join(sizes)}",
            )
    if "payload" not in words:
        raise DefinitionError("a length must count the payload", source=source, key="counts", found=counts)
    return sum(sizes[word] for word in words)


def check_counted_once(counts: str, layout: Layout, part: str, source: str) -> None:
    """Refuse a length that counts some bytes twice: a part and one of its fields, or two bits of one integer.

    Raises:
        DefinitionError: it does.
    """
    words = counts.split()
    places = [(word, layout.place(word)[0]) for word in words if word in layout.names]
    offsets = [offset for _, offset in places]
    for word, offset in places:
        if part in words or offsets.count(offset) > 1:
            why = f"it is part of the {part}" if part in words else "its integer is counted by another name"
            raise DefinitionError(f"a length counts {word} twice: {why}", source=source, key="counts", found=counts)
