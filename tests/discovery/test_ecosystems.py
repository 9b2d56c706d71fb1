"""Real distributions of ten ecosystems, listed and connected with nothing adopted.

The corpus holds what discovery reads of distributions from the package index, pinned in
``corpus/pins.txt``. What is expected of them was written down by hand from their metadata.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Dict, Mapping, Set, Tuple

import pytest

from pkl.discovery import discover, groups, installed, installed_requirements
from pkl.model.candidate import Discovery
from pkl.model.plan import Plan
from pkl.resolver import resolve

CORPUS = Path(__file__).parent / "corpus"

NODES: Dict[str, Dict[str, Tuple[str, str]]] = {
    # group -> distribution -> version, names of its entry points
    "pytest11": {
        "anyio": ("4.16.0", "anyio"),
        "pytest-asyncio": ("1.5.0", "asyncio"),
        "pytest-base-url": ("2.1.0", "base_url"),
        "pytest-bdd": ("9.0.1", "pytest-bdd"),
        "pytest-cov": ("7.1.0", "pytest_cov"),
        "pytest-html": ("4.2.0", "html html_fixtures"),
        "pytest-metadata": ("3.1.1", "metadata"),
        "pytest-mock": ("3.17.0", "pytest_mock"),
        "pytest-playwright": ("0.10.0", "playwright"),
        "pytest-selenium": (
            "4.1.0",
            "appium_driver browserstack_driver chrome_driver crossbrowsertesting_driver"
            " edge_driver firefox_driver ie_driver remote_driver safari_driver saucelabs_driver"
            " selenium selenium_safety testingbot_driver",
        ),
        "pytest-variables": ("3.1.0", "variables"),
        "pytest-xdist": ("3.8.0", "xdist xdist.looponfail"),
        "respx": ("0.23.1", "respx"),
        "xonsh": ("0.25.0", "xonsh"),
    },
    "mkdocs.plugins": {
        "mkdocs": ("1.6.1", "search"),
        "mkdocs-autorefs": ("1.4.5", "autorefs"),
        "mkdocs-literate-nav": ("0.6.3", "literate-nav"),
        "mkdocs-macros-plugin": ("1.5.0", "macros"),
        "mkdocs-material": (
            "9.8.1",
            "material/blog material/group material/info material/meta material/offline"
            " material/optimize material/privacy material/projects material/search"
            " material/social material/tags material/typeset",
        ),
        "mkdocs-redirects": ("1.2.3", "redirects"),
        "mkdocs-section-index": ("0.3.12", "section-index"),
        "mkdocstrings": ("1.0.8", "mkdocstrings"),
    },
    "flake8.extension": {
        "flake8": ("7.5.0", "E F W"),
        "flake8-annotations": ("3.3.0", "ANN"),
        "flake8-bugbear": ("26.10.27", "B"),
        "flake8-builtins": ("3.1.0", "A00"),
        "flake8-comprehensions": ("3.17.0", "C4"),
        "flake8-docstrings": ("1.7.0", "D"),
        "flake8-tidy-imports": ("4.12.0", "I25"),
        "pep8-naming": ("0.15.1", "N8"),
        "wemake-python-styleguide": ("1.8.1", "WPS"),
    },
    "datasette": {
        "datasette-auth-tokens": ("0.3", "auth_tokens"),
        "datasette-cluster-map": ("0.18.2", "cluster_map"),
        "datasette-graphql": ("2.2", "graphql"),
        "datasette-leaflet": ("0.2.2", "leaflet"),
        "datasette-vega": ("0.6.2", "vega"),
    },
    "llm": {
        "llm-anthropic": ("0.30", "anthropic"),
        "llm-cmd": ("0.2a0", "cmd"),
        "llm-mistral": ("0.16", "mistral"),
        "llm-ollama": ("0.19.1", "ollama"),
    },
    "poetry.application.plugin": {
        "poetry-dynamic-versioning": ("1.10.1", "poetry-dynamic-versioning"),
        "poetry-plugin-bundle": ("1.8.0", "export"),
        "poetry-plugin-export": ("1.10.1", "export"),
        "poetry-plugin-shell": ("1.0.1", "shell"),
    },
    "hatch": {
        "hatch-fancy-pypi-readme": ("25.1.0", "fancy-pypi-readme"),
        "hatch-mypyc": ("0.16.0", "mypyc"),
        "hatch-requirements-txt": ("0.4.1", "requirements_txt"),
        "hatch-vcs": ("0.5.0", "vcs"),
    },
    "pygments.lexers": {
        "ipython_pygments_lexers": ("1.1.1", "ipython ipython3 ipythonconsole"),
        "pygments-graphql": ("1.0.0", "graphql"),
        "xonsh": ("0.25.0", "xonsh xonshcon"),
    },
    "sphinx.html_themes": {
        "alabaster": ("1.0.0", "alabaster"),
        "furo": ("2025.12.19", "furo"),
        "pydata-sphinx-theme": ("0.24.0", "pydata_sphinx_theme"),
        "sphinx-basic-ng": ("1.0.0b2", "basic-ng"),
        "sphinx-book-theme": ("1.4.0", "sphinx_book_theme"),
        "sphinx_rtd_theme": ("3.1.0", "sphinx_rtd_theme"),
    },
    "tox": {
        "tox-gh": ("1.9.1", "tox-gh"),
        "tox-uv-bare": ("1.37.1", "tox-uv"),
    },
}

Edge = Tuple[str, str, str, bool, Tuple[str, ...]]

THROUGH_SPHINX = ("alabaster", "alabaster>=0.7.14", True, ("sphinx",))
EDGES: Dict[str, Set[Edge]] = {
    # distribution, the one it requires, in these words, met or not, through these
    "pytest11": {
        ("pytest-html", "pytest-metadata", "pytest-metadata>=2", True, ()),
        ("pytest-selenium", "pytest-base-url", "pytest-base-url>=2.0.0", True, ()),
        ("pytest-selenium", "pytest-html", "pytest-html>=4.0.0", True, ()),
        ("pytest-selenium", "pytest-variables", "pytest-variables>=2.0.0", True, ()),
        ("respx", "anyio", "anyio", True, ("httpx",)),
    },
    "mkdocs.plugins": {
        ("mkdocs-autorefs", "mkdocs", "mkdocs>=1.1", True, ()),
        ("mkdocs-literate-nav", "mkdocs", "mkdocs<=1.6.1,>=1.4.1", True, ()),
        ("mkdocs-macros-plugin", "mkdocs", "mkdocs>=0.17", True, ()),
        ("mkdocs-material", "mkdocs", "mkdocs<2,>=1.6", True, ()),
        ("mkdocs-redirects", "mkdocs", "mkdocs<=1.6.1,>=1.2", True, ()),
        ("mkdocs-section-index", "mkdocs", "mkdocs<=1.6.1,>=1.2", True, ()),
        ("mkdocstrings", "mkdocs", "mkdocs>=1.6", True, ()),
        ("mkdocstrings", "mkdocs-autorefs", "mkdocs-autorefs>=1.4", True, ()),
    },
    "flake8.extension": {
        ("flake8-annotations", "flake8", "flake8>=5.0", True, ()),
        ("flake8-bugbear", "flake8", "flake8>=7.2.0", True, ()),
        ("flake8-builtins", "flake8", "flake8", True, ()),
        ("flake8-comprehensions", "flake8", "flake8!=3.2,>=3", True, ()),
        ("flake8-docstrings", "flake8", "flake8 (>=3)", True, ()),
        ("flake8-tidy-imports", "flake8", "flake8>=3.8", True, ()),
        ("pep8-naming", "flake8", "flake8>=5.0.0", True, ()),
        ("wemake-python-styleguide", "flake8", "flake8 (>=7.3,<8.0)", True, ()),
    },
    "datasette": {
        ("datasette-cluster-map", "datasette-leaflet", "datasette-leaflet >=0.2.2", True, ()),
    },
    "llm": set(),
    "poetry.application.plugin": set(),
    "hatch": set(),
    "pygments.lexers": set(),
    "sphinx.html_themes": {
        ("furo", "sphinx-basic-ng", "sphinx-basic-ng>=1.0.0.beta2", True, ()),
        ("furo", *THROUGH_SPHINX),
        ("pydata-sphinx-theme", *THROUGH_SPHINX),
        ("sphinx-basic-ng", *THROUGH_SPHINX),
        ("sphinx-book-theme", "pydata-sphinx-theme", "pydata-sphinx-theme==0.20.0", False, ()),
        ("sphinx-book-theme", *THROUGH_SPHINX),
        ("sphinx_rtd_theme", *THROUGH_SPHINX),
    },
    "tox": set(),
}

EVERY = sorted(NODES)


def found(group: str) -> Discovery:
    """What is in the group; that the corpus has metadata and no modules is passed over."""
    discovery = discover(sys_path=[str(CORPUS)], group=group, foreign=True, cache=False)
    assert {c.fault.code for c in discovery.candidates if c.fault} <= {"entry-point-target"}
    return replace(
        discovery, candidates=tuple(replace(each, fault=None) for each in discovery.candidates)
    )


def plan(group: str, python: str = "3.12.4", requirements: bool = True) -> Plan:
    """What resolves in this group; without ``requirements`` only what its members ask of others."""
    known: Mapping[str, Tuple[str, ...]] = installed_requirements([str(CORPUS)])
    return resolve(
        found(group).candidates,
        foreign=True,
        python_version=python,
        distributions=known if requirements else None,
    )


def test_the_corpus_is_large_enough() -> None:
    distributions = {name for nodes in NODES.values() for name in nodes}
    assert len(distributions) >= 40 and len(NODES) >= 8
    pins = (CORPUS / "pins.txt").read_text().split()
    assert len(pins) == len(installed([str(CORPUS)])) == len(list(CORPUS.glob("*.dist-info")))
    versions = {key: each.version for key, each in installed([str(CORPUS)]).items()}
    assert versions == dict(pin.split("==") for pin in pins)


@pytest.mark.parametrize("group", EVERY)
def test_every_plugin_of_a_group_is_listed(group: str) -> None:
    discovery = found(group)
    assert discovery.failures == () and discovery.skipped == ()
    listed = {(c.id, c.version, c.distribution_version, c.fault) for c in discovery.candidates}
    assert listed == {
        (f"{distribution}:{name}", version, version, None)
        for distribution, (version, names) in NODES[group].items()
        for name in names.split()
    }


@pytest.mark.parametrize("group", EVERY)
def test_groups_are_counted(group: str) -> None:
    assert {(m.distribution, m.version, m.entry_points) for m in groups([str(CORPUS)])[group]} == {
        (distribution, version, len(names.split()))
        for distribution, (version, names) in NODES[group].items()
    }


@pytest.mark.parametrize("group", EVERY)
def test_the_edges_are_those_of_the_metadata(group: str) -> None:
    graph = plan(group).graph
    carriers = {node.id: str(node.distribution) for node in graph.nodes}
    assert len(carriers) == sum(len(names.split()) for _, names in NODES[group].values())
    assert {edge.kind for edge in graph.edges} <= {"requires"}
    drawn = {
        (carriers[e.from_], carriers[e.to], e.requirement, e.satisfied, e.via) for e in graph.edges
    }
    assert drawn == EDGES[group]


@pytest.mark.parametrize("group", EVERY)
def test_without_the_other_distributions_only_direct_edges_are_known(group: str) -> None:
    graph = plan(group, requirements=False).graph
    carriers = {node.id: str(node.distribution) for node in graph.nodes}
    drawn = {(carriers[e.from_], carriers[e.to]) for e in graph.edges}
    assert drawn == {(one, other) for one, other, _, _, via in EDGES[group] if not via}
    assert graph.missing == ()


def test_every_plugin_of_a_distribution_is_connected() -> None:
    """A distribution's plugins come together, so none of them is left without its edges."""
    graph = plan("flake8.extension").graph
    ends = {edge.to for edge in graph.edges if edge.from_ == "flake8-bugbear:B"}
    assert ends == {"flake8:E", "flake8:F", "flake8:W"}
    starts = {edge.from_ for edge in plan("pytest11").graph.edges}
    assert {f"pytest-html:{name}" for name in ("html", "html_fixtures")} <= starts


