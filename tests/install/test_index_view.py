"""The one index that an installer sees: whose files, how old, and what of the environment."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkl.errors import PathError, RegistryDenied, RegistryGarbage, RegistryUnreachable
from pkl.install.backends.backend import Query
from pkl.install.backends.index_page import Listed, parse_index_page
from pkl.install.backends.index_view import IndexView
from pkl.install.backends.wheel_choice import best_wheel
from pkl.install.wanted import Pinned
from pkl.install.wheels.fetching import Fetcher
from pkl.registry.transport import Transport
from tests.discovery.fakes import install
from tests.install.making import library_wheel
from tests.install.market import Shop
from tests.registry.client.server import Server, answers, running
from tests.registry.making import NOW

BASE = "https://example.org/simple/liby/"
SHA = "0" * 64
FILE = "liby-1.0-py3-none-any.whl"


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as told:
        yield told


def view(*indexes: str, **more: Any) -> IndexView:
    transport = Transport(sleep=lambda seconds: None)
    query = Query(("liby",), indexes=indexes, **more)
    return IndexView(query, "3.11.2", transport, Fetcher(query.offline, transport=transport))


def get(url: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=60) as answer:
        data: bytes = answer.read()
    return data


def page_of(shown: IndexView, name: str = "liby") -> Dict[str, Any]:
    found = json.loads(get(f"{shown.url}/{name}/"))
    assert isinstance(found, dict)
    return found


def status(url: str) -> int:
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(url)
    caught.value.close()
    return caught.value.code


def page(*files: Dict[str, Any], name: str = "liby", version: str = "1.1") -> bytes:
    return json.dumps(
        {"meta": {"api-version": version}, "name": name, "files": list(files)}
    ).encode()


def row(file: str = FILE, facts: Mapping[str, Any] = {}) -> Dict[str, Any]:
    return {"filename": file, "url": f"../../files/{file}", "hashes": {"sha256": SHA}, **facts}


# Pages


def test_a_page_in_json_says_all_that_there_is_to_know() -> None:
    data = page(
        row(
            facts={
                "size": 7,
                "upload-time": "2026-11-25T03:00:00.123456Z",
                "requires-python": ">=3.9",
                "yanked": "too slow",
                "core-metadata": {"sha256": "1" * 64},
            },
        )
    )
    assert parse_index_page(data, "liby", BASE).files == (
        Listed(
            FILE,
            "1.0",
            True,
            f"https://example.org/files/{FILE}",
            SHA,
            7,
            int(NOW),
            ">=3.9",
            "too slow",
            "1" * 64,
        ),
    )


def test_a_page_in_html_says_the_same_but_sizes_and_ages() -> None:
    data = (
        f'<html><body><a href="../../files/{FILE}#sha256={SHA}" data-requires-python="&gt;=3.9" '
        f'data-yanked data-core-metadata="sha256={"1" * 64}">{FILE}</a>'
        '<a href="liby-1.0.tar.gz">x</a><a>none</a></body></html>'
    ).encode()
    wheel, source = parse_index_page(data, "liby", BASE).files
    url = f"https://example.org/files/{FILE}"
    assert wheel == Listed(FILE, "1.0", True, url, SHA, None, None, ">=3.9", True, "1" * 64)
    assert source == Listed("liby-1.0.tar.gz", "1.0", False, f"{BASE}liby-1.0.tar.gz")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{", "it is no JSON"),
        (b'{"a":' * 5000, "it is no JSON"),
        (b"{}", "no package index of version 1"),
        (page(version="2.0"), "no package index of version 1"),
        (page(name="other"), "it is of 'other', and liby was asked for"),
        (b'{"meta": {"api-version": "1.0"}, "name": "liby"}', "it lists no files"),
        (b"<html><a href='/login'>Sign in</a></html>", "it lists no files"),
        (b"", "it lists no files"),
        (b"\xff\0\xfe", "it lists no files"),
    ],
)
def test_what_is_no_page_of_an_index_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_index_page(data, "liby", BASE)


@pytest.mark.parametrize(
    "more",
    [
        {"filename": 1},
        {"filename": "other-1.0-py3-none-any.whl"},
        {"filename": "liby-x-py3-none-any.whl"},
        {"filename": "liby-1.0.exe"},
        {"url": None},
        {"url": "http://[::1"},
    ],
)
def test_a_row_that_makes_no_sense_is_passed_over(more: Dict[str, Any]) -> None:
    assert parse_index_page(page({**row(), **more}), "liby", BASE) == ((), ())


@pytest.mark.parametrize(
    "url", ["http://example.org/x.whl", "ftp://example.org/x.whl", "file:///etc/passwd"]
)
def test_a_file_that_is_where_nothing_is_fetched_from_is_named(url: str) -> None:
    """Above all: an index of the network does not have us read files of this machine."""
    assert parse_index_page(page(row(facts={"url": url})), "liby", BASE) == ((), (FILE,))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["filename", "url", "hashes", "sha256", "size", "upload-time"]),
                inner,
            )
        ),
        max_leaves=10,
    )
)
def test_no_row_of_a_page_breaks_the_reading(value: Any) -> None:
    files = value if isinstance(value, list) else [value]
    parse_index_page(page(*files, {**row(), "size": value, "yanked": value}), "liby", BASE)


# What is shown


def test_of_two_indexes_the_first_that_has_a_name_is_shown(server: Server) -> None:
    server.files["/two/simple/liby/"] = page(row("liby-2.0-py3-none-any.whl"))
    server.files["/three/simple/liby/"] = page(row("liby-9.0-py3-none-any.whl"))
    indexes = [f"{server.url}/{each}/simple" for each in ("one", "two", "three")]
    with view(*indexes) as shown:
        assert page_of(shown)["versions"] == ["2.0"]
        assert page_of(shown)["versions"] == ["2.0"]
        assert server.paths == ["/one/simple/liby/", "/two/simple/liby/"]
        assert status(f"{shown.url}/other/") == 404
        assert not shown.problems


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (answers(401), RegistryDenied),
        (answers(503), RegistryUnreachable),
        (answers(200, b"<html>Sign in</html>"), RegistryGarbage),
    ],
)
def test_an_index_that_cannot_be_asked_hides_the_others_and_is_a_problem(
    server: Server, behaviour: Any, error: Any
) -> None:
    server.does("/one/simple/liby/", behaviour)
    server.files["/two/simple/liby/"] = page(row())
    with view(f"{server.url}/one/simple", f"{server.url}/two/simple") as shown:
        assert status(f"{shown.url}/liby/") == 404
        assert [type(each) for each in shown.problems] == [error]


def test_what_the_environment_has_is_all_that_is_shown_of_it(
    server: Server, tmp_path: Path
) -> None:
    info = install(
        tmp_path, "liby", "1.0", requires=["a", 'b; extra == "x"', "c; python_version < '3'"]
    )
    with view(f"{server.url}/simple", installed=(Pinned("liby", "1.0", str(info)),)) as shown:
        (file,) = page_of(shown)["files"]
        assert get(f"{file['url']}.metadata").decode().splitlines() == [
            "Metadata-Version: 2.1",
            "Name: liby",
            "Version: 1.0",
            "Provides-Extra: x",
            'Requires-Dist: b; extra == "x"',
        ]
        assert get(file["url"])[:4] == b"PK\3\4"
        assert shown.resolved("liby", "1.0").url == ""
    assert server.asked == []


def test_a_wheel_of_this_machine_is_shown_beside_those_of_the_index(
    tmp_path: Path, server: Server
) -> None:
    made = library_wheel(tmp_path, "liby", "3.0", ["numbers"])
    server.files["/simple/liby/"] = page(row(), row("liby-3.0-py3-none-any.whl"))
    with view(f"{server.url}/simple", wheels=(str(made),)) as shown:
        files = {each["filename"]: each for each in page_of(shown)["files"]}
        assert list(files) == ["liby-3.0-py3-none-any.whl", FILE]
        digest = hashlib.sha256(made.read_bytes()).hexdigest()
        assert files["liby-3.0-py3-none-any.whl"]["hashes"] == {"sha256": digest}
        found = shown.resolved("liby", "3.0")
        assert (found.url, found.sha256, found.source) == (made.as_uri(), digest, "")
        assert found.requires == ("numbers",)


@pytest.mark.parametrize("name", ["liby.whl", "gone-1.0-py3-none-any.whl"])
def test_a_wheel_of_this_machine_that_cannot_be_used_is_an_error(tmp_path: Path, name: str) -> None:
    if "gone" not in name:
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(PathError):
        view(wheels=(str(tmp_path / name),))


def test_files_that_may_not_be_chosen_are_left_out_and_noted(server: Server) -> None:
    rows = [
        row("liby-1.0-py3-none-any.whl", {"upload-time": "2026-01-01T00:00:00Z"}),
        row("liby-2.0-py3-none-any.whl", {"upload-time": "2026-11-25T03:00:01Z"}),
        row("liby-3.0-py3-none-any.whl"),
        row("liby-4.0-py3-none-any.whl", {"hashes": {"md5": "0"}}),
        row("liby-5.0.tar.gz"),
        row("liby-6.0.tar.gz"),
        row("liby-7.0-py3-none-any.whl", {"url": "ftp://example.org/x"}),
    ]
    server.files["/simple/liby/index.v1.json"] = page(*rows)
    with view(f"{server.url}/simple", uploaded_before=int(NOW)) as shown:
        assert [each["filename"] for each in page_of(shown)["files"]] == [FILE]
        assert shown.notes == (
            "liby-7.0-py3-none-any.whl is where pkl does not fetch from",
            "liby-2.0-py3-none-any.whl is too young",
            "liby-3.0-py3-none-any.whl does not say when it was uploaded",
            "liby-4.0-py3-none-any.whl has no SHA-256 in the index",
            "liby-6.0.tar.gz is a source archive, and building it would run its code "
            "(and 1 more files of liby)",
        )


def test_what_is_in_place_is_never_too_young(server: Server) -> None:
    rows = [
        row("liby-2.0-py3-none-any.whl", {"upload-time": "2026-11-25T03:00:01Z"}),
        row("liby-3.0-py3-none-any.whl"),
    ]
    server.files["/simple/liby/index.v1.json"] = page(*rows)
    url, limit = f"{server.url}/simple", int(NOW)
    for standing, file in ((("liby==2.0",), rows[0]), (("liby==3",), rows[1])):
        with view(url, uploaded_before=limit, standing=standing) as shown:
            assert [each["filename"] for each in page_of(shown)["files"]] == [file["filename"]]


def test_offline_the_pages_of_the_last_contact_show_the_wheels_that_are_here(
    server: Server, tmp_path: Path
) -> None:
    made = library_wheel(tmp_path, "liby", "1.0", ["numbers"])
    data = made.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    server.files["/one/simple/other/"] = page(row("other-1.0-py3-none-any.whl"), name="other")
    server.files["/two/simple/liby/"] = page(
        row(FILE, {"hashes": {"sha256": sha256}, "core-metadata": True}),
        row("liby-1.0-cp39-cp39-win_amd64.whl"),
        row("liby-2.0-py3-none-any.whl"),
    )
    server.files[f"/two/files/{FILE}"] = data
    server.files[f"/two/files/{FILE}.metadata"] = b"Name: liby\nVersion: 1.0\n"
    indexes = [f"{server.url}/one/simple", f"{server.url}/two/simple"]
    with view(*indexes) as shown:
        assert page_of(shown)["versions"] == ["1.0", "2.0"]
        page_of(shown, "other")
        assert get(page_of(shown)["files"][0]["url"]) == data
    asked = len(server.asked)
    with view(*indexes, offline=True) as shown:
        (file,) = page_of(shown)["files"]
        assert file["filename"] == FILE and get(file["url"]) == data
        assert b"Requires-Dist: numbers" in get(f"{file['url']}.metadata")
        found = shown.resolved("liby", "1.0")
        assert (found.source, found.url) == (indexes[1], f"{server.url}/two/files/{FILE}")
        assert [each.file for each in found.wheels] == [FILE, "liby-1.0-cp39-cp39-win_amd64.whl"]
        assert status(f"{shown.url}/other/") == 404, "its page is known, and its wheel is not here"
        said = "liby-2.0-py3-none-any.whl is not on this machine, and --offline forbids to fetch it"
        assert said in shown.notes and not shown.problems
    assert len(server.asked) == asked


def test_offline_a_name_that_was_never_looked_up_is_a_problem_and_not_absent(
    server: Server, tmp_path: Path
) -> None:
    url = f"{server.url}/simple"
    with view(url, offline=True) as shown:
        assert status(f"{shown.url}/liby/") == 404
        (problem,) = shown.problems
        assert isinstance(problem, RegistryUnreachable)
        assert str(problem) == (
            f"liby cannot be looked up in {url}: --offline forbids it, and there is no copy that "
            "could be used instead\n"
            "hint: run the same without --offline once; what it looks up is kept"
        )
    made = library_wheel(tmp_path, "liby", "3.0")
    with view(url, offline=True, wheels=(str(made),)) as shown:
        assert page_of(shown)["versions"] == ["3.0"] and not shown.problems
    with view(tmp_path.as_uri(), offline=True) as shown:
        assert status(f"{shown.url}/liby/") == 404 and not shown.problems
    assert not server.asked


def test_a_copy_of_a_page_that_is_damaged_counts_as_none(server: Server, home: Path) -> None:
    url = f"{server.url}/simple"
    server.files["/simple/liby/"] = page(row())
    with view(url) as shown:
        page_of(shown)
    (copy,) = (home / "cache" / "registries").glob("*/*")
    copy.write_bytes(copy.read_bytes()[:-3])
    with view(url, offline=True) as shown:
        assert status(f"{shown.url}/liby/") == 404 and len(shown.problems) == 1


def test_a_source_archive_is_shown_where_builds_are_allowed(server: Server) -> None:
    data = b"the source"
    sha256 = hashlib.sha256(data).hexdigest()
    server.files["/simple/liby/"] = page(row("liby-5.0.tar.gz", {"hashes": {"sha256": sha256}}))
    server.files["/files/liby-5.0.tar.gz"] = data
    with view(f"{server.url}/simple", allow_builds=True) as shown:
        (file,) = page_of(shown)["files"]
        assert get(file["url"]) == data
        assert shown.resolved("liby", "5.0").url.endswith("/files/liby-5.0.tar.gz")
        server.files["/files/liby-5.0.tar.gz"] = b"another"
        assert status(file["url"]) == 404
        assert "is not what the index states" in shown.problems[0].message


def test_offline_only_directories_are_asked(server: Server, tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.library("liby", "1.0")
    shop.publish()
    with view(f"{server.url}/simple", shop.simple, offline=True) as shown:
        assert page_of(shown)["versions"] == ["1.0"]
    assert server.asked == []


def test_metadata_comes_from_beside_the_wheel_or_from_inside(
    tmp_path: Path, server: Server
) -> None:
    made = library_wheel(tmp_path, "liby", "1.0", ["inside"])
    sha256 = hashlib.sha256(made.read_bytes()).hexdigest()
    beside = b"Metadata-Version: 2.1\nName: liby\nVersion: 1.0\nRequires-Dist: beside\n"
    server.files[f"/files/{FILE}"] = made.read_bytes()
    server.files[f"/files/{FILE}.metadata"] = beside

    def requires(stated: Any) -> Tuple[str, ...]:
        whole = row(facts={"hashes": {"sha256": sha256}, "core-metadata": stated})
        server.files["/simple/liby/"] = page(whole)
        with view(f"{server.url}/simple") as shown:
            (file,) = page_of(shown)["files"]
            get(f"{file['url']}.metadata")
            return shown.resolved("liby", "1.0").requires

    assert requires(True) == ("beside",)
    assert requires({"sha256": hashlib.sha256(beside).hexdigest()}) == ("beside",)
    assert requires(False) == ("inside",)
    del server.files[f"/files/{FILE}.metadata"]
    assert requires(True) == ("inside",)
    server.files[f"/files/{FILE}.metadata"] = b"Requires-Dist: evil\n"
    with pytest.raises(urllib.error.HTTPError) as caught:
        requires({"sha256": hashlib.sha256(beside).hexdigest()})
    caught.value.close()


@pytest.mark.parametrize(
    "line",
    [
        "Requires-Dist: evil @ https://example.org/evil.whl",
        "requires-dist:evil@https://example.org/evil.whl",
        'Requires-Dist: evil[x] @ file:///etc ; extra == "a"',
    ],
)
def test_a_requirement_that_names_a_url_becomes_one_that_nothing_meets(
    tmp_path: Path, line: str
) -> None:
    metadata = f"Metadata-Version: 2.1\nName: liby\nVersion: 1.0\n{line}\nRequires-Dist: a\n"
    made = library_wheel(tmp_path, "liby", "1.0", metadata=metadata)
    with view(wheels=(str(made),)) as shown:
        (file,) = page_of(shown)["files"]
        text = get(f"{file['url']}.metadata").decode()
    assert "example.org" not in text and "/etc" not in text
    assert "==0+a.url.is.refused" in text
    assert text.endswith("Requires-Dist: a\n")


def test_only_who_knows_the_path_is_answered(tmp_path: Path) -> None:
    made = library_wheel(tmp_path, "liby", "1.0")
    with view(wheels=(str(made),)) as shown:
        page_of(shown)
        root = shown.url.rpartition("/")[0]
        start = root.rpartition("/")[0]
        for path in ("", "simple/liby/", "x/simple/liby/", "files/0/x"):
            assert status(f"{start}/{path}") == 404
        for path in ("files/0/other", "files/99/x", "files/-1/x", "files/0/../../x", "elsewhere"):
            assert status(f"{root}/{path}") == 404


def test_what_nobody_offers_cannot_have_been_chosen() -> None:
    with view() as shown, pytest.raises(ValueError, match=r"liby 1\.0 is not in any index"):
        shown.resolved("liby", "1.0")


# Which wheel


def test_the_wheel_that_fits_best_is_taken() -> None:
    from packaging.tags import sys_tags

    best = next(tag for tag in sys_tags() if tag.platform != "any")
    native = f"liby-1.0-{best}.whl"
    assert best_wheel([FILE, native, "liby-1.0-cp27-cp27m-win32.whl"]) == native
    builds = ["liby-1.0-2-py3-none-any.whl", "liby-1.0-10-py3-none-any.whl", FILE]
    assert best_wheel(builds) == "liby-1.0-10-py3-none-any.whl"
    assert best_wheel(["liby-1.0-cp27-cp27m-win32.whl", "nonsense"]) is None
