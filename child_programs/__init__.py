"""What an individual is worth: the child programs that train it, and accuracy surrogates."""
