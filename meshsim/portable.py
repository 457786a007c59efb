from math import log as ln, exp
