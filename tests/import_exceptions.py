"""Which modules are excepted from the rules of `import_rules`, each with its reason."""

from __future__ import annotations

#: Who may import what speaks SQL outside `harness.history`, and why.
DATABASE_EXCEPTIONS = {
    "harness/sinks/mlflow.py": "the errors of MLflow's own store; it asks it nothing"
}
#: Formats of what users hand in, which are no records, and why each module may read them.
FORMAT_EXCEPTIONS = {
    # A table that was checked by its SHA-256.
    "harness/workloads/ehr_mgan/daphnet.py": {"np.loadtxt"},
    # Of the user's own, without pickles.
    "harness/workloads/start_values.py": {"np.load"},
    # The scale of a user's cohort, without pickles.
    "harness/workloads/ehr_mgan/folder.py": {"np.load", "zipfile.ZipFile"},
}
#: Who may import `pickle`; nobody may load with it.
PICKLE_EXCEPTIONS = {
    "harness/workloads/ehr_mgan/pickles.py": "its unpickler looks up no name that a file holds"
}
#: `json` in memory, outside `store`: why each may.
JSON_EXCEPTIONS = {
    "harness/records/decoder.py": "reads strict JSON, for all others",
    "harness/history/insertion.py": "what tells two rows apart is the hash of their JSON",
    "harness/models/foreign_names.py": "renders the draft of a file to text",
    "harness/pairs/map_file.py": "quotes names in TOML, whose strings are JSON's",
    "harness/plan/jobs.py": "a job's identity is the hash of its JSON",
    "harness/environments/import_probe.py": "parses the line that a foreign interpreter printed",
    "harness/environments/probe.py": "parses the line that a foreign interpreter printed",
    "harness/execution/processes.py": "the lines of the worker's protocol",
    "harness/report/benchmark_format.py": (
        "renders another program's format to text; `store` writes it"
    ),
    "harness/report/diff_json.py": "renders a difference to text; `cli` prints it",
    "harness/commands/feedback.py": "reads the index that a row has as text",
    "harness/report/feedback_json.py": "renders feedback to text; `files` writes it",
    "harness/report/json_format.py": "renders the report to text; `store` writes it",
    "harness/report/model_explorer.py": (
        "renders another program's format to text; `files` writes it"
    ),
    "harness/report/provenance.py": "quotes values in a table",
    "harness/execution/answers.py": "speaks the workers' JSON lines",
    "harness/records/runs.py": "a run's key is the hash of its JSON",
}
#: Opening files outside `store` and `processes`: plain text and bytes that are no records, and why.
FILE_EXCEPTIONS = {
    "harness/records/files.py": "reads and writes whole files for all others, whatever is in them",
    "harness/history/export.py": "CSV for other programs",
    "harness/execution/keeper.py": "the kernel's numbers of a process' parent and group",
    "harness/execution/logs.py": "workers' logs, plain text",
    "harness/environments/installation.py": "empties and quotes the log of an installation",
    "harness/environments/interpreters.py": "conda's list of environments",
    "harness/nightly/config.py": "the matrix, TOML that the user writes",
    "harness/pairs/file.py": "a pair file, Python that the user writes; parsed and not run",
    "harness/pairs/source_lines.py": "Python that the user writes; parsed and not run",
    "harness/pairs/map_file.py": "the map of a pair, TOML that the user writes",
    "harness/pairs/skeleton.py": "templates of pair files, which lie in the package",
    "harness/models/foreign_names.py": (
        "the names of another program's variables, JSON that the user writes"
    ),
    "harness/execution/memory.py": "the kernel's marks of a process",
    "harness/models/training.py": "a model's losses as CSV, for other programs to read",
    "harness/environments/probe.py": "requirement files",
    "harness/report/renderers.py": "hands the text of a report.json to `json_format`",
    "harness/execution/machine.py": "the kernel's counters of processors, and CPU quotas",
    "harness/environments/staging.py": "hashes source files",
    "harness/workloads/ehr_mgan/daphnet.py": "the bytes of a recording, checked by their SHA-256",
    "harness/workloads/ehr_mgan/pickles.py": (
        "the bytes of a user's cohort, for an unpickler of its own"
    ),
}
