"""From text to nodes with places: YAML, dicts, patches, and the data files that a scenario names."""
