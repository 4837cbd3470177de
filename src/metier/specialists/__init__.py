"""What one talks to, measures and serves: a model with prompt, knowledge, tools and rules of answering."""
