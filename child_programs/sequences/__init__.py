"""Data of sequence-to-sequence learning: tasks with a known answer, parallel text, vocabularies, batches, scores."""
