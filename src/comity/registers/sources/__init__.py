"""Files of publishers, read into entries of watch lists; each form in a module of its own."""

from comity.registers.sources.reading import read_list

__all__ = ["read_list"]
