"""Which versions a host has, written down: ``pylock.pkl.toml`` (PEP 751), read, compared, applied.

``lock`` (one as a value), ``toml_text`` and ``lock_writing``, ``lock_fields``, ``lock_markers`` and
``lock_reading`` (every fault of a file), ``lock_fitting`` (whether it fits here), ``lock_trust``
(what its registries say by now), ``lock_changes`` (what differs), ``lock_solving`` and ``locking``.
"""

from __future__ import annotations
