"""Programs that people already look at runs with: MLflow, and TensorBoard's event files.

Fed from a judged report alone, so that what failed once can be sent again from a stored run.
`figures` and `credentials` are pure; `tracking` and `events` are the only modules that know MLflow
and TensorBoard, each an optional extra.
"""
