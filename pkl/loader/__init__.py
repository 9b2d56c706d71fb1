"""Code generations: a plugin's code imported afresh, beside older loads of it, and dropped.

Import order in here: names, lines, modules, moving, extensions, source, wrapped, finder,
importlib_bootstrap, target, load.
"""

from __future__ import annotations

from .load import GenerationLoader, LoadedModules

__all__ = ["GenerationLoader", "LoadedModules"]
