// Activations by number, as in activation.wgsl.
float activate(uint kind, float x)
{
    switch (kind) {
    case 1: return 1 / (1 + exp(-x));
    case 2: return 1 - 2 / (exp(2 * x) + 1);
    case 3: return max(x, 0) * max(x, 0);
    case 4: return x / (1 + exp(-x));
    case 5: return x * (1 - 1 / (exp(2 * 0.7978845608 * (x + 0.044715 * x * x * x)) + 1));
    default: return x;
    }
}
