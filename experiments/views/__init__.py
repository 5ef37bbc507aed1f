"""What there is to see of a run: pure functions from records to numbers; `figures` draws them."""
