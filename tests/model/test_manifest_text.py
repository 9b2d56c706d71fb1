"""Manifest text is read strictly in three formats; errors name the line."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pkl.errors import ManifestError, MissingExtra
from pkl.model.manifest import MANIFEST_FILES, PluginMetadata, parse_manifest_text

TOML = 'name = "a"\nrequires = ["b>=1"]\n[limits]\nhandlers = 3\n'
JSON = '{"name": "a", "requires": ["b>=1"], "limits": {"handlers": 3}}'
YAML = "name: a\nrequires: [b>=1]\nlimits:\n  handlers: 3\n"


def fault_of(text: str, format: str) -> str:
    """The one fault of a text that is refused."""
    with pytest.raises(ManifestError) as caught:
        parse_manifest_text(text, format, "a/plugin." + format)
    assert caught.value.file == "a/plugin." + format
    (fault,) = caught.value.faults
    assert caught.value.__suppress_context__
    return f"{fault.value}: {fault.rule}"


@pytest.mark.parametrize(
    ("text", "format"), [(TOML, "toml"), (JSON, "json"), (YAML, "yaml"), (YAML, "yml")]
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_three_formats_say_the_same(text: str, format: str, mark: str, newline: str) -> None:
    data = parse_manifest_text(mark + text.replace("\n", newline), format)
    assert data == {"name": "a", "requires": ["b>=1"], "limits": {"handlers": 3}}
    assert PluginMetadata(data).name == "a"


def test_the_file_names_are_these() -> None:
    assert MANIFEST_FILES == ("plugin.toml", "plugin.json", "plugin.yaml", "plugin.yml")


@pytest.mark.parametrize(
    ("text", "format", "line", "rule"),
    [
        ("a = 1\nb = [", "toml", "b = [", "is not valid TOML: "),
        ("a = 1\n  a = 2\n", "toml", "a = 2", "is not valid TOML: "),
        ('{"a": 1,\n "b" 2}', "json", '"b" 2}', "is not valid JSON: Expecting ':' delimiter"),
        (
            '{"a": {"b": 1, "c": 2, "b": 1}}',
            "json",
            "b",
            "is not valid JSON: the key is there twice",
        ),
        ('{"a": NaN}', "json", "NaN", "is not valid JSON: not a JSON number"),
        ('{"a": -Infinity}', "json", "-Infinity", "is not valid JSON: not a JSON number"),
        ("", "json", "", "is not valid JSON: "),
        (
            "a: 1\na: 2\n",
            "yaml",
            "a: 2",
            "is not valid YAML: the key 'a' is there twice (at line 2",
        ),
        ("a: 1\nb: [\n", "yaml", "b: [", "is not valid YAML: "),
        ("a: &x {b: 1}\nc: {<<: *x}", "yaml", "c: {<<: *x}", "is not valid YAML: merge keys (<<)"),
        (
            "a: !!python/object:os.system x",
            "yaml",
            "a: !!python/object:os.system x",
            "is not valid YAML: could not determine a constructor",
        ),
        ("a: !!int x", "yaml", "", "is not valid YAML: "),
        ("a: !!timestamp x", "yaml", "", "is not valid YAML: "),
        ("[1, 2]: a", "yaml", "[1, 2]: a", "is not valid YAML: found unhashable key"),
        ("a: \x00", "yaml", "", "is not valid YAML: "),
        ("[1]", "json", "[1]", "must be a table"),
        ("", "yaml", "None", "must be a table"),
        ("just text", "yaml", "just text", "must be a table"),
    ],
)
def test_bad_text_is_a_fault_with_its_line(text: str, format: str, line: str, rule: str) -> None:
    assert fault_of(text, format).startswith(f"{line}: {rule}")


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ("[" * 100_000, "json"),
        ('{"a":' * 40_000, "json"),
        ("a = " + "[" * 100_000, "toml"),
        ("a." * 100_000 + "a = 1", "toml"),
        ("{a: {" + "'a'. \"b\" ." * 20_000 + "c = 1}}", "toml"),
        ("[" * 100_000, "yaml"),
    ],
    ids=["lists", "objects", "arrays", "dotted-key", "quoted-keys", "sequences"],
)
def test_absurd_depth_is_a_fault_and_takes_no_time(text: str, format: str) -> None:
    assert "is nested too deeply" in fault_of(text, format) or "not valid" in fault_of(text, format)


def test_a_long_key_within_reason_is_read() -> None:
    data: Any = parse_manifest_text("a." * 20 + "b = 1", "toml")
    for _ in range(20):
        data = data["a"]
    assert data == {"b": 1}


def test_absurd_length_is_a_fault() -> None:
    rule = "must not be longer than 262144 characters"
    assert fault_of("#" * 262_145, "toml") == f": {rule}"
    assert parse_manifest_text("#" * 262_144, "toml") == {}


def test_an_integer_of_five_thousand_digits_is_a_fault() -> None:
    text = f'{{"name": "a", "limits": {{"handlers": {"9" * 5000}}}}}'
    with pytest.raises(ManifestError):
        PluginMetadata(parse_manifest_text(text, "json"))


def test_yaml_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingExtra) as caught:
        parse_manifest_text(YAML, "yaml", "a/plugin.yaml")
    assert "a/plugin.yaml" in str(caught.value)
    assert 'pip install "pkl[yaml]"' in str(caught.value)


def test_another_format_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="'ini'"):
        parse_manifest_text("", "ini")


def test_a_yaml_version_without_quotes_says_so() -> None:
    with pytest.raises(ManifestError, match=r"version = 1\.1: .*; put it in quotes"):
        PluginMetadata(parse_manifest_text("name: a\nversion: 1.10\n", "yaml"))


fragments = st.lists(
    st.one_of(
        st.sampled_from(list("[]{}=:,.-#'\"\n &*!<|>?%@`~\\\t")),
        st.sampled_from(
            ["name", "a", "1", "1e9", "!!int ", "!!float ", "!!binary ", "!!set ", "<<"]
        ),
        st.sampled_from(
            ["true", "null", "2020-13-40", "0x", "'''", '"""', "\ufeff", "\x00", "\ud800"]
        ),
        st.text(max_size=3),
    ),
    max_size=25,
).map("".join)


@given(fragments, st.sampled_from(["toml", "json", "yaml"]))
@example("? !!set {a: b}", "yaml")
@example("&a [*a]: b", "yaml")
@example("a: 1:99999999999999999999999999999", "yaml")
@example("a: !!float ''", "yaml")
@example("a: !!bool x", "yaml")
@example("a=0000-00-00", "toml")
def test_any_text_is_read_or_refused_and_nothing_else(text: str, format: str) -> None:
    try:
        data = parse_manifest_text(text, format)
    except ManifestError as e:
        assert len(e.faults) == 1
    else:
        assert isinstance(data, dict)
        PluginMetadata.salvage(data)
        try:
            PluginMetadata(data)
        except ManifestError as e:
            assert str(e)
