"""Templates and style sheet of the page."""
