"""The steps of the Dockerfiles, run: the short version, in a fresh folder. `tox run -e image` runs
all of them, in a fresh Debian. Each check is shown to find a planted fault."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sysconfig
from pathlib import Path

import pytest

from tests.evaluation.image import dockerfile
from tests.evaluation.image.dockerfile import Copy, NotUnderstood, Step
from tests.evaluation.image.places import FreshFolder, StepFailed, handed_on
from tests.evaluation.image.running import BORROWED, IN_A_FOLDER, NO_UV, SHORT, Built

ROOT = Path(__file__).parents[2]
CPU, GPU = (ROOT / f"docker/{kind}.Dockerfile" for kind in ("cpu", "gpu"))
SMALL = "compare --workloads linear --precision fp64 --no-speed --stages W F --backends"


def built(path: Path, root: Path, folder: Path = ROOT) -> tuple[Built, list[str]]:
    """An image whose steps are to run in a fresh folder, and what will be said."""
    said: list[str] = []
    site = sysconfig.get_path("purelib")
    place = FreshFolder(root, {**handed_on(os.environ), "BORROWED": site})
    shortened = (*IN_A_FOLDER, *SHORT, *BORROWED, NO_UV)
    image = dockerfile.read(path)
    return (
        Built(image, place, folder, given={}, shortened=shortened, stages={}, say=said.append),
        said,
    )


def written(folder: Path, text: str, **files: str) -> Path:
    """A Dockerfile in a folder with other files."""
    (folder / ".dockerignore").write_text(".git\n", encoding="utf-8")
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    path = folder / "planted.Dockerfile"
    path.write_text(f"FROM debian AS base\nFROM base\n{text}\n", encoding="utf-8")
    return path


def test_the_image_for_the_cpu_is_built_and_compares(tmp_path: Path):
    """Every step but the downloads of frameworks and interpreters; then the image is started: what
    was copied is enough to compare, and tox has all environments that the last step installs."""
    image, said = built(CPU, tmp_path / "image")
    image.build()
    assert 6 == sum(line.startswith("  shortened: ") for line in said)
    assert "PASS" in image.start([*SMALL.split(), "numpy", "numpy"])
    inside = tmp_path / "image/home/harness/parity-harness"
    assert (inside / "reports/README.md").is_file() and not (inside / ".git").exists()


def test_the_image_for_gpus_has_what_its_steps_name(tmp_path: Path):
    """Up to the last RUN, which is the other image's: requirements are copied before they are
    installed, each build has an environment where CMD says."""
    image, said = built(GPU, tmp_path / "image")
    last = image.image.steps[-1]
    image.image = dataclasses.replace(image.image, steps=image.image.steps[:-1])
    image.build()
    assert "-m venv .venv && .venv/bin/pip install" in last.text
    assert any("the frameworks are not installed" in line for line in said)
    for word in image.image.command:
        if "=/opt/builds" in word:
            assert (tmp_path / "image" / word.partition("=/")[2]).exists(), word


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("RUN false", "ended with 1"),
        ("COPY missing .", "missing is not there"),
        ("COPY .git .", ".dockerignore leaves it out"),
        ("RUN mkdir -p /home/harness\nUSER 1000\nWORKDIR /home/harness/x", "becomes root's"),
        ("RUN pip install -r none.txt", "ended with"),
    ],
)
def test_a_step_that_cannot_work_is_found(tmp_path: Path, text: str, said: str):
    """Planted; the message has the line."""
    (tmp_path / ".git").mkdir()
    path = written(tmp_path, text, kept="1")
    image, _ = built(path, tmp_path / "image", tmp_path)
    with pytest.raises(StepFailed, match=said) as error:
        image.build()
    assert str(error.value).startswith("line ")


@pytest.mark.parametrize(
    "text", ["ADD a b", "HEALTHCHECK NONE", "COPY --link a b", "COPY --from=other /a /b"]
)
def test_what_is_not_understood_is_not_passed_over(tmp_path: Path, text: str):
    """An instruction, an option, a stage."""
    path = written(tmp_path, text, a="1")
    with pytest.raises(NotUnderstood):
        built(path, tmp_path / "image", tmp_path)[0].build()


def test_steps_see_nothing_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """But pip's settings; HOME is the image's, and the folder is that of WORKDIR."""
    monkeypatch.setenv("MY_SECRET", "secret")
    monkeypatch.setenv("PIP_TIMEOUT", "77")
    text = 'ARG WHO=me\nWORKDIR /w\nRUN env > seen && echo "${WHO}" >> seen'
    image, _ = built(written(tmp_path, text), tmp_path / "image", tmp_path)
    image.build()
    seen = (tmp_path / "image/w/seen").read_text(encoding="utf-8")
    assert "secret" not in seen and "PIP_TIMEOUT=77" in seen and seen.endswith("\nme\n")
    assert f"HOME={tmp_path / 'image/home/harness'}\n" in seen


def test_a_dockerfile_is_read_as_it_is_written(tmp_path: Path):
    """Comments between the lines of one step, several stages, words in lists."""
    text = 'RUN one \\\n# not this\n    && two\nENTRYPOINT ["a"]\nCMD ["b", "c d"]'
    image = dockerfile.read(written(tmp_path, text))
    assert (Step("RUN", "one && two", 3),) == image.steps
    assert (("a",), ("b", "c d"), "base", {"base": "debian"}) == (
        image.entry,
        image.command,
        image.base,
        image.others,
    )
    copied = dockerfile.copied(Step("COPY", "--chown=x:y --from=uv /a /b /c", 1))
    assert Copy(("/a", "/b"), "/c", "uv", "x:y") == copied
    assert "1-2-" == dockerfile.expanded("${A}-$B-$C", {"A": "1", "B": "2"})


def test_what_is_ignored_is_not_copied(tmp_path: Path):
    """Folders by name, at any depth, all but one of a folder; links to folders are none."""
    rules = "# said\n.tox\n**/__pycache__\n**/*.egg-info\nreports/*\n!reports/README.md\n"
    (tmp_path / ".dockerignore").write_text(rules, encoding="utf-8")
    for name in (
        ".tox/x",
        "a/__pycache__/x",
        "__pycache__/x",
        "a/b.egg-info/x",
        "reports/run/x",
        "reports/README.md",
        "a/.toxic",
        "a/b/c.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    kept = [path.as_posix() for path in dockerfile.context(tmp_path)]
    assert [".dockerignore", "a/.toxic", "a/b/c.py", "reports/README.md"] == kept


def test_the_dockerfiles_make_their_folder_before_its_user(tmp_path: Path):
    """Planted: without that, some builders make a folder that the user cannot write to."""
    for path in (CPU, GPU):
        text = path.read_text(encoding="utf-8")
        without = text.replace(" /home/harness/parity-harness\nUSER", " /srv\nUSER")
        assert without != text
        planted = tmp_path / path.name
        planted.write_text(without, encoding="utf-8")
        image, _ = built(planted, tmp_path / f"{path.stem}-image")
        with pytest.raises(StepFailed, match="Make it before USER"):
            image.build()
        shutil.rmtree(image.place.root)
