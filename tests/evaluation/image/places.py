"""Where the steps of an image are run: a fresh Debian behind `chroot`, or a fresh folder of this
machine. Neither has anything of the user's: the environment is empty but for what is listed."""

from __future__ import annotations

import abc
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

#: Longest time that one step may take.
STEP_S = 3600
#: Handed on, as `docker build` hands on what the user gives it with `--build-arg`.
HANDED_ON = ("PIP_", "SSL_CERT_", "http_proxy", "https_proxy", "no_proxy", "HTTP", "HTTPS_PROXY")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
MIRROR = "http://deb.debian.org/debian"
#: What stands in for the base image `python:3.11-slim-bookworm`.
PACKAGES = "python3,python3-venv,ca-certificates"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class StepFailed(Exception):
    """A step did not end with 0."""


def handed_on(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what of an environment an image's steps see.

    Args:
        environ: of this process.
    """
    names = [name for name in environ if name.startswith(HANDED_ON)]
    return {name: environ[name] for name in names}


class Place(abc.ABC):
    """Where steps are run.

    Attributes:
        root: the folder that is `/` to them. environ: what they see, beside PATH and HOME.
    """

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self.root, self.environ = root, dict(environ)

    def inside(self, path: str) -> Path:
        """Return where a path of the image lies on this machine.

        Args:
            path: absolute, in the image.
        """
        return self.root / path.lstrip("/")

    @abc.abstractmethod
    def run(self, command: str, folder: str, user: str) -> str:
        """Run a command of a shell, and return what it printed.

        Args:
            command: of `/bin/sh`. folder: to be in. user: by number; empty for root.

        Raises:
            StepFailed: it ended with another code than 0.
        """

    @abc.abstractmethod
    def own(self, path: str, owner: str) -> None:
        """Give a file or a folder, with all below it, to a user of the image.

        Args:
            path: in the image. owner: as COPY names it.
        """


def _ended(argv: Sequence[str], environ: Mapping[str, str], cwd: Path) -> str:
    done = subprocess.run(
        [*argv],
        env={**environ},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=STEP_S,
        check=False,
    )
    if done.returncode:
        raise StepFailed(f"ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


class FreshFolder(Place):
    """A folder in the place of `/`: paths of the image lead there. Users are none, and the system
    and its Python are this machine's."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        super().__init__(root, environ)
        python = self.inside("/usr/local/bin/python")
        python.parent.mkdir(parents=True)
        base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
        python.write_text(f'#!/bin/sh\nexec {shlex.quote(str(base))} "$@"\n', encoding="utf-8")
        python.chmod(0o755)

    def run(self, command: str, folder: str, user: str) -> str:
        """Run it with the image's own folders put below the root."""
        for own in ("/home/harness", "/opt/builds"):
            command = command.replace(own, str(self.inside(own)))
        environ = {
            "PATH": f"{self.inside('/usr/local/bin')}:/usr/bin:/bin",
            "HOME": str(self.inside("/home/harness")),
            **self.environ,
        }
        return _ended(["/bin/sh", "-c", command], environ, self.inside(folder))

    def own(self, path: str, owner: str) -> None:
        """Do nothing: all of it is the user's who runs this."""


class FreshDebian(Place):
    """Debian as `debootstrap` makes it, entered by `chroot` in a mount namespace of its own, so
    that nothing is left mounted. Needs root.

    Args:
        root: where it lies. environ: what steps see.
        mounts: folders of this machine that are shown, read-only: by path in the image.
    """

    def __init__(
        self, root: Path, environ: Mapping[str, str], mounts: Mapping[str, Path] | None = None
    ) -> None:
        super().__init__(root, environ)
        self.mounts = dict(mounts or {})
        for name in ("/etc/resolv.conf", "/etc/hosts", str(CERTIFICATES)):
            if Path(name).is_file():
                self.inside(name).unlink(missing_ok=True)
                shutil.copyfile(name, self.inside(name))
        python = self.inside("/usr/local/bin/python")
        if not python.is_symlink():
            python.symlink_to("/usr/bin/python3")  # the base image calls it so
        for path in self.mounts:
            there = self.inside(path)
            there.mkdir(parents=True, exist_ok=True)
            for above in there.parents:
                if above.is_relative_to(self.root):  # a home of root's lets nobody pass
                    above.chmod(above.stat().st_mode | 0o011)

    def run(self, command: str, folder: str, user: str) -> str:
        """Run it as that user, with the home that its name has in the image."""
        home = "/home/harness" if user else "/root"
        prepared = [f"mount -t proc proc {shlex.quote(str(self.root / 'proc'))}"]
        prepared += [f"mount --rbind /dev {shlex.quote(str(self.root / 'dev'))}"]
        for path, here in self.mounts.items():
            there = shlex.quote(str(self.inside(path)))
            prepared += [f"mount --bind {shlex.quote(str(here))} {there}"]
            prepared += [f"mount -o remount,bind,ro {there}"]
        environ = {"PATH": PATH, "HOME": home, **self.environ}
        inner = f"cd {shlex.quote(folder)} && {command}"
        words = ["chroot", f"--userspec={user or 0}:{user or 0}", str(self.root)]
        words += ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in environ.items())]
        prepared.append(shlex.join(["exec", *words, "/bin/sh", "-c", inner]))
        script = " && ".join(prepared)
        entered = ["unshare", "--mount", "--pid", "--fork", "/bin/sh", "-c", script]
        return _ended(entered, {"PATH": PATH}, self.root)

    def own(self, path: str, owner: str) -> None:
        """Give it to them, by the names that the image has."""
        self.run(f"chown -R {shlex.quote(owner)} {shlex.quote(path)}", "/", "")


def bootstrap(root: Path) -> None:
    """Make a fresh Debian 12 with Python 3.11, about 280 MB; some minutes.

    Args:
        root: a folder that is empty, or not there.

    Raises:
        StepFailed: `debootstrap` is not there, this is not root, or it failed.
    """
    if os.geteuid() or shutil.which("debootstrap") is None:
        raise StepFailed(
            "a fresh Debian needs root and debootstrap (apt-get install debootstrap); give one"
            " that is there with --root"
        )
    argv = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm"]
    _ended([*argv, str(root), MIRROR], {"PATH": PATH}, root.parent)
