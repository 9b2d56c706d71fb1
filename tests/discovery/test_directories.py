"""Plugin directories: ``paths=`` and ``read_directory``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, List

import pytest

from pkl.discovery import discover, read_directory
from pkl.errors import ManifestError, PathError
from pkl.model.candidate import Candidate, Discovery, Failure, Origin
from pkl.model.manifest import PluginMetadata

from .fakes import TRAP, write


def found(*paths: object, **more: Any) -> Discovery:
    return discover(sys_path=[], paths=[str(path) for path in paths], cache=False, **more)


def make(directory: Path, manifest: str = "", name: str = "plugin.json") -> Path:
    write(directory / "plugin.py", TRAP)
    if manifest:
        write(directory / name, manifest)
    return directory


COMPLETE = '{"name": "a", "version": "1.0.0", "entrypoint": "plugin", "requires": ["b"]}'


def test_the_short_manifest_is_complete(tmp_path: Path) -> None:
    candidate = read_directory(str(make(tmp_path / "x", COMPLETE)))
    assert (candidate.name, candidate.version) == ("a", "1.0.0")
    assert [str(each) for each in candidate.metadata.requires] == ["b"]
    assert candidate.location == candidate.target == str(tmp_path / "x")
    assert candidate.manifest_file == str(tmp_path / "x" / "plugin.json")
    assert candidate.origin is Origin.PATH
    assert candidate.distribution is None and candidate.group is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plugin.toml", 'name = "a"\nrequires = ["b"]'),
        ("plugin.json", '{"name": "a", "requires": ["b"]}'),
        ("plugin.yaml", "name: a\nrequires: [b]"),
        ("plugin.yml", "name: a\nrequires: [b]"),
        ("plugin.json", '\ufeff{"name": "a", "requires": ["b"]}'),
    ],
)
def test_a_manifest_may_be_toml_json_or_yaml(tmp_path: Path, name: str, text: str) -> None:
    if name.endswith(("yaml", "yml")):
        pytest.importorskip("yaml", reason="YAML manifests need the extra pkl[yaml]")
    candidate = read_directory(str(make(tmp_path / "x", text, name)))
    assert [str(each) for each in candidate.metadata.requires] == ["b"]


def test_without_a_manifest_the_directory_names_the_plugin(tmp_path: Path) -> None:
    candidate = read_directory(str(make(tmp_path / "My_Plugin")))
    assert (candidate.name, candidate.version) == ("my-plugin", "0")
    assert candidate.metadata.display_name == "My_Plugin"
    assert candidate.manifest_file is None


def test_a_manifest_alone_is_enough(tmp_path: Path) -> None:
    """The entry point may be another module, or missing, which is the loader's affair."""
    write(tmp_path / "x" / "plugin.toml", 'name = "a"\nentrypoint = "main"')
    assert read_directory(str(tmp_path / "x")).name == "a"


def test_a_relative_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "plugins" / "a")
    monkeypatch.chdir(tmp_path)
    assert read_directory("plugins/a").location == str(tmp_path / "plugins" / "a")
    [candidate] = found("plugins").candidates
    assert candidate.location == str(tmp_path / "plugins" / "a")


@pytest.mark.parametrize("kind", ["missing", "file", "empty", "dangling"])
def test_a_directory_without_a_plugin_is_a_path_error_that_says_why(
    tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "x"
    if kind == "file":
        write(path, "")
    elif kind == "empty":
        path.mkdir()
    elif kind == "dangling":
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(PathError) as caught:
        read_directory(str(path))
    words = {
        "missing": "it does not exist",
        "file": "it is a file",
        "empty": "neither a manifest (plugin.toml, plugin.json, plugin.yaml, plugin.yml) nor",
        "dangling": f"it is a link to {tmp_path / 'nowhere'}, which does not exist",
    }
    assert words[kind] in str(caught.value) and str(path) in str(caught.value)
    assert caught.value.hint
    assert isinstance(caught.value, FileNotFoundError)


def test_three_faults_are_raised_at_once(tmp_path: Path) -> None:
    text = '{"name": "a", "requires": "b", "version": "one", "entry": "x"}'
    with pytest.raises(ManifestError) as caught:
        read_directory(str(make(tmp_path / "x", text)))
    assert {fault.path for fault in caught.value.faults} == {"requires", "version", "entry"}
    assert caught.value.file == str(tmp_path / "x" / "plugin.json")


def test_paths_may_name_a_plugin_or_a_directory_of_plugins(tmp_path: Path) -> None:
    make(tmp_path / "many" / "b", '{"name": "b"}')
    make(tmp_path / "many" / "a")
    make(tmp_path / "one", '{"name": "c"}')
    write(tmp_path / "many" / "README.md", "no plugin")
    (tmp_path / "many" / "__pycache__").mkdir()
    (tmp_path / "many" / "nothing").mkdir()
    make(tmp_path / "many" / "nothing" / "deeper" / "d")
    discovery = found(tmp_path / "many", tmp_path / "one")
    assert [each.name for each in discovery.candidates] == ["a", "b", "c"]
    assert {each.origin for each in discovery.candidates} == {Origin.DIRECTORY}
    assert discovery.failures == ()


def test_the_children_of_a_plugin_are_its_own_affair(tmp_path: Path) -> None:
    make(tmp_path / "parent", '{"name": "parent"}')
    make(tmp_path / "parent" / "child", '{"name": "child"}')
    assert [each.name for each in found(tmp_path / "parent").candidates] == ["parent"]


def test_an_empty_directory_of_plugins_is_no_fault(tmp_path: Path) -> None:
    assert found(tmp_path) == Discovery()


def test_a_linked_plugin_directory_is_a_plugin(tmp_path: Path) -> None:
    make(tmp_path / "elsewhere" / "a", '{"name": "a"}')
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "link").symlink_to(tmp_path / "elsewhere" / "a")
    [candidate] = found(tmp_path / "plugins").candidates
    assert candidate.location == str(tmp_path / "plugins" / "link")


