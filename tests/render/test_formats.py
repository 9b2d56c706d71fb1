"""DOT, Mermaid and JSON: golden for small graphs, and no name that becomes anything else."""

from __future__ import annotations

import json
import re
from typing import Dict, List

import pytest
from hypothesis import given

from pkl.model.graph import Edge, Graph, Missing, Node
from pkl.render.as_json import dumps, to_dict, to_json
from pkl.render.dot import dot
from pkl.render.mermaid import mermaid

from .graphs import ANY_GRAPH, EXAMPLES, HOSTILE, NASTY, SHOP

SMALL = Graph(
    nodes=(
        Node("auth", "auth", "1.2", "acme-auth", "enabled"),
        Node("web", "web", "3", None, "blocked"),
        Node("old", "old", "1"),
    ),
    edges=(
        Edge("web", "auth", "requires", "auth>=1", True, ("lib",)),
        Edge("web", "queue", "requires", "queue>=1", False),
        Edge("auth", "web", "before", "web"),
        Edge("web", "old", "conflicts", "old<2"),
    ),
    layers=(("auth", "old"),),
    missing=(Missing("queue", "web", "queue>=1"),),
)

DOT = """\
digraph "plugins" {
  rankdir=RL;
  node [shape=box, style="rounded", fontname="Helvetica", fontsize=11];
  edge [fontname="Helvetica", fontsize=9, color="#5b6878"];
  "auth" [label="auth\\n1.2 · ● enabled", tooltip="auth\\nacme-auth\\n1.2 · ● enabled", \
color="#137a4c", fontcolor="#137a4c"];
  "old" [label="old\\n1", tooltip="old\\n1", color="#18202b", fontcolor="#18202b"];
  "queue" [label="queue\\n✕ missing", tooltip="queue\\n✕ missing\\n\
required by web: \\"queue>=1\\"", color="#b3261e", fontcolor="#b3261e", style="rounded,dashed"];
  "web" [label="web\\n3 · ◐ blocked", tooltip="web\\n3 · ◐ blocked\\n\
needs queue>=1, which is missing", color="#8a5a00", fontcolor="#8a5a00"];
  "web" -> "auth" [style="dotted", tooltip="auth before web", dir="back", label="before"];
  "web" -> "auth" [style="solid", tooltip="web requires auth>=1", dir="both", \
arrowtail="odot", label="via lib"];
  "web" -> "old" [style="bold", tooltip="web conflicts old<2", color="#b3261e", \
fontcolor="#b3261e", dir="both", arrowhead="tee", arrowtail="tee", constraint=false, \
label="✕ conflicts <2"];
  "web" -> "queue" [style="solid", tooltip="web requires queue>=1", color="#b3261e", \
fontcolor="#b3261e", label="✕ missing >=1"];
  { rank=same; "auth"; "old"; }
}
"""

MERMAID = """\
flowchart RL
  n0["auth<br/>1.2 · ● enabled"]:::ok
  n1["old<br/>1"]
  n2["queue<br/>✕ missing"]:::missing
  n3["web<br/>3 · ◐ blocked"]:::wait
  n0 -.->|"before"| n3
  n3 -->|"via lib"| n0
  n3 x--x|"✕ conflicts #60;2"| n1
  n3 -->|"✕ missing #62;#61;1"| n2
"""

TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z_][A-Za-z_0-9]*|[0-9.]+)'
    r"|(?P<sign>->|[{}\[\]=;,]))",
    re.DOTALL,
)


def dot_tokens(text: str) -> List[str]:
    """The tokens of a DOT file; fails on anything that is none, such as an HTML-like label."""
    found: List[str] = []
    at = 0
    while text[at:].strip():
        match = TOKEN.match(text, at)
        assert match is not None, text[at : at + 60]
        found.append(match.group().strip())
        at = match.end()
    return found


def statements(text: str) -> List[List[str]]:
    """The tokens between the outer braces, cut at the semicolons outside of inner braces."""
    tokens = dot_tokens(text)
    assert tokens[0] == "digraph" and tokens[2] == "{" and tokens[-1] == "}"
    found: List[List[str]] = [[]]
    depth = 0
    for token in tokens[3:-1]:
        depth += (token == "{") - (token == "}")
        if token == ";" and not depth:
            found.append([])
        else:
            found[-1].append(token)
    return [each for each in found if each]


def test_a_small_graph_in_dot() -> None:
    assert dot(SMALL) == DOT


