"""What a run takes in time, memory and disk, known before it from a sample that is run."""
