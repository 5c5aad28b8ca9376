"""Do the steps of the Dockerfiles do what they say? They are run, in a fresh Debian behind `chroot`
(`tox run -e image`); no Docker is needed, and none is used.

    python -m tests.evaluation.image                     docker/cpu.Dockerfile, whole: gigabytes
    python -m tests.evaluation.image --short             without the frameworks
    python -m tests.evaluation.image --file docker/gpu.Dockerfile
    python -m tests.evaluation.image --root FOLDER       a Debian that is there; it is changed

Needs root and debootstrap. What is not run: the base image (Debian's own Python 3.11 stands in for
it) and the image that uv is copied from (the same release from PyPI stands in for it). With
`--interpreters FOLDER` neither is `uv python install`: those of a folder `versions` of pyenv are
shown to the harness instead. At the end the image is started with `--try`.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.evaluation.image import dockerfile
from tests.evaluation.image.places import FreshDebian, StepFailed, bootstrap, handed_on
from tests.evaluation.image.running import NO_INTERPRETERS, SHORT, Built

ROOT = Path(__file__).parents[3]
SMALL = "compare --workloads linear --precision fp64 --no-speed --backends numpy numpy"
WHOLE = "compare --workloads linear --precision fp64 --no-speed --backends"
TRIED = {"cpu": f"{WHOLE} tf1 tf2 torch tf1-compat tf2.10"}


def main(words: Sequence[str] | None = None) -> int:
    """Build, start, and say how long it took."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.image", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--file", type=Path, default=ROOT / "docker/cpu.Dockerfile")
    parser.add_argument("--short", action="store_true", help="without the frameworks")
    parser.add_argument("--root", type=Path, help="a Debian that is there already")
    parser.add_argument("--interpreters", type=Path, help="in the place of uv's")
    parser.add_argument("--mount", type=Path, nargs="*", default=[], help="shown, read-only")
    parser.add_argument("--build-arg", nargs="*", default=[], help="NAME=VALUE")
    parser.add_argument("--try", dest="tried", help="words behind the entry point")
    chosen = parser.parse_args(words)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="image-") as folder:
        try:
            _build(chosen, Path(folder))
        except (StepFailed, dockerfile.NotUnderstood) as error:
            print(f"FAILED: {error}")
            return 1
    print(f"built and started, in {time.monotonic() - started:.0f} s")
    return 0


def _build(chosen: argparse.Namespace, folder: Path) -> None:
    image = dockerfile.read(chosen.file)
    root = chosen.root
    if root is None:
        root = folder / "debian"
        print(f"debootstrap bookworm ({image.base} is not run)", flush=True)
        bootstrap(root)
    mounts = {str(path): path for path in chosen.mount}
    environ = handed_on(os.environ)
    if chosen.interpreters:
        # At their own place: they look for their libraries there.
        mounts[str(chosen.interpreters)] = chosen.interpreters
        environ["PYENV_ROOT"] = str(chosen.interpreters.parent)
    place = FreshDebian(root, environ, mounts)
    built = Built(
        image,
        place,
        ROOT,
        given=dict(item.split("=", 1) for item in chosen.build_arg),
        shortened=[
            *(SHORT if chosen.short else ()),
            *([NO_INTERPRETERS] if chosen.interpreters else []),
        ],
        stages=_stages(image.others, folder),
        say=lambda line: print(line, flush=True),
    )
    built.build()
    kind = chosen.file.name.partition(".")[0]
    tried = chosen.tried or (SMALL if chosen.short else TRIED.get(kind, SMALL))
    print(f"started: {tried}", flush=True)
    print(built.start(shlex.split(tried)))


def _stages(others: Mapping[str, str], folder: Path) -> dict[str, Path]:
    """Return uv's program of the release that the Dockerfile names, from PyPI."""
    files = {}
    for stage, image in others.items():
        if stage != "uv":
            raise dockerfile.NotUnderstood(f"stage {stage}: {image}")
        release = image.rpartition(":")[2]
        target = folder / "uv"
        argv = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target)]
        subprocess.run([*argv, f"uv=={release}"], check=True, timeout=600)
        files[stage] = target / "bin/uv"
    return files


if __name__ == "__main__":
    sys.exit(main())
