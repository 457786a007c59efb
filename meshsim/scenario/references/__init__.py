"""What one part of a scenario says of another: names that must exist, calls that must end."""
