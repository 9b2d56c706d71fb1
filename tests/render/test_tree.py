"""The text forms: tree and waves, golden for a graph with one of everything."""

from __future__ import annotations

import pytest

from pkl.model.graph import Edge, Graph, Missing, Node
from pkl.model.state import Reason
from pkl.render.tree import tree
from pkl.render.waves import waves

from .graphs import HOSTILE, SHOP

TREE = """\
a 1 ◐ blocked ✕ cycle
└── b 1 ◐ blocked ✕ cycle
    └── c 1 (>=1) ◐ blocked ✕ cycle
        └── a 1 ◐ blocked (cycle)
lonely 1
old 1 ○ disabled
web 3.0 ◐ blocked
├── audit 1.4.0 (audit-log>=1) ◐ blocked
│   ├── auth 1.2.0 (>=1.2,<2)
│   │   └── metrics 0.9 (>=0.5) (via libx, liby)
│   └── storage 2.1 (>=3) ✕ unsatisfied
│       └── metrics 0.9 (after)
├── queue (missing, required by web: "queue>=1")
├── auth 1.2.0 (wants) (*)
├── theme (absent, wanted by web: "theme>=2")
└── old 1 (conflicts <2) ✕ conflict ○ disabled
nope (missing, required by the host: "nope>1")
(*) shown above
"""

INVERTED = """\
a 1 ~ blocked x cycle
`-- c 1 (a) ~ blocked x cycle
    `-- b 1 (c>=1) ~ blocked x cycle
        `-- a 1 (b) ~ blocked (cycle)
lonely 1
metrics 0.9
|-- auth 1.2.0 (metrics>=0.5) (via libx, liby)
|   |-- audit 1.4.0 (auth>=1.2,<2) ~ blocked
|   |   `-- web 3.0 (audit-log>=1) ~ blocked
|   `-- web 3.0 (wants auth) ~ blocked
`-- storage 2.1 (after metrics)
old 1 o disabled
`-- web 3.0 (conflicts old<2) x conflict ~ blocked
queue (missing, required by web: "queue>=1")
`-- web 3.0 (queue>=1) ~ blocked
storage 2.1
`-- audit 1.4.0 (storage>=3) x unsatisfied ~ blocked (*)
theme (absent, wanted by web: "theme>=2")
`-- web 3.0 (wants theme>=2) ~ blocked
nope (missing, required by the host: "nope>1")
(*) shown above
"""

WAVES = """\
wave 1: 2 plugins
  lonely 1
  metrics 0.9
wave 2: 2 plugins
  auth 1.2.0 after metrics
  storage 2.1 after metrics
not started: 6 plugins
  a 1 ◐ blocked ✕ cycle: in a cycle of a, b, c
  audit 1.4.0 ◐ blocked: needs storage>=3, found 2.1
  b 1 ◐ blocked ✕ cycle: in a cycle of a, b, c
  c 1 ◐ blocked ✕ cycle: in a cycle of a, b, c
  old 1 ○ disabled
  web 3.0 ◐ blocked: needs queue>=1, which is missing
not there: 3 names
  ✕ missing queue: required by web: "queue>=1"
  ○ absent theme: wanted by web: "theme>=2"
  ✕ missing nope: required by the host: "nope>1"
"""


def chain(count: int) -> Graph:
    """Each plugin requires the one before."""
    return Graph(
        tuple(Node(f"p{i:05}", f"p{i:05}", "1") for i in range(count)),
        tuple(Edge(f"p{i:05}", f"p{i - 1:05}", "requires") for i in range(1, count)),
    )


def test_a_tree_shows_each_plugin_once_and_what_is_wrong_in_words() -> None:
    assert tree(SHOP) == TREE


def test_an_inverted_tree_shows_dependants_and_writes_ascii_where_asked() -> None:
    assert tree(SHOP, invert=True, ascii=True) == INVERTED


def test_waves_count_each_layer_and_say_why_the_rest_does_not_start() -> None:
    assert waves(SHOP) == WAVES


def test_a_focused_tree_has_the_asked_roots_and_depth() -> None:
    assert tree(SHOP, focus="audit", depth=1) == (
        "audit 1.4.0 ◐ blocked\n├── auth 1.2.0 (>=1.2,<2)\n└── storage 2.1 (>=3) ✕ unsatisfied\n"
    )
    assert tree(SHOP, focus=["lonely", "old"]) == "lonely 1\nold 1 ○ disabled\n"
    assert tree(SHOP, focus="nobody") == ""
    assert tree(SHOP, focus="auth", depth=0) == "auth 1.2.0\n"


