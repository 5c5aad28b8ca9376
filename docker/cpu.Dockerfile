# The harness with all five builds for the CPU installed, 5 GB. From the repository's root:
#
#     docker build -f docker/cpu.Dockerfile -t parity-harness:cpu .
#     docker run --rm -v "$PWD/reports:/home/harness/parity-harness/reports" parity-harness:cpu nightly
#
# The user in the image has the number 1000, which has to be allowed to write to the mounted folder; --build-arg UID=$(id -u) makes it yours.
# Later releases of uv have no CPython 3.7.
FROM ghcr.io/astral-sh/uv:0.6.17 AS uv

FROM python:3.11-slim-bookworm

ARG UID=1000
# Wheels of PyTorch without CUDA, which the default index does not have for Linux; all other packages come from there.
ARG PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu

COPY --from=uv /uv /usr/local/bin/uv
# The folder is made here, for what WORKDIR makes is root's with some builders.
RUN useradd --create-home --uid "${UID}" harness \
    && install --directory --owner harness --group harness /home/harness/parity-harness
USER ${UID}
WORKDIR /home/harness/parity-harness

# CPython 3.7 for TensorFlow 1.15 and 3.10 for 2.10; the harness looks where uv keeps them.
RUN uv python install 3.7 3.10

COPY --chown=harness:harness . .
RUN python -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --disable-pip-version-check -e . \
    && PIP_NO_CACHE_DIR=1 .venv/bin/tox run --notest -e tf1-cpu,tf210-cpu,tf2-cpu,torch-cpu

ENTRYPOINT [".venv/bin/harness"]
CMD ["nightly"]
