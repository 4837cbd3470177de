"""One module for each dataset format: a record becomes a conversation."""
