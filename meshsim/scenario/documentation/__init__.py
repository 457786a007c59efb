"""What is said of a scenario: explain, the JSON Schema, the reference page."""
