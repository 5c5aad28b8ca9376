# The harness with the builds tf2, tf1-compat and torch for NVIDIA GPUs. The wheels bring CUDA; the machine has the driver and NVIDIA's
# container toolkit. From the repository's root:
#
#     docker build -f docker/gpu.Dockerfile -t parity-harness:gpu .
#     docker run --rm --gpus all -v "$PWD/reports:/home/harness/parity-harness/reports" parity-harness:gpu
#
# While an image is built there is no GPU, and the harness installs nothing for a device that is not there. So the frameworks have
# environments of their own here, named with --python: put the same words after any other command of this image.
FROM python:3.11-slim-bookworm

ARG UID=1000

# The folders are made here, for what WORKDIR makes is root's with some builders.
RUN useradd --create-home --uid "${UID}" harness \
    && install --directory --owner harness --group harness /opt/builds /home/harness/parity-harness
USER ${UID}
WORKDIR /home/harness/parity-harness

COPY --chown=harness:harness backends backends
RUN python -m venv /opt/builds/tf2 \
    && /opt/builds/tf2/bin/pip install --no-cache-dir --disable-pip-version-check -r backends/tf2/requirements/tf2-gpu.txt \
    && python -m venv /opt/builds/torch \
    && /opt/builds/torch/bin/pip install --no-cache-dir --disable-pip-version-check -r backends/torch/requirements/torch-gpu.txt

COPY --chown=harness:harness . .
RUN python -m venv .venv && .venv/bin/pip install --no-cache-dir --disable-pip-version-check -e .

ENTRYPOINT [".venv/bin/harness"]
CMD ["nightly", "--config", "docs/examples/nightly/gpu.toml", \
     "--python", "tf2=/opt/builds/tf2/bin/python", "tf1-compat=/opt/builds/tf2/bin/python", "torch=/opt/builds/torch/bin/python"]
