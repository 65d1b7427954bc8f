"""The rules of postings: values and `now` in, decisions and events out; no I/O."""
