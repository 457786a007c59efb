"""What travels: requests, calls, attempts, and the links that they travel over."""
