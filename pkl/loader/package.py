"""The module object of a generation's packages, which takes no child of another generation."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ..kernel.generation import MARK

__all__ = ["GenerationPackage"]


class GenerationPackage(ModuleType):
    """A package that lets importlib bind only its own generation's modules to it.

    When a module's code has run, importlib looks its package up by name to set the attribute
    that leads to the module. If names have moved meanwhile, that is the package of another
    generation, whose code would then find the module there. Code of the package itself assigns
    past this.
    """

    __slots__ = ()

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType):
            mark = value.__dict__.get(MARK)
            if (
                mark is not None
                and mark is not self.__dict__.get(MARK)
                and value.__name__ == f"{self.__name__}.{name}"
            ):
                return
        super().__setattr__(name, value)
