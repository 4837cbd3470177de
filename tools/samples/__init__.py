"""How the sample sets are made: the fact table, the split of its pairs, the wording, the rows."""
