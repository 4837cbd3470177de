"""`/api/v1`: everything a page does, for programs. Thin: each route calls one service of the workbench."""
