"""Charts drawn from numbers, and questions that the numbers answer: for the sample sets and the vision seedling."""
