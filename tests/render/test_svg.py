"""The SVG and the HTML page: self-contained, complete, and nothing a plugin wrote is markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Dict, List, Optional, Tuple
from xml.etree import ElementTree

import pytest
from hypothesis import given

from pkl.model.graph import Edge, Graph, Missing, Node
from pkl.model.state import Reason
from pkl.render.html import html
from pkl.render.layout import lay_out
from pkl.render.markup import escaped
from pkl.render.page import SCRIPT
from pkl.render.style import DARK, LIGHT
from pkl.render.svg import svg
from pkl.render.text_size import fitted, text_width
from pkl.render.view import View, listed

from .graphs import ANY_GRAPH, EXAMPLES, HOSTILE, NASTY, SHOP

SVG = "{http://www.w3.org/2000/svg}"
OUR_TAGS = {
    *("svg", "title", "desc", "style", "defs", "path", "marker", "rect", "text", "tspan"),
    *("g", "use"),
}
OUR_ATTRIBUTES = {
    *("width", "height", "viewBox", "role", "aria-label", "id", "d", "class", "x", "y", "rx"),
    *("markerUnits", "markerWidth", "markerHeight", "refX", "refY", "orient", "fill-rule"),
    *("transform", "data-n", "data-id", "data-f", "data-t", "data-w", "data-h", "href"),
    *("marker-start", "marker-end"),
}
OUR_PAGE_TAGS = {
    *("html", "head", "meta", "body", "header", "h1", "p", "div", "input", "button", "main"),
    *("aside", "details", "summary", "table", "tr", "th", "td", "template", "script"),
}
OUR_PAGE_ATTRIBUTES = {
    *("lang", "charset", "http-equiv", "content", "name", "type", "placeholder", "hidden"),
    *("accesskey", "xmlns"),
}


def _parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)


def _nodes(root: ElementTree.Element) -> List[ElementTree.Element]:
    return [each for each in root.iter(f"{SVG}g") if "data-n" in each.attrib]


def _text(element: ElementTree.Element) -> str:
    return "".join(element.itertext())


def test_every_plugin_and_stand_in_is_drawn_once_with_its_state_in_words() -> None:
    nodes = {each.attrib["data-id"]: each for each in _nodes(_parsed(svg(SHOP)))}
    assert sorted(nodes) == sorted([*(node.id for node in SHOP.nodes), "queue", "theme"])
    assert "blocked, cycle" in _text(nodes["a"])
    assert "fail" in nodes["a"].attrib["class"]
    assert "missing" in _text(nodes["queue"]) and "ghost" in nodes["queue"].attrib["class"]
    assert "absent" in _text(nodes["theme"])
    assert "1.2.0" in _text(nodes["auth"]) and "enabled" in _text(nodes["auth"])
    for node in nodes.values():
        assert node.find(f"{SVG}use") is not None


def test_a_tooltip_says_what_a_plugin_is_and_what_holds_it_up() -> None:
    titles = [_text(each) for each in _parsed(svg(SHOP)).iter(f"{SVG}title")]
    assert (
        "web 3.0 from acme-web · blocked · needs queue>=1, which is missing · "
        "needs audit, auth, queue, theme"
    ) in titles
    assert "audit requires storage>=3, unsatisfied" in titles
    assert "auth requires metrics>=0.5, via libx, liby" in titles
    reasons = {"web": Reason("x", "m", "the given cause", "")}
    assert "the given cause" in svg(SHOP, reasons=reasons)


def test_kinds_of_edges_differ_in_style_and_what_is_wrong_in_colour_and_word() -> None:
    root = _parsed(svg(SHOP))
    found = [each.attrib for each in root.iter(f"{SVG}path") if "data-f" in each.attrib]
    classes = [each["class"] for each in found]
    assert len(found) == len(SHOP.edges)
    assert classes.count("e requires bad") == 5
    assert {"e requires", "e requires via", "e wants", "e wants absent", "e order"} < set(classes)
    assert "e conflicts bad" in classes
    labels = {_text(each) for each in root.iter(f"{SVG}text") if "l " in each.get("class", "")}
    assert labels == {"via libx, liby", "✕ unsatisfied >=3", "✕ conflicts <2", ">=1", ">=2"}


def test_an_arrow_points_at_what_is_needed_also_for_before() -> None:
    nodes = (Node("a", "a", "1"), Node("b", "b", "1"))
    for kind, end in (("requires", "marker-start"), ("before", "marker-end")):
        root = _parsed(svg(Graph(nodes, (Edge("a", "b", kind),))))
        (path,) = (each for each in root.iter(f"{SVG}path") if "data-f" in each.attrib)
        assert end in path.attrib


def test_headings_and_counts_are_those_of_the_whole() -> None:
    text = _text(_parsed(svg(SHOP, title="Shop & <co>")))
    assert "Shop & <co>" in text
    assert "10 plugins, 12 edges, 2 waves, 5 blocked, 1 disabled, 3 not there, 1 cycle" in text
    assert "Wave 4" in text and "No connections" in text


def test_a_legend_explains_only_what_occurs() -> None:
    plain = svg(Graph((Node("a", "a", "1", None, "enabled"),)))
    assert "wants (optional)" not in plain and "conflicts" not in plain.split("</style>")[1]
    assert "wants (optional)" in svg(SHOP)


def test_an_empty_graph_is_a_drawing_too() -> None:
    assert "0 plugins" in _text(_parsed(svg(Graph())))
    assert "0 plugins" in html(Graph())


def _self_contained(root: ElementTree.Element) -> None:
    for element in root.iter():
        assert element.tag.replace(SVG, "") in OUR_TAGS
        assert set(element.attrib) <= OUR_ATTRIBUTES
        for name, value in element.attrib.items():
            if name in ("href", "marker-start", "marker-end"):
                assert re.fullmatch(r"#pkl-[a-z]+|url\(#pkl-[a-z]+\)", value)


def test_the_svg_loads_nothing_and_its_markup_is_ours_whatever_the_names() -> None:
    for graph in (SHOP, HOSTILE):
        text = svg(graph, title=NASTY[1])
        _self_contained(_parsed(text))
        assert "://" not in text.replace("http://www.w3.org/2000/svg", "")
        assert "url(#" in text and text.count("url(") == text.count("url(#pkl-")
    names = {each.attrib["data-id"] for each in _nodes(_parsed(svg(HOSTILE)))}
    assert "<script>alert(1)</script>|0" in names


@EXAMPLES
@given(ANY_GRAPH)
def test_the_svg_of_any_graph_is_xml_with_each_node_once(graph: Graph) -> None:
    root = _parsed(svg(graph))
    _self_contained(root)
    assert len(_nodes(root)) == len(View(graph).nodes)


class _Page(HTMLParser):
    """Gathers what a browser would see of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Dict[str, int] = {}
        self.attributes: Dict[str, List[Optional[str]]] = {}
        self.content: Dict[str, List[str]] = {"script": [], "style": []}
        self.text: List[str] = []
        self.inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value)
        if tag in self.content:
            self.inside = tag
            self.content[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.content[self.inside][-1] += data
        else:
            self.text.append(data)


def _big(count: int) -> Graph:
    """A chain of hubs with users."""
    nodes = tuple(Node(f"p{i:04}", f"p{i:04}", "1", "d", "enabled") for i in range(count))
    return Graph(
        nodes, tuple(Edge(f"p{i:04}", f"p{i // 7:04}", "requires", "x>1") for i in range(1, count))
    )


def _hostile_big() -> Graph:
    more = _big(200)
    return Graph(
        HOSTILE.nodes + more.nodes,
        HOSTILE.edges + more.edges,
        missing=(*HOSTILE.missing, Missing(NASTY[3], "p0003", NASTY[3])),
    )


@pytest.mark.parametrize("graph", [SHOP, HOSTILE, _hostile_big()], ids=["shop", "nasty", "big"])
def test_no_tag_and_no_attribute_of_the_page_comes_from_a_name(graph: Graph) -> None:
    page = _Page(html(graph, title=NASTY[0]))
    ours = {each.lower() for each in OUR_TAGS | OUR_PAGE_TAGS}
    assert set(page.tags) <= ours
    assert set(page.attributes) <= {a.lower() for a in OUR_ATTRIBUTES | OUR_PAGE_ATTRIBUTES}
    assert page.tags["script"] == 2 and page.tags["style"] == 1
    assert page.content["script"][1] == SCRIPT
    data = json.loads(page.content["script"][0])
    assert len(data["nodes"]) == len(View(graph).nodes)


def test_the_policy_allows_the_inline_parts_by_hash_and_nothing_else() -> None:
    page = _Page(html(HOSTILE))
    (policy,) = (each for each in page.attributes["content"] if each and "default" in each)
    script, style = page.content["script"][1], page.content["style"][0]
    hashes = [
        base64.b64encode(hashlib.sha256(each.encode()).digest()).decode()
        for each in (script, style)
    ]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert "style" not in page.attributes
    assert not [name for name in page.attributes if name.startswith("on")]


def test_the_page_contacts_nobody() -> None:
    text = html(_hostile_big())
    assert "://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert not {"src", "action", "srcset", "ping"} & set(_Page(text).attributes)


def test_the_script_is_small_and_writes_no_markup() -> None:
    assert len(SCRIPT.encode()) < 6 * 1024
    for way in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval", "Function("):
        assert way not in SCRIPT


def test_data_cannot_end_the_element_it_stands_in() -> None:
    text = html(Graph((Node("x", "</script><script>alert(1)</script>", "<!--"),)))
    data = text.split('<script id="data" type="application/json">')[1].split("</script>")[0]
    assert "<" not in data
    assert json.loads(data)["nodes"][0]["n"] == "</script><script>alert(1)</script>"


def test_a_small_page_opens_on_the_whole_and_a_large_one_on_a_plugin_that_fails() -> None:
    small = _Page(html(SHOP))
    assert "template" not in small.tags
    assert json.loads(small.content["script"][0])["start"] == -1
    big = _big(400)
    nodes = tuple(
        Node(n.id, n.name, n.version, n.distribution, "error" if n.id == "p0055" else n.state)
        for n in big.nodes
    )
    page = _Page(html(Graph(nodes, big.edges)))
    data = json.loads(page.content["script"][0])
    assert page.tags["template"] == 1
    assert data["nodes"][data["start"]]["n"] == "p0055"
    asked = _Page(html(big, focus="p0007"))
    data = json.loads(asked.content["script"][0])
    assert data["nodes"][data["start"]]["n"] == "p0007"


def test_without_scripts_a_table_lists_every_plugin_and_the_whole_is_not_lost() -> None:
    text = html(_big(400))
    table = text.split("<table>")[1].split("</table>")[0]
    assert all(f"<td>p{i:04}<td" in table for i in range(400))
    shown = text.split("<template")[0].count("data-n=")
    assert 2 < shown < 150 < text.split("<template")[1].count("data-n=")


def test_the_surroundings_of_a_hub_with_thousands_of_users_are_bounded() -> None:
    count = 3_000
    nodes = tuple(Node(f"p{i}", f"p{i}", "1") for i in range(count))
    text = html(Graph(nodes, tuple(Edge(f"p{i}", "p0", "requires") for i in range(1, count))))
    assert text.split("<template")[0].count("data-n=") <= 60


@EXAMPLES
@given(ANY_GRAPH)
def test_a_page_of_any_graph_holds_only_our_markup(graph: Graph) -> None:
    page = _Page(html(graph))
    assert set(page.tags) <= {each.lower() for each in OUR_TAGS | OUR_PAGE_TAGS}
    assert page.tags["script"] == 2


@pytest.mark.parametrize("text", NASTY)
def test_escaped_text_is_one_piece_of_text_in_xml(text: str) -> None:
    root = _parsed(f'<a b="{escaped(text)}">{escaped(text)}</a>')
    assert (root.text or "") == root.attrib["b"]
    assert len(root) == 0 and list(root.attrib) == ["b"]


def test_long_lists_and_names_are_cut_with_a_count_or_an_ellipsis() -> None:
    assert listed("abc") == "a, b, c"
    assert listed("abcdefghijkl", 3) == "a, b, c and 9 more"
    assert fitted("short", 100, 13) == "short"
    cut = fitted("a-name-that-is-much-too-long-for-its-box" * 9, 100, 13)
    assert cut.endswith("…") and text_width(cut, 13) <= 100
    box = lay_out(View(Graph((Node("x", "x" * 5_000, "9" * 5_000, None, "enabled"),)))).boxes["x"]
    assert box.width < 300


def _luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_colour_has_a_contrast_of_four_and_a_half(tokens: Dict[str, str]) -> None:
    """WCAG 2.2, 1.4.3, on the background, on boxes and on the bands of waves."""
    for name in ("text", "muted", "accent", "ok", "fail", "wait", "used"):
        for ground in ("bg", "panel", "band"):
            one, other = sorted([_luminance(tokens[name]), _luminance(tokens[ground])])
            assert (other + 0.05) / (one + 0.05) >= 4.5, (name, ground)
