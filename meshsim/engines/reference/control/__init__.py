"""The control plane: which instances there are, who learns of it and when, and what goes wrong with them."""