def test_a_plugin_that_two_paths_lead_to_is_one_candidate(tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    make(plugins / "a", '{"name": "a"}')
    make(plugins / "b", '{"name": "b"}')
    (tmp_path / "link").symlink_to(plugins)
    discovery = found(plugins, plugins / "a", tmp_path / "link", f"{plugins}/")
    assert [each.location for each in discovery.candidates] == [
        str(plugins / "a"),
        str(plugins / "b"),
    ]


def failures(discovery: Discovery) -> List[Failure]:
    assert discovery.candidates == ()
    return list(discovery.failures)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("missing", "path-missing"),
        ("file", "path-not-a-directory"),
        ("dangling", "path-dangling"),
        ("loop", "path-unreadable"),
    ],
)
def test_a_bad_path_is_a_failure(tmp_path: Path, kind: str, code: str) -> None:
    path = tmp_path / "x"
    if kind == "file":
        write(path, "")
    elif kind == "dangling":
        path.symlink_to(tmp_path / "nowhere")
    elif kind == "loop":
        path.symlink_to(path)
    [row] = failures(found(path))
    assert (row.code, row.file) == (code, str(path))


def test_a_dangling_link_among_plugins_is_a_failure_and_hides_nothing(tmp_path: Path) -> None:
    make(tmp_path / "a")
    (tmp_path / "b").symlink_to(tmp_path / "nowhere")
    (tmp_path / "c").symlink_to(write(tmp_path / "README", ""))
    discovery = found(tmp_path)
    assert [each.name for each in discovery.candidates] == ["a"]
    assert [(each.code, each.file) for each in discovery.failures] == [
        ("path-dangling", str(tmp_path / "b"))
    ]


def faulty(discovery: Discovery) -> Candidate:
    assert discovery.failures == ()
    [candidate] = discovery.candidates
    assert candidate.fault is not None and candidate.fault.code == "manifest"
    return candidate


def test_a_faulty_manifest_with_a_name_is_a_candidate_with_the_fault(tmp_path: Path) -> None:
    text = '{"name": "Au_dit", "version": "1.5", "requires": ["a >"], "x": 1}'
    make(tmp_path / "dir", text)
    candidate = faulty(found(tmp_path))
    assert (candidate.name, candidate.version) == ("au-dit", "1.5")
    assert candidate.fault is not None
    assert "requires[0]" in candidate.fault.message and "x = 1" in candidate.fault.message
    assert candidate.metadata.requires == ()


@pytest.mark.parametrize(
    "text", ["{", '{"version": "1"}', '{"name": "no good"}', '{"name": 3}', '["a"]', ""]
)
def test_a_faulty_manifest_without_a_name_is_a_failure(tmp_path: Path, text: str) -> None:
    make(tmp_path / "dir")
    write(tmp_path / "dir" / "plugin.json", text)
    [row] = failures(found(tmp_path))
    assert (row.code, row.file) == ("manifest", str(tmp_path / "dir" / "plugin.json"))


def test_two_manifests_are_a_fault_of_the_plugin_they_agree_on(tmp_path: Path) -> None:
    make(tmp_path / "dir", '{"name": "a"}')
    write(tmp_path / "dir" / "plugin.toml", 'name = "A"')
    assert faulty(found(tmp_path)).name == "a"
    with pytest.raises(ManifestError, match="one manifest"):
        read_directory(str(tmp_path / "dir"))


