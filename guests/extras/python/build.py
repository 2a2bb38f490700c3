"""Builds warehouse.py into a component with its contract: python build.py [OUT]"""

import pathlib
import subprocess
import sys
from unittest import mock

HERE = pathlib.Path(__file__).resolve().parent
OUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / ".theus" / "warehouse.wasm"


def leb(number: int) -> bytes:
    """A length, seven bits a byte."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def custom_section(name: bytes, content: bytes) -> bytes:
    """A custom section at the end of a component."""
    named = leb(len(name)) + name + content
    return b"\0" + leb(len(named)) + named


def main():
    OUT.parent.mkdir(parents=True, exist_ok=True)
    # What the guest imports, and nothing else that this Python happens to have.
    packages = HERE / ".theus" / "packages"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", packages]
    subprocess.run(pip + ["--requirement", HERE / "guest-requirements.txt"], check=True)
    sys.path.insert(0, str(packages))
    # The contracts are what the modules say; to ask them here, the host's functions need not be there.
    for name in ["componentize_py_types", "wit_world", "wit_world.exports", "wit_world.imports"]:
        sys.modules[name] = mock.MagicMock()
    import theus_guest
    import warehouse  # noqa: F401 (its processes declare themselves)

    tool = pathlib.Path(sys.executable).parent / "componentize-py"
    wit = HERE.parents[2] / "wit"
    # The runtime imports WASI; the host gives it a world without files, network and clock.
    command = [tool, "-d", wit, "-w", "guest", "componentize", "-p", HERE, "-p", packages]
    subprocess.run(command + ["-o", OUT, "guest"], check=True)
    with OUT.open("ab") as component:
        component.write(custom_section(b"theus:contract", theus_guest.contracts().encode()))
    print(OUT)


if __name__ == "__main__":
    main()
