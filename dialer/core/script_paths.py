"""Where the nodes of a script lead: missing targets, nodes never reached, and circles that nothing ever leaves."""

from __future__ import annotations

from collections.abc import Iterator

from dialer.core.script import Gather, Node, Play, RecordMessage, Script


def broken_paths(script: Script) -> Iterator[tuple[str, str]]:
    """Yield each fault of the paths in Vietnamese and English; those of the targets come first."""
    nodes = script.nodes
    if script.start not in nodes:
        yield f"start: không có nút {script.start!r}", f"start: there is no node {script.start!r}"
        return
    for name, node in nodes.items():
        for key, target in _edges(node):
            if target not in nodes:
                yield (
                    f"nút {name!r}, khoá {key!r}: không có nút {target!r}",
                    f"node {name!r}, key {key!r}: there is no node {target!r}",
                )
                return
    reached = _reached(script)
    for name in (name for name in nodes if name not in reached):
        yield (
            f"nút {name!r}: không có đường nào tới nút này từ {script.start!r}",
            f"node {name!r}: no path from {script.start!r} leads to it",
        )
    for name in nodes:
        if _is_endless(script, name):
            yield (
                f"nút {name!r}: vòng lặp không bao giờ kết thúc nếu khách hàng không bấm phím",
                f"node {name!r}: this circle never ends unless a key is pressed",
            )


def _edges(node: Node) -> list[tuple[str, str]]:
    own = _onward(node)
    key = "otherwise" if isinstance(node, Gather) else "next"
    by_key = [(f"keys.{digit}", target) for digit, target in node.keys.items()] if isinstance(node, Gather) else []
    return by_key if own is None else [*by_key, (key, own)]


def _onward(node: Node) -> str | None:
    """Return where the call goes by itself."""
    if isinstance(node, Gather):
        return node.otherwise
    return node.next if isinstance(node, Play | RecordMessage) else None


def _reached(script: Script) -> set[str]:
    found: set[str] = set()
    ahead = [script.start]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += [target for _, target in _edges(script.nodes[name])]
    return found


def _is_endless(script: Script, name: str) -> bool:
    """Tell whether a call that nobody presses a key in comes back to this node."""
    place = _onward(script.nodes[name])
    for _ in script.nodes:
        if place is None or place == name:
            break
        place = _onward(script.nodes[place])
    return place == name
