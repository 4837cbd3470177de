"""Models and specialists over the OpenAI protocol."""
