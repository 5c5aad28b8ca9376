"""What lies on disk: the store and its formats, folders of runs, noise tapes, references."""