def test_what_was_cut_by_depth_is_not_taken_as_shown() -> None:
    """A plugin first met at the deepest level is still unfolded where it is met higher up."""
    graph = Graph(
        tuple(Node(n, n, "1") for n in "wxyz"),
        (
            Edge("w", "x", "requires"),
            Edge("x", "y", "requires"),
            Edge("y", "z", "requires"),
            Edge("w", "y", "requires"),
        ),
    )
    assert tree(graph, depth=2) == "w 1\n├── x 1\n│   └── y 1\n└── y 1\n    └── z 1\n"


def test_a_cycle_that_nobody_needs_has_a_root_and_does_not_loop() -> None:
    ring = Graph(
        (Node("b", "b", "1"), Node("a", "a", "1")),
        (Edge("a", "b", "requires"), Edge("b", "a", "wants"), Edge("a", "a", "requires")),
    )
    assert tree(ring) == ("a 1 ✕ cycle\n├── a 1 (cycle)\n└── b 1\n    └── a 1 (wants) (cycle)\n")


def test_a_given_reason_stands_beside_the_plugin() -> None:
    reasons = {"web": Reason("missing", "web is blocked", "queue is\x1b[2J missing", "")}
    assert "web 3.0 ◐ blocked: queue is\\x1b[2J missing\n" in tree(SHOP, reasons=reasons)
    assert "web 3.0 ◐ blocked: queue is\\x1b[2J missing\n" in waves(SHOP, reasons=reasons)


def test_a_root_cause_that_holds_up_several_is_told_once_in_a_tree() -> None:
    cause = Reason("missing", "", "queue is missing", "")
    text = tree(SHOP, reasons={"web": cause, "audit": cause})
    assert text.count("queue is missing") == 1
    assert "web 3.0 ◐ blocked: queue is missing\n├── audit 1.4.0 (audit-log>=1) ◐ blocked\n" in text


def test_colour_is_added_to_words_that_are_there_without_it() -> None:
    text = tree(SHOP, color=True)
    assert "\x1b[33m◐ blocked\x1b[0m" in text
    assert '\x1b[31mqueue (missing, required by web: "queue>=1")\x1b[0m' in text
    assert "\x1b[31m✕ missing\x1b[0m" in waves(SHOP, color=True)


@pytest.mark.parametrize("invert", [False, True])
def test_a_chain_of_ten_thousand_is_written_whole_in_linear_space(invert: bool) -> None:
    text = tree(chain(10_000), invert=invert)
    assert all(f"p{i:05} 1" in text for i in range(0, 10_000, 97))
    assert len(text) < 4_000_000
    assert "p09900, continued:" in text if invert else "p00099, continued:" in text


def test_an_empty_graph_is_an_empty_text() -> None:
    assert tree(Graph()) == ""
    assert waves(Graph()) == ""


def test_foreign_plugins_of_one_name_are_called_by_their_ids() -> None:
    graph = Graph(
        (
            Node("one:cov", "cov", "1", "one"),
            Node("two:cov", "cov", "2", "two"),
            Node("two:xdist", "xdist", "3", "two"),
        ),
        (Edge("two:xdist", "one:cov", "requires", "cov>=1"),),
        missing=(Missing("gone", "xdist", "gone"),),
    )
    assert tree(graph) == (
        'two:cov 2\nxdist 3\n├── gone (missing, required by xdist: "gone")\n└── one:cov 1 (>=1)\n'
    )


@pytest.mark.parametrize("ascii", [False, True])
def test_no_name_reaches_the_terminal_as_a_control_character(ascii: bool) -> None:
    for text in (tree(HOSTILE, ascii=ascii), tree(HOSTILE, invert=True), waves(HOSTILE)):
        assert not any(c != "\n" and (c < " " or "\x7f" <= c < "\xa0") for c in text)
        assert not set(text) & set("\u202e\u2066\u200b\u2028\u2029\ufeff\ud800")
    assert tree(HOSTILE, ascii=True).isascii()
    assert waves(HOSTILE, ascii=True).isascii()
