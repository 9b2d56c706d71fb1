"""The door to ``importlib_metadata``, which leaves the interpreter as it was.

Its import takes the standard library's distribution finder off duty and puts its own on
``sys.meta_path``, for the whole process. An application that never asked for it must not notice.
"""

from __future__ import annotations

import sys
import threading
from typing import Any, Dict, List

__all__ = ["import_importlib_metadata"]

_lock = threading.Lock()


def import_importlib_metadata() -> Any:
    """The module ``importlib_metadata``; if nobody had imported it, without its side effects."""
    with _lock:
        loaded = sys.modules.get("importlib_metadata")
        if loaded is not None:
            return loaded
        standing = list(sys.meta_path)
        methods: Dict[type, Any] = {
            finder: vars(finder)["find_distributions"]
            for finder in standing
            if isinstance(finder, type) and "find_distributions" in vars(finder)
        }
        try:
            import importlib_metadata
        finally:
            for finder, method in methods.items():
                if "find_distributions" not in vars(finder):
                    setattr(finder, "find_distributions", method)  # noqa: B010
            for added in [each for each in sys.meta_path if _is_new(each, standing)]:
                sys.meta_path.remove(added)
    return importlib_metadata


def _is_new(finder: Any, standing: List[Any]) -> bool:
    home = str(type(finder).__module__).partition(".")[0]
    return home == "importlib_metadata" and not any(finder is each for each in standing)