def test_two_manifests_that_disagree_are_a_failure(tmp_path: Path) -> None:
    make(tmp_path / "dir", '{"name": "a"}')
    write(tmp_path / "dir" / "plugin.toml", 'name = "b"')
    [row] = failures(found(tmp_path))
    assert row.file == str(tmp_path / "dir")


def test_a_directory_whose_name_is_no_plugin_name_is_a_failure(tmp_path: Path) -> None:
    make(tmp_path / "my plugin!")
    [row] = failures(found(tmp_path))
    assert "rename the directory" in row.message


def test_a_manifest_that_is_a_directory_or_a_dangling_link_is_a_fault(tmp_path: Path) -> None:
    (make(tmp_path / "one") / "plugin.toml").mkdir()
    (make(tmp_path / "two") / "plugin.toml").symlink_to(tmp_path / "nowhere")
    assert [row.code for row in failures(found(tmp_path))] == ["manifest", "manifest"]


class Loader:
    """Has what a metadata loader must have, and nothing else."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked: List[Path] = []

    def load(self, location: Path) -> Any:
        self.asked.append(location)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


class TestMetadataLoader:
    """An object with ``load(location)`` reads the metadata in place of pkl."""

    def test_it_is_given_the_directory_and_its_answer_stands(self, tmp_path: Path) -> None:
        metadata = PluginMetadata({"name": "mine", "version": "3"})
        loader = Loader(metadata)
        candidate = read_directory(str(tmp_path), metadata_loader=loader)
        assert candidate.metadata is metadata and candidate.name == "mine"
        assert loader.asked == [tmp_path] and isinstance(loader.asked[0], Path)

    def test_any_directory_will_do_for_it_but_it_must_be_there(self, tmp_path: Path) -> None:
        with pytest.raises(PathError):
            read_directory(str(tmp_path / "absent"), metadata_loader=Loader(None))

    @pytest.mark.parametrize("raised", [ValueError("no"), SystemExit(3), GeneratorExit()])
    def test_whatever_it_raises_is_that_plugins_fault(
        self, tmp_path: Path, raised: BaseException
    ) -> None:
        make(tmp_path / "a")
        with pytest.raises(ManifestError) as caught:
            read_directory(str(tmp_path / "a"), metadata_loader=Loader(raised))
        assert caught.value.__cause__ is raised
        assert f"Loader raised {type(raised).__name__}" in str(caught.value)
        [row] = failures(found(tmp_path, metadata_loader=Loader(raised)))
        assert row.code == "manifest"

    def test_a_manifest_error_of_its_own_is_passed_on(self, tmp_path: Path) -> None:
        error = ManifestError([], plugin="a")
        with pytest.raises(ManifestError) as caught:
            read_directory(str(tmp_path), metadata_loader=Loader(error))
        assert caught.value is error

    def test_an_interrupt_is_not_contained(self, tmp_path: Path) -> None:
        with pytest.raises(KeyboardInterrupt):
            read_directory(str(tmp_path), metadata_loader=Loader(KeyboardInterrupt()))

    def test_another_answer_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ManifestError, match="must return PluginMetadata, not dict"):
            read_directory(str(tmp_path), metadata_loader=Loader({"name": "a"}))

    def test_it_serves_discovery_and_is_never_cached(self, tmp_path: Path) -> None:
        make(tmp_path / "a", "not even json")
        loader = Loader(PluginMetadata({"name": "mine"}))
        for _ in range(2):
            discovery = discover(
                sys_path=[],
                paths=[str(tmp_path)],
                cache=str(tmp_path / "cache"),
                metadata_loader=loader,
            )
            assert [each.name for each in discovery.candidates] == ["mine"]
        assert len(loader.asked) == 2
        assert not os.path.exists(tmp_path / "cache")


def test_what_was_named_for_this_run_says_so(tmp_path: Path) -> None:
    """It outranks what is installed; a directory that is also configured counts as named."""
    make(tmp_path / "a", '{"name": "a"}')
    make(tmp_path / "more" / "b", '{"name": "b"}')
    discovery = found(tmp_path / "a", tmp_path / "more", named_paths=[str(tmp_path / "a")])
    assert {each.name: each.origin for each in discovery.candidates} == {
        "a": Origin.PATH,
        "b": Origin.DIRECTORY,
    }
    discovery = found(tmp_path, named_paths=[str(tmp_path / "a")])
    assert [(each.name, each.origin) for each in discovery.candidates] == [("a", Origin.PATH)]
