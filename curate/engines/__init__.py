"""Where tasks run. An engine only schedules: a task is a function of one shard that writes files and returns counts."""
