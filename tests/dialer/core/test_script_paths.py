"""The paths of scripts: what the checks say holds for every walk."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dialer.core.script import Audio, Gather, Node, Play, Script
from dialer.core.script_paths import broken_paths

NAMES = ("a", "b", "c", "d")
targets = st.sampled_from((*NAMES, None, "nowhere"))
nodes = st.one_of(
    st.builds(Play, st.just(Audio("x")), targets),
    st.builds(
        Gather, st.just(Audio("x")), st.dictionaries(st.sampled_from("12"), st.sampled_from(NAMES), min_size=1), targets
    ),
)


def onward(node: Node) -> str | None:
    return node.otherwise if isinstance(node, Gather) else node.next if isinstance(node, Play) else None


@given(st.fixed_dictionaries(dict.fromkeys(NAMES, nodes)))
def test_a_script_without_a_fault_ends_by_itself_from_every_node_and_each_can_be_reached(
    found: dict[str, Node],
) -> None:
    script = Script(found, "a")
    ends = all(_ends(found, name) for name in found)
    met = _met(found)
    assert (not list(broken_paths(script))) == (ends and met == set(found))


def _ends(found: dict[str, Node], name: str) -> bool:
    place: str | None = name
    for _ in range(len(found) + 1):
        if place is None:
            return True
        if place not in found:
            return False
        place = onward(found[place])
    return False


def _met(found: dict[str, Node]) -> set[str]:
    met = {"a"}
    for _ in found:
        for name in tuple(met & found.keys()):
            node = found[name]
            met |= set(node.keys.values()) if isinstance(node, Gather) else set()
            met |= {target} if (target := onward(node)) is not None else set()
    return met
