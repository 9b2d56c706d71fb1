"""The graph as the object of schema ``pkl.graph/1``."""

from __future__ import annotations

import json
from typing import Any, Dict, Optional

from ..model.graph import Graph

__all__ = ["dumps", "to_dict", "to_json"]


def to_dict(graph: Graph) -> Dict[str, Any]:
    """The graph as plain values, in the shape of ``pkl.graph/1``; nothing is escaped.

    ``from`` needs ``to``: edges point from the dependant to what it needs, by node ``id``.
    """
    return {
        "schema": "pkl.graph/1",
        "nodes": [
            {
                "id": node.id,
                "name": node.name,
                "version": node.version,
                "distribution": node.distribution,
                "state": str(node.state),
            }
            for node in graph.nodes
        ],
        "edges": [
            {
                "from": edge.from_,
                "to": edge.to,
                "kind": edge.kind,
                "requirement": edge.requirement,
                "satisfied": edge.satisfied,
                "via": list(edge.via),
            }
            for edge in graph.edges
        ],
        "layers": [list(layer) for layer in graph.layers],
        "cycles": [list(cycle) for cycle in graph.cycles],
        "missing": [
            {
                "name": each.name,
                "required_by": each.required_by,
                "requirement": each.requirement,
            }
            for each in graph.missing
        ],
    }


def dumps(value: Any, *, indent: Optional[int] = 2) -> str:
    r"""JSON that is safe to print: ASCII only, so no control character reaches a terminal.

    A reader gets back exactly what was written; DEL, which JSON lets pass, is escaped too.
    """
    return json.dumps(value, indent=indent).replace("\x7f", "\\u007f")


def to_json(graph: Graph) -> str:
    """The graph as one JSON object and a newline."""
    return f"{dumps(to_dict(graph))}\n"
