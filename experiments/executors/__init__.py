"""Where child programs run, one executor a file; the name of an executor is the name of its file."""
