"""The sections of a scenario: frozen pydantic models, one file for each part of the YAML."""
