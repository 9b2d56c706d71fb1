"""Wheels, from the registry to the directory: fetched, audited, and compared with what was placed.

``fetching`` (brought here and kept), ``member_names``, ``zip_reading``, ``record``,
``top_levels``, ``wheel_layout``, ``taken``, ``announced`` and ``audit`` (whether a wheel may be
placed), ``placed`` (whether what was unpacked is what was audited).
"""

from __future__ import annotations
