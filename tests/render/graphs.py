"""Graphs for the tests: one of everything, one of hostile names, and arbitrary ones."""

from __future__ import annotations

import os
from typing import List, Tuple

from hypothesis import settings
from hypothesis import strategies as st

from pkl.model.graph import Edge, Graph, Missing, Node

EXAMPLES = settings(max_examples=int(os.environ.get("PKL_EXAMPLES", "60")), deadline=None)

SHOP = Graph(
    nodes=(
        Node("auth", "auth", "1.2.0", "acme-auth", "enabled"),
        Node("audit", "audit", "1.4.0", "acme-audit", "blocked"),
        Node("storage", "storage", "2.1", "acme-storage", "enabled"),
        Node("web", "web", "3.0", "acme-web", "blocked"),
        Node("a", "a", "1", "ring", "blocked"),
        Node("b", "b", "1", "ring", "blocked"),
        Node("c", "c", "1", "ring", "blocked"),
        Node("metrics", "metrics", "0.9", "acme-metrics", "enabled"),
        Node("lonely", "lonely", "1", "lonely", "enabled"),
        Node("old", "old", "1", "old", "disabled"),
    ),
    edges=(
        Edge("audit", "auth", "requires", "auth>=1.2,<2"),
        Edge("audit", "storage", "requires", "storage>=3", False),
        Edge("web", "audit", "requires", "audit-log>=1"),
        Edge("web", "auth", "wants", "auth"),
        Edge("web", "theme", "wants", "theme>=2", False),
        Edge("web", "queue", "requires", "queue>=1", False),
        Edge("a", "b", "requires", "b"),
        Edge("b", "c", "requires", "c>=1"),
        Edge("c", "a", "requires", "a"),
        Edge("storage", "metrics", "after", "metrics"),
        Edge("auth", "metrics", "requires", "metrics>=0.5", True, ("libx", "liby")),
        Edge("web", "old", "conflicts", "old<2"),
    ),
    layers=(("metrics", "lonely"), ("auth", "storage")),
    cycles=(("a", "b", "c"),),
    missing=(Missing("queue", "web", "queue>=1"), Missing("nope", "the host", "nope>1")),
)
"""One of everything that a picture has to show."""

NASTY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'onload='x",
    "</title></svg></style></template>",
    "--><!--",
    "]]><![CDATA[",
    "&lt;b&gt;&amp;&#60;",
    'a"]; evil [label="',
    "back\\slash\\",
    "\\N\\G\\n",
    "<<b>html label</b>>",
    "new\nline\r\ttab",
    "\x1b[31mred\x1b]0;title\x07",
    "\x9b31m\x85",
    "right\u202eto\u2066left\u200b",
    "\u2028\u2029\ufeff\ufffe\uffff",
    "lone\ud800surrogate",
    "`tick` ${x} {{y}} %%{init}%%",
    "end",
    "n0",
    "#quot;#35;",
    "日本語 ünïcode",
    " ",
    "",
)
"""Names that try to be something else."""

HOSTILE = Graph(
    nodes=tuple(Node(f"{text}|{i}", text, text, text, text) for i, text in enumerate(NASTY)),
    edges=tuple(
        Edge(
            f"{text}|{i}",
            f"{NASTY[i // 2]}|{i // 2}" if i % 5 else f"gone {text}",
            ("requires", "wants", "after", "before", "conflicts")[i % 5 if i % 5 else 0],
            f"{text}>={text}",
            i % 3 > 0,
            (text, text) if i % 2 else (),
        )
        for i, text in enumerate(NASTY)
    ),
    missing=tuple(Missing(f"missing {text}", text, text) for text in NASTY),
)
"""Every nasty text in every place that a plugin can write to."""

_ids = st.sampled_from([f"p{i}" for i in range(9)])
_texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=6), st.just("p1>=2"))
_kinds = st.sampled_from(("requires", "wants", "after", "before", "conflicts", "requires"))
_states = st.sampled_from(("", "enabled", "blocked", "error", "disabled", "unloaded", "odd"))


def _nodes() -> st.SearchStrategy[Node]:
    names = st.one_of(_ids, _texts)
    ids = st.one_of(_ids, _ids, _ids, _texts)
    return st.builds(Node, ids, names, _texts, st.one_of(st.none(), _texts), _states)


def _edges() -> st.SearchStrategy[Edge]:
    ends = st.one_of(_ids, _ids, _ids, _texts)
    kinds = st.one_of(_kinds, _texts)
    via = st.lists(_texts, max_size=2).map(tuple)
    return st.builds(Edge, ends, ends, kinds, _texts, st.booleans(), via)


_names = st.one_of(_ids, _texts)
_groups = st.lists(st.lists(_names, max_size=4).map(tuple), max_size=3).map(tuple)

ANY_GRAPH = st.builds(
    Graph,
    st.lists(_nodes(), max_size=12).map(tuple),
    st.lists(_edges(), max_size=20).map(tuple),
    st.one_of(st.just(()), _groups),
    st.one_of(st.just(()), _groups),
    st.lists(st.builds(Missing, _names, _names, _texts), max_size=3).map(tuple),
)
"""Any graph at all: self-loops, duplicates, ends that are not there, layers that lie."""


@st.composite
def acyclic(draw: st.DrawFn) -> Graph:
    """A graph whose edges lead to earlier nodes only, with neither layers nor states."""
    count = draw(st.integers(min_value=1, max_value=14))
    pairs: List[Tuple[int, int]] = draw(
        st.lists(
            st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(
                lambda pair: pair[0] != pair[1]
            ),
            max_size=30,
        )
    )
    kinds = draw(st.lists(_kinds.filter("conflicts".__ne__), min_size=len(pairs)))
    edges = []
    for (one, other), kind in zip(pairs, kinds):
        late, early = max(one, other), min(one, other)
        ends = (early, late) if kind == "before" else (late, early)
        edges.append(Edge(f"p{ends[0]:02}", f"p{ends[1]:02}", kind, f"p{ends[1]:02}"))
    nodes = tuple(Node(f"p{i:02}", f"p{i:02}", "1") for i in range(count))
    return Graph(nodes, tuple(edges))
