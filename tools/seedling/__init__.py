"""The vision seedling's parts: its files, and the words it knows."""
