"""Changing the plugins of a host: planned, audited, placed beside what runs, and undone by a flip.

Here is what a verb does, in that order: ``wanted`` (what people asked for), ``roots`` (what was
typed), ``solution`` (what a solve yields), ``deciding`` (what may be put in place), ``changes``
(the plan that is shown), ``placing``, ``removing`` and ``operation``; ``local_wheels``,
``packing`` and ``building`` make wheels of what lies on this machine. The rooms beside it:
``solve`` finds the versions, ``backends`` asks uv and pip, ``wheels`` fetches and audits,
``consent`` holds what nobody agreed to, ``environment`` keeps what is installed, and ``locks``
writes it down.
"""

from __future__ import annotations
