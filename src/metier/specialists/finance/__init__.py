"""The finance specialist: figures re-read from their cells, computed by tools, and checked against tables and texts."""
