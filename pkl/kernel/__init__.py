"""Runs plugin code; knows no disk and no network, and asks upward only through ``ports``."""