def test_dot_has_one_statement_for_each_node_and_edge_whatever_their_names() -> None:
    """Quotes, backslashes, braces and markup in names end no string and start no statement."""
    for graph in (HOSTILE, SHOP):
        lines = [each for each in statements(dot(graph)) if "rank" not in each]
        ids = [each[0] for each in lines if "->" not in each and each[0].startswith('"')]
        assert len(ids) == len(set(ids)) >= len(graph.nodes)
        for each in lines:
            if "->" in each:
                assert each[0] in ids and each[1] == "->" and each[2] in ids
                assert each[3] == "[" and each[-1] == "]"
                assert "]" not in each[:-1]


def test_what_graphviz_would_replace_in_labels_is_escaped() -> None:
    r"""``\N`` stands for the node's name, ``&lt;`` for a sign: in names both are just text."""
    text = dot(Graph((Node("x", r"\N &lt;b", '1"'),)))
    assert 'label="\\\\N &amp;lt;b\\n1\\""' in text


def test_two_ids_that_look_alike_when_escaped_stay_two() -> None:
    graph = Graph((Node("\x1b", "one", "1"), Node("\\x1b", "two", "1")))
    ids = [each[0] for each in statements(dot(graph)) if each[0].startswith('"')]
    assert len(set(ids)) == 2


@EXAMPLES
@given(ANY_GRAPH)
def test_dot_is_well_formed_for_any_graph(graph: Graph) -> None:
    statements(dot(graph, title='a"b'))


def test_a_small_graph_in_mermaid() -> None:
    assert mermaid(SMALL).startswith(MERMAID)
    assert "  linkStyle 2,3 stroke:#b3261e\n" in mermaid(SMALL)
    assert "  linkStyle 1 stroke-dasharray:9 3 2 3\n" in mermaid(SMALL)


MERMAID_LINE = re.compile(
    r"  (?:"
    r'n\d+\["(?P<node>[^"]*)"\](?::::[a-z]+)?'
    r'|n\d+ (?:-->|-\.->|x--x)(?:\|"(?P<edge>[^"]*)"\|)? n\d+'
    r"|classDef [a-z]+ [a-z0-9:#, -]+"
    r"|linkStyle [0-9,]+ [a-z0-9:#, -]+"
    r")"
)


@EXAMPLES
@given(ANY_GRAPH)
def test_every_mermaid_line_is_of_a_known_form_for_any_graph(graph: Graph) -> None:
    _well_formed(mermaid(graph))


def test_no_name_leaves_its_label_in_mermaid() -> None:
    _well_formed(mermaid(HOSTILE))


def _well_formed(text: str) -> None:
    first, *lines = text.split("\n")[:-1]
    assert first == "flowchart RL"
    for line in lines:
        match = MERMAID_LINE.fullmatch(line)
        assert match is not None, line
        for label in (match.group("node"), match.group("edge")):
            rest = re.sub(r"#[0-9]+;", "", (label or "").replace("<br/>", ""))
            assert not set(rest) & set("<>&\"'`#;{}[]()|\\%$"), label


def test_the_json_has_the_shape_of_the_contract() -> None:
    assert to_dict(SMALL) == {
        "schema": "pkl.graph/1",
        "nodes": [
            {
                "id": "auth",
                "name": "auth",
                "version": "1.2",
                "distribution": "acme-auth",
                "state": "enabled",
            },
            {"id": "web", "name": "web", "version": "3", "distribution": None, "state": "blocked"},
            {"id": "old", "name": "old", "version": "1", "distribution": None, "state": ""},
        ],
        "edges": [
            _edge("web", "auth", "requires", "auth>=1", True, ["lib"]),
            _edge("web", "queue", "requires", "queue>=1", False, []),
            _edge("auth", "web", "before", "web", True, []),
            _edge("web", "old", "conflicts", "old<2", True, []),
        ],
        "layers": [["auth", "old"]],
        "cycles": [],
        "missing": [{"name": "queue", "required_by": "web", "requirement": "queue>=1"}],
    }


def _edge(
    from_: str, to: str, kind: str, requirement: str, satisfied: bool, via: List[str]
) -> Dict[str, object]:
    return {
        "from": from_,
        "to": to,
        "kind": kind,
        "requirement": requirement,
        "satisfied": satisfied,
        "via": via,
    }


def test_json_gives_back_what_was_put_in_and_is_safe_to_print() -> None:
    text = to_json(HOSTILE)
    assert json.loads(text) == to_dict(HOSTILE)
    assert text.isascii()
    assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize("text", [*NASTY, "\x7f"])
def test_json_of_any_text_is_printable(text: str) -> None:
    assert dumps(text).isprintable()
    assert json.loads(dumps(text)) == text
