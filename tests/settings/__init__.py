"""Tests of plugin settings."""
