"""Programs that people already look at runs with: MLflow, and TensorBoard's event files.

Fed from a judged report alone, so that what failed once can be sent again from a stored run.
`figures` and `credentials` are pure; `mlflow` and `tensorboard` are the only modules that know
those programs, each an optional extra.
"""
