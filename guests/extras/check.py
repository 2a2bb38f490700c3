"""Builds the extra guests, runs them beside the Rust one, and prints what they cost: python3 guests/extras/check.py

Needs Node.js 20, Python 3.10 with venv, and the npm and PyPI registries. Everything that it makes lies in the
guests' `.theus` folders and in target/extras.
"""

import json
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MADE = ROOT / "target" / "extras"
HOST = ROOT / "target" / "release" / "theus-host"

# An interpreter starts more slowly than the default limits expect, and is larger than a guest need be.
LIMITS = ["--max-component", "32MiB", "--timeout", "60s"]
CONTEXT = ROOT / "guests" / "warehouse"
CALLS = [
    ["product_name=TV", "price=500", "--context", CONTEXT / "context.yaml"],
    ["product_name=Ünïcode 📦", "price=0", "--context", CONTEXT / "context.yaml"],
    ["product_name=", "price=4294967296", "--context", CONTEXT / "context.yaml"],
    ["product_name=TV", "price=-5", "--context", CONTEXT / "context.yaml"],
    ["product_name=TV", "price=9223372036854775807", "--context", CONTEXT / "context.yaml"],
    ["product_name=TV", "price=9223372036854775807", "--context", CONTEXT / "context-100.yaml"],
    ["product_name=TV", "price=1000", "--context", CONTEXT / "context-100.yaml"],
]
COMPARED = ["outcome", "process", "result", "version", "changes", "signals", "outbox", "error"]


def command(words, **options):
    print("$", *words, file=sys.stderr)
    return subprocess.run([str(word) for word in words], check=True, **options)


def host(target, words):
    """One run of the host: its object, and how long the whole command took in milliseconds."""
    words = [HOST, "run", target, *words, *LIMITS, "-o", "json"]
    begun = time.perf_counter()
    ran = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    took = (time.perf_counter() - begun) * 1e3
    return json.loads(ran.stdout), took


def execution(receipt):
    """The time of the step that makes the sandbox and runs the guest, in milliseconds."""
    return next(it["micros"] for it in receipt["stats"]["steps"] if it["name"] == "execution") / 1e3


def build_javascript(out):
    folder = HERE / "javascript"
    command(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)
    return ["node", folder / "build.mjs", out]


def build_python(out):
    python = MADE / "python" / "bin" / "python"
    if not python.exists():
        command([sys.executable, "-m", "venv", MADE / "python"])
    command([python, "-m", "pip", "install", "--quiet", "-r", HERE / "python" / "requirements.txt"])
    return [python, HERE / "python" / "build.py", out]


def main():
    MADE.mkdir(parents=True, exist_ok=True)
    command(["cargo", "build", "--release"], cwd=ROOT)
    expected = [host(ROOT / "guests" / "warehouse", call)[0] for call in CALLS]
    rows, failures = [], []
    for language, prepare in [("JavaScript", build_javascript), ("Python", build_python)]:
        guest = MADE / f"{language.lower()}.wasm"
        build = prepare(guest)
        begun = time.perf_counter()
        command(build)
        built = time.perf_counter() - begun
        first, first_took = host(guest, [*CALLS[0], "--no-cache"])
        host(guest, CALLS[0])
        warm = [host(guest, CALLS[0]) for _ in range(5)]
        for call, wanted in zip(CALLS, expected):
            found = host(guest, call)[0]
            for key in COMPARED:
                if found[key] != wanted[key]:
                    failures.append(f"{language} {call[:2]}: {key} is {found[key]}, in Rust {wanted[key]}")
        rows.append(
            f"| {language} | {guest.stat().st_size / 2**20:.1f} MiB | {built:.0f} s | {first_took / 1e3:.1f} s "
            f"| {min(took for _, took in warm):.0f} ms | {min(execution(it) for it, _ in warm):.1f} ms "
            f"| {first['stats']['fuel']:,} |"
        )
    print("| guest | size | build | first run, compiling | whole command, compiled | the call itself | fuel |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    print("\n".join(rows))
    for failure in failures:
        print("DIFFERS:", failure)
    print(f"{len(CALLS)} calls each: " + (f"{len(failures)} differences" if failures else "all as in Rust"))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
