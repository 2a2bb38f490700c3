"""What a process in Python needs: the context, failures, and `process`, which makes a process of a function."""

import inspect
import json
import traceback
import typing

import umsgpack
from componentize_py_types import Err
from wit_world.exports import processes
from wit_world.imports import context, log, outbox

KINDS = {
    bool: "bool",
    int: "int",
    float: "float",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
    typing.Any: "any",
}


class Failure(Exception):
    """An error that the contract declares: raise it, and nothing of the run remains."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code
        self.message = message


class Context:
    """The shared context, as far as the contract grants it. A call outside the grant ends the run."""

    def get(self, path: str, default=None):
        """The value at a place; `default` where nothing is there."""
        found = context.get(path)
        return default if found is None else umsgpack.unpackb(found)

    def set(self, path: str, value):
        context.set(path, umsgpack.packb(value))

    def remove(self, path: str) -> bool:
        """Whether something was there."""
        return context.remove(path)

    def push(self, path: str, value) -> int:
        """Appends to a list; its new length."""
        return context.push(path, umsgpack.packb(value))

    def len(self, path: str) -> int | None:
        """Elements of a list or map, bytes of a string or binary; None where nothing is there."""
        return context.len(path)

    def keys(self, path: str, after: str | None = None, limit: int = 1000) -> list[str]:
        """Keys of a map in order, behind `after`."""
        return context.keys(path, after, limit)

    def read_bytes(self, path: str, offset: int, length: int) -> bytes:
        """A piece of a string or binary that is too large to get."""
        return context.read_bytes(path, offset, length)

    def log(self, message: str, level: str = "info"):
        log.write(log.Level[level.upper()], message)

    def send(self, topic: str, payload: bytes):
        """A message that is sent if the run commits."""
        outbox.send(topic, payload)


_processes = {}


def process(inputs=(), outputs=(), errors=(), secret=()):
    """Makes a process of a function: its parameters, kinds and first line of documentation go into the contract."""

    def declare(function):
        _processes[function.__name__] = function
        function.contract = {
            "name": function.__name__,
            "summary": (inspect.getdoc(function) or "").split("\n")[0],
            "parameters": [
                {
                    "name": parameter.name,
                    "kind": KINDS[parameter.annotation],
                    "optional": parameter.default is not parameter.empty,
                    "secret": parameter.name in secret,
                }
                for parameter in list(inspect.signature(function).parameters.values())[1:]
            ],
            "inputs": list(inputs),
            "outputs": list(outputs),
            "side_effects": [],
            "errors": list(errors),
        }
        return function

    return declare


def contracts() -> str:
    """The contracts of every process, a line each: what the section `theus:contract` holds."""
    return "".join(json.dumps(it.contract) + "\n" for it in _processes.values())


def run(name: str, args: bytes) -> bytes:
    """Runs one process; what it raises becomes the failure that it declares, or a trap with its place."""
    try:
        return umsgpack.packb(_processes[name](Context(), **umsgpack.unpackb(args)))
    except Failure as failure:
        raise Err(processes.Failure(failure.code, failure.message)) from None
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        message = f"{type(error).__name__}: {error}"
        log.abort(message, place.filename, place.lineno or 0, (place.colno or 0) + 1)
        raise
