"""Layers: what a call goes through on its way out of a proxy, each a handler around a handler."""
