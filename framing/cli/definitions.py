"""A protocol's definition as plain values, for people and for JSON."""

from typing import Any

from framing.picture import Part
from framing.protocol import Direction, Phase, Protocol, Rule

__all__ = ["described", "described_both_ways"]


def described(protocol: Protocol) -> dict[str, Any]:
    """Return everything that a protocol says, ready for `json.dumps`.

    >>> from framing import get_protocol
    >>> [phase] = described(get_protocol("u8/raw"))["client"]["phases"]
    >>> phase["format"], phase["codec"], phase["max_frame_size"]
    ("HeaderFormat(header='length:u8', max_frame_size=256)", 'RawCodec()', 256)
    """
    return {
        "name": protocol.name,
        "title": protocol.title,
        "ports": list(protocol.ports),
        "udp_ports": list(protocol.udp_ports),
        "source": protocol.source,
        "not_covered": protocol.not_covered,
        "over": protocol.over,
        "client": _direction(protocol.client),
        "server": _direction(protocol.server),
    }


def described_both_ways(form: dict[str, Any]) -> bool:
    """Whether both directions are the same, with nothing that one does to the other."""
    rules = any(phase["after"] for phase in form["client"]["phases"])
    return not rules and form["client"] == form["server"]


def _direction(direction: Direction) -> dict[str, Any]:
    phases = [_phase(phase) for phase in direction.phases.values()]
    return {"start": direction.start, "midstream": direction.midstream, "phases": phases}


def _phase(phase: Phase) -> dict[str, Any]:
    frame_format = phase.wire.format
    return {
        "name": phase.name,
        "format": repr(frame_format),
        "layouts": {name: list(map(_part, parts)) for name, parts in frame_format.layouts().items()},
        "fields": list(phase.wire.field_names),
        "codec": repr(phase.wire.codec),
        "join": repr(phase.wire.join) if phase.wire.join else "",
        "max_frame_size": frame_format.max_frame_size,
        "recovery": phase.wire.recovery,
        "first": _shown(phase.first),
        "otherwise": phase.otherwise,
        "after": [_rule(rule) for rule in phase.after],
    }


def _part(part: Part) -> dict[str, Any]:
    return part._asdict() | {"bits": list(part.bits)}


def _rule(rule: Rule) -> dict[str, Any]:
    fields = {name: _choice(values) for name, values in rule.fields.items()}
    return {
        "frames": rule.frames,
        "payload": _shown(rule.payload),
        "pattern": rule.pattern,
        "fields": fields,
        "moves": dict(rule.moves),
        "owes": dict(rule.owes),
        "answers": rule.answers,
    }


def _choice(values: tuple[Any, ...]) -> Any:
    shown = [_shown(value) if isinstance(value, bytes) else value for value in values]
    return shown if len(shown) > 1 else shown[0]


def _shown(constant: bytes) -> str:
    """Write a constant as a definition file does."""
    return f"0x{constant.hex()}" if constant else ""
