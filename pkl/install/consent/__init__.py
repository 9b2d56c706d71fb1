"""What an update may not do without somebody's consent.

``trust`` (what a version asks for that the one before did not), ``age`` (versions that are too
young), ``holding`` (updates that nobody consented to stay out), ``keeping`` (the market while they
do), ``consenting`` (what is kept of that).
"""

from __future__ import annotations
