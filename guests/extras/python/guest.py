"""The component's export: the processes of warehouse.py behind one function."""

import theus_guest
import warehouse  # noqa: F401 (its processes declare themselves)
from wit_world import exports


class Processes(exports.Processes):
    def run(self, process: str, args: bytes) -> bytes:
        return theus_guest.run(process, args)
