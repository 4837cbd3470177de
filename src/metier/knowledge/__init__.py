"""What is known: documents → passages → an index that is searched, kept in knowledge bases."""
