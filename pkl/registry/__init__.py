"""Registries: static files in which plugins are found by name, and what guards them.

Inside: ``layout`` (which file lies where), ``moments`` and ``keys`` (times and public keys as
text), ``model`` (what the files say, as values), ``fields``, ``schema`` and ``writing`` (from and
to JSON, every fault named), ``signing`` (``ssh-keygen``), ``trust`` (which index is taken, and what
it covers); ``address`` (where a registry may be), ``connection`` and ``transport`` (how one of its
files is fetched), ``cache`` and ``ages`` (copies of the last contact), ``client`` (one registry,
asked and checked), ``revocation``, ``fitting``, ``catalog`` and ``reaching``
(what may be chosen of several); ``wheel_name``, ``gathering``, ``record``, ``assembling``,
``expiry``, ``simple``, ``publishing`` and ``builder`` (from wheels to a registry), ``folder`` and
``remote`` (its files, here and elsewhere), ``covering``, ``verifying`` and ``mirroring`` (all that
an index covers, looked through and copied), ``loopback`` and ``serving``.
"""
