"""Plotly figures of the views; each says its run, its device and where its accuracy comes from."""
