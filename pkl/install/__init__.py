"""Changing the plugins of a host: planned, audited, placed beside what runs, and undone by a flip.

Inside, in the order in which an installation goes: ``wanted`` (what people asked for), ``solution``
(what a solve yields), ``backend`` (what uv and pip do for us), ``trust`` (what a version asks for
that the one before did not), ``holding`` (updates that nobody consented to stay out), ``keeping``
(the market while they do), ``consenting`` (what is kept of that), ``age`` (versions that are too
young); and for the solve ``market`` and ``project`` (what there is to choose from, in registries
and on this machine), ``universe`` (what of it can be reached), ``proposals`` (what our resolver
would choose), ``ranges``, ``oracle`` and ``stand_ins`` (questions to the installer), ``answers``
(what is believed of what it says), ``contradictions``, ``nogoods`` and ``lessons`` (what cannot be
had together), ``no_answer`` (what is said then), ``solving`` (all of it); for the installers
``host_side`` (what of the environment stays as it is), ``index_page``,
``stub_wheel``, ``index_server`` and ``index_view`` (the one index that they are shown),
``wheel_choice``, ``processes``, ``proof_text``, ``asking``, ``uv``, ``pip`` and ``choose_backend``;
and for wheels ``fetching`` (brought here and kept), ``member_names``, ``zip_reading``, ``record``,
``top_levels``, ``wheel_layout``, ``taken``, ``announced`` and ``audit`` (whether it may be placed),
``placed`` (whether what was unpacked is what was audited). What a verb does is put together in
``roots``
(what was typed), ``deciding`` (what may be put in place), ``changes`` (the plan that is shown),
``removing``, ``placing`` and ``operation``; what is installed is kept by ``places``,
``generation``, ``generations`` and ``marks``, and a host takes it up through ``standing`` and
``pinning``.
"""

from __future__ import annotations
