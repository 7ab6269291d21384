"""Short wordings for messages."""

from collections.abc import Sequence

__all__ = ["counted_noun", "listed"]


def listed(names: Sequence[str]) -> str:
    """The first few names.

    Example:
        >>> listed(["a", "b", "c", "d", "e"])
        'a, b, c and 2 more'
        >>> listed([])
        'none'
    """
    shown = ", ".join(names[:3]) or "none"
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def counted_noun(count: int, noun: str) -> str:
    """A number with its noun.

    Example:
        >>> counted_noun(1, "video"), counted_noun(2, "video")
        ('1 video', '2 videos')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
