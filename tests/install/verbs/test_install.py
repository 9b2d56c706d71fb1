"""``pkl install`` shows what it does, does it as a whole, and says when there is nothing to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable

from pkl.install.environment.generations import Generations
from tests.cli.running import Pkl
from tests.install.fake_backend import FakeBackend
from tests.install.market import Shop


def test_a_plugin_comes_with_what_it_needs_and_is_listed(
    pkl: Pkl, shop: Shop, publish: Callable[[], None], generations: Generations
) -> None:
    shop.plugin("audit", "1.4.0", requires=["auth>=1"], libraries=["libx"])
    shop.plugin("auth", "1.0")
    shop.plugin("auth", "1.2")
    shop.library("libx", "3.1")
    publish()
    ran = pkl.ok("install", "audit", "-y")
    assert ran.lines == [
        "+ audit 1.4.0 (acme-audit)",
        "+ auth 1.2 (acme-auth)",
        "+ libx 3.1 (library)",
    ]
    assert "generation 1 is what shop starts with from now on" in ran.err
    record = generations.current()
    assert record is not None and [each.name for each in record.roots] == ["audit"]
    site = generations.places.site(1)
    assert sorted(os.listdir(site)) == [
        "acme_audit",
        "acme_audit-1.4.0.dist-info",
        "acme_auth",
        "acme_auth-1.2.dist-info",
        "libx",
        "libx-3.1.dist-info",
    ]
    assert Path(site, "libx-3.1.dist-info", "INSTALLER").read_text() == "pkl\n"
    listed = pkl.json("list")["plugins"]
    assert [(each["name"], each["version"], each["state"]) for each in listed] == [
        ("audit", "1.4.0", "enabled"),
        ("auth", "1.2", "enabled"),
    ]


def test_what_is_there_already_is_said_and_nothing_is_made(
    pkl: Pkl, shop: Shop, publish: Callable[[], None], generations: Generations
) -> None:
    shop.plugin("auth", "1.0")
    publish()
    pkl.ok("install", "auth", "-y")
    shop.plugin("auth", "1.1")
    publish()
    ran = pkl.ok("install", "auth")
    assert ran.lines == ["auth 1.0 is installed already"]
    assert generations.numbers() == (1,)
    assert pkl.ok("install", "auth", "--upgrade", "-y").lines == ["~ auth 1.0 → 1.1 (acme-auth)"]
    assert pkl.ok("install", "auth<1.1", "-y").lines == ["~ auth 1.1 → 1.0 (acme-auth)"]
    assert pkl.ok("install", "auth").lines == ["auth 1.0 is installed already"]


def test_a_second_plugin_leaves_the_first_as_it_is_and_unpacks_only_itself(
    pkl: Pkl,
    shop: Shop,
    publish: Callable[[], None],
    generations: Generations,
    fake_backend: FakeBackend,
) -> None:
    shop.plugin("auth", "1.0", libraries=["libx"])
    shop.library("libx", "1.0")
    publish()
    pkl.ok("install", "auth", "-y")
    shop.plugin("auth", "2.0", libraries=["libx"])
    shop.library("libx", "2.0")
    shop.plugin("mail", "1.0", libraries=["libx"])
    publish()
    assert pkl.ok("install", "mail", "-y").lines == ["+ mail 1.0 (acme-mail)"]
    assert [[Path(each).name for each in call] for call in fake_backend.placed[1:]] == [
        ["acme_mail-1.0-py3-none-any.whl"]
    ]
    one, two = (Path(generations.places.site(n)) for n in (1, 2))
    for path in (p.relative_to(one) for p in one.rglob("*") if p.is_file()):
        assert (two / path).read_bytes() == (one / path).read_bytes(), path
    record = generations.current()
    assert record is not None and [each.name for each in record.roots] == ["auth", "mail"]


def test_a_dry_run_changes_nothing_and_needs_no_agreement(
    pkl: Pkl, shop: Shop, publish: Callable[[], None], generations: Generations
) -> None:
    shop.plugin("auth", "1.0")
    publish()
    assert pkl.ok("install", "auth", "--dry-run").lines == ["+ auth 1.0 (acme-auth)"]
    assert generations.numbers() == ()
    said = pkl.json("install", "auth", "--dry-run")
    assert (said["schema"], said["dry_run"], said["done"]) == ("pkl.install/1", True, False)
    assert said["generation"] is None and said["previous"] is None
    assert said["added"] == [
        {
            "name": "auth",
            "from": None,
            "to": "1.0",
            "distribution": "acme-auth",
            "library": False,
            "registry": "main",
            "editable": None,
            "asks": [],
        }
    ]


def test_where_nobody_can_be_asked_the_plan_is_shown_and_it_exits_with_2(
    pkl: Pkl, shop: Shop, publish: Callable[[], None], generations: Generations
) -> None:
    shop.plugin("auth", "1.0")
    publish()
    ran = pkl("install", "auth")
    assert ran.status == 2 and ran.lines == ["+ auth 1.0 (acme-auth)"]
    assert "nobody can be asked" in ran.err and "-y agrees to it" in ran.err
    assert pkl("install", "auth", "--no-input").status == 2
    error = pkl.json("install", "auth", status=2)
    assert error["code"] == "E_USAGE" and "+ auth 1.0" in error["message"]
    assert generations.numbers() == ()


def test_json_says_what_was_done(
    pkl: Pkl, shop: Shop, publish: Callable[[], None], generations: Generations
) -> None:
    shop.plugin("auth", "1.0")
    publish()
    said = pkl.json("install", "auth", "-y")
    assert (said["done"], said["generation"], said["previous"]) == (True, 1, None)
    assert said["host"] == "shop" and [each["name"] for each in said["added"]] == ["auth"]
    said = pkl.json("install", "auth", "-y")
    assert (said["done"], said["generation"], said["added"]) == (False, 1, [])
    assert [each["name"] for each in said["kept"]] == ["auth"]


def test_a_disabled_plugin_stays_so_and_no_enable_leaves_new_ones_disabled(
    pkl: Pkl, shop: Shop, publish: Callable[[], None]
) -> None:
    shop.plugin("auth", "1.0")
    shop.plugin("mail", "1.0")
    publish()
    pkl.ok("install", "auth", "mail", "--no-enable", "-y")
    listed = pkl.json("list")["plugins"]
    assert {each["name"]: each["desired"] for each in listed} == {
        "auth": "disabled",
        "mail": "disabled",
    }
    assert "is disabled (pkl enable auth)" in pkl.ok("install", "auth").out


def test_what_a_new_plugin_asks_to_be_allowed_is_shown_and_consented_to_with_it(
    pkl: Pkl, shop: Shop, publish: Callable[[], None]
) -> None:
    shop.plugin("mail", "1.0", manifest='[permissions]\nnet-connect = ["mail.example.org:25"]\n')
    publish()
    ran = pkl.ok("install", "mail", "-y")
    assert ran.lines[0] == "+ mail 1.0 (acme-mail)"
    assert ran.lines[1].startswith("    ") and "mail.example.org:25" in ran.lines[1]
    shown = pkl.json("permissions", "mail")["permissions"]
    (row,) = [each for each in shown if each["name"] == "net-connect"]
    assert row["granted"] == ["mail.example.org:25"]
    assert "pkl install mail" in str(row)


def test_the_registry_that_is_meant_can_be_named(
    pkl: Pkl, shop: Shop, publish: Callable[[], None], tmp_path: Path, generations: Generations
) -> None:
    other = Shop(tmp_path, "other")
    other.plugin("auth", "9.0")
    other.publish()
    other.known()
    shop.plugin("auth", "1.0")
    publish()
    ran = pkl("install", "auth", "-y")
    assert ran.status == 5 and "main" in ran.err and "other" in ran.err, ran
    pkl.ok("install", "auth", "--registry", "main", "-y")
    record = generations.current()
    assert record is not None and record.roots[0].registry == "main"
    # From then on it is known where it is from.
    assert pkl.ok("install", "auth").lines == ["auth 1.0 is installed already"]
    assert pkl.ok("upgrade").lines == ["everything is at its newest version that fits"]


def test_what_is_masked_or_disabled_stands_in_the_way_of_nothing(
    pkl: Pkl, shop: Shop, publish: Callable[[], None]
) -> None:
    shop.plugin("auth", "1.0")
    shop.plugin("audit", "1.0", requires=["auth"])
    shop.plugin("mail", "1.0")
    publish()
    pkl.ok("install", "audit", "-y")
    pkl.ok("mask", "auth", "audit")
    assert pkl.ok("install", "mail", "-y").lines == ["+ mail 1.0 (acme-mail)"]
    assert pkl.ok("uninstall", "mail", "-y").lines == ["- mail 1.0 (acme-mail)"]
    assert pkl.ok("upgrade").lines == ["everything is at its newest version that fits"]


def test_without_a_host_without_a_registry_and_without_anything_it_says_what_to_do(
    pkl: Pkl, work: Path
) -> None:
    ran = pkl("install")
    assert ran.status == 2 and "pkl install NAME, or -e DIR" in ran.err
    ran = pkl("install", "auth", "-y")
    assert ran.status == 6 and "pkl registry add NAME URL" in ran.err
    (work / "pkl.toml").unlink()
    ran = pkl("install", "auth", "-y")
    assert ran.status == 2 and "--host NAME" in ran.err


def test_what_no_registry_has_is_refused_and_nothing_changes(
    pkl: Pkl, shop: Shop, publish: Callable[[], None], generations: Generations
) -> None:
    shop.plugin("auth", "1.0")
    publish()
    ran = pkl("install", "auht", "-y")
    assert ran.status in (4, 5) and "auht" in ran.err, ran
    ran = pkl("install", "auth>=2", "-y")
    assert ran.status == 5 and "auth" in ran.err
    proof = ran.err.partition("\n")[2].splitlines()
    assert any("you ask for" in line for line in proof), "the proof is shown"
    assert generations.numbers() == ()


def test_a_wheel_is_kept_for_whoever_deletes_it(
    pkl: Pkl, shop: Shop, tmp_path: Path, generations: Generations
) -> None:
    wheel = shop.plugin("auth", "1.0")
    given = tmp_path / "given" / wheel.name
    given.parent.mkdir()
    given.write_bytes(wheel.read_bytes())
    assert pkl.ok("install", str(given), "-y").lines == ["+ auth 1.0 (acme-auth)"]
    given.unlink()
    record = generations.current()
    assert record is not None and os.path.exists(record.roots[0].path)
    other = shop.plugin("mail", "1.0")
    assert pkl.ok("install", str(other), "-y").lines == ["+ mail 1.0 (acme-mail)"]
    assert {each["name"] for each in pkl.json("list")["plugins"]} == {"auth", "mail"}


def test_what_came_as_a_wheel_may_come_from_a_registry_later_and_the_other_way_round(
    pkl: Pkl, shop: Shop, publish: Callable[[], None], tmp_path: Path, generations: Generations
) -> None:
    wheel = shop.plugin("auth", "1.0")
    given = tmp_path / "given" / wheel.name
    given.parent.mkdir()
    given.write_bytes(wheel.read_bytes())
    shop.plugin("auth", "1.1")
    publish()
    pkl.ok("install", str(given), "-y")
    assert pkl.ok("install", "auth").lines == ["auth 1.0 is installed already"]
    assert pkl.ok("upgrade").lines == ["everything is at its newest version that fits"]
    ran = pkl("install", "auth>=1.1", "-y")
    assert ran.status == 8 and "--consent auth==1.1" in ran.err, "it is from elsewhere"
    ran = pkl.ok("install", "auth>=1.1", "--consent", "auth==1.1", "-y")
    assert ran.lines[0] == "~ auth 1.0 → 1.1 (acme-auth)"
    record = generations.current()
    assert record is not None and record.roots[0].path == ""
    ran = pkl("install", str(given), "-y", "--consent", "auth==1.0")
    assert ran.status == 0 and ran.lines[0] == "~ auth 1.1 → 1.0 (acme-auth)", ran


def test_a_project_is_used_in_place(pkl: Pkl, work: Path, generations: Generations) -> None:
    project = work / "acme"
    package = project / "src" / "acme_report"
    package.mkdir(parents=True)
    (project / "pyproject.toml").write_text(
        '[project]\nname = "acme-report"\nversion = "0.3"\ndescription = "reports"\n'
        '[project.entry-points."shop.plugins"]\nreport = "acme_report"\n'
    )
    (package / "__init__.py").write_text("")
    (package / "plugin.toml").write_text('name = "report"\n')
    (package / "plugin.py").write_text("")
    ran = pkl.ok("install", "-e", "acme", "-y")
    assert ran.lines == [f"+ report 0.3 (acme-report, in place: {project})"]
    (row,) = pkl.json("list")["plugins"]
    assert (row["name"], row["version"], row["state"]) == ("report", "0.3", "enabled")
    assert row["location"] == str(package)
    site = Path(generations.places.site(1))
    assert os.listdir(site) == ["acme_report-0.3.dist-info"]
    record = generations.current()
    assert record is not None and record.paths == (str(project / "src"),)
    # It is changed in place, and found as it is.
    (package / "plugin.toml").write_text('name = "report"\nsummary = "changed"\n')
    (row,) = pkl.json("list")["plugins"]
    assert row["summary"] == "changed"


def test_a_plugin_directory_is_packed_and_nothing_of_it_runs(
    pkl: Pkl, work: Path, generations: Generations, imported: Path
) -> None:
    plugin = work / "greeter"
    (plugin / "data").mkdir(parents=True)
    (plugin / "plugin.toml").write_text('name = "greeter"\nversion = "1.5"\nsummary = "hello"\n')
    trap = f"open({str(imported)!r}, 'w')\n"
    (plugin / "plugin.py").write_text(trap)
    (plugin / "setup.py").write_text(trap)
    (plugin / "data" / "words.txt").write_text("hello")
    (plugin / "__pycache__").mkdir()
    (plugin / "__pycache__" / "plugin.pyc").write_bytes(b"")
    assert pkl.ok("install", "./greeter", "-y").lines == ["+ greeter 1.5"]
    site = Path(generations.places.site(1))
    assert sorted(p.name for p in (site / "greeter").rglob("*")) == [
        "__init__.py",
        "data",
        "plugin.py",
        "plugin.toml",
        "setup.py",
        "words.txt",
    ]
    (row,) = pkl.json("list")["plugins"]
    assert (row["name"], row["version"], row["summary"]) == ("greeter", "1.5", "hello")


BUILDER = """
import base64, hashlib, zipfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name, info = "acme_built-0.9-py3-none-any.whl", "acme_built-0.9.dist-info"
    files = {
        "acme_built/__init__.py": "",
        "acme_built/plugin.py": "",
        "acme_built/plugin.toml": 'name = "built"',
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: acme-built\\nVersion: 0.9\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        f"{info}/entry_points.txt": "[shop.plugins]\\nbuilt = acme_built\\n",
    }
    lines = []
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as archive:
        for path, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
            lines.append(f"{path},sha256={digest.rstrip(b'=').decode()},{len(text)}")
            archive.writestr(path, text)
        record = f"{info}/RECORD"
        archive.writestr(record, "\\n".join([*lines, f"{record},,", ""]))
    return name
