"""Services: instances with their queues, workers and scripts, and what can happen to them."""
