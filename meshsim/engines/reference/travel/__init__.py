"""What travels: requests, calls and attempts, the endpoints that they go to, the links on the way, and who handles them."""
