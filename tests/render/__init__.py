"""Tests of what people and programs are shown: tables, trees, drawings."""
