"""Jobs and rounds on workers: processes, the turns they take, memory, logs and progress."""
