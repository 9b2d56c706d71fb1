"""The types that users of pkl see: checked by mypy, never run."""
