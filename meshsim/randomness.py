from hashlib import blake2b
import numpy as np
MASK=(1<<64)-1
GOLDEN=0x9E3779B97F4A7C15
def mix(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)
def stream(name): return int.from_bytes(blake2b(name.encode(),digest_size=8).digest(),'little')
ARRIVAL,ROUTE,DESTINATION,GATEWAY_PICK,SERVICE_TIME,ERROR,CALL,LOAD_BALANCER,BACK_OFF,NETWORK,PROXY_TIME,THINK_TIME,SAMPLE,START_OFFSET,CLIENT,APPLICATION,GATEWAY,SIDECAR=[mix(i+1) for i in range(18)]
def root_key(seed,rep,s): return mix(mix(mix(seed)+rep & MASK)^s)
def request_key(root,n): return mix(root + n*GOLDEN & MASK)
def user_request_key(root,u,i): return mix(mix(root+u*GOLDEN & MASK)+i*GOLDEN & MASK)
def call_key(p,place): return mix(p+(place+1)*GOLDEN & MASK)
def attempt_key(k,layer,a): return k if a==1 else mix((k^layer)+a*GOLDEN & MASK)
def uniform(key,purpose,index=0):
    z=(key^purpose)+(index+1)*GOLDEN & MASK
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return (((z ^ (z >> 31))>>12)+0.5)*2**-52
class Draw:
    __slots__=("key","purpose","index")
    def at(self,key,purpose):
        self.key=key;self.purpose=purpose;self.index=0;return self
    def uniform(self):
        i=self.index;self.index=i+1
        return uniform(self.key,self.purpose,i)
    def below(self,n): return int(self.uniform()*n)
def uniforms(keys,purpose,index=0): return np.array([uniform(int(k),purpose,index) for k in keys])
