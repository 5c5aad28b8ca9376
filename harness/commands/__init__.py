"""What each command does, as functions: options become a request once, and a request becomes a
judged run on disk."""