def test_a_real_collision_names_both_distributions() -> None:
    """The bundle plugin of poetry offers its command under the name of the export plugin."""
    blocked = plan("poetry.application.plugin", requirements=False).blocked
    assert set(blocked) == {"poetry-plugin-bundle:export", "poetry-plugin-export:export"}
    for reason in blocked.values():
        assert reason.code == "collision"
        assert "poetry-plugin-bundle 1.8.0" in reason.message
        assert "poetry-plugin-export 1.10.1" in reason.message


def test_a_real_unsatisfied_requirement_is_named() -> None:
    blocked = plan("sphinx.html_themes", requirements=False).blocked
    assert set(blocked) == {"sphinx_book_theme"}
    reason = blocked["sphinx_book_theme"]
    assert reason.code == "unsatisfied"
    assert "pydata-sphinx-theme==0.20.0" in reason.message and "0.24.0" in reason.message


def test_requires_python_is_held_against_the_python_in_use() -> None:
    blocked = plan("mkdocs.plugins", "3.10.0", requirements=False).blocked
    assert {name for name, reason in blocked.items() if reason.code == "python-version"} == {
        "autorefs",
        "mkdocstrings",
        *(name for name in NODES["mkdocs.plugins"]["mkdocs-material"][1].split()),
    }
    assert plan("mkdocs.plugins", "3.11.0", requirements=False).blocked == {}


def test_what_is_not_installed_is_missing_under_its_own_name() -> None:
    """``selenium`` the library is not ``selenium`` the plugin, which has another distribution."""
    missing = {(each.name, each.required_by) for each in plan("pytest11").graph.missing}
    assert ("selenium", "pytest-selenium:selenium") in missing
    assert ("playwright", "pytest-playwright:playwright") in missing
    assert {("anthropic", "llm-anthropic:anthropic"), ("ollama", "llm-ollama:ollama")} <= {
        (each.name, each.required_by) for each in plan("llm").graph.missing
    }
