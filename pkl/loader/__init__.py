"""Code generations: a plugin's code imported afresh, beside older loads of it, and dropped.

Import order in here: names, lines, importlib_bootstrap, modules, extensions, source, wrapped,
finder, target, load.
"""

from __future__ import annotations

from .load import GenerationLoader, LoadedModules

__all__ = ["GenerationLoader", "LoadedModules"]
