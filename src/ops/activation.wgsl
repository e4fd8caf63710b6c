// Activations by number, as in enum act (op.h). Gives: activate.
fn activate(kind: u32, x: f32) -> f32 {
    switch kind {
        case 1u: { return 1.0 / (1.0 + exp(-x)); }
        // tanh(x) = 1 - 2 / (e^2x + 1) overflows to the right limits
        case 2u: { return 1.0 - 2.0 / (exp(2.0 * x) + 1.0); }
        case 3u: { let positive = max(x, 0.0); return positive * positive; }
        case 4u: { return x / (1.0 + exp(-x)); }
        // tanh form of GELU (Hendrycks and Gimpel, arXiv 1606.08415)
        case 5u: {
            let inner = 0.7978845608 * (x + 0.044715 * x * x * x);
            return x * (1.0 - 1.0 / (exp(2.0 * inner) + 1.0));
        }
        default: { return x; }
    }
}
