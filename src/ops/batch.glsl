// What kernels need of the step: the beginning of batch.wgsl's struct.
layout(binding = 1) readonly buffer Batch { uint n_tokens, n_seqs, n_outputs; } batch;
