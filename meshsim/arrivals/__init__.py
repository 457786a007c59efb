"""When the requests of open loads arrive: a rate over time and what shapes it, or the time stamps of a file."""

from meshsim.arrivals.bursts import Bursts, State
from meshsim.arrivals.profile import Profile, Segment
from meshsim.arrivals.recorded import Recorded
from meshsim.arrivals.sinusoid import Sinusoid

Arrivals = Profile | Recorded

__all__ = ["Arrivals", "Bursts", "Profile", "Recorded", "Segment", "Sinusoid", "State"]
