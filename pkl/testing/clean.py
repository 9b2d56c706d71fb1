"""The test that a plugin leaves nothing behind."""

from __future__ import annotations

from ..kernel.plugin import Plugin

__all__ = ["assert_clean"]


def assert_clean(plugin: Plugin) -> None:
    """Unloads a plugin and holds it to having left nothing behind.

    It collects garbage. What the test itself refers to of the plugin's code, such as
    ``plugin.module`` in a local variable, keeps it alive like anything else.

    Args:
        plugin: A plugin that was loaded, in any state.

    Raises:
        AssertionError: Something is left, somebody holds on to its code, or it was never loaded;
            the text says what and who.
        CleanupError: Its clean-up failed; it is unloaded all the same.
    """
    plugin.unload()
    receipt = plugin.receipt
    if receipt is None:
        raise AssertionError(f"plugin {plugin.name!r} was never loaded, so it cannot be clean")
    if not receipt.verify().clean:
        raise AssertionError(f"plugin {plugin.name!r} leaves something behind\n{receipt.as_text()}")
