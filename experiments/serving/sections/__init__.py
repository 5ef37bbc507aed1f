"""Sections of the page of a run, one file each: TITLE, ORDER and `layout`."""
