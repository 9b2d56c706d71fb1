"""Findings as SARIF 2.1.0, which code hosts show beside the lines."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Sequence
from urllib.parse import quote

from ...version import VERSION
from .finding import Finding

__all__ = ["sarif"]


def sarif(findings: Sequence[Finding]) -> Dict[str, Any]:
    """One run with one result for each finding, as JSON-representable values.

    Relative paths stay relative, as code hosts want them.
    """
    rules = sorted({each.code for each in findings})
    return {
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "pkl",
                        "version": VERSION,
                        "rules": [{"id": rule, "name": rule} for rule in rules],
                    }
                },
                "results": [_result(each, rules) for each in findings],
            }
        ],
    }


def _result(each: Finding, rules: Sequence[str]) -> Dict[str, Any]:
    text = f"{each.message}\n{each.hint}" if each.hint else each.message
    result: Dict[str, Any] = {
        "ruleId": each.code,
        "ruleIndex": rules.index(each.code),
        "level": each.severity,
        "message": {"text": text},
    }
    if each.file is not None:
        place: Dict[str, Any] = {"artifactLocation": {"uri": _uri(each.file)}}
        if each.line is not None:
            place["region"] = {"startLine": each.line}
        locations: List[Dict[str, Any]] = [{"physicalLocation": place}]
        result["locations"] = locations
    return result


def _uri(file: str) -> str:
    path = file.replace(os.sep, "/")
    if not os.path.isabs(file):
        return quote(path)
    below = os.path.relpath(file).replace(os.sep, "/")
    return quote(below) if not below.startswith("../") else f"file://{quote(path)}"