"""


def test_a_project_is_built_only_where_that_was_allowed(
    pkl: Pkl, work: Path, generations: Generations
) -> None:
    project = work / "acme"
    project.mkdir()
    (project / "pyproject.toml").write_text(
        '[project]\nname = "acme-built"\nversion = "0.9"\n[build-system]\nrequires = []\n'
        'build-backend = "builder"\nbackend-path = ["."]\n'
    )
    ran = pkl("install", "./acme", "-y")
    assert ran.status == 2 and "--allow-build" in ran.err
    (project / "builder.py").write_text("raise SystemExit('it fails')")
    ran = pkl("install", "./acme", "-y", "--allow-build", "--offline")
    assert ran.status == 6 and "could not build a wheel of" in ran.err and "it fails" in ran.err
    assert generations.numbers() == ()
    (project / "builder.py").write_text(BUILDER)
    ran = pkl.ok("install", "./acme", "-y", "--allow-build", "--offline")
    assert ran.lines == ["+ built 0.9 (acme-built)"]
    assert pkl.json("list")["plugins"][0]["name"] == "built"


def test_a_path_that_cannot_be_installed_says_what_would_do(pkl: Pkl, work: Path) -> None:
    (work / "empty").mkdir()
    (work / "project").mkdir()
    (work / "project" / "pyproject.toml").write_text("[project]\nname = 'x'\nversion = '1'\n")
    for word, said in (
        ("./nowhere", "there is nothing at"),
        ("./empty", "neither a plugin directory nor a project"),
        ("./project", "pkl install -e"),
        ("https://example.org/a.whl", "plugins come from registries"),
        ("auth>=", "E_REQUIREMENT"),
    ):
        ran = pkl("install", word, "-y")
        assert ran.status in (2, 5) and said in ran.err, (word, ran)
    ran = pkl("install", "-e", "empty", "-y")
    assert ran.status == 2 and "no pyproject.toml" in ran.err and "[tool.pkl]" in ran.err


def test_who_asks_for_an_upgrade_beyond_an_earlier_bound_is_told_of_the_bound(
    pkl: Pkl, shop: Shop, publish: Callable[[], None]
) -> None:
    shop.plugin("auth", "1.0")
    shop.plugin("auth", "2.0")
    publish()
    pkl.ok("install", "auth<2", "-y")
    assert pkl.ok("install", "auth", "-y").lines == ["auth 1.0 is installed already"]
    assert pkl.ok("install", "auth", "--upgrade", "-y").lines == [
        'auth 1.0 is installed already; auth<2 still holds (pkl install "auth>=0" lifts that)'
    ]
    pkl.ok("install", "auth>=0", "-y")
    assert pkl.ok("install", "auth", "--upgrade", "-y").lines == ["~ auth 1.0 → 2.0 (acme-auth)"]
