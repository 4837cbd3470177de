"""The engine room: decoder layers and loss whose forward and backward are written by hand, for LoRA on a CPU.

The plain path (transformers, PEFT, autograd) stays for every model and setting that these do not fit, and the tests
hold both to the same losses and gradients. What is saved here:

- one matrix product for q, k and v and one for gate and up, with LoRA's second matrix as further columns of the same
  product, in which the backward pass finds LoRA's inner gradient too;
- no gradient of frozen weights, no casts, no dropout, few intermediate tensors and none kept that is cheap to remake;
- residual sums inside matrix products; norms, rotation and SwiGLU in place;
- the vocabulary-wide product and its gradient in blocks, only where labels are.
"""

from metier.train.fused.install import fits, install

__all__ = ["fits", "install"]
