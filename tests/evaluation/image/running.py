"""The steps of an image, run one after another in a place; what is not run as it stands is said."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.evaluation.image import dockerfile
from tests.evaluation.image.dockerfile import Image, NotUnderstood, Step
from tests.evaluation.image.places import Place, StepFailed


@dataclasses.dataclass(frozen=True)
class Shortened:
    """A part of a RUN that is replaced. `why`: said in its place."""

    pattern: str
    replacement: str
    why: str


#: Where nothing of the machine is changed: no user, and nobody to give files to.
IN_A_FOLDER = (
    Shortened(
        r'useradd --create-home --uid "\$\{UID\}" harness',
        "mkdir -p /home/harness",
        "no user is made: its home is",
    ),
    Shortened(r"--owner harness --group harness ", "", "there is nobody to give it to"),
)
#: What takes minutes and gigabytes.
SHORT = (
    Shortened(
        r"tox run --notest -e (\S+)",
        r"tox config -e \1 -k env_name base_python deps",
        "the builds are resolved and not installed",
    ),
    Shortened(
        r"pip install ([^&]*)-r (\S+)",
        r"pip --version && test -s \2",
        "the frameworks are not installed; their requirements are there",
    ),
)
#: Where even what the harness itself needs would take too long: it is that of these tests.
BORROWED = (
    Shortened(
        r"pip install (.*)-e \.",
        r"pip install \1--no-deps -e . && .venv/bin/python -c "
        r"'import site; print(site.getsitepackages()[0])' > site.txt && "
        r'echo "${BORROWED}" > "$(cat site.txt)/borrowed.pth"',
        "what the harness needs is borrowed from these tests",
    ),
    Shortened(r"\.venv/bin/tox ", ".venv/bin/python -m tox ", "tox is borrowed"),
)
NO_INTERPRETERS = Shortened(
    r"^uv python install .*", "true", "no interpreter is downloaded: those of --interpreters are"
)
NO_UV = Shortened(r"^uv python install .*", "true", "no interpreter is downloaded")


class Built:
    """An image as far as it has been built.

    Args:
        image: its Dockerfile. place: where its steps run. folder: that it is built in.
        given: values of `--build-arg`. shortened: parts of steps that are replaced.
        stages: files in the place of other stages' images, by stage.
        say: told of each step, and of what is not run as it stands.
    """

    def __init__(
        self,
        image: Image,
        place: Place,
        folder: Path,
        given: Mapping[str, str],
        shortened: Sequence[Shortened],
        stages: Mapping[str, Path],
        say: Callable[[str], None],
    ) -> None:
        self.image, self.place, self.folder = image, place, folder
        self.given, self.shortened, self.stages, self.say = given, shortened, stages, say
        self.values: dict[str, str] = {}
        self.user, self.at = "", "/"

    def build(self) -> None:
        """Run every step.

        Raises:
            StepFailed: one did not end well. NotUnderstood: one is none that is run here.
        """
        self.say(f"not run: FROM {self.image.base} (this place stands in for it)")
        for step in self.image.steps:
            self.say(f"{step.word} {step.text}")
            try:
                self._step(step)
            except StepFailed as error:
                raise StepFailed(f"line {step.line}: {step.word} {step.text}\n{error}") from None

    def _step(self, step: Step) -> None:
        if step.word == "ARG":
            name, _, default = step.text.partition("=")
            self.values[name] = self.given.get(name, default)
            self.place.environ[name] = self.values[name]
        elif step.word == "USER":
            self.user = dockerfile.expanded(step.text, self.values)
        elif step.word == "WORKDIR":
            self._work_in(step.text)
        elif step.word == "COPY":
            self._copy(step)
        elif step.word == "RUN":
            self.place.run(self._command(step.text), self.at, self.user)
        else:
            raise NotUnderstood(f"line {step.line}: {step.word}")

    def _work_in(self, path: str) -> None:
        """Be in a folder from here on. One that is made here belongs to root with some builders, to
        the user with others: so it has to be there."""
        if self.user and not self.place.inside(path).is_dir():
            raise StepFailed(
                f"{path} is not there: with some builders it becomes root's, and user {self.user}"
                " cannot write to it. Make it before USER."
            )
        self.place.inside(path).mkdir(parents=True, exist_ok=True)
        self.at = path

    def _command(self, command: str) -> str:
        for part in self.shortened:
            command, count = re.subn(part.pattern, part.replacement, command)
            if count:
                self.say(f"  shortened: {part.why}")
        return command

    def _copy(self, step: Step) -> None:
        copy = dockerfile.copied(step)
        if copy.stage:
            if copy.stage not in self.image.others:
                raise NotUnderstood(f"line {step.line}: there is no stage {copy.stage}")
            file = self.stages.get(copy.stage)
            if file is None:
                self.say(f"  not run: nothing is taken from {self.image.others[copy.stage]}")
                return
            self.say(f"  {file} stands in for that of {self.image.others[copy.stage]}")
            shutil.copy(file, self.place.inside(copy.target))
            return
        target = str(Path(self.at, copy.target))
        files = dockerfile.context(self.folder)
        for source in copy.sources:
            base = Path() if source == "." else Path(source)
            chosen = [path for path in files if base in (Path(), path, *path.parents)]
            if not chosen:
                raise StepFailed(f"{source} is not there, or .dockerignore leaves it out")
            for path in chosen:
                into = self.place.inside(target) / path.relative_to(base)
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self.folder / path, into)
        if copy.owner:
            self.place.own(target, copy.owner)

    def start(self, words: Sequence[str]) -> str:
        """Run the image as `docker run IMAGE WORDS` does; return what it printed.

        Args:
            words: behind the entry point.

        Raises:
            StepFailed: it ended with another code than 0.
        """
        command = " ".join(_quoted(word) for word in (*self.image.entry, *words))
        return self.place.run(command, self.at, self.user)


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"
