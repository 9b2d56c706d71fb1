"""Tests of installing."""
