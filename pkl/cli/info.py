"""``pkl info``: everything that is known of one plugin."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Sequence, Union

import click

from ..discovery.settings_schema import read_schema
from ..errors import PluginNotFound, SettingsError
from ..model.candidate import Candidate
from ..model.graph import Edge
from ..model.manifest import PluginMetadata
from ..model.settings import masked
from ..render.table import Cell, fields, state_cell
from .contributors import in_one_line
from .options import Verb
from .rows import Row, rows_of, said_of
from .scope import Scope
from .session import Session, plain, shown

__all__ = ["command"]

_KINDS = ("requires", "wants", "after", "before", "conflicts")


@click.command("info", cls=Verb)
@click.argument("name")
@click.pass_obj
def command(session: Session, name: str) -> int:
    """Everything that is known of one plugin.

    It is not imported. Where several sources offer the name, each is shown. Of one that is not
    installed, what the registries have of it.
    """
    scope = Scope(session)
    try:
        meant = scope.named(name)
    except PluginNotFound as error:
        if scope.foreign:
            raise
        from .uninstalled import show_uninstalled

        return show_uninstalled(session, scope, name, error)
    rows = [row for row in rows_of(scope) if row.candidate in meant]
    if session.json:
        first, *others = [_as_dict(scope, row) for row in rows]
        session.document("pkl.info/1", {**scope.facts, **first, "others": others})
        return 0
    session.write("\n".join(_text(session, scope, row) for row in rows))
    return 0


def _edges(scope: Scope, row: Row, *, inwards: bool) -> List[Edge]:
    ident = scope.node(row.candidate)
    return [
        edge
        for edge in scope.plan.graph.edges
        if (edge.to if inwards else edge.from_) == ident and edge.kind in ("requires", "wants")
    ]


def _layer(scope: Scope, row: Row) -> Any:
    return next((s.layer for s in scope.plan.steps if s.candidate is row.candidate), None)


def _as_dict(scope: Scope, row: Row) -> Dict[str, Any]:
    candidate, metadata = row.candidate, row.candidate.metadata
    found = row.as_dict()
    found.update({kind: [each.text for each in getattr(metadata, kind)] for kind in _KINDS})
    found.update(
        display_name=metadata.display_name,
        distribution_version=candidate.distribution_version,
        manifest=candidate.manifest_file,
        entrypoint=metadata.entrypoint,
        requires_host=metadata.requires_host,
        requires_python=metadata.requires_python,
        requires_dist=list(candidate.requires_dist),
        tier=metadata.tier,
        activation=list(metadata.activation),
        critical=metadata.critical,
        permissions=plain(metadata.permissions),
        limits=plain(metadata.limits),
        supervision=plain(metadata.supervision),
        config=_config(candidate),
        contributes=plain(metadata.contributes),
        unknown_points=_unknown_points(scope, metadata),
        layer=_layer(scope, row),
        required_by=[
            {"name": edge.from_, "kind": edge.kind, "requirement": edge.requirement}
            for edge in _edges(scope, row, inwards=True)
        ],
    )
    return found


def _unknown_points(scope: Scope, metadata: PluginMetadata) -> List[str]:
    """What it contributes to that is no point of the host, if the host's points are known."""
    if not metadata.contributes or scope.points is None:
        return []
    return [each.key for each in scope.points.unknown(metadata)]


def _contributions(scope: Scope, metadata: PluginMetadata) -> Iterable[Sequence[str]]:
    unknown = _unknown_points(scope, metadata)
    for point, value in metadata.contributes.items():
        remark = " (no point of this host)" if point in unknown else ""
        yield ("Contributes", f"{point} = {in_one_line(value)}{remark}")


def _config(candidate: Candidate) -> Any:
    """``[config]`` of the manifest; of its defaults, secrets are masked."""
    found = plain(candidate.metadata.config)
    if "defaults" in found:
        try:
            schema, _ = read_schema(candidate)
        except SettingsError:
            schema = {"additionalProperties": {"writeOnly": True}}
        found["defaults"] = masked(found["defaults"], schema)
    return found


def _text(session: Session, scope: Scope, row: Row) -> str:
    candidate, metadata, reason = row.candidate, row.candidate.metadata, row.reason
    layer = _layer(scope, row)
    pairs: List[Sequence[Union[str, Cell]]] = [
        ("Name", Cell(candidate.name, "bold")),
        ("Version", candidate.version),
        ("Summary", metadata.summary),
        ("State", state_cell(row.state)),
        *_kept(row),
    ]
    if reason is not None:
        pairs += [("Why", line.strip()) for line in reason.message.split("\n")]
        if reason.code != "manifest" and reason.cause not in reason.message:
            pairs.append(("Because", reason.cause))
        pairs.append(("Hint", reason.remedy))
    pairs += [
        ("Wave", str(layer + 1) if layer is not None else ""),
        ("Distribution", candidate.source if candidate.distribution else ""),
        ("Group", candidate.group or ""),
        ("Origin", str(candidate.origin)),
        ("Target", candidate.target if candidate.target != candidate.location else ""),
        ("Location", candidate.location or ""),
        ("Manifest", candidate.manifest_file or ""),
    ]
    served = {edge.requirement: edge for edge in _edges(scope, row, inwards=False)}
    versions = {node.id: f"{node.name} {node.version}" for node in scope.plan.graph.nodes}
    for kind in _KINDS:
        for each in getattr(metadata, kind):
            edge = served.pop(each.text, None)
            by = f" ({versions[edge.to]})" if edge is not None and edge.to in versions else ""
            pairs.append((kind.capitalize(), f"{each.text}{by}"))
    for text, edge in served.items():  # of the distribution's own metadata
        pairs.append((edge.kind.capitalize(), f"{text} ({versions.get(edge.to, edge.to)})"))
    pairs += [("Provides", str(each)) for each in metadata.provides]
    pairs += [
        (
            "Required by" if edge.kind == "requires" else "Wanted by",
            f"{versions.get(edge.from_, edge.from_)} ({edge.requirement})",
        )
        for edge in _edges(scope, row, inwards=True)
    ]
    pairs += [
        ("Needs host", metadata.requires_host),
        ("Needs Python", metadata.requires_python),
        *_settings(metadata),
        *_contributions(scope, metadata),
    ]
    pairs += [("Note", note) for note in candidate.notes]
    return fields(pairs, terminal=session.out)


def _kept(row: Row) -> Iterable[Sequence[str]]:
    """What is kept of it, with since when and how that was said."""
    record = row.record
    wish = record.wish if record is not None else None
    if row.desired != "enabled" or wish is not None:
        yield ("Desired", row.desired + said_of(wish))
    if record is None:
        return
    if record.pin is not None:
        yield ("Pin", record.pin.version + said_of(record.pin))
    if row.held is not None:
        yield ("Held", f"{row.held}{said_of(row.held)}")
        yield ("Hint", f"to consent: pkl upgrade {row.key} --consent {row.held.consent}")
    for name, consent in record.consents.items():
        yield ("Consent", f"{name} = {shown(consent.value)}{said_of(consent)}")


def _settings(metadata: PluginMetadata) -> Iterable[Sequence[str]]:
    yield ("Tier", metadata.tier)
    yield ("Activation", ", ".join(metadata.activation))
    yield ("Critical", "yes" if metadata.critical else "")
    for title in ("permissions", "limits", "supervision"):
        for key, value in getattr(metadata, title).items():
            yield (title.capitalize(), f"{key} = {shown(value)}")
